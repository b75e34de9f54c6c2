//! Loading a stack: reads what the request names, and shows every problem at once.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::talk::Streams;
use crate::cli::{ExtraManifests, StackRequest};
use crate::failure::{ExitStatus, Failure};
use crate::stack::{self, LoadError, Settings, Stack};
use crate::yaml;

/// Loads the stack of a request. Warnings are told; problems are the failure.
pub(super) fn load(request: &StackRequest, streams: &Streams) -> Result<Stack, Failure> {
    let var_files = request.var_files.iter().map(|path| Ok((path.display().to_string(), read(path)?)));
    let settings = Settings {
        set: request.set.clone(),
        var_files: var_files.collect::<Result<_, Failure>>()?,
        environment: request.environment.clone(),
        env_inputs: request.environment_inputs.clone(),
        namespace: request.namespace.clone(),
        extra_manifests: extra(&request.extra)?,
    };
    match stack::load(&request.file, &settings) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                streams.say(&yaml::render(&loaded.warnings, &loaded.sources, streams.talk.color_stderr));
            }
            Ok(loaded.stack)
        }
        Err(LoadError::Problems { problems, sources }) => {
            let count = problems.iter().filter(|problem| problem.severity == yaml::Severity::Error).count();
            let plural = if count == 1 { "problem" } else { "problems" };
            Err(Failure::new(ExitStatus::Usage, format!("{} has {count} {plural}", request.file.display()))
                .with_details(yaml::render(&problems, &sources, streams.talk.color_stderr)))
        }
        Err(error) => {
            let hint = error.hint();
            Err(Failure::because(ExitStatus::Usage, format!("failed to load `{}`", request.file.display()), &error)
                .maybe_hinted(hint))
        }
    }
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
            let files = stack::manifest_files(path).map_err(|error| {
                Failure::because(ExitStatus::Usage, format!("failed to read `{}`", path.display()), &error)
            })?;
            files.iter().map(|path| Ok((path.display().to_string(), read(path)?))).collect::<Result<_, _>>().map(Some)
        }
    }
}
