//! The parts that say something about objects by their address: `dependsOn`, `protect`, `ignore`, `grant`, `exclusive`,
//! `mute`; and the outputs.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{GrantBlock, MuteBlock, StackFile};
use super::nearest::{did_you_mean, listed};
use super::origin::Locator;
use super::secrets::Secrets;
use super::targets::Targets;
use super::{Dependency, Grant, Mute, OutputSource};
use crate::resource::Address;
use crate::secret::secret_and_key;
use crate::ssa::Path;
use crate::yaml::{Problems, escape_pointer};

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub depends_on: BTreeMap<Address, Vec<Dependency>>,
    pub protect: BTreeSet<Address>,
    pub ignore: BTreeMap<Address, Vec<String>>,
    pub grants: BTreeMap<Address, Vec<Grant>>,
    pub exclusive: BTreeSet<Address>,
    pub mutes: Vec<Mute>,
    pub outputs: BTreeMap<String, OutputSource>,
}

/// Reads them.
pub(super) fn read(
    file: &StackFile,
    secrets: &Secrets,
    targets: &Targets<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> Rules {
    let mut rules = Rules::default();
    for (text, awaited) in &file.depends_on {
        let pointer = format!("/dependsOn/{}", escape_pointer(text));
        let mut dependencies = Vec::new();
        for (index, other) in awaited.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            if other == text {
                problems.push(locator.error(&pointer, format!("`{text}` would wait for itself")).hint("take it away"));
                continue;
            }
            dependencies.extend(self::dependencies(other, &pointer, targets, locator, problems));
        }
        for address in addresses(text, &pointer, true, targets, locator, problems) {
            rules.depends_on.entry(address).or_default().extend(dependencies.iter().cloned());
        }
    }
    for (part, texts, set) in
        [("protect", &file.protect, &mut rules.protect), ("exclusive", &file.exclusive, &mut rules.exclusive)]
    {
        for (index, text) in texts.iter().enumerate() {
            set.extend(addresses(text, &format!("/{part}/{index}"), false, targets, locator, problems));
        }
    }
    for (text, fields) in &file.ignore {
        let pointer = format!("/ignore/{}", escape_pointer(text));
        check_fields(fields, &pointer, locator, problems);
        for address in addresses(text, &pointer, true, targets, locator, problems) {
            rules.ignore.entry(address).or_default().extend(fields.iter().cloned());
        }
    }
    for (text, grants) in &file.grant {
        let pointer = format!("/grant/{}", escape_pointer(text));
        let grants: Vec<Grant> = grants
            .iter()
            .enumerate()
            .map(|(index, grant)| self::grant(grant, &format!("{pointer}/{index}"), locator, problems))
            .collect();
        for address in addresses(text, &pointer, true, targets, locator, problems) {
            rules.grants.entry(address).or_default().extend(grants.iter().cloned());
        }
    }
    for (index, block) in file.mute.iter().enumerate() {
        rules.mutes.extend(mutes(block, &format!("/mute/{index}"), targets, locator, problems));
    }
    for (name, text) in &file.outputs {
        if let Some(output) =
            output(text, &format!("/outputs/{}", escape_pointer(name)), secrets, targets, locator, problems)
        {
            rules.outputs.insert(name.clone(), output);
        }
    }
    rules
}

/// Returns the edges to what a text names.
pub(super) fn dependencies(
    text: &str,
    pointer: &str,
    targets: &Targets<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> Vec<Dependency> {
    let edge = |on| Dependency { on, reason: "dependsOn".to_owned() };
    addresses(text, pointer, false, targets, locator, problems).into_iter().map(edge).collect()
}

/// Checks that each text is a field path.
pub(super) fn check_fields(fields: &[String], pointer: &str, locator: &Locator<'_>, problems: &mut Problems) {
    for (index, field) in fields.iter().enumerate() {
        check_field(field, &format!("{pointer}/{index}"), locator, problems);
    }
}

fn check_field(field: &str, pointer: &str, locator: &Locator<'_>, problems: &mut Problems) {
    if field.len() < 2 || !field.starts_with('.') {
        let better = format!(".{}", field.trim_start_matches(['$', '.', '/']).replace('/', "."));
        let problem = locator.error(pointer, format!("`{field}` is no field path: it starts with `.`"));
        problems.push(problem.hint(if better.len() > 1 {
            format!("did you mean `{better}`?")
        } else {
            "such as `.spec.replicas`".to_owned()
        }));
    } else if let Err(error) = Path::parse(field) {
        let hint = "such as `.spec.template.spec.containers[name=\"web\"].image`";
        problems.push(locator.error(pointer, error.to_string()).hint(hint));
    }
}

fn addresses(
    text: &str,
    pointer: &str,
    by_key: bool,
    targets: &Targets<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> Vec<Address> {
    match targets.resources(text) {
        Ok(addresses) => addresses,
        Err(None) => Vec::new(),
        Err(Some((message, hint))) => {
            let problem = if by_key { locator.key_error(pointer, message) } else { locator.error(pointer, message) };
            problems.push(problem.maybe_hint(hint));
            Vec::new()
        }
    }
}

fn grant(block: &GrantBlock, pointer: &str, locator: &Locator<'_>, problems: &mut Problems) -> Grant {
    if block.manager.is_none() && block.field.is_none() {
        let message = "a grant names a manager, a field, or both";
        problems.push(
            locator.error(pointer, message).hint("write for example `{ manager: kubectl, field: .spec.replicas }`"),
        );
    }
    if let Some(field) = &block.field {
        check_field(field, &format!("{pointer}/field"), locator, problems);
    }
    Grant { manager: block.manager.clone(), field: block.field.clone() }
}

fn mutes(
    block: &MuteBlock,
    pointer: &str,
    targets: &Targets<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> Vec<Mute> {
    check_field(&block.field, &format!("{pointer}/field"), locator, problems);
    if block.until.len() != 10 || block.until.parse::<jiff::civil::Date>().is_err() {
        let message = format!("`{}` is no day", block.until);
        problems.push(locator.error(&format!("{pointer}/until"), message).hint("write it as `2026-12-31`"));
    }
    if block.reason.trim().is_empty() {
        problems.push(locator.error(&format!("{pointer}/reason"), "a mute has a reason"));
    }
    let mute = |address| Mute {
        address,
        field: block.field.clone(),
        reason: block.reason.clone(),
        until: block.until.clone(),
    };
    addresses(&block.address, &format!("{pointer}/address"), false, targets, locator, problems)
        .into_iter()
        .map(mute)
        .collect()
}

fn output(
    text: &str,
    pointer: &str,
    secrets: &Secrets,
    targets: &Targets<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> Option<OutputSource> {
    let Some((secret, key)) = secret_and_key(text) else {
        return Some(OutputSource::Text(text.to_owned()));
    };
    let Some((spec, _)) = secrets.get(secret) else {
        if !targets.incomplete {
            let hint = did_you_mean(secret, secrets.keys().map(String::as_str));
            problems.push(
                locator.error(pointer, format!("there is no Secret `{secret}` under `secrets`")).maybe_hint(hint),
            );
        }
        return None;
    };
    if !spec.keys.contains_key(key) {
        if !targets.incomplete {
            let known = || spec.keys.keys().map(String::as_str);
            let hint = did_you_mean(key, known()).unwrap_or_else(|| format!("it has {}", listed(known(), "and")));
            problems.push(locator.error(pointer, format!("the Secret `{secret}` has no key `{key}`")).hint(hint));
        }
        return None;
    }
    Some(OutputSource::SecretKey { secret: spec.object.clone(), key: key.to_owned() })
}
