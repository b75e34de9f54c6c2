//! Numbers, ports, addresses and percentages.

use std::net::IpAddr;

use serde_json::Value;

use super::Problems;
use super::names;
use super::path::Path;

/// A number that is zero or above.
pub(super) fn not_negative(value: i64, path: &Path, problems: &mut Problems) {
    if value < 0 {
        problems.push(path.invalid(value, "must be greater than or equal to 0"));
    }
}

/// The same, where the number is there.
pub(super) fn not_negative_if_any(value: Option<i64>, path: &Path, problems: &mut Problems) {
    if let Some(value) = value {
        not_negative(value, path, problems);
    }
}

/// A number within bounds.
pub(super) fn within(value: i64, least: i64, most: i64, path: &Path, problems: &mut Problems) {
    if value < least || value > most {
        problems.push(path.invalid(value, &format!("must be between {least} and {most}, inclusive")));
    }
}

/// The number of a port.
pub(super) fn port(value: i64, path: &Path, problems: &mut Problems) {
    within(value, 1, 65535, path, problems);
}

/// The number or the name of a port; none is zero.
pub(super) fn port_or_name(value: Option<&Value>, path: &Path, problems: &mut Problems) {
    match value {
        Some(Value::String(name)) => problems.extend(path.each(name, names::port(name))),
        other => port(other.and_then(Value::as_i64).unwrap_or_default(), path, problems),
    }
}

/// A user or a group.
pub(super) fn identity(value: Option<i64>, path: &Path, problems: &mut Problems) {
    if let Some(value) = value {
        within(value, 0, i64::from(i32::MAX), path, problems);
    }
}

/// The mode of a file.
pub(super) fn file_mode(value: Option<i64>, path: &Path, problems: &mut Problems) {
    if let Some(value) = value.filter(|value| !(0..=0o777).contains(value)) {
        problems.push(path.invalid(value, "must be a number between 0 and 0777 (octal), both inclusive"));
    }
}

/// Reads the digits of `25%`.
fn percent(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(i64::MAX))
}

/// A number that is not negative, or a percentage.
pub(super) fn count_or_percent(value: &Value, path: &Path, problems: &mut Problems) {
    match value {
        Value::String(text) if percent(text).is_none() => problems.push(path.invalid(
            text.as_str(),
            &names::unmatched(
                "a valid percent string must be a numeric string followed by an ending '%'",
                "[0-9]+%",
                &["1%", "93%"],
            ),
        )),
        Value::String(_) => {}
        other => not_negative(other.as_i64().unwrap_or_default(), path, problems),
    }
}

/// A percentage up to a hundred.
pub(super) fn at_most_all(value: &Value, path: &Path, problems: &mut Problems) {
    if value.as_str().and_then(percent).is_some_and(|percent| percent > 100) {
        problems.push(path.invalid(value.clone(), "must not be greater than 100%"));
    }
}

/// The number in a number or percentage; what is neither counts as the number that its text is, or as none.
pub(super) fn amount_of(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::String(text)) => percent(text).or_else(|| text.parse().ok()).unwrap_or_default(),
        Some(other) => other.as_i64().unwrap_or_default(),
        None => 0,
    }
}

/// Reads an address as Go's older parser does, which takes leading zeros.
pub(in crate::sandbox) fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let mut octets = Vec::new();
    for part in text.split('.') {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        octets.push(if is_number { part.parse::<u8>().ok()? } else { return None });
    }
    <[u8; 4]>::try_from(octets).ok().map(IpAddr::from)
}

/// An IP address.
pub(super) fn ip(text: &str, path: &Path, problems: &mut Problems) -> bool {
    let is_valid = address(text).is_some();
    if !is_valid {
        problems.push(path.invalid(text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
    }
    is_valid
}

/// Reads a block of addresses.
pub(in crate::sandbox) fn block(text: &str) -> Option<(IpAddr, u32)> {
    let (base, bits) = text.split_once('/')?;
    let base = address(base)?;
    let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits: u32 = if is_number { bits.parse().ok()? } else { return None };
    let most = if base.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some((base, bits))
}

/// Tells whether a block holds an address.
pub(super) fn holds((base, bits): (IpAddr, u32), address: IpAddr) -> bool {
    let (width, base, address) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => (32, u128::from(base.to_bits()), u128::from(address.to_bits())),
        (IpAddr::V6(base), IpAddr::V6(address)) => (128, base.to_bits(), address.to_bits()),
        _ => return false,
    };
    let shift = width - bits;
    shift >= 128 || base >> shift == address >> shift
}

/// A block of addresses.
pub(super) fn cidr(text: &str, path: &Path, problems: &mut Problems) {
    if block(text).is_none() {
        problems.push(path.invalid(text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
    }
}

/// An address at which something outside the node can be reached.
pub(super) fn endpoint_address(text: &str, path: &Path, problems: &mut Problems) {
    let Some(address) = address(text).map(|address| address.to_canonical()) else {
        problems.push(path.invalid(text, "must be a valid IP address"));
        return;
    };
    let (is_link_local, is_link_local_multicast) = match address {
        IpAddr::V4(address) => (address.is_link_local(), matches!(address.octets(), [224, 0, 0, _])),
        IpAddr::V6(address) => {
            (address.is_unicast_link_local(), address.segments().first().is_some_and(|first| first & 0xff0f == 0xff02))
        }
    };
    if address.is_unspecified() {
        problems.push(path.invalid(text, &format!("may not be unspecified ({text})")));
    }
    if address.is_loopback() {
        problems.push(path.invalid(text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
    }
    if is_link_local {
        problems.push(path.invalid(text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
    }
    if is_link_local_multicast {
        problems.push(path.invalid(text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
    }
}

/// The protocol of a port.
pub(super) fn protocol(text: &str, path: &Path, problems: &mut Problems) {
    match text {
        "" => problems.push(path.required("")),
        "TCP" | "UDP" | "SCTP" => {}
        other => problems.push(path.not_supported(other, &["SCTP", "TCP", "UDP"])),
    }
}

/// A text that must be one of a few; an empty one is missing.
pub(super) fn one_of(text: &str, allowed: &[&str], path: &Path, problems: &mut Problems) {
    if text.is_empty() {
        problems.push(path.required(""));
    } else if !allowed.contains(&text) {
        problems.push(path.not_supported(text, allowed));
    }
}

/// The same for a text that may be missing.
pub(super) fn one_of_if_any(text: Option<&str>, allowed: &[&str], path: &Path, problems: &mut Problems) {
    if let Some(text) = text.filter(|text| !allowed.contains(text)) {
        problems.push(path.not_supported(text, allowed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_leading_zeros() {
        assert!(address("010.0.0.1").is_some());
        assert!(address("1.2.3").is_none());
        assert!(address("1.2.3.256").is_none());
        assert!(address("::1").is_some());
        assert!(block("10.0.0.0/33").is_none());
        assert!(holds(block("10.0.0.0/8").unwrap(), address("10.9.9.9").unwrap()));
        assert!(!holds(block("10.0.0.0/8").unwrap(), address("11.0.0.1").unwrap()));
    }

    #[test]
    fn percentages_have_their_amounts() {
        assert_eq!(amount_of(Some(&Value::from("25%"))), 25);
        assert_eq!(amount_of(Some(&Value::from(3))), 3);
        assert_eq!(amount_of(Some(&Value::from("x"))), 0);
    }
}
