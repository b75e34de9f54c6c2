//! Loading a stack: reads what the request names, and shows every problem at once.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::talk::Streams;
use crate::cli::{ExtraManifests, StackRequest};
use crate::failure::{ExitStatus, Failure};
use crate::stack::{self, LoadError, Loaded, Settings, Stack};
use crate::yaml;

/// Loads the stack of a request; problems are the failure. Warnings are for `validate` to tell: repeated before every plan
/// they would soon be read by nobody. With `-v` every command tells them.
pub(super) fn load(request: &StackRequest, streams: &Streams) -> Result<Stack, Failure> {
    let loaded = read_stack(request, streams)?;
    if streams.talk.verbosity > 0 {
        warn(&loaded, streams);
    }
    Ok(loaded.stack)
}

/// Loads the stack of a request and tells its warnings.
pub(super) fn load_and_warn(request: &StackRequest, streams: &Streams) -> Result<Stack, Failure> {
    let loaded = read_stack(request, streams)?;
    warn(&loaded, streams);
    Ok(loaded.stack)
}

fn warn(loaded: &Loaded, streams: &Streams) {
    if !loaded.warnings.is_empty() {
        streams.say(&yaml::render(&loaded.warnings, &loaded.sources, streams.talk.color_stderr, streams.talk.width));
    }
}

fn read_stack(request: &StackRequest, streams: &Streams) -> Result<Loaded, Failure> {
    let var_files = request.var_files.iter().map(|path| Ok((path.display().to_string(), read(path)?)));
    let settings = Settings {
        set: request.set.clone(),
        var_files: var_files.collect::<Result<_, Failure>>()?,
        environment: request.environment.clone(),
        env_inputs: request.environment_inputs.clone(),
        namespace: request.namespace.clone(),
        extra_manifests: extra(&request.extra)?,
    };
    stack::load(&request.file, &settings).map_err(|error| {
        let details = error.render(streams.talk.color_stderr, streams.talk.width).unwrap_or_default();
        let hint = match &error {
            LoadError::NotFound { hint, .. } => Some(hint.clone()),
            _ => None,
        };
        Failure::because(ExitStatus::Usage, error.to_string(), &error).maybe_hinted(hint).with_details(details)
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::because(ExitStatus::Usage, format!("failed to read `{}`", path.display()), &error))
}

fn extra(extra: &ExtraManifests) -> Result<Option<Vec<(String, String)>>, Failure> {
    match extra {
        ExtraManifests::NotSaid | ExtraManifests::None => Ok(None),
        ExtraManifests::StandardInput => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| {
                Failure::because(ExitStatus::Usage, "failed to read manifests from standard input", &error)
            })?;
            Ok(Some(vec![("<stdin>".to_owned(), text)]))
        }
        ExtraManifests::Path(path) => {
            let files = manifest_files(path).map_err(|error| {
                Failure::because(ExitStatus::Usage, format!("failed to read `{}`", path.display()), &error)
            })?;
            files.iter().map(|path| Ok((path.display().to_string(), read(path)?))).collect::<Result<_, _>>().map(Some)
        }
    }
}

/// The manifest files that a path names: itself, or those of a folder and the folders below it, sorted.
fn manifest_files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    stack::manifest_files(path, &mut files)?;
    Ok(files)
}
