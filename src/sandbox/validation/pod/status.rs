//! What the status of a Pod cannot say: addresses that are none, containers that run again though they must not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};

use super::update::annotations;
use crate::sandbox::refusal::{FieldProblem, ProblemSort};
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::meta;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;

const NOT_NEGATIVE: &str = "must be a non-negative integer";

/// A change of the status.
pub(in crate::sandbox::validation) fn of_status(live: &Value, pod: &Value, problems: &mut Problems) {
    meta::of_update(live, pod, problems);
    annotations(live, pod, problems);
    let none = Value::Null;
    let (before, after) = (live.field("status").unwrap_or(&none), pod.field("status").unwrap_or(&none));
    let spec = pod.field("spec").unwrap_or(&none);
    let path = Path::new("status");
    for (index, condition) in after.list("conditions").iter().enumerate() {
        let at = path.child("conditions").index(index);
        generation(condition, &at, problems);
        let sort = condition.text("type");
        if !matches!(sort, "PodScheduled" | "Ready" | "Initialized") {
            problems.extend(at.child("Type").each(sort, names::qualified(sort)));
        }
    }
    let node = after.text("nominatedNodeName");
    if !node.is_empty() && node != before.text("nominatedNodeName") {
        let at = path.child("nominatedNodeName");
        problems.extend(at.each(node, names::subdomain(node)));
        if !spec.text("nodeName").is_empty() {
            problems.push(at.forbidden("may not be set on pods that are already bound to a node"));
        }
    }
    generation(after, &path, problems);
    if before.text("qosClass") != after.text("qosClass") {
        problems.push(path.child("qosClass").invalid(after.text("qosClass"), "field is immutable"));
    }
    for (statuses, list) in [
        ("containerStatuses", "containers"),
        ("initContainerStatuses", "initContainers"),
        ("ephemeralContainerStatuses", "ephemeralContainers"),
    ] {
        runs_again(before.list(statuses), after.list(statuses), spec, list, &path.child(statuses), problems);
    }
    claims(after.list("resourceClaimStatuses"), spec, &path.child("resourceClaimStatuses"), problems);
    addresses(before, after, "podIPs", &path, problems);
    if let Some(first) = after.list("hostIPs").first().map(|first| first.text("ip"))
        && first != after.text("hostIP")
    {
        problems.push(path.child("hostIPs").index(0).child("ip").invalid(first, "must be equal to `hostIP`"));
    }
    addresses(before, after, "hostIPs", &path, problems);
    for statuses in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        for (index, status) in after.list(statuses).iter().enumerate() {
            user(status, spec, &path.child(statuses).index(index).child("user"), problems);
        }
    }
}

fn generation(holder: &Value, path: &Path, problems: &mut Problems) {
    if let Some(generation) = holder.number("observedGeneration").filter(|generation| *generation < 0) {
        problems.push(path.child("observedGeneration").invalid(generation, NOT_NEGATIVE));
    }
}

/// A container that ended runs again only if its policy says so.
fn runs_again(before: &[Value], after: &[Value], spec: &Value, list: &str, path: &Path, problems: &mut Problems) {
    let has_not_ended = |one: &&Value| one.below(&["state", "terminated"]).is_none();
    let running: BTreeSet<&str> = after.iter().filter(has_not_ended).map(|one| one.text("name")).collect();
    let containers: BTreeMap<&str, &Value> = spec.list(list).iter().map(|one| (one.text("name"), one)).collect();
    for (index, old) in before.iter().enumerate() {
        let Some(ended) = old.below(&["state", "terminated"]) else { continue };
        let is_running = running.contains(old.text("name"));
        let container = containers.get(old.text("name"));
        let code = ended.number("exitCode").unwrap_or_default();
        let may = list != "ephemeralContainers" && container.is_some_and(|container| restarts(container, spec, code));
        if is_running && !may {
            let detail = "may not be transitioned to non-terminated state";
            problems.push(path.index(index).child("state").forbidden(detail));
        }
    }
}

fn restarts(container: &Value, spec: &Value, code: i64) -> bool {
    let by_policy = |policy: &str| match policy {
        "Always" => Some(true),
        "OnFailure" => Some(code != 0),
        "Never" => Some(false),
        _ => None,
    };
    let matches = |rule: &&Value| {
        rule.field("exitCodes").is_some_and(|codes| {
            let is_listed = codes.list("values").iter().any(|value| value.as_i64() == Some(code));
            match codes.text("operator") {
                "In" => is_listed,
                "NotIn" => !is_listed,
                _ => false,
            }
        })
    };
    let own = container.maybe_text("restartPolicy").and_then(|policy| {
        let rule = container.list("restartPolicyRules").iter().find(matches);
        if rule.is_some_and(|rule| rule.text("action") == "Restart") { Some(true) } else { by_policy(policy) }
    });
    own.or_else(|| by_policy(spec.text("restartPolicy"))).unwrap_or(true)
}

fn claims(statuses: &[Value], spec: &Value, path: &Path, problems: &mut Problems) {
    let known: BTreeSet<&str> = spec.list("resourceClaims").iter().map(|claim| claim.text("name")).collect();
    let mut seen = BTreeSet::new();
    for (index, status) in statuses.iter().enumerate() {
        let name = status.text("name");
        let at = path.index(index).child("name");
        if !known.contains(name) {
            problems.push(at.invalid(name, "must match the name of an entry in `spec.resourceClaims`"));
        }
        if !seen.insert(name) {
            problems.push(at.duplicate(name));
        }
        if let Some(claim) = status.maybe_text("resourceClaimName") {
            problems.extend(at.each(claim, names::subdomain(claim)));
        }
    }
}

/// Addresses: at most one of each family. Those that were there may stay, whatever they are.
fn addresses(before: &Value, after: &Value, list: &str, path: &Path, problems: &mut Problems) {
    let path = path.child(list);
    let of =
        |status: &'_ Value| -> Vec<String> { status.list(list).iter().map(|one| one.text("ip").to_owned()).collect() };
    let (before, after) = (of(before), of(after));
    for (index, address) in after.iter().enumerate().filter(|(_, address)| !before.contains(*address)) {
        numbers::ip(address, &path.index(index), problems);
    }
    if after.len() < 2 {
        return;
    }
    let read: Vec<Option<IpAddr>> = after.iter().map(|address| numbers::address(address)).collect();
    let wrong = read.iter().position(Option::is_none);
    if let Some((index, address)) = wrong.and_then(|index| after.get(index).map(|address| (index, address))) {
        problems.push(FieldProblem {
            sort: ProblemSort::Internal,
            field: path.to_string(),
            detail: format!("failed to check for dual stack with error:invalid IP[{index}]: {address}"),
            value: None,
        });
    }
    let families: BTreeSet<bool> = read.iter().flatten().map(|address| address.to_canonical().is_ipv4()).collect();
    if wrong.is_some() || families.len() != 2 || after.len() > 2 {
        let shown: Vec<Value> = after.iter().map(|address| json!({"IP": address})).collect();
        problems.push(path.invalid(shown, "may specify no more than one IP for each IP family"));
    }
}

fn user(status: &Value, spec: &Value, path: &Path, problems: &mut Problems) {
    let Some(user) = status.below(&["user", "linux"]) else { return };
    let path = path.child("linux");
    if spec.below(&["os", "name"]).and_then(Value::as_str) == Some("windows") {
        problems.push(path.forbidden("cannot be set for a windows pod"));
        return;
    }
    for name in ["uid", "gid"] {
        numbers::identity(Some(user.number(name).unwrap_or_default()), &path.child(name), problems);
    }
    for (index, group) in user.list("supplementalGroups").iter().enumerate() {
        numbers::identity(group.as_i64(), &path.child("supplementalGroups").index(index), problems);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn told(before: Value, after: Value) -> String {
        let pod = |status: Value| {
            json!({"metadata": {"name": "p", "namespace": "n"}, "status": status, "spec": {
            "nodeName": "m", "restartPolicy": "OnFailure", "containers": [{"name": "a"}]}})
        };
        let mut problems = Problems::new();
        of_status(&pod(before), &pod(after), &mut problems);
        lines(&problems)
    }

    #[test]
    fn a_container_that_succeeded_does_not_run_again() {
        let ended =
            |code: i64| json!({"containerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": code}}}]});
        let running = json!({"containerStatuses": [{"name": "a", "state": {"running": {}}}]});
        let refused = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state\n";
        assert_eq!(told(ended(0), running.clone()), refused);
        assert_eq!(told(ended(1), running), "");
    }

    #[test]
    fn addresses_are_addresses_one_of_each_family() {
        insta::assert_snapshot!(told(json!({}), json!({
            "qosClass": "Burstable", "nominatedNodeName": "o", "podIPs": [{"ip": "1.2.3.4"}, {"ip": "x"}],
            "hostIP": "::1", "hostIPs": [{"ip": "1.2.3.4"}, {"ip": "::1"}], "resourceClaimStatuses": [{"name": "c"}]})), @r#"
        status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node
        status.qosClass: Invalid value: "Burstable": field is immutable
        status.resourceClaimStatuses[0].name: Invalid value: "c": must match the name of an entry in `spec.resourceClaims`
        status.podIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)
        status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: x
        status.podIPs: Invalid value: [{"IP":"1.2.3.4"},{"IP":"x"}]: may specify no more than one IP for each IP family
        status.hostIPs[0].ip: Invalid value: "1.2.3.4": must be equal to `hostIP`
        "#);
    }
}
