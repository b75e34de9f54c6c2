//! Addresses that are taken, and the blocks that those of Services are taken from.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};
use super::same::same_field;

/// An IPAddress, whose name is the address.
pub(super) fn address(object: &Value, problems: &mut Problems) {
    meta::with_name(object, false, unfit_address, unfit_address, problems);
    meta::known_finalizers(object, problems);
    let path = Path::new("spec").child("parentRef");
    let Some(parent) = object.below(&["spec", "parentRef"]) else {
        problems.push(path.required(""));
        return;
    };
    let group = parent.text("group");
    if !group.is_empty() {
        problems.extend(path.child("group").each(group, names::subdomain(group)));
    }
    for (name, is_required) in [("resource", true), ("name", true), ("namespace", false)] {
        match parent.text(name) {
            "" if is_required => problems.push(path.child(name).required("")),
            text => problems.extend(path.child(name).each(text, names::segment(text))),
        }
    }
}

/// A change of an IPAddress: whose it is stays.
pub(super) fn address_update(live: &Value, object: &Value, problems: &mut Problems) {
    address(object, problems);
    meta::of_update(live, object, problems);
    let none = Value::Object(Map::new());
    let (before, after) = (live.field("spec").unwrap_or(&none), object.field("spec").unwrap_or(&none));
    if !same_field("parentRef", before, after) {
        let shown = match after.field("parentRef") {
            None => "null".to_owned(),
            Some(parent) => format!(
                r#"{{"Group":{},"Resource":{},"Namespace":{},"Name":{}}}"#,
                json!(parent.text("group")),
                json!(parent.text("resource")),
                json!(parent.text("namespace")),
                json!(parent.text("name")),
            ),
        };
        problems.push(Path::new("spec").child("parentRef").invalid_shown(shown, "field is immutable"));
    }
}

/// What is wrong with an address that must be written in the one way that is best.
pub(super) fn unfit_address(text: &str) -> Vec<String> {
    let Some(address) = numbers::address(text) else {
        return vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()];
    };
    if text.parse::<IpAddr>().is_err() {
        vec!["must not have leading 0s".to_owned()]
    } else if is_mapped(address) {
        vec!["must not be an IPv4-mapped IPv6 address".to_owned()]
    } else if text != address.to_string() {
        vec![format!("must be in canonical form ({:?})", address.to_string())]
    } else {
        Vec::new()
    }
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

/// The same for a block.
fn unfit_block(text: &str) -> Option<String> {
    let Some((address, bits)) = numbers::block(text) else {
        return Some("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned());
    };
    let (written, length) = text.split_once('/').unwrap_or((text, ""));
    let canonical = format!("{}/{bits}", first_of(address, bits));
    if written.parse::<IpAddr>().is_err() || length != bits.to_string() {
        Some("must not have leading 0s in IP or prefix length".to_owned())
    } else if is_mapped(address) {
        Some("must not have an IPv4-mapped IPv6 address".to_owned())
    } else if first_of(address, bits) != address {
        Some("must not have bits set beyond the prefix length".to_owned())
    } else {
        (text != canonical).then(|| format!("must be in canonical form ({canonical:?})"))
    }
}

fn first_of(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or_default();
            IpAddr::from((u32::from(address) & mask).to_be_bytes())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or_default();
            IpAddr::from((u128::from(address) & mask).to_be_bytes())
        }
    }
}

fn blocks(object: &Value) -> &[Value] {
    object.field("spec").map_or(&[], |spec| spec.list("cidrs"))
}

/// A ServiceCIDR.
pub(super) fn service_block(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    of_blocks(blocks(object), problems);
}

fn of_blocks(given: &[Value], problems: &mut Problems) {
    let path = Path::new("spec").child("cidrs");
    if given.is_empty() {
        problems.push(path.required("at least one CIDR required"));
        return;
    }
    if given.len() > 2 {
        problems.push(path.invalid(json!({"CIDRs": given}), "may only hold up to 2 values"));
        return;
    }
    for (index, text) in texts(given).enumerate() {
        problems.extend(path.index(index).each(text, unfit_block(text).into_iter().collect()));
    }
    let families: Vec<bool> = texts(given).filter_map(numbers::block).map(|(address, _)| address.is_ipv4()).collect();
    if let [first, second] = families.as_slice()
        && first == second
    {
        let detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
        problems.push(path.invalid(Value::from(given), detail));
    }
}

/// A change of a ServiceCIDR: a block of the other family may come to the one that is there.
pub(super) fn service_block_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let path = Path::new("spec").child("cidrs");
    let (before, after) = (blocks(live), blocks(object));
    let is_grown = before.len() == 1 && after.len() == 2;
    if before.len() != after.len() && !is_grown {
        let shown = if after.is_empty() { Value::Null } else { Value::from(after) };
        problems.push(path.invalid(shown, "field is immutable"));
        return;
    }
    for (index, (before, after)) in texts(before).zip(texts(after)).enumerate() {
        if before != after {
            problems.push(path.index(index).invalid(after, "field is immutable"));
        }
    }
    if is_grown {
        of_blocks(after, problems);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn an_address_is_written_in_one_way() {
        assert!(unfit_address("10.0.0.1").is_empty());
        assert_eq!(unfit_address("010.0.0.1"), ["must not have leading 0s"]);
        assert_eq!(unfit_address("2001:DB8::1"), [r#"must be in canonical form ("2001:db8::1")"#]);
    }

    #[test]
    fn a_block_has_no_bits_beyond_its_length() {
        assert_eq!(unfit_block("10.0.0.0/24"), None);
        assert_eq!(unfit_block("10.0.0.1/24").unwrap(), "must not have bits set beyond the prefix length");
        assert_eq!(unfit_block("10.0.0.0/024").unwrap(), "must not have leading 0s in IP or prefix length");
    }

    #[test]
    fn a_block_of_the_other_family_may_come_later() {
        let of = |blocks: &[&str]| json!({"metadata": {"name": "a"}, "spec": {"cidrs": blocks}});
        let mut problems = Problems::new();
        service_block_update(&of(&["10.0.0.0/24"]), &of(&["10.0.0.0/24", "2001:db8::/64"]), &mut problems);
        assert_eq!(lines(&problems), "");
        service_block_update(&of(&["10.0.0.0/24"]), &of(&["10.0.1.0/24"]), &mut problems);
        assert_eq!(lines(&problems), "spec.cidrs[0]: Invalid value: \"10.0.1.0/24\": field is immutable\n");
    }
}
