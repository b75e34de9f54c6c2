//! Fills the keys of a Secret: what is live is kept, what is missing is drawn or fetched, what is derived follows.
//!
//! Reads nothing itself: environment, files, other Secrets and randomness are handed in. A plan asks for no sources; then
//! a key may have a fate without a value, which only the apply will know.

mod derive;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use thiserror::Error;

use super::generate::{EntropyError, Random, generate};
use super::{SecretSpec, SecretValue, Source};
use crate::resource::ObjectRef;

/// Where values come from.
pub struct Sources<'a> {
    /// Looks up an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file; `None` if it does not exist.
    pub file: &'a dyn Fn(&Path) -> io::Result<Option<Vec<u8>>>,
    /// Looks up a key of a Secret that exists already.
    pub existing: &'a dyn Fn(&ObjectRef, &str) -> Option<SecretValue>,
    /// True where a required value that is nowhere to be found is an error. False for plan and drift, which never need the
    /// sources: there it is [`Fate::Unknown`].
    pub require_sources: bool,
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It was generated before, and the live value stays.
    Kept,
    /// It is drawn now.
    Generated,
    /// It is what its source says now.
    Fetched,
    /// It is assembled from other keys.
    Derived,
    /// Its source is absent, and the live value stays.
    KeptSourceAbsent,
    /// Its source is absent, there is no live value, and it is optional.
    AbsentOptional,
    /// Its source is absent, there is no live value, and only an apply will need it.
    Unknown,
}

/// The values of a Secret's keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filled {
    /// The values. A key with the fate `AbsentOptional` or `Unknown` has none.
    pub data: BTreeMap<String, SecretValue>,
    /// What became of every key of the specification.
    pub fates: BTreeMap<String, Fate>,
}

impl Filled {
    /// Returns the field `data` of the Secret, in base64.
    #[must_use]
    pub fn to_object_data(&self) -> Map<String, Value> {
        self.data.iter().map(|(key, value)| (key.clone(), Value::from(value.to_base64().as_str()))).collect()
    }
}

/// A key that has no value.
#[derive(Debug, Error)]
#[error("key `{key}` of {object} cannot be filled")]
pub struct SecretError {
    /// The Secret.
    pub object: ObjectRef,
    /// The key.
    pub key: String,
    /// Why.
    #[source]
    pub problem: SecretProblem,
}

/// Why a key has no value. Never holds one.
#[derive(Debug, Error)]
pub enum SecretProblem {
    /// The environment variable is not set, or empty.
    #[error("the environment variable `{0}` is not set")]
    VariableAbsent(String),
    /// The file does not exist, or is empty.
    #[error("the file `{}` does not exist or is empty", .0.display())]
    FileAbsent(PathBuf),
    /// The file cannot be read.
    #[error("the file `{}` cannot be read", path.display())]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The other Secret, or its key, does not exist.
    #[error("{secret} has no key `{key}`")]
    ExistingAbsent {
        /// The Secret.
        secret: ObjectRef,
        /// The key.
        key: String,
    },
    /// The live value is no base64, so this is no Secret's data.
    #[error("its live value is not base64")]
    LiveNotBase64,
    /// It cannot be drawn.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The template names a key that this Secret does not have.
    #[error("its template names `{0}`, which is no key of this Secret")]
    TemplateKeyUnknown(String),
    /// The template names an optional key that has no value.
    #[error("its template needs `{0}`, which is optional and has no value; set its source, or leave the template out")]
    TemplateKeyAbsent(String),
    /// The template needs itself.
    #[error("its template needs itself, through `{0}`")]
    TemplateCycle(String),
}

/// Fills all keys of `spec`. `live` is the field `data` of the live Secret. An empty value, live or from a source, is a
/// placeholder and counts as absent.
///
/// # Errors
/// All keys that cannot be filled. A template over one of those is not reported beside it.
pub fn fill(
    spec: &SecretSpec,
    live: Option<&Map<String, Value>>,
    sources: &Sources<'_>,
    random: &mut Random<'_>,
) -> Result<Filled, Vec<SecretError>> {
    let mut filling = Filling { sources, random, filled: Filled::default() };
    let mut problems: BTreeMap<&str, SecretProblem> = BTreeMap::new();
    for (key, source) in &spec.keys {
        if matches!(source, Source::Template(_)) {
            continue;
        }
        let outcome = live_value(live, key).and_then(|live_value| filling.fill_key(source, live_value));
        match outcome {
            Ok((fate, value)) => filling.settle(key, fate, value),
            Err(problem) => {
                problems.insert(key, problem);
            }
        }
    }
    derive::fill_templates(spec, sources.require_sources, &mut filling.filled, &mut problems);
    if problems.is_empty() {
        return Ok(filling.filled);
    }
    Err(problems
        .into_iter()
        .map(|(key, problem)| SecretError { object: spec.object.clone(), key: key.to_owned(), problem })
        .collect())
}

fn live_value(live: Option<&Map<String, Value>>, key: &str) -> Result<Option<SecretValue>, SecretProblem> {
    let Some(text) = live.and_then(|live| live.get(key)).and_then(Value::as_str) else { return Ok(None) };
    let value = SecretValue::from_base64(text).ok_or(SecretProblem::LiveNotBase64)?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

struct Filling<'a, 'r> {
    sources: &'a Sources<'a>,
    random: &'a mut Random<'r>,
    filled: Filled,
}

type Settled = (Fate, Option<SecretValue>);

impl Filling<'_, '_> {
    fn settle(&mut self, key: &str, fate: Fate, value: Option<SecretValue>) {
        self.filled.fates.insert(key.to_owned(), fate);
        if let Some(value) = value {
            self.filled.data.insert(key.to_owned(), value);
        }
    }

    fn fill_key(&mut self, source: &Source, live: Option<SecretValue>) -> Result<Settled, SecretProblem> {
        match source {
            Source::Generate { entropy } => match live {
                Some(live) => Ok((Fate::Kept, Some(live))),
                None => Ok((Fate::Generated, Some(generate(entropy, self.random)?))),
            },
            Source::Env { variable, optional } => {
                let found = (self.sources.env)(variable).map(SecretValue::from);
                self.fetched(found, live, *optional, || SecretProblem::VariableAbsent(variable.clone()))
            }
            Source::File { path, optional } => {
                let found = match (self.sources.file)(path) {
                    Ok(content) => content.map(without_newline),
                    Err(source) if self.sources.require_sources => {
                        return Err(SecretProblem::FileUnreadable { path: path.clone(), source });
                    }
                    Err(_) => None,
                };
                self.fetched(found, live, *optional, || SecretProblem::FileAbsent(path.clone()))
            }
            Source::Existing { secret, key, optional } => {
                let found = (self.sources.existing)(secret, key);
                self.fetched(found, live, *optional, || SecretProblem::ExistingAbsent {
                    secret: secret.clone(),
                    key: key.clone(),
                })
            }
            // Templates wait until all others are settled; see `fill_templates`.
            Source::Template(_) => Ok((Fate::Derived, None)),
        }
    }

    fn fetched(
        &self,
        found: Option<SecretValue>,
        live: Option<SecretValue>,
        optional: bool,
        absent: impl FnOnce() -> SecretProblem,
    ) -> Result<Settled, SecretProblem> {
        match (found.filter(|value| !value.is_empty()), live) {
            (Some(found), _) => Ok((Fate::Fetched, Some(found))),
            (None, Some(live)) => Ok((Fate::KeptSourceAbsent, Some(live))),
            (None, None) if optional => Ok((Fate::AbsentOptional, None)),
            (None, None) if self.sources.require_sources => Err(absent()),
            (None, None) => Ok((Fate::Unknown, None)),
        }
    }
}

fn without_newline(content: Vec<u8>) -> SecretValue {
    let content = SecretValue::new(content);
    let bytes = content.expose();
    match bytes.strip_suffix(b"\n") {
        Some(rest) => SecretValue::new(rest.strip_suffix(b"\r").unwrap_or(rest).to_vec()),
        None => content,
    }
}

#[cfg(test)]
mod tests;
