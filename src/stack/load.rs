//! From a file to a [`Stack`]: reading, inputs, shape, and then the whole.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::assemble::assemble;
use super::prune::prune;
use super::schema::shape_schema;
use super::secret_text::concealed;
use super::substitute::{Mentions, Names};
use super::{Settings, Stack, inputs, services, shape};
use crate::yaml::{Entry, Node, NodeValue, Problem, Problems, Sources, Spot, read, render};

/// A stack, and what deserves a second look.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The stack.
    pub stack: Stack,
    /// Warnings.
    pub warnings: Problems,
    /// The texts that the warnings point into.
    pub sources: Sources,
}

/// Why there is no stack.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file does not exist.
    #[error("there is no stack file `{}`", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
        /// What would help.
        hint: String,
    },
    /// The file cannot be read.
    #[error("cannot read the stack file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file has problems.
    #[error("`{file}` has {}", counted(problems))]
    Invalid {
        /// The file.
        file: String,
        /// All of them, warnings included.
        problems: Box<Problems>,
        /// The texts that they point into.
        sources: Box<Sources>,
    },
}

fn counted(problems: &Problems) -> String {
    if problems.errors() == 1 { "a problem".to_owned() } else { format!("{} problems", problems.errors()) }
}

impl LoadError {
    /// Returns the problems of the file with their lines, ready to be shown in `width` columns; `None` where there is no
    /// text to show.
    #[must_use]
    pub fn render(&self, color: bool, width: usize) -> Option<String> {
        match self {
            Self::Invalid { problems, sources, .. } => Some(render(problems, sources, color, width)),
            Self::NotFound { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// Loads a stack file and all that it names.
///
/// # Errors
/// All problems of all files at once; see [`LoadError`].
pub fn load(path: &Path, settings: &Settings) -> Result<Loaded, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|error| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error())))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(LoadError::NotFound { path: path.to_owned(), hint: neighbours(path) });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    load_text(&path.display().to_string(), &text, folder, settings)
}

/// Says which stack files there are beside one that is not.
fn neighbours(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.retain(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
    names.sort();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match super::nearest(&wanted, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{}`?", path.with_file_name(name).display()),
        None => "name a stack file, such as `stacks/mathison.yaml`".to_owned(),
    }
}

/// Loads the text of a stack file whose paths are relative to `folder`.
///
/// # Errors
/// As [`load`], but for the file itself.
pub fn load_text(file: &str, text: &str, folder: &Path, settings: &Settings) -> Result<Loaded, LoadError> {
    let mut sources = Sources::default();
    sources.add(file, text);
    let mut problems = Problems::default();
    let stack = resolve(file, text, settings, &mut sources, &mut problems)
        .map(|resolved| assemble(resolved, file, folder, settings, &mut sources, &mut problems));
    problems.sort(&sources);
    match stack {
        Some(stack) if !problems.has_errors() => Ok(Loaded { stack, warnings: problems, sources }),
        _ => {
            Err(LoadError::Invalid { file: file.to_owned(), problems: Box::new(problems), sources: Box::new(sources) })
        }
    }
}

/// A file whose inputs are resolved and whose shape holds, or which was cut back to where it does.
pub(super) struct Resolved {
    /// The tree, with positions.
    pub root: Node,
    /// The same as a value.
    pub stack_file: super::file::StackFile,
    /// True if objects may have been cut away.
    pub incomplete: bool,
    /// Values of the inputs.
    pub inputs: inputs::Inputs,
    /// What the services listen on.
    pub endpoints: std::collections::BTreeMap<String, Option<crate::service::Endpoint>>,
    /// The services named in each service's block.
    pub service_mentions: std::collections::BTreeMap<String, Mentions>,
    /// The services named in each item of `manifests`.
    pub manifest_mentions: Vec<Mentions>,
}

fn resolve(
    file: &str,
    text: &str,
    settings: &Settings,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Resolved> {
    let mut root = read_root(file, text, problems)?;
    if let Some(namespace) = &settings.namespace {
        set_namespace(&mut root, namespace);
    }
    let schema = shape_schema();
    let definitions = input_definitions(file, &root, schema);
    let mut inputs = inputs::resolve(&definitions, file, &root, settings, sources, problems);
    for entry in root.get("inputs").map(Node::entries).unwrap_or_default() {
        // Those that are not defined well are reported as such; whoever uses them need not be.
        inputs.entry(entry.key.clone()).or_insert(NodeValue::Unknown);
    }

    let before_services = Names { file, inputs: &inputs, services: None };
    let mut first_look = root.clone();
    // What is wrong is said in the second look, which sees the same.
    before_services.substitute(&mut first_look, &mut Mentions::new(), &mut Problems::default());
    let word = |key: &str| first_look.get(key).and_then(Node::as_str).unwrap_or_default();
    let nothing = Node { value: NodeValue::Null, at: Spot::default() };
    let endpoints =
        services::endpoints(first_look.get("services").unwrap_or(&nothing), word("stack"), word("namespace"));

    let names = Names { file, inputs: &inputs, services: Some(&endpoints) };
    let (service_mentions, manifest_mentions) = substitute_parts(&mut root, &names, problems);
    let shape_problems = shape::check(file, &root, root.at, schema, schema);
    let mut pruned = root.clone();
    let incomplete = prune(file, &mut pruned, schema);
    problems.extend(shape_problems);
    // What is left fits the schema that was made from these very types.
    match serde_json::from_value(pruned.to_json()) {
        Ok(stack_file) => {
            Some(Resolved { root, stack_file, incomplete, inputs, endpoints, service_mentions, manifest_mentions })
        }
        Err(error) => {
            problems.push(Problem::error(file, root.at, error.to_string()));
            None
        }
    }
}

fn read_root(file: &str, text: &str, problems: &mut Problems) -> Option<Node> {
    let (mut documents, read_problems) = read(file, text);
    let broken = read_problems.has_errors();
    problems.extend(concealed(&read_problems, text));
    let start = Spot { line: 1, column: 1, length: 1 };
    match documents.len() {
        0 if broken => None,
        0 => {
            problems.push(
                Problem::error(file, start, "the file is empty")
                    .hint("a stack has at least `stack: NAME` and `namespace: NAME`"),
            );
            None
        }
        1 => {
            let root = documents.remove(0).root;
            if matches!(root.value, NodeValue::Map(_)) {
                return Some(root);
            }
            problems.push(Problem::error(file, root.at, format!("a stack file is a map, this is {}", root.describe())));
            None
        }
        _ => {
            let at = documents.get(1).map_or(start, |document| Spot { length: 1, ..document.root.at });
            let hint = "plain manifests go below `manifests`, each document in a file of its own or all in one";
            problems.push(Problem::error(file, at, "a stack file is one document, and here starts another").hint(hint));
            None
        }
    }
}

fn set_namespace(root: &mut Node, namespace: &str) {
    let NodeValue::Map(entries) = &mut root.value else { return };
    let value = NodeValue::String(namespace.to_owned());
    match entries.iter_mut().find(|entry| entry.key == "namespace") {
        Some(entry) => entry.value.value = value,
        None => {
            let at = root.at;
            entries.push(Entry { key: "namespace".to_owned(), key_at: at, value: Node { value, at } });
        }
    }
}

fn input_definitions(
    file: &str,
    root: &Node,
    schema: &serde_json::Value,
) -> std::collections::BTreeMap<String, super::file::InputDefinition> {
    let definition = &schema["properties"]["inputs"]["additionalProperties"];
    root.get("inputs")
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter(|entry| shape::check(file, &entry.value, entry.key_at, definition, schema).is_empty())
        .filter_map(|entry| Some((entry.key.clone(), serde_json::from_value(entry.value.to_json()).ok()?)))
        .collect()
}

/// Resolves references everywhere but in the inputs themselves and in templates of secrets, which name keys as well.
fn substitute_parts(
    root: &mut Node,
    names: &Names<'_>,
    problems: &mut Problems,
) -> (std::collections::BTreeMap<String, Mentions>, Vec<Mentions>) {
    let (mut services, mut manifests) = (std::collections::BTreeMap::new(), Vec::new());
    let NodeValue::Map(entries) = &mut root.value else { return (services, manifests) };
    for entry in entries {
        match (entry.key.as_str(), &mut entry.value.value) {
            ("inputs" | "environments", _) => {}
            ("services", NodeValue::Map(blocks)) => {
                for block in blocks {
                    let mentions = services.entry(block.key.clone()).or_default();
                    names.substitute(&mut block.value, mentions, problems);
                }
            }
            ("manifests", NodeValue::List(items)) => {
                for item in items {
                    let (mut mentions, mut found) = (Mentions::new(), Problems::default());
                    names.substitute(item, &mut mentions, &mut found);
                    let kind = item.get("inline").and_then(|object| object.get("kind")?.as_str());
                    if kind == Some("Secret") {
                        found = without_values(&found);
                    }
                    problems.extend(found);
                    manifests.push(mentions);
                }
            }
            ("secrets", _) => substitute_but_templates(&mut entry.value, names, problems),
            _ => names.substitute(&mut entry.value, &mut Mentions::new(), problems),
        }
    }
    (services, manifests)
}

/// Takes out of problems what they repeat of a text that may be a secret, such as a password with `${` in it.
fn without_values(problems: &Problems) -> Problems {
    let mut concealed = Problems::default();
    for problem in problems.iter() {
        let message = "a text in a Secret holds a `${` that cannot be resolved".to_owned();
        concealed.push(Problem { message, ..problem.clone() }.conceal(true));
    }
    concealed
}

fn substitute_but_templates(node: &mut Node, names: &Names<'_>, problems: &mut Problems) {
    match &mut node.value {
        NodeValue::Map(entries) => {
            for entry in entries {
                if entry.key != "template" || !matches!(entry.value.value, NodeValue::String(_)) {
                    substitute_but_templates(&mut entry.value, names, problems);
                }
            }
        }
        _ => names.substitute(node, &mut Mentions::new(), problems),
    }
}
