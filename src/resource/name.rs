//! Names as RFC 1123 and the API server's validation have them.

use thiserror::Error;

/// Why a name would be refused by the API server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing is written.
    #[error("a name must not be empty")]
    Empty,
    /// More characters than the rule allows.
    #[error("a name of this kind has at most {limit} characters, this has {length}")]
    TooLong {
        /// The most characters allowed.
        limit: usize,
        /// The characters it has.
        length: usize,
    },
    /// A character that the rule does not allow, or at a place where it does not.
    #[error("{rule}; `{character}` at position {position} is not allowed")]
    Character {
        /// The rule, in a sentence.
        rule: &'static str,
        /// The offending character.
        character: char,
        /// Its position, counted from 1.
        position: usize,
    },
}

const LABEL: &str = "a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit";
const SUBDOMAIN: &str = "a name has lower-case letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit";

/// Checks an RFC 1123 label, as names of Services, namespaces and containers are.
///
/// # Errors
/// See [`NameError`].
pub fn check_dns_label(name: &str) -> Result<(), NameError> {
    check(name, 63, false, LABEL)
}

/// Checks an RFC 1123 subdomain, as most objects' names are.
///
/// # Errors
/// See [`NameError`].
pub fn check_dns_subdomain(name: &str) -> Result<(), NameError> {
    check(name, 253, true, SUBDOMAIN)
}

/// Tells whether a word may be a key of a ConfigMap or Secret.
#[must_use]
pub fn is_data_key(key: &str) -> bool {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    (1..=253).contains(&key.len()) && key != "." && !key.starts_with("..") && key.chars().all(allowed)
}

fn check(name: &str, limit: usize, dots: bool, rule: &'static str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let length = name.chars().count();
    if length > limit {
        return Err(NameError::TooLong { limit, length });
    }
    let characters: Vec<char> = name.chars().collect();
    for (index, &character) in characters.iter().enumerate() {
        let plain = character.is_ascii_lowercase() || character.is_ascii_digit();
        let separator = character == '-' || (dots && character == '.');
        let edge = |neighbour: Option<&char>| neighbour.is_none_or(|neighbour| dots && *neighbour == '.');
        let before = index.checked_sub(1).and_then(|before| characters.get(before));
        if !(plain || separator) || (separator && (edge(before) || edge(characters.get(index + 1)))) {
            return Err(NameError::Character { rule, character, position: index + 1 });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_config_map_are_names_of_files() {
        assert!(["A", "tls.crt", ".hidden", "a-b_c"].into_iter().all(is_data_key));
        assert!(!["", ".", "..", "..a", "a b", "a/b", "ä", &"a".repeat(254)].into_iter().any(is_data_key));
    }

    #[test]
    fn names_are_checked_as_the_server_does() {
        for good in ["a", "a-b", "a.b-c.d", "0", &"a".repeat(253)] {
            assert_eq!(check_dns_subdomain(good), Ok(()), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", ".a", "a.-b", "a_b", &"a".repeat(254)] {
            assert!(check_dns_subdomain(bad).is_err(), "{bad}");
        }
        assert!(check_dns_label("a.b").is_err());
        assert!(check_dns_label(&"a".repeat(64)).is_err());
    }
}
