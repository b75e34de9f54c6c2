//! What an image's reference says, as far as it decides how often the image is pulled.

use self::Reference::{Readable, Unreadable};

/// A reference to an image, read as container engines read it.
#[derive(Debug, PartialEq)]
enum Reference<'a> {
    Readable {
        tag: Option<&'a str>,
        has_digest: bool,
    },
    /// What this refers to is for others to find out: the server asks no further.
    Unreadable,
}

/// Tells whether a reference means the tag `latest`, be it that it names neither tag nor digest.
pub(super) fn is_latest(image: &str) -> bool {
    match read(image) {
        Readable { tag: Some(tag), .. } => tag == "latest",
        Readable { tag: None, has_digest } => !has_digest,
        Unreadable => false,
    }
}

fn read(image: &str) -> Reference<'_> {
    if image.len() == 64 && image.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Unreadable;
    }
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let (domain, rest) = match name.split_once('/') {
        Some((first, rest)) if is_domain_like(first) => (Some(first), rest),
        _ => (None, name),
    };
    let (path, tag) = rest.split_once(':').map_or((rest, None), |(path, tag)| (path, Some(tag)));
    let is_readable = domain.is_none_or(is_domain)
        && path.len() <= 255
        && path.split('/').all(is_path_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    if is_readable { Readable { tag, has_digest: digest.is_some() } } else { Unreadable }
}

/// Tells whether the part before the first slash is a domain, and not a part of the path on the default one.
fn is_domain_like(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.chars().any(char::is_uppercase)
}

fn is_domain(domain: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = domain.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        let is_address = !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
        return is_address && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = domain.split_once(':').map_or((domain, None), |(host, port)| (host, Some(port)));
    let is_component = |part: &str| {
        let is_inner = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !part.is_empty() && is_inner && !part.starts_with('-') && !part.ends_with('-')
    };
    host.split('.').all(is_component) && port.is_none_or(is_port)
}

/// Words of small letters and digits, with one dot, one or two underscores or any number of hyphens between them.
fn is_path_component(component: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends_in_words = bytes.first().is_some_and(is_word) && bytes.last().is_some_and(is_word);
    let mut between = bytes.split(is_word).filter(|between| !between.is_empty());
    ends_in_words
        && between.all(|between| matches!(between, b"." | b"_" | b"__") || between.iter().all(|byte| *byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=128).contains(&tag.len()) && tag.bytes().all(is_inner) && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_engine_could_read_is_not_pulled_each_time() {
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let both = format!("a:latest@{digest}");
        for image in ["a", "localhost/a", "A/b", "a__b", "a:5/c", "[::1]:5/a", "HOST.com/a", &both] {
            assert!(is_latest(image), "{image}");
        }
        let digest = format!("a@{digest}");
        let hex = "a".repeat(64);
        for image in [
            "",
            "Never",
            "with space",
            "example.com/A",
            "a/B",
            "a___b",
            "example.com:x/a",
            "a//b",
            "/a",
            "a/",
            "a:",
            ":a",
            "a_/b",
            "-a",
            "a.b_c/d",
            "a_b.c/d",
            "a.b:80",
            "a.b/c:1",
            "a:latest@sha256:00",
            "a@md5:e3b0c44298fc1c149afbf4c8996fb924",
            &digest,
            &hex,
        ] {
            assert!(!is_latest(image), "{image}");
        }
    }
}
