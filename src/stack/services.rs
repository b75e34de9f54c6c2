//! Typed blocks: what they listen on, and the objects and checks that they make.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::found::Found;
use super::origin::{Locator, Origin};
use super::substitute::Mentions;
use crate::resource::{MANIFEST_SERVICE, ObjectRef, check_dns_label};
use crate::service::{self, Check, Endpoint, Remark, ServiceContext};
use crate::yaml::{Node, Problem, Problems, Severity, escape_pointer};

/// Words that stand for something else in addresses: `stack` for the Secret with the stack's own key.
const RESERVED: [&str; 5] = [MANIFEST_SERVICE, SECRETS_SERVICE, NAMESPACE_SERVICE, "check", "stack"];
/// The word that stands for the service in the addresses of Secrets from the `secrets` part.
pub(super) const SECRETS_SERVICE: &str = "secrets";
/// The word that stands for the service in the address of the stack's own namespace.
pub(super) const NAMESPACE_SERVICE: &str = "namespace";

/// What is known of a service once it is expanded.
#[derive(Debug, Clone, Default)]
pub(super) struct Service {
    /// The object that does the work.
    pub workload: Option<ObjectRef>,
    /// What is verified about it.
    pub checks: Vec<Check>,
}

/// Returns what each service listens on, as far as its block can be read.
pub(super) fn endpoints(services: &Node, stack: &str, namespace: &str) -> BTreeMap<String, Option<Endpoint>> {
    let endpoint = |name: &str, block: &Node| {
        let type_name = block.get("type").and_then(Node::as_str)?;
        service::endpoint(type_name, &block.to_json(), &ServiceContext { stack, namespace, name })
    };
    services.entries().iter().map(|entry| (entry.key.clone(), endpoint(&entry.key, &entry.value))).collect()
}

/// Expands all blocks.
pub(super) fn expand(
    blocks: &BTreeMap<String, Value>,
    mentions: &BTreeMap<String, Mentions>,
    context: (&str, &str),
    file: &str,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> (Vec<Found>, BTreeMap<String, Service>) {
    let (mut found, mut services) = (Vec::new(), BTreeMap::new());
    for (name, block) in blocks {
        let pointer = format!("/services/{}", escape_pointer(name));
        if !check_name(name, &pointer, locator, problems) {
            continue;
        }
        let mut block = block.clone();
        let Some(map) = block.as_object_mut() else { continue };
        let type_name = map.remove("type").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        if map.remove("patch").is_some() {
            problems.push(locator.key_error(&format!("{pointer}/patch"), "`patch` is not supported yet"));
        }
        let protect = map.remove("protect").is_some_and(|protect| protect == true);
        let depends_on: Vec<String> =
            map.remove("dependsOn").and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
        let context = ServiceContext { stack: context.0, namespace: context.1, name };
        let expansion = match service::expand(&type_name, &block, &context) {
            Ok(expansion) => expansion,
            Err(remarks) => {
                remarks.iter().for_each(|remark| problems.push(problem(remark, Severity::Error, &pointer, locator)));
                continue;
            }
        };
        for remark in &expansion.warnings {
            problems.push(problem(remark, Severity::Warning, &pointer, locator));
        }
        let nothing = Mentions::new();
        let mentioned = mentioned_by(&expansion.manifests, mentions.get(name).unwrap_or(&nothing));
        for (manifest, mentions) in expansion.manifests.into_iter().zip(mentioned) {
            let origin = Origin {
                file: file.to_owned(),
                document: None,
                pointer: pointer.clone(),
                line: 0,
                literal: false,
                external: false,
            };
            let mut object = Found::new(name, manifest, origin);
            object.mentions = mentions;
            object.protect = protect;
            object.depends_on.clone_from(&depends_on);
            object.depends_on_pointer = format!("{pointer}/dependsOn");
            found.push(object);
        }
        services.insert(name.clone(), Service { workload: expansion.workload, checks: expansion.checks });
    }
    (found, services)
}

fn check_name(name: &str, pointer: &str, locator: &Locator<'_>, problems: &mut Problems) -> bool {
    if RESERVED.contains(&name) {
        let hint = "it already stands for something else in addresses; choose another name";
        problems.push(locator.key_error(pointer, format!("a service cannot be called `{name}`")).hint(hint));
        return false;
    }
    if let Err(error) = check_dns_label(name) {
        problems.push(locator.key_error(pointer, format!("`{name}` is no name for a service: {error}")));
        return false;
    }
    true
}

fn problem(remark: &Remark, severity: Severity, pointer: &str, locator: &Locator<'_>) -> Problem {
    let whole = format!("{pointer}{}", remark.pointer);
    // A pointer to what is not written, or to the block as a whole, is shown at the nearest key.
    let at_value = !remark.pointer.is_empty() && locator.root().at_pointer(&whole).is_some();
    let problem =
        if at_value { locator.error(&whole, &remark.message) } else { locator.key_error(&whole, &remark.message) };
    Problem { severity, ..problem }.maybe_hint(remark.hint.clone()).conceal(remark.concealed)
}

/// Tells for each object which services its text names. A text that was changed on the way into an object cannot be found
/// again; then all objects of the block count.
fn mentioned_by(manifests: &[crate::resource::Manifest], mentions: &Mentions) -> Vec<BTreeSet<String>> {
    let mut sets = vec![BTreeSet::new(); manifests.len()];
    if mentions.is_empty() {
        return sets;
    }
    let texts: Vec<String> = manifests.iter().map(|manifest| manifest.object().to_string()).collect();
    for (service, values) in mentions {
        let holders: Vec<usize> = (0..texts.len())
            .filter(|index| values.iter().any(|value| texts[*index].contains(value.as_str())))
            .collect();
        for (index, set) in sets.iter_mut().enumerate() {
            if holders.is_empty() || holders.contains(&index) {
                set.insert(service.clone());
            }
        }
    }
    sets
}
