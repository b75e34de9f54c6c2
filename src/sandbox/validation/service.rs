//! Services.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Problems;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};

const MOST_AFFINITY_SECONDS: i64 = 86_400;
const ONLY_BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";
const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const MODE: &str = "service.kubernetes.io/topology-mode";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// A Service.
pub(super) fn of(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Label1035, problems);
    body(object, None, problems);
}

fn is_headless(spec: &Value) -> bool {
    matches!(spec.list("clusterIPs"), [only] if only.as_str() == Some("None"))
}

fn body(object: &Value, live: Option<&Value>, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let annotations = object.field("metadata").map_or(&none, |metadata| metadata.field("annotations").unwrap_or(&none));
    let path = Path::new("spec");
    let at_annotations = Path::new("metadata").child("annotations");
    if let (Some(mode), Some(hints)) = (annotations.maybe_text(MODE), annotations.maybe_text(HINTS))
        && mode != hints
    {
        let detail = format!("must match annotations[{HINTS}] when both are specified");
        problems.push(at_annotations.key(MODE).invalid(mode, &detail));
    }
    let ports = spec.list("ports");
    let sort = spec.text("type");
    if ports.is_empty() && !is_headless(spec) && sort != "ExternalName" {
        problems.push(path.child("ports").required(""));
    }
    of_type(spec, sort, &path, problems);
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        of_port(port, ports.len() > 1, &mut seen, &path.child("ports").index(index), problems);
    }
    meta::labels(spec, "selector", &path, problems);
    affinity(spec, &path, problems);
    let before = live.and_then(|live| live.field("spec")).unwrap_or(&none);
    addresses(spec, before, &path, problems);
    for (index, address) in texts(spec.list("externalIPs")).enumerate() {
        let at = path.child("externalIPs").index(index);
        if numbers::ip(address, &at, problems) {
            numbers::endpoint_address(address, &at, problems);
        }
    }
    let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    numbers::one_of(sort, &types, &path.child("type"), problems);
    unique_ports(ports, sort, &path.child("ports"), problems);
    source_ranges(spec, annotations, sort, &path, problems);
    balancing(spec, sort, &path, problems);
    traffic(spec, sort, &path, problems);
}

fn of_type(spec: &Value, sort: &str, path: &Path, problems: &mut Problems) {
    match sort {
        "LoadBalancer" | "NodePort" if is_headless(spec) => {
            let detail = format!("may not be set to 'None' for {sort} services");
            problems.push(path.child("clusterIPs").index(0).invalid("None", &detail));
        }
        "ExternalName" => {
            for name in ["clusterIPs", "ipFamilies"] {
                if !spec.list(name).is_empty() {
                    problems.push(path.child(name).forbidden("may not be set for ExternalName services"));
                }
            }
            if spec.field("ipFamilyPolicy").is_some() {
                problems.push(path.child("ipFamilyPolicy").forbidden("may not be set for ExternalName services"));
            }
            let at = path.child("externalName");
            let name = spec.text("externalName");
            match name.strip_suffix('.').unwrap_or(name) {
                "" => problems.push(at.required("")),
                name => problems.extend(at.each(name, names::subdomain(name))),
            }
        }
        _ => {}
    }
}

fn of_port<'a>(port: &'a Value, needs_name: bool, seen: &mut BTreeSet<&'a str>, path: &Path, problems: &mut Problems) {
    let name = port.text("name");
    if name.is_empty() {
        if needs_name {
            problems.push(path.child("name").required(""));
        }
    } else {
        problems.extend(path.child("name").each(name, names::label(name)));
        if !seen.insert(name) {
            problems.push(path.child("name").duplicate(name));
        }
    }
    numbers::port(port.number("port").unwrap_or_default(), &path.child("port"), problems);
    numbers::protocol(port.text("protocol"), &path.child("protocol"), problems);
    numbers::port_or_name(port.field("targetPort"), &path.child("targetPort"), problems);
    if let Some(protocol) = port.maybe_text("appProtocol") {
        problems.extend(path.child("appProtocol").each(protocol, names::qualified(protocol)));
    }
}

fn affinity(spec: &Value, path: &Path, problems: &mut Problems) {
    let affinity = spec.text("sessionAffinity");
    numbers::one_of(affinity, &["ClientIP", "None"], &path.child("sessionAffinity"), problems);
    let at = path.child("sessionAffinityConfig");
    let config = spec.field("sessionAffinityConfig");
    match affinity {
        "None" if config.is_some() => {
            problems.push(at.forbidden("must not be set when session affinity is None"));
        }
        "ClientIP" => {
            const WHEN: &str = "when session affinity type is ClientIP";
            let client = config.and_then(|config| config.field("clientIP"));
            let seconds = client.and_then(|client| client.number("timeoutSeconds"));
            let at_client = at.child("clientIP");
            match (config, client, seconds) {
                (None, ..) => problems.push(at.required(WHEN)),
                (_, None, _) => problems.push(at_client.required(WHEN)),
                (.., None) => problems.push(at_client.child("timeoutSeconds").required(WHEN)),
                (.., Some(seconds)) if seconds <= 0 || seconds > MOST_AFFINITY_SECONDS => {
                    let detail = format!("must be greater than 0 and less than {MOST_AFFINITY_SECONDS}");
                    problems.push(at_client.child("timeoutSeconds").invalid(seconds, &detail));
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// The addresses that the Service has within the cluster.
fn addresses(spec: &Value, before: &Value, path: &Path, problems: &mut Problems) {
    if spec.text("type") == "ExternalName" {
        return;
    }
    let at = path.child("clusterIPs");
    let address = spec.text("clusterIP");
    let all = spec.list("clusterIPs");
    let shown = || Value::from(all);
    match (address, all.first().and_then(Value::as_str)) {
        ("", Some(_)) => problems.push(at.invalid(shown(), "must be empty when `clusterIP` is not specified")),
        ("", None) => {}
        (_, None) => problems.push(at.required("")),
        (address, Some(first)) if first != address => {
            problems.push(at.invalid(shown(), "first value must match `clusterIP`"));
        }
        _ => {}
    }
    let families: Vec<&str> = texts(spec.list("ipFamilies")).collect();
    let mut seen = BTreeSet::new();
    for (index, family) in families.iter().enumerate() {
        let at = path.child("ipFamilies").index(index);
        numbers::one_of_if_any(Some(family), &["IPv4", "IPv6"], &at, problems);
        if !seen.insert(*family) {
            problems.push(at.duplicate(*family));
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    numbers::one_of_if_any(spec.maybe_text("ipFamilyPolicy"), &policies, &path.child("ipFamilyPolicy"), problems);
    let known: Vec<&str> = texts(before.list("clusterIPs")).collect();
    let mut is_sound = true;
    for (index, address) in texts(all).enumerate() {
        if index == 0 && address == "None" {
            if all.len() > 1 {
                is_sound = false;
                problems.push(at.invalid(shown(), "'None' must be the first and only value"));
            }
        } else if !known.contains(&address) {
            is_sound &= numbers::ip(address, &at.index(index), problems);
        }
    }
    if all.len() > 2 {
        problems.push(at.invalid(shown(), "may only hold up to 2 values"));
    }
    if !is_sound {
        return;
    }
    let is_six = |address: &str| address.contains(':');
    if let [first, second, ..] = texts(all).collect::<Vec<_>>().as_slice()
        && is_six(first) == is_six(second)
    {
        problems.push(at.invalid(shown(), "may specify no more than one IP for each IP family"));
    }
    if is_headless(spec) {
        return;
    }
    for (index, (address, family)) in texts(all).zip(&families).enumerate() {
        if matches!((*family, is_six(address)), ("IPv4", true) | ("IPv6", false)) {
            let detail = format!("expected an {family} value as indicated by `ipFamilies[{index}]`");
            problems.push(at.index(index).invalid(address, &detail));
        }
    }
}

fn unique_ports(ports: &[Value], sort: &str, path: &Path, problems: &mut Problems) {
    let node_port = |port: &Value| port.number("nodePort").filter(|number| *number != 0);
    if sort == "ClusterIP" {
        for (index, _) in ports.iter().enumerate().filter(|(_, port)| node_port(port).is_some()) {
            let at = path.index(index).child("nodePort");
            problems.push(at.forbidden("may not be used when `type` is 'ClusterIP'"));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let Some(number) = node_port(port) else { continue };
        if !seen.insert((port.text("protocol"), number)) {
            problems.push(path.index(index).child("nodePort").duplicate(number));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let number = port.number("port").unwrap_or_default();
        let protocol = port.text("protocol");
        if !seen.insert((protocol, number)) {
            let key = serde_json::json!({"protocol": protocol, "port": number});
            let mut problem = path.index(index).duplicate("");
            // An unset target is neither number nor text.
            problem.value = Some(internal::shown("ServicePort", &key));
            problems.push(problem);
        }
    }
}

fn source_ranges(spec: &Value, annotations: &Value, sort: &str, path: &Path, problems: &mut Problems) {
    let ranges = spec.list("loadBalancerSourceRanges");
    let is_balanced = sort == "LoadBalancer";
    if !ranges.is_empty() {
        let at = path.child("LoadBalancerSourceRanges");
        if !is_balanced {
            problems.push(at.forbidden(ONLY_BALANCED));
        }
        for (index, range) in texts(ranges).enumerate() {
            numbers::cidr(range.trim(), &at.index(index), problems);
        }
    } else if let Some(ranges) = annotations.maybe_text(SOURCE_RANGES) {
        let at = Path::new("metadata.annotations").key(SOURCE_RANGES);
        if !is_balanced {
            problems.push(at.forbidden(ONLY_BALANCED));
        }
        for range in ranges.trim().split(',').filter(|_| !ranges.trim().is_empty()) {
            numbers::cidr(range.trim(), &at, problems);
        }
    }
}

fn balancing(spec: &Value, sort: &str, path: &Path, problems: &mut Problems) {
    let allocates = spec.field("allocateLoadBalancerNodePorts");
    match (sort == "LoadBalancer", allocates) {
        (false, Some(_)) => problems.push(path.child("allocateLoadBalancerNodePorts").forbidden(ONLY_BALANCED)),
        (true, None) => problems.push(Path::new("allocateLoadBalancerNodePorts").required("")),
        _ => {}
    }
    class(spec, sort, path, problems);
}

fn class(spec: &Value, sort: &str, path: &Path, problems: &mut Problems) {
    let Some(class) = spec.maybe_text("loadBalancerClass") else { return };
    let at = path.child("loadBalancerClass");
    if sort == "LoadBalancer" {
        problems.extend(at.each(class, names::qualified(class)));
    } else {
        problems.push(at.forbidden(ONLY_BALANCED));
    }
}

fn traffic(spec: &Value, sort: &str, path: &Path, problems: &mut Problems) {
    let has_external =
        sort == "LoadBalancer" || sort == "NodePort" || (sort == "ClusterIP" && !spec.list("externalIPs").is_empty());
    let policies = ["Cluster", "Local"];
    let policy = spec.text("externalTrafficPolicy");
    let at = path.child("externalTrafficPolicy");
    if has_external {
        numbers::one_of(policy, &policies, &at, problems);
    } else if !policy.is_empty() {
        problems.push(at.invalid(policy, "may only be set for externally-accessible services"));
    }
    let port = spec.number("healthCheckNodePort").unwrap_or_default();
    let at = path.child("healthCheckNodePort");
    match (sort == "LoadBalancer" && policy == "Local", port) {
        (false, 0) => {}
        (false, port) => {
            let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            problems.push(at.invalid(port, detail));
        }
        (true, 0) => problems.push(at.required("")),
        (true, port) => numbers::port(port, &at, problems),
    }
    let at = path.child("internalTrafficPolicy");
    match spec.maybe_text("internalTrafficPolicy") {
        None if matches!(sort, "NodePort" | "LoadBalancer" | "ClusterIP") => problems.push(at.required("")),
        policy => numbers::one_of_if_any(policy, &policies, &at, problems),
    }
    let distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    let distribution = spec.maybe_text("trafficDistribution");
    numbers::one_of_if_any(distribution, &distributions, &path.child("trafficDistribution"), problems);
}

/// A change of a Service: its addresses stay.
pub(super) fn of_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let none = Value::Object(Map::new());
    let before = live.field("spec").unwrap_or(&none);
    let after = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    let is_external = |spec: &Value| spec.text("type") == "ExternalName";
    if !is_external(before) && !is_external(after) {
        let (was, is) = (is_headless(before), is_headless(after));
        if !(was && is) {
            addresses_stay(before, after, &path, problems);
        }
        if !was && !is {
            families_stay(before, after, &path, problems);
        }
    }
    let is_balanced = |spec: &Value| spec.text("type") == "LoadBalancer";
    if is_balanced(before)
        && is_balanced(after)
        && before.maybe_text("loadBalancerClass") != after.maybe_text("loadBalancerClass")
    {
        let class = after.field("loadBalancerClass").cloned().unwrap_or_default();
        problems.push(path.child("loadBalancerClass").invalid(class, "may not change once set"));
    }
    class(after, after.text("type"), &path, problems);
    let needs_check = |spec: &Value| is_balanced(spec) && spec.text("externalTrafficPolicy") == "Local";
    if needs_check(before)
        && needs_check(after)
        && before.number("healthCheckNodePort") != after.number("healthCheckNodePort")
    {
        problems.push(path.child("healthCheckNodePort").forbidden("field is immutable"));
    }
    body(object, Some(live), problems);
}

fn addresses_stay(before: &Value, after: &Value, path: &Path, problems: &mut Problems) {
    let (old, new) = (before.list("clusterIPs"), after.list("clusterIPs"));
    let at = path.child("clusterIPs");
    let shown = || if new.is_empty() { Value::Null } else { Value::from(new) };
    const STAYS: &str = "may not change once set";
    if old.len() == new.len() {
        for (index, _) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new) {
            problems.push(at.index(index).invalid(shown(), STAYS));
        }
        return;
    }
    if new.is_empty() {
        problems.push(at.index(0).invalid(shown(), "primary clusterIP can not be unset"));
    }
    if let (Some(old), Some(new)) = (old.first(), new.first())
        && old != new
    {
        problems.push(at.index(0).invalid(shown(), STAYS));
    }
    if old.len() > new.len() && new.len() == 1 && after.text("ipFamilyPolicy") != "SingleStack" {
        let policy = after.field("ipFamilyPolicy").cloned().unwrap_or_default();
        let detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
        problems.push(path.child("ipFamilyPolicy").invalid(policy, detail));
    }
}

fn families_stay(before: &Value, after: &Value, path: &Path, problems: &mut Problems) {
    let (old, new) = (before.list("ipFamilies"), after.list("ipFamilies"));
    let at = path.child("ipFamilies").index(0);
    const STAYS: &str = "may not change once set";
    if old.len() == new.len() {
        for _ in old.iter().zip(new).filter(|(old, new)| old != new) {
            problems.push(at.invalid(Value::from(new), STAYS));
        }
        return;
    }
    let addresses = || Value::from(after.list("clusterIPs"));
    if old.len() > new.len() && after.list("clusterIPs").is_empty() {
        problems.push(at.invalid(Value::from(new), "primary ipFamily can not be unset"));
    }
    if let (Some(old), Some(new)) = (old.first(), new.first())
        && old != new
    {
        problems.push(at.invalid(addresses(), STAYS));
    }
    if old.len() > new.len() && new.len() == 1 && after.text("ipFamilyPolicy") != "SingleStack" {
        let policy = after.field("ipFamilyPolicy").cloned().unwrap_or_default();
        let detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
        problems.push(path.child("ipFamilyPolicy").invalid(policy, detail));
    }
}
