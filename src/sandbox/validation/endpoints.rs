//! Where Services lead: Endpoints and EndpointSlices.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Problems;
use super::addresses::unfit_address;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};
use super::same::same_field;

const MOST_ENDPOINTS: usize = 1000;
const MOST_ADDRESSES: usize = 100;
const MOST_PORTS: usize = 20_000;
const MOST_TOPOLOGY: usize = 16;
const MOST_HINTS: usize = 8;

/// Endpoints; what did not change is borne.
pub(super) fn of(object: &Value, live: Option<&Value>, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    if live.is_some_and(|live| same_field("subsets", live, object)) {
        return;
    }
    for (index, subset) in object.list("subsets").iter().enumerate() {
        let path = Path::new("subsets").index(index);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|list| subset.list(list).is_empty()) {
            problems.push(path.required("must specify `addresses` or `notReadyAddresses`"));
        }
        for list in lists {
            for (index, address) in subset.list(list).iter().enumerate() {
                of_address(address, &path.child(list).index(index), problems);
            }
        }
        let ports = subset.list("ports");
        for (index, port) in ports.iter().enumerate() {
            let at = path.child("ports").index(index);
            match port.text("name") {
                "" if ports.len() > 1 => problems.push(at.child("name").required("")),
                "" => {}
                name => problems.extend(at.child("name").each(name, names::label(name))),
            }
            numbers::port(port.number("port").unwrap_or_default(), &at.child("port"), problems);
            numbers::protocol(port.text("protocol"), &at.child("protocol"), problems);
            if let Some(protocol) = port.maybe_text("appProtocol") {
                problems.extend(at.child("appProtocol").each(protocol, names::qualified(protocol)));
            }
        }
    }
}

fn of_address(address: &Value, path: &Path, problems: &mut Problems) {
    let ip = address.text("ip");
    numbers::ip(ip, &path.child("ip"), problems);
    let hostname = address.text("hostname");
    if !hostname.is_empty() {
        problems.extend(path.child("hostname").each(hostname, names::label(hostname)));
    }
    if let Some(node) = address.maybe_text("nodeName") {
        problems.extend(path.child("nodeName").each(node, names::subdomain(node)));
    }
    numbers::endpoint_address(ip, &path.child("ip"), problems);
}

/// A slice of endpoints.
pub(super) fn slice(object: &Value, live: Option<&Value>, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    let sort = object.text("addressType");
    numbers::one_of(sort, &["FQDN", "IPv4", "IPv6"], &Path::new("addressType"), problems);
    slice_ports(object.list("ports"), &Path::new("ports"), problems);
    if live.is_none_or(|live| !same_field("endpoints", live, object)) {
        slice_endpoints(object.list("endpoints"), sort, &Path::new("endpoints"), problems);
    }
    if let Some(live) = live
        && live.text("addressType") != sort
    {
        problems.push(Path::new("addressType").invalid(sort, "field is immutable"));
    }
}

fn slice_ports(ports: &[Value], path: &Path, problems: &mut Problems) {
    if ports.len() > MOST_PORTS {
        problems.push(path.too_many(ports.len(), MOST_PORTS));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = path.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            problems.extend(at.child("name").each(name, names::label(name)));
        }
        if !seen.insert(name) {
            problems.push(at.child("name").duplicate(name));
        }
        match port.maybe_text("protocol") {
            None => problems.push(at.child("protocol").required("")),
            protocol => numbers::one_of_if_any(protocol, &["SCTP", "TCP", "UDP"], &at.child("protocol"), problems),
        }
        if let Some(protocol) = port.maybe_text("appProtocol") {
            problems.extend(at.child("appProtocol").each(protocol, names::qualified(protocol)));
        }
    }
}

fn slice_endpoints(endpoints: &[Value], sort: &str, path: &Path, problems: &mut Problems) {
    if endpoints.len() > MOST_ENDPOINTS {
        problems.push(path.too_many(endpoints.len(), MOST_ENDPOINTS));
        return;
    }
    for (index, endpoint) in endpoints.iter().enumerate() {
        let path = path.index(index);
        let at = path.child("addresses");
        let addresses = endpoint.list("addresses");
        if addresses.is_empty() {
            problems.push(at.required("must contain at least 1 address"));
        } else if addresses.len() > MOST_ADDRESSES {
            problems.push(at.too_many(addresses.len(), MOST_ADDRESSES));
        }
        for (index, address) in texts(addresses).enumerate() {
            slice_address(address, sort, &at, &at.index(index), problems);
        }
        if let Some(node) = endpoint.maybe_text("nodeName") {
            problems.extend(path.child("nodeName").each(node, names::subdomain(node)));
        }
        let topology = endpoint.entries("deprecatedTopology").len();
        if topology > MOST_TOPOLOGY {
            problems.push(path.child("deprecatedTopology").too_many(topology, MOST_TOPOLOGY));
        }
        meta::labels(endpoint, "deprecatedTopology", &path, problems);
        if let Some(hostname) = endpoint.maybe_text("hostname") {
            problems.extend(path.child("hostname").each(hostname, names::label(hostname)));
        }
        if let Some(hints) = endpoint.field("hints") {
            of_hints(hints, &path.child("hints"), problems);
        }
    }
}

fn slice_address(address: &str, sort: &str, list: &Path, path: &Path, problems: &mut Problems) {
    match sort {
        "IPv4" | "IPv6" => {
            // Of the older family old spellings are taken.
            let unfit = if sort == "IPv6" { unfit_address(address) } else { Vec::new() };
            if !unfit.is_empty() {
                problems.extend(path.each(address, unfit));
                return;
            }
            if sort == "IPv4" && !numbers::ip(address, path, problems) {
                return;
            }
            if numbers::address(address).is_some_and(|read| read.to_canonical().is_ipv6() != (sort == "IPv6")) {
                problems.push(list.invalid(address, &format!("must be an {sort} address")));
            }
            numbers::endpoint_address(address, path, problems);
        }
        "FQDN" => {
            let name = address.strip_suffix('.').unwrap_or(address);
            let messages = names::subdomain(name);
            if address.is_empty() {
                problems.push(path.required(""));
            } else if !messages.is_empty() {
                problems.push(path.invalid(name, &messages.join(",")));
            } else if !name.contains('.') {
                let detail = "should be a domain with at least two segments separated by dots";
                problems.push(path.invalid(name, detail));
            } else if let Some((label, messages)) =
                name.split('.').map(|label| (label, names::label(label))).find(|(_, messages)| !messages.is_empty())
            {
                problems.push(path.invalid(label, &messages.join(",")));
            }
        }
        _ => {}
    }
}

fn of_hints(hints: &Value, path: &Path, problems: &mut Problems) {
    let lists: [(&str, names::Rule); 2] = [("forZones", names::label_value), ("forNodes", names::subdomain)];
    for (list, rule) in lists {
        let items = hints.list(list);
        let at = path.child(list);
        if items.len() > MOST_HINTS {
            problems.push(at.too_many(items.len(), MOST_HINTS));
            return;
        }
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let name = item.text("name");
            let at = at.index(index).child("name");
            if !seen.insert(name) {
                problems.push(at.duplicate(name));
            }
            problems.extend(at.each(name, rule(name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn slices_take_old_spellings_of_the_older_family_only() {
        let slice = |sort: &str, address: &str| {
            let object = json!({"metadata": {"name": "s", "namespace": "n"}, "addressType": sort, "ports": [],
                "endpoints": [{"addresses": [address]}]});
            let mut problems = Problems::new();
            super::slice(&object, None, &mut problems);
            lines(&problems)
        };
        assert_eq!(slice("IPv4", "1.2.3.04"), "");
        assert_eq!(slice("IPv4", "::ffff:1.2.3.4"), "");
        let leading = "endpoints[0].addresses[0]: Invalid value: \"1.2.3.04\": must not have leading 0s\n";
        assert_eq!(slice("IPv6", "1.2.3.04"), leading);
        let family = "endpoints[0].addresses: Invalid value: \"1.2.3.4\": must be an IPv6 address\n";
        assert_eq!(slice("IPv6", "1.2.3.4"), family);
    }
}
