//! The `secrets` part: the source of each key, and templates that hold together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::file::{Generate, SecretSource};
use super::nearest::{did_you_mean, listed};
use super::origin::Locator;
use super::substitute::{Mentions, Names, Piece, in_text, part_of, pieces, unclosed};
use crate::resource::{ObjectRef, check_dns_subdomain, is_data_key};
use crate::secret::{Entropy, SecretSpec, Source, TemplatePart, secret_and_key};
use crate::yaml::{Problem, Problems, Severity, escape_pointer};

const LETTERS_AND_DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Fewer random bytes than this can be guessed with patience.
const FEW_BYTES: usize = 16;

/// The Secrets of the file by name, with the services that their templates name.
pub(super) type Secrets = BTreeMap<String, (SecretSpec, BTreeSet<String>)>;

/// Reads the whole part.
pub(super) fn read(
    secrets: &BTreeMap<String, BTreeMap<String, SecretSource>>,
    namespace: &str,
    names: &Names<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> Secrets {
    let mut specs = Secrets::new();
    for (name, keys) in secrets {
        let pointer = format!("/secrets/{}", escape_pointer(name));
        if let Err(error) = check_dns_subdomain(name) {
            problems.push(locator.key_error(&pointer, format!("`{name}` is no name for a Secret: {error}")));
        }
        let mut mentions = Mentions::new();
        let mut reader = Reader { namespace, names, locator, problems, mentions: &mut mentions, keys, name, secrets };
        let sources = keys.iter().filter_map(|(key, source)| {
            let pointer = format!("{pointer}/{}", escape_pointer(key));
            reader.source(key, source, &pointer).map(|source| (key.clone(), source))
        });
        let spec = SecretSpec { object: ObjectRef::new("", "Secret", Some(namespace), name), keys: sources.collect() };
        report_cycles(&spec, &pointer, locator, problems);
        specs.insert(name.clone(), (spec, mentions.into_keys().collect()));
    }
    specs
}

struct Reader<'a> {
    namespace: &'a str,
    names: &'a Names<'a>,
    locator: &'a Locator<'a>,
    problems: &'a mut Problems,
    mentions: &'a mut Mentions,
    /// The Secret that is read.
    name: &'a str,
    keys: &'a BTreeMap<String, SecretSource>,
    /// All Secrets of the file.
    secrets: &'a BTreeMap<String, BTreeMap<String, SecretSource>>,
}

impl Reader<'_> {
    fn source(&mut self, key: &str, source: &SecretSource, pointer: &str) -> Option<Source> {
        if !is_data_key(key) {
            let message = format!("`{key}` is no key: it may hold letters, digits, `-`, `_` and `.`");
            self.problems.push(self.locator.key_error(pointer, message));
        }
        let optional = source.optional;
        if optional && (source.generate.is_some() || source.template.is_some()) {
            let at = format!("{pointer}/optional");
            let message = "only a key that comes from outside can be optional";
            self.problems.push(self.locator.key_error(&at, message).hint("take `optional` away"));
        }
        if let Some(generate) = &source.generate {
            return self.generate(generate, &format!("{pointer}/generate"));
        }
        if let Some(variable) = &source.env {
            return Some(Source::Env { variable: variable.clone(), optional });
        }
        if let Some(path) = &source.file {
            return Some(Source::File { path: PathBuf::from(path), optional });
        }
        if let Some(from) = &source.from {
            let at = format!("{pointer}/from");
            let Some((secret, key)) = secret_and_key(from) else {
                let message = format!("`{from}` names no key of a Secret");
                self.problems.push(self.locator.error(&at, message).hint("write `SECRET/KEY`"));
                return None;
            };
            if self.secrets.contains_key(secret) {
                let hint = if secret == self.name {
                    format!("another key of the same Secret is `template: \"${{{key}}}\"`")
                } else {
                    format!("declare both keys in one Secret, or let the consumer read `{from}` itself")
                };
                let message = format!("`from` takes what others made, and this stack makes the Secret `{secret}`");
                self.problems.push(self.locator.error(&at, message).hint(hint));
            }
            let secret = ObjectRef::new("", "Secret", Some(self.namespace), secret);
            return Some(Source::Existing { secret, key: key.to_owned(), optional });
        }
        let template = source.template.as_ref()?;
        self.template(template, &format!("{pointer}/template")).map(Source::Template)
    }

    fn generate(&mut self, generate: &Generate, pointer: &str) -> Option<Source> {
        if let Some(bytes) = generate.bytes {
            if generate.alphabet.is_some() {
                let message = "`alphabet` goes with `length`, not with `bytes`";
                self.problems.push(self.locator.key_error(&format!("{pointer}/alphabet"), message));
            }
            if bytes < FEW_BYTES {
                let problem = self
                    .locator
                    .error(&format!("{pointer}/bytes"), format!("{bytes} random bytes are few for a secret"));
                self.problems
                    .push(Problem { severity: Severity::Warning, ..problem }.hint(format!("take {FEW_BYTES} or more")));
            }
            return Some(Source::Generate { entropy: Entropy::Bytes(bytes) });
        }
        let alphabet = generate.alphabet.clone().unwrap_or_else(|| LETTERS_AND_DIGITS.to_owned());
        let entropy = Entropy::Characters { length: generate.length?, alphabet };
        if let Err(error) = entropy.check() {
            self.problems.push(self.locator.error(&format!("{pointer}/alphabet"), error.to_string()));
            return None;
        }
        Some(Source::Generate { entropy })
    }

    fn template(&mut self, text: &str, pointer: &str) -> Option<Vec<TemplatePart>> {
        let at = self.locator.value(pointer);
        let mut parts = Some(Vec::new());
        for piece in pieces(text) {
            let part = match piece {
                Piece::Text(text) => Some(TemplatePart::Text(text)),
                Piece::Unclosed { start } => {
                    self.problems.push(unclosed(self.names.file, part_of(at, text, start, 2)));
                    None
                }
                Piece::Reference { expression, start, length } => {
                    let at = part_of(at, text, start, length);
                    if expression.starts_with("inputs.") || expression.starts_with("services.") {
                        let value = self.names.resolve(&expression, at, self.mentions, self.problems);
                        value.and_then(|value| in_text(&value)).map(TemplatePart::Text)
                    } else {
                        self.key_of(&expression, at)
                    }
                }
            };
            parts = parts.zip(part).map(|(mut parts, part)| {
                parts.push(part);
                parts
            });
        }
        parts
    }

    fn key_of(&mut self, expression: &str, at: crate::yaml::Spot) -> Option<TemplatePart> {
        let part = match TemplatePart::parse(expression) {
            Ok(part) => part,
            Err(error) => {
                self.problems.push(Problem::error(self.names.file, at, error.to_string()));
                return None;
            }
        };
        let TemplatePart::Key { key, .. } = &part else { return Some(part) };
        if self.keys.contains_key(key) {
            return Some(part);
        }
        let known = || self.keys.keys().map(String::as_str);
        let hint = did_you_mean(key, known()).unwrap_or_else(|| format!("its keys are {}", listed(known(), "and")));
        self.problems.push(Problem::error(self.names.file, at, format!("this Secret has no key `{key}`")).hint(hint));
        None
    }
}

/// Reports templates that need themselves, each cycle once and whole.
fn report_cycles(spec: &SecretSpec, pointer: &str, locator: &Locator<'_>, problems: &mut Problems) {
    let needs = |key: &str| -> Vec<&str> {
        match spec.keys.get(key) {
            Some(Source::Template(parts)) => parts
                .iter()
                .filter_map(|part| if let TemplatePart::Key { key, .. } = part { Some(key.as_str()) } else { None })
                .collect(),
            _ => Vec::new(),
        }
    };
    let mut reported = BTreeSet::new();
    for start in spec.keys.keys() {
        let mut open = vec![vec![start.as_str()]];
        let mut seen = BTreeSet::new();
        while let Some(path) = open.pop() {
            let last = path.last().copied().unwrap_or_default();
            for next in needs(last) {
                if next == start {
                    let members: BTreeSet<&str> = path.iter().copied().collect();
                    if reported.insert(members) {
                        let way = [path.as_slice(), &[start.as_str()]].concat().join("` needs `");
                        let at = format!("{pointer}/{}/template", escape_pointer(start));
                        problems.push(locator.error(&at, format!("the templates form a cycle: `{way}`")));
                    }
                } else if seen.insert(next) {
                    open.push([path.as_slice(), &[next]].concat());
                }
            }
        }
    }
}
