//! Derived keys: templates wait for what they name, and follow it.

use std::collections::BTreeMap;

use super::{Fate, Filled, SecretProblem};
use crate::secret::template::render;
use crate::secret::{SecretSpec, SecretValue, Source, TemplatePart};

/// What a template can do at this moment.
enum Step {
    /// All its keys are settled: this is its fate, or its problem.
    Settled(Fate, Option<SecretValue>),
    Problem(SecretProblem),
    /// It waits for this template.
    Waits(String),
    /// A key of it cannot be filled; that is reported there.
    Silent,
}

/// Settles every template of `spec` that can be settled, in the order in which they need each other. A template over a key
/// that has a problem already stays silent; that key is reported.
pub(super) fn fill_templates<'s>(
    spec: &'s SecretSpec,
    require_sources: bool,
    filled: &mut Filled,
    problems: &mut BTreeMap<&'s str, SecretProblem>,
) {
    let mut waiting: BTreeMap<&str, &[TemplatePart]> = BTreeMap::new();
    for (key, source) in &spec.keys {
        if let Source::Template(parts) = source {
            waiting.insert(key, parts);
        }
    }
    // A template without value that must not be waited for any longer.
    let mut silent: Vec<&str> = Vec::new();
    loop {
        let mut settled = Vec::new();
        let mut waits_for = BTreeMap::new();
        for (key, parts) in &waiting {
            let is_failed = |key: &str| problems.contains_key(key) || silent.contains(&key);
            match step(parts, spec, require_sources, filled, &is_failed) {
                Step::Waits(other) => {
                    waits_for.insert(*key, other);
                }
                other => settled.push((*key, other)),
            }
        }
        if settled.is_empty() {
            for (key, other) in waits_for {
                problems.insert(key, SecretProblem::TemplateCycle(other));
            }
            return;
        }
        for (key, step) in settled {
            waiting.remove(key);
            match step {
                Step::Settled(fate, value) => {
                    filled.fates.insert(key.to_owned(), fate);
                    filled.data.extend(value.map(|value| (key.to_owned(), value)));
                }
                Step::Problem(problem) => {
                    problems.insert(key, problem);
                }
                Step::Waits(_) | Step::Silent => silent.push(key),
            }
        }
    }
}

fn step(
    parts: &[TemplatePart],
    spec: &SecretSpec,
    require_sources: bool,
    filled: &Filled,
    is_failed: &dyn Fn(&str) -> bool,
) -> Step {
    let mut fate = Fate::Derived;
    for key in parts.iter().filter_map(|part| match part {
        TemplatePart::Key { key, .. } => Some(key),
        TemplatePart::Text(_) => None,
    }) {
        if is_failed(key) {
            return Step::Silent;
        }
        match filled.fates.get(key) {
            None if spec.keys.contains_key(key) => return Step::Waits(key.clone()),
            None => return Step::Problem(SecretProblem::TemplateKeyUnknown(key.clone())),
            Some(Fate::AbsentOptional) if require_sources => {
                return Step::Problem(SecretProblem::TemplateKeyAbsent(key.clone()));
            }
            Some(Fate::AbsentOptional | Fate::Unknown) => fate = Fate::Unknown,
            Some(_) => {}
        }
    }
    match render(parts, &filled.data) {
        Ok(value) => Step::Settled(fate, Some(value)),
        Err(_) => Step::Settled(fate, None),
    }
}
