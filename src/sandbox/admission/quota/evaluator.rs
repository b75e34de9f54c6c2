//! What an object uses up, by the names that quotas have for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::scopes;
use crate::sandbox::admission::Operation;
use crate::sandbox::admission::amounts::{Amount, Amounts, add, has_pod_level, of_pod, read};
use crate::sandbox::admission::storage::class_of;
use crate::sandbox::kind::Kind;
use crate::sandbox::strategy::fields::{at, entries, items, number, text};

const COMPUTE: [&str; 11] = [
    "pods",
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "count/pods",
];
/// If a quota counts one of these, every container has to say how much it takes.
const TO_BE_SAID: [&str; 6] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
const CLASS_SUFFIX: &str = ".storageclass.storage.k8s.io/";

/// Counts objects of one kind.
pub(super) struct Evaluator<'k> {
    kind: &'k Kind,
    /// The names for the number of objects.
    numbers: Vec<String>,
}

impl<'k> Evaluator<'k> {
    pub(super) fn of(kind: &'k Kind) -> Self {
        let mut numbers = vec![format!("count/{}", kind.qualified())];
        let counted = ["configmaps", "resourcequotas", "replicationcontrollers", "secrets", "services"];
        let is_claim = kind.plural == "persistentvolumeclaims";
        if kind.group.is_empty() && (counted.contains(&kind.plural.as_str()) || is_claim) {
            numbers.push(kind.plural.clone());
        }
        Self { kind, numbers }
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.custom.is_none() && self.kind.is("", kind)
    }

    /// Tells whether such a request can change what is used.
    pub(super) fn handles(&self, subresource: Option<&str>, operation: Operation<'_>, object: &Value) -> bool {
        if matches!(self.kind.group.as_str(), "" | "events.k8s.io") && self.kind.kind == "Event" {
            return false;
        }
        match (operation, subresource) {
            (Operation::Create, None) => true,
            (Operation::Create, Some(_)) => false,
            (Operation::Update(live), None) if self.is("Pod") => {
                scopes::is_terminating(live) != scopes::is_terminating(object)
            }
            (Operation::Update(_), None) => self.is("Service") || self.is("PersistentVolumeClaim"),
            (Operation::Update(_), Some("resize")) => self.is("Pod"),
            (Operation::Update(_), Some("status")) => self.is("PersistentVolumeClaim"),
            (Operation::Update(_), Some(_)) => false,
        }
    }

    pub(super) fn is_in_scope(&self, quota: &Value, object: &Value) -> bool {
        scopes::holds(self.kind, quota, object)
    }

    /// Tells whether objects of this kind count for a name.
    pub(super) fn counts(&self, name: &str) -> bool {
        if self.numbers.iter().any(|number| number == name) {
            return true;
        }
        if self.is("Pod") {
            let extended = name.strip_prefix("requests.").is_some_and(is_extended);
            return COMPUTE.contains(&name)
                || name.starts_with("hugepages-")
                || name.starts_with("requests.hugepages-")
                || extended;
        }
        if self.is("Service") {
            return matches!(name, "services.loadbalancers" | "services.nodeports");
        }
        let claim = |resource: &str| matches!(resource, "requests.storage" | "persistentvolumeclaims");
        self.is("PersistentVolumeClaim")
            && (claim(name) || name.split_once(CLASS_SUFFIX).is_some_and(|(_, resource)| claim(resource)))
    }

    /// Says which containers keep quiet about what a quota counts.
    pub(super) fn missing(&self, counted: &BTreeSet<&String>, object: &Value) -> Option<String> {
        if !self.is("Pod") || has_pod_level(object) {
            return None;
        }
        let required = || TO_BE_SAID.iter().filter(|name| counted.iter().any(|counted| counted == *name));
        let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for container in ["containers", "initContainers"].iter().flat_map(|list| items(object, &["spec", list])) {
            let said =
                compute(&read(container, &["resources", "requests"]), &read(container, &["resources", "limits"]));
            for name in required().filter(|name| !said.contains_key(**name)) {
                missing.entry(name).or_default().insert(text(container, &["name"]));
            }
        }
        if missing.is_empty() {
            return None;
        }
        let one = |(name, containers): (&str, BTreeSet<&str>)| {
            format!("{name} for: {}", containers.into_iter().collect::<Vec<&str>>().join(","))
        };
        Some(format!("must specify {}", missing.into_iter().map(one).collect::<Vec<String>>().join("; ")))
    }

    /// What an object uses up.
    pub(super) fn usage(&self, object: &Value, now: Timestamp) -> Amounts {
        let mut usage: Amounts = self.numbers.iter().map(|name| (name.clone(), Amount::count(1))).collect();
        if self.is("Pod") && is_alive(object, now) {
            let [mut requests, mut limits] = ["requests", "limits"].map(|field| of_pod(object, field));
            let overhead = read(object, &["spec", "overhead"]);
            add(&mut requests, &overhead);
            let limited = overhead.into_iter().filter(|(name, _)| limits.get(name).is_some_and(|one| one.nano() != 0));
            let limited: Amounts = limited.collect();
            add(&mut limits, &limited);
            usage.extend(compute(&requests, &limits));
        } else if self.is("Service") {
            let (balancers, ports) = service(object);
            usage.insert("services.loadbalancers".to_owned(), Amount::count(balancers));
            usage.insert("services.nodeports".to_owned(), Amount::count(ports));
        } else if self.is("PersistentVolumeClaim") {
            let class = class_of(object);
            let mut put = |resource: &str, amount: &Amount| {
                usage.insert(resource.to_owned(), amount.clone());
                if !class.is_empty() {
                    usage.insert(format!("{class}{CLASS_SUFFIX}{resource}"), amount.clone());
                }
            };
            put("persistentvolumeclaims", &Amount::count(1));
            if let Some(storage) = storage(object) {
                put("requests.storage", &storage);
            }
        }
        usage
    }
}

/// A pod that is over, or long past its end, takes nothing any more.
fn is_alive(pod: &Value, now: Timestamp) -> bool {
    if matches!(text(pod, &["status", "phase"]), "Failed" | "Succeeded") {
        return false;
    }
    let deletion = text(pod, &["metadata", "deletionTimestamp"]).parse::<Timestamp>().ok();
    let grace = number(pod, &["metadata", "deletionGracePeriodSeconds"]);
    let is_before = |(deletion, grace): (Timestamp, i64)| now.as_second() <= deletion.as_second().saturating_add(grace);
    deletion.zip(grace).is_none_or(is_before)
}

fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/")
}

/// The names that quotas have for requests and limits.
fn compute(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut usage = Amounts::new();
    usage.insert("pods".to_owned(), Amount::count(1));
    for (name, amount) in requests {
        let is_plain =
            matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
        if is_plain {
            usage.insert(name.clone(), amount.clone());
        }
        if is_plain || is_extended(name) {
            usage.insert(format!("requests.{name}"), amount.clone());
        }
    }
    for (name, amount) in limits {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            usage.insert(format!("limits.{name}"), amount.clone());
        }
    }
    usage
}

/// How many load balancers and ports of nodes a service takes, or will take.
fn service(service: &Value) -> (usize, usize) {
    let ports = items(service, &["spec", "ports"]);
    match text(service, &["spec", "type"]) {
        "NodePort" => (0, ports.len()),
        "LoadBalancer" => {
            let is_declined = at(service, &["spec", "allocateLoadBalancerNodePorts"]) == Some(&Value::Bool(false));
            let asked = ports.iter().filter(|port| number(port, &["nodePort"]).unwrap_or_default() != 0);
            (1, if is_declined { asked.count() } else { ports.len() })
        }
        _ => (0, 0),
    }
}

/// The storage of a claim, in whole bytes: what it requests, or was given if that is more.
fn storage(claim: &Value) -> Option<Amount> {
    let requested = at(claim, &["spec", "resources", "requests", "storage"]).and_then(Amount::read)?.whole();
    let mut given = entries(claim, &["status", "allocatedResources"]).filter(|(name, _)| *name == "storage");
    let given = given.find_map(|(_, value)| Amount::read(value)).map(|given| given.whole());
    Some(given.filter(|given| given.nano() > requested.nano()).unwrap_or(requested))
}
