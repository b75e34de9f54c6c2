//! Addresses that are taken, though not in the spelling that they should have.

use std::net::IpAddr;

use crate::sandbox::validation::{address, block};

/// Returns what is to be said of an address.
pub(super) fn of_address(path: &str, text: &str) -> Option<String> {
    let read = address(text)?;
    let plain = plain(read);
    if text.parse::<IpAddr>().is_err() || plain != read {
        return Some(format!(
            "{path}: non-standard IP address {text:?} will be considered invalid in a future Kubernetes release: use \"{plain}\""
        ));
    }
    (read.is_ipv6() && read.to_string() != text)
        .then(|| format!("{path}: IPv6 address {text:?} should be in RFC 5952 canonical format (\"{read}\")"))
}

/// Returns what is to be said of a block of addresses.
pub(super) fn of_block(path: &str, text: &str) -> Vec<String> {
    let Some((read, bits)) = block(text) else { return Vec::new() };
    let plain = plain(read);
    let is_mapped = plain != read;
    let bits = if is_mapped { bits.saturating_sub(96) } else { bits };
    let first = first_of(plain, bits);
    let mut told = Vec::new();
    if first != plain {
        let all = if plain.is_ipv4() { 32 } else { 128 };
        told.push(format!(
            "{path}: CIDR value {text:?} is ambiguous in this context (should be \"{first}/{bits}\" or \"{plain}/{all}\"?)"
        ));
    }
    let is_standard = text
        .split_once('/')
        .is_some_and(|(base, bits)| base.parse::<IpAddr>().is_ok() && (bits == "0" || !bits.starts_with('0')));
    if !is_standard || is_mapped {
        told.push(format!(
            "{path}: non-standard CIDR value {text:?} will be considered invalid in a future Kubernetes release: use \
             \"{first}/{bits}\""
        ));
    }
    let canonical = format!("{read}/{bits}");
    if told.is_empty() && read.is_ipv6() && canonical != text {
        told.push(format!("{path}: IPv6 CIDR value {text:?} should be in RFC 5952 canonical format (\"{canonical}\")"));
    }
    told
}

/// An address of the older family may be written as one of the newer.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn first_of(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
            IpAddr::from((u32::from(four) & mask).to_be_bytes())
        }
        IpAddr::V6(six) => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
            IpAddr::from((u128::from(six) & mask).to_be_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_will_go_are_told() {
        assert_eq!(of_address("p", "1.2.3.4"), None);
        assert_eq!(of_address("p", "::1"), None);
        insta::assert_snapshot!(of_address("p", "1.2.3.04").unwrap(), @r#"p: non-standard IP address "1.2.3.04" will be considered invalid in a future Kubernetes release: use "1.2.3.4""#);
        insta::assert_snapshot!(of_address("p", "0::1").unwrap(), @r#"p: IPv6 address "0::1" should be in RFC 5952 canonical format ("::1")"#);
        assert!(of_block("p", "10.1.0.0/24").is_empty());
        insta::assert_snapshot!(of_block("p", "10.1.0.7/24").join("\n"), @r#"p: CIDR value "10.1.0.7/24" is ambiguous in this context (should be "10.1.0.0/24" or "10.1.0.7/32"?)"#);
    }
}
