//! Recognises a secret that somebody wrote in clear text where everybody can read it.

/// Endings of names that hold secrets. Only whole words count: `MAX_TOKENS` and `PASSWORD_MIN_LENGTH` hold none.
const TELLING_ENDINGS: &[&str] =
    &["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY"];

/// Tells why a plain setting looks like a secret; `None` if it does not. The reason never holds the value.
///
/// Errs towards silence: an empty value, a number, a word of a switch and a reference are never taken for one.
#[must_use]
pub fn clear_text_secret(key: &str, value: &str) -> Option<&'static str> {
    if value.contains("-----BEGIN") && value.contains("PRIVATE KEY-----") {
        return Some("it holds a private key");
    }
    if has_password_in_url(value) {
        return Some("it is an address with a password in it");
    }
    let key = key.to_ascii_uppercase().replace(['-', '.'], "_");
    let telling = TELLING_ENDINGS
        .iter()
        .any(|ending| key.strip_suffix(ending).is_some_and(|before| before.is_empty() || before.ends_with('_')));
    (telling && !is_harmless(value)).then_some("its name says so")
}

fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || value.parse::<f64>().is_ok()
        || has_reference(value)
        || ["true", "false", "yes", "no", "on", "off", "none", "disabled", "enabled"]
            .contains(&value.to_ascii_lowercase().as_str())
}

/// `scheme://user:password@host`, the password being written out.
fn has_password_in_url(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let scheme_is_word = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    scheme_is_word && password.is_some_and(|password| !password.is_empty() && !has_reference(password))
}

/// `${…}` of a stack file, or `$(…)` of a container's variables.
fn has_reference(value: &str) -> bool {
    value.contains("${") || value.contains("$(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_clear_text_are_recognised() {
        assert!(clear_text_secret("AUTH_SECRET", "hunter2").is_some());
        assert!(clear_text_secret("anthropic-api-key", "sk-ant-1").is_some());
        assert!(clear_text_secret("DATABASE_URL", "postgresql://u:pw@host/db").is_some());
        assert!(clear_text_secret("tls.key", "-----BEGIN EC PRIVATE KEY-----\nx").is_some());
    }

    #[test]
    fn ordinary_settings_are_not() {
        for (key, value) in [
            ("MAX_TOKENS", "many"),
            ("PASSWORD_MIN_LENGTH", "12"),
            ("USE_TOKEN", "true"),
            ("AUTH_SECRET", ""),
            ("REDIS_URL", "redis://redis.mathison-system.svc.cluster.local:6379"),
            ("DATABASE_URL", "postgresql://mathison@host:5432/db"),
            ("DATABASE_URL", "postgresql://mathison:$(POSTGRES_PASSWORD)@host:5432/db"),
            ("NOTE", "write to a:b@c://d"),
        ] {
            assert_eq!(clear_text_secret(key, value), None, "{key}={value}");
        }
    }
}
