//! Where the keys of a Secret come from. Sources hold names, never values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::resource::{ObjectRef, check_dns_subdomain, is_data_key};

/// The keys of one Secret and their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSpec {
    /// The Secret.
    pub object: ObjectRef,
    /// Its keys.
    pub keys: BTreeMap<String, Source>,
}

/// Where one key's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Random, made once and kept.
    Generate {
        /// How many random bytes go into it.
        entropy: Entropy,
    },
    /// An environment variable.
    Env {
        /// Its name.
        variable: String,
        /// True if the key may be absent.
        optional: bool,
    },
    /// A file's content, byte for byte but for one trailing newline.
    File {
        /// The file, relative to the stack file's folder.
        path: PathBuf,
        /// True if the key may be absent.
        optional: bool,
    },
    /// A key of a Secret that exists already.
    Existing {
        /// The Secret.
        secret: ObjectRef,
        /// The key.
        key: String,
        /// True if the key may be absent.
        optional: bool,
    },
    /// Assembled from other keys of the same Secret.
    Template(Vec<TemplatePart>),
}

/// Splits `SECRET/KEY`; `None` if it names no key of a Secret.
#[must_use]
pub fn secret_and_key(text: &str) -> Option<(&str, &str)> {
    text.split_once('/').filter(|(secret, key)| check_dns_subdomain(secret).is_ok() && is_data_key(key))
}

/// How a generated value is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entropy {
    /// So many random bytes, written in URL-safe base64 without padding.
    Bytes(usize),
    /// So many characters out of an alphabet.
    Characters {
        /// How many.
        length: usize,
        /// Out of which.
        alphabet: String,
    },
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text as it stands.
    Text(String),
    /// The value of a key.
    Key {
        /// The key.
        key: String,
        /// True for `${urlencode(KEY)}`.
        urlencode: bool,
    },
}
