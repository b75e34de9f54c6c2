//! The formats of strings that are looked at; others mean nothing.
//!
//! Source: `kube-openapi/pkg/validation/strfmt` and `apiextensions-apiserver/pkg/apiserver/validation/formats.go`.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::patterns::matches;
use crate::sandbox::custom::structural::text;

/// A format as the schema writes it, and as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format<'a> {
    pub(super) name: &'a str,
    check: fn(&str) -> bool,
}

impl Format<'_> {
    pub(super) fn holds(&self, value: &str) -> bool {
        (self.check)(value)
    }
}

/// Returns the format that a schema asks for, if it is one that the server knows.
pub(super) fn format_of(schema: &Value) -> Option<Format<'_>> {
    let name = text(schema, "format");
    if name.is_empty() {
        return None;
    }
    let check: fn(&str) -> bool = match name.replace('-', "").as_str() {
        "bsonobjectid" => |value| matches("^[0-9a-fA-F]{24}$", value) == Some(true),
        "uri" => is_request_uri,
        "email" => is_email,
        "hostname" => is_hostname,
        "ipv4" => |value| value.contains('.') && is_ip(value),
        "ipv6" => |value| value.contains(':') && is_ip(value),
        "cidr" => is_cidr,
        "mac" => is_mac,
        "uuid" => |value| is_uuid(value, "[0-9a-f]{4}", "[0-9a-f]{4}"),
        "uuid3" => |value| is_uuid(value, "3[0-9a-f]{3}", "[0-9a-f]{4}"),
        "uuid4" => |value| is_uuid(value, "4[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
        "uuid5" => |value| is_uuid(value, "5[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
        "isbn" => |value| is_isbn10(value) || is_isbn13(value),
        "isbn10" => is_isbn10,
        "isbn13" => is_isbn13,
        "creditcard" => is_credit_card,
        "ssn" => |value| value.len() == 11 && matches(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$", value) == Some(true),
        "hexcolor" => |value| matches("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", value) == Some(true),
        "rgbcolor" => is_rgb_color,
        "byte" => is_base64,
        "password" => |_| true,
        "date" => is_date,
        "duration" => is_duration,
        "datetime" => is_date_time,
        "k8sshortname" => |value| value.len() <= 63 && is_short_name(value),
        "k8slongname" => |value| value.len() <= 253 && value.split('.').all(is_short_name),
        _ => return None,
    };
    Some(Format { name, check })
}

/// Tells whether a schema of type `string` has a format that nobody knows: the server warns of it.
pub(in crate::sandbox::custom) fn is_unrecognized(schema: &Value) -> bool {
    text(schema, "type") == "string" && !text(schema, "format").is_empty() && format_of(schema).is_none()
}

fn is_short_name(value: &str) -> bool {
    matches("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", value) == Some(true)
}

fn is_uuid(value: &str, third: &str, fourth: &str) -> bool {
    let pattern = format!("(?i)^[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{third}-?{fourth}-?[0-9a-f]{{12}}$");
    matches(&pattern, value) == Some(true)
}

fn is_hostname(value: &str) -> bool {
    const PATTERN: &str = "^([a-zA-Z0-9\\p{S}\\p{L}]((-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?)|([a-zA-Z0-9\\p{S}\\p{L}]\
                           (([a-zA-Z0-9-\\p{S}\\p{L}]{0,61}[a-zA-Z0-9\\p{S}\\p{L}])?)(\\.)){1,}([a-zA-Z\\p{L}]){2,63})$";
    value.len() <= 255 && value.split('.').all(|label| label.len() <= 63) && matches(PATTERN, value) == Some(true)
}

/// An IPv4 address may have zeros in front of its numbers.
fn is_ip(value: &str) -> bool {
    is_ipv4(value) || value.parse::<Ipv6Addr>().is_ok()
}

fn is_ipv4(value: &str) -> bool {
    let octets: Option<Vec<u8>> = value
        .split('.')
        .map(|octet| octet.bytes().all(|byte| byte.is_ascii_digit()).then(|| octet.parse().ok()).flatten())
        .collect();
    octets.is_some_and(|octets| <[u8; 4]>::try_from(octets).map(Ipv4Addr::from).is_ok())
}

fn is_cidr(value: &str) -> bool {
    let Some((address, length)) = value.split_once('/') else { return false };
    let most = if is_ipv4(address) { 32 } else { 128 };
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    is_ip(address) && is_number && length.parse::<u16>().is_ok_and(|length| length <= most)
}

fn is_mac(value: &str) -> bool {
    let parts = |separator: char, digits: usize| {
        let groups: Vec<&str> = value.split(separator).collect();
        let fits = groups.iter().all(|group| group.len() == digits && group.bytes().all(|b| b.is_ascii_hexdigit()));
        fits && [6, 8, 20].contains(&(groups.len() * digits / 2))
    };
    parts(':', 2) || parts('-', 2) || parts('.', 4)
}

fn is_base64(value: &str) -> bool {
    let pattern = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$";
    matches(pattern, value) == Some(true)
}

fn is_rgb_color(value: &str) -> bool {
    let part = r"\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*";
    matches(&format!(r"^rgb\({part},{part},{part}\)$"), value) == Some(true)
}

fn digits_of(value: &str) -> Vec<u32> {
    value.chars().filter_map(|letter| letter.to_digit(10)).collect()
}

fn is_isbn10(value: &str) -> bool {
    let plain: String = value.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect();
    if matches(r"^(\d{9}X|\d{10})$", &plain) != Some(true) {
        return false;
    }
    let numbers = plain.chars().map(|letter| letter.to_digit(10).unwrap_or(10));
    numbers.zip(1..).map(|(number, place)| number * place).sum::<u32>() % 11 == 0
}

fn is_isbn13(value: &str) -> bool {
    let plain: String = value.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect();
    if matches(r"^\d{13}$", &plain) != Some(true) {
        return false;
    }
    digits_of(&plain).into_iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum::<u32>()
        % 10
        == 0
}

fn is_credit_card(value: &str) -> bool {
    const PATTERN: &str = r"^(4[0-9]{12}([0-9]{3})?|5[1-5][0-9]{14}|(222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(0[0-5]|[68][0-9])[0-9]{11}|(2131|1800|35\d{3})\d{11}|6[27][0-9]{14})$";
    let digits = digits_of(value);
    let plain: String = digits.iter().filter_map(|digit| char::from_digit(*digit, 10)).collect();
    let weighed = digits.iter().rev().zip([false, true].into_iter().cycle()).map(|(digit, doubled)| match doubled {
        true if *digit > 4 => digit * 2 - 9,
        true => digit * 2,
        false => *digit,
    });
    matches(PATTERN, &plain) == Some(true) && weighed.sum::<u32>() % 10 == 0
}

fn is_date(value: &str) -> bool {
    matches(r"^\d{4}-\d{2}-\d{2}$", value) == Some(true) && value.parse::<jiff::civil::Date>().is_ok()
}

fn is_date_time(value: &str) -> bool {
    let value = value.to_lowercase();
    let mut parts = value.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let pattern = r"^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$";
    let within = |start: usize, most: &str| time.get(start..start + 2).is_some_and(|part| part <= most);
    is_date(date) && matches(pattern, time) == Some(true) && within(0, "23") && within(3, "59") && within(6, "59")
}

/// Go's durations, and texts that have a number and a unit somewhere, such as `3 days`.
fn is_duration(value: &str) -> bool {
    let go = r"^[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$";
    let somewhere = "(?i)[0-9]+ *(ns|nano[a-zµ]*|us|µs|micro[a-zµ]*|ms|milli[a-zµ]*|s|sec[a-zµ]*|m|min[a-zµ]*|h|hr|\
                     hour[a-zµ]*|d|day[a-zµ]*|w|wk|week[a-zµ]*)($|[^a-zµ])";
    matches(go, value) == Some(true) || matches(somewhere, value) == Some(true)
}

/// `local@domain`, alone or in angle brackets behind a name.
fn is_email(value: &str) -> bool {
    let value = value.trim();
    let address = match value.strip_suffix('>') {
        Some(rest) => match rest.rsplit_once('<') {
            Some((name, address)) if !name.contains(['<', '>', '@', ',']) => address,
            _ => return false,
        },
        None => value,
    };
    let atom = |text: &str| {
        let special = |letter: char| letter.is_whitespace() || letter.is_control() || "()<>[]:;@\\,\"".contains(letter);
        !text.is_empty() && text.split('.').all(|part| !part.is_empty() && !part.contains(special))
    };
    let quoted = |text: &str| text.len() > 2 && text.starts_with('"') && text.ends_with('"');
    let literal = |text: &str| text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).is_some_and(is_ip);
    address
        .rsplit_once('@')
        .is_some_and(|(local, domain)| (atom(local) || quoted(local)) && (atom(domain) || literal(domain)))
}

/// What Go's `url.ParseRequestURI` takes: an absolute path, or anything with a scheme.
pub(in crate::sandbox::custom) fn is_request_uri(value: &str) -> bool {
    if value.is_empty() || value.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return false;
    }
    let (scheme, rest) = match value.split_once(':') {
        Some((scheme, rest)) if matches("^[a-zA-Z][a-zA-Z0-9+.-]*$", scheme) == Some(true) => (scheme, rest),
        Some(("", _)) => return false,
        _ => ("", value),
    };
    let escapes_are_valid = |text: &str| {
        text.split('%')
            .skip(1)
            .all(|part| part.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)))
    };
    let path = rest.split('?').next().unwrap_or_default();
    if !path.starts_with('/') {
        return !scheme.is_empty();
    }
    let Some(authority) = path.strip_prefix("//").filter(|_| !scheme.is_empty()) else {
        return escapes_are_valid(path);
    };
    let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let pattern = r"^([^\[\]:<>^`{}|\\ ]*|\[[0-9a-fA-F:.%]+\])(:[0-9]*)?$";
    escapes_are_valid(path) && matches(pattern, host) == Some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn formats_hold_for_what_the_server_takes() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "date-time",
                &["2020-01-01T00:00:00Z"],
                &["x", "2020-01-01", "2020-01-01T00:00:00", "2020-01-01T25:00:00Z"],
            ),
            ("ipv4", &["1.2.3.4", "01.2.3.4"], &["::1", "x", "1.2.3"]),
            ("ipv6", &["::1"], &["1.2.3.4"]),
            ("cidr", &["10.0.0.0/8", "::/0"], &["10.0.0.0", "10.0.0.0/33"]),
            ("uri", &["http://a/b", "/x", "mailto:a"], &["a b", "x", "", "http://a b/"]),
            ("email", &["a@b.c", "A <a@b.c>"], &["a", "a@", "a b@c"]),
            ("hostname", &["a", "a.bc", "www.example.com"], &["a.b", "a_b", "-a", ""]),
            ("uuid", &["123e4567-e89b-12d3-a456-426614174000"], &["123"]),
            ("mac", &["01:23:45:67:89:ab"], &["x"]),
            ("date", &["2020-01-01"], &["2020-13-01"]),
            ("duration", &["1h", "1 day", "3 d", "1h30m", "0"], &["x", ""]),
            ("byte", &["YQ=="], &["!!", "YQ"]),
            ("k8s-short-name", &["a"], &["A", "a.b"]),
            ("k8s-long-name", &["a.b"], &["A"]),
            ("isbn", &["0321751043", "978-0321751041"], &["1"]),
            ("hexcolor", &["#FFF"], &["#FFFF"]),
            ("rgbcolor", &["rgb(1, 2,3)"], &["rgb(256,0,0)"]),
        ];
        for (name, right, wrong) in cases {
            let schema = json!({"type": "string", "format": name});
            let format = format_of(&schema).unwrap();
            for value in *right {
                assert!(format.holds(value), "{name}: {value}");
            }
            for value in *wrong {
                assert!(!format.holds(value), "{name}: {value}");
            }
        }
        assert!(format_of(&json!({"format": "int32"})).is_none());
        assert!(is_unrecognized(&json!({"type": "string", "format": "foo"})));
    }
}
