//! Plain objects: written in the stack file, read from files and folders, or handed in with `--manifests`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::file::ManifestItem;
use super::found::Found;
use super::nearest::{did_you_mean, nearest};
use super::origin::{Locator, Origin};
use super::secret_text::concealed;
use super::substitute::Mentions;
use crate::resource::{MANIFEST_SERVICE, Manifest, ManifestError};
use crate::yaml::{PlainDocument, Problem, Problems, Severity, Sources, Spot, escape_pointer, read_plain};

/// Reads the objects of the `manifests` part. `mentions` are those of each item.
pub(super) fn read_items(
    items: &[ManifestItem],
    mentions: &[Mentions],
    folder: &Path,
    stack_file: &str,
    locator: &Locator<'_>,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let pointer = format!("/manifests/{index}");
        let before = found.len();
        if let Some(object) = &item.inline {
            let origin = Origin {
                file: stack_file.to_owned(),
                document: None,
                pointer: format!("{pointer}/inline"),
                line: 0,
                literal: true,
                external: false,
            };
            take(Value::Object(object.clone()), &origin, locator, sources, &mut found, problems);
        }
        if let Some(path) = &item.path {
            for file in files(path, folder, &pointer, locator, problems) {
                read_file(&file, folder, &pointer, locator, sources, &mut found, problems);
            }
        }
        for object in &mut found[before..] {
            object.mentions =
                mentions.get(index).map(|mentions| mentions.keys().cloned().collect()).unwrap_or_default();
            object.depends_on = item.depends_on.clone();
            object.depends_on_pointer = format!("{pointer}/dependsOn");
            object.protect = item.protect;
            object.ignore.clone_from(&item.ignore);
        }
    }
    found
}

/// Takes the objects of texts that came through `--manifests`.
pub(super) fn read_extra(
    texts: &[(String, String)],
    locator: &Locator<'_>,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Vec<Found> {
    let mut found = Vec::new();
    let errors_before = problems.errors();
    for (name, text) in texts {
        sources.add(name, text);
        let (documents, read_problems) = read_plain(name, text);
        problems.extend(concealed(&read_problems, text));
        take_documents(documents, name, true, locator, sources, &mut found, problems);
    }
    if found.is_empty() && problems.errors() == errors_before {
        // A pipe whose first program failed looks like this, and would let all that came through it before go.
        problems.push(
            Problem::error("--manifests", Spot::default(), "it gave no object")
                .hint("if there shall be none, say so: `--manifests none`"),
        );
    }
    found
}

/// Returns the files that a path stands for, in their order.
fn files(path: &str, folder: &Path, pointer: &str, locator: &Locator<'_>, problems: &mut Problems) -> Vec<PathBuf> {
    let whole = folder.join(path);
    let pointer = format!("{pointer}/path");
    if whole.is_file() {
        return vec![whole];
    }
    if !whole.is_dir() {
        let names: Vec<String> = whole
            .parent()
            .and_then(|parent| std::fs::read_dir(parent).ok())
            .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        let name = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let hint = did_you_mean(&name, names.iter().map(String::as_str));
        let hint = hint.unwrap_or_else(|| "paths are relative to the stack file".to_owned());
        problems.push(locator.error(&pointer, format!("there is no file or folder `{path}`")).hint(hint));
        return Vec::new();
    }
    let mut files = Vec::new();
    if let Err(error) = manifest_files(&whole, &mut files) {
        problems.push(locator.error(&pointer, format!("the folder `{path}` cannot be read: {error}")));
    } else if files.is_empty() {
        let problem = locator.error(&pointer, format!("the folder `{path}` holds no `*.yaml`, `*.yml` or `*.json`"));
        problems.push(Problem { severity: Severity::Warning, ..problem });
    }
    files
}

/// Adds the manifest files of a folder and of the folders below it, in the order of their paths.
///
/// # Errors
/// A folder that cannot be read.
pub fn manifest_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut paths =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            manifest_files(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
        {
            files.push(path);
        }
    }
    Ok(())
}

fn read_file(
    path: &Path,
    folder: &Path,
    pointer: &str,
    locator: &Locator<'_>,
    sources: &mut Sources,
    found: &mut Vec<Found>,
    problems: &mut Problems,
) {
    let name = if folder.as_os_str().is_empty() { path.strip_prefix("./").unwrap_or(path) } else { path }
        .display()
        .to_string();
    if sources.text(&name).is_some() {
        problems.push(locator.error(&format!("{pointer}/path"), format!("`{name}` is read twice")));
        return;
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.push(locator.error(&format!("{pointer}/path"), format!("`{name}` cannot be read: {error}")));
            return;
        }
    };
    let (documents, read_problems) = read_plain(&name, &text);
    problems.extend(concealed(&read_problems, &text));
    sources.add(&name, text);
    take_documents(documents, &name, false, locator, sources, found, problems);
}

fn take_documents(
    documents: Vec<PlainDocument>,
    file: &str,
    external: bool,
    locator: &Locator<'_>,
    sources: &Sources,
    found: &mut Vec<Found>,
    problems: &mut Problems,
) {
    for (index, document) in documents.into_iter().enumerate() {
        let origin = Origin {
            file: file.to_owned(),
            document: Some(index),
            pointer: String::new(),
            line: document.line,
            literal: true,
            external,
        };
        take(document.value, &origin, locator, sources, found, problems);
    }
}

/// Takes one object, or each object of a list (`kind: List`).
fn take(
    mut value: Value,
    origin: &Origin,
    locator: &Locator<'_>,
    sources: &Sources,
    found: &mut Vec<Found>,
    problems: &mut Problems,
) {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    if is_list && let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        for (index, item) in std::mem::take(items).into_iter().enumerate() {
            let origin = Origin { pointer: format!("{}/items/{index}", origin.pointer), ..origin.clone() };
            take(item, &origin, locator, sources, found, problems);
        }
        return;
    }
    let is_secret = value.get("kind").is_some_and(|kind| kind == "Secret");
    let misspelt = misspelt(&value);
    match Manifest::new(value) {
        Ok(manifest) => found.push(Found::new(MANIFEST_SERVICE, manifest, origin.clone())),
        Err(error) => {
            let (pointer, hint) = match &error {
                ManifestError::NotAMap => ("", None),
                ManifestError::Missing(field) | ManifestError::NotAString(field) => (*field, None),
                ManifestError::GenerateName => {
                    ("metadata.generateName", Some("a name that stays the same lets the next run find it".to_owned()))
                }
            };
            let pointer = if pointer.is_empty() { String::new() } else { format!("/{}", pointer.replace('.', "/")) };
            let is_missing = |name: &str| matches!(&error, ManifestError::Missing(field) if field.ends_with(name));
            let (pointer, by_key, hint) = match misspelt {
                Some((wrong, right)) if is_missing(right) => (wrong, true, Some(format!("did you mean `{right}`?"))),
                _ => (pointer, false, hint),
            };
            let problem = locator.about(Severity::Error, origin, &pointer, by_key, error.to_string(), sources);
            let at = Spot { length: problem.at.length.min(80), ..problem.at };
            problems.push(Problem { at, ..problem }.maybe_hint(hint).conceal(is_secret));
        }
    }
}

/// Returns the pointer of the key that was probably meant to be the first missing one of the fields that every object has,
/// and the name of that field.
fn misspelt(value: &Value) -> Option<(String, &'static str)> {
    let fields = [("", "apiVersion"), ("", "kind"), ("", "metadata"), ("/metadata", "name")];
    let (map, above, field) = fields.into_iter().find_map(|(above, field)| {
        let map = value.pointer(above)?.as_object()?;
        (!map.contains_key(field)).then_some((map, above, field))
    })?;
    let key = nearest(field, map.keys().map(String::as_str))?;
    Some((format!("{above}/{}", escape_pointer(key)), field))
}
