//! Who makes a request.

use std::collections::BTreeMap;

/// Group of those who may do everything, whatever the stored roles say.
pub(super) const MASTERS: &str = "system:masters";
pub(super) const ANONYMOUS: &str = "system:anonymous";
pub(super) const AUTHENTICATED: &str = "system:authenticated";
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";

const ACCOUNT_PREFIX: &str = "system:serviceaccount:";
const ACCOUNTS: &str = "system:serviceaccounts";

/// A user, as the server knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// Name, such as `system:serviceaccount:shop:web`.
    pub name: String,
    /// What tells them apart from others who had the name before; may be empty.
    pub uid: String,
    /// Groups they are in.
    pub groups: Vec<String>,
    /// What else the authenticator knows.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// The administrator of the sandbox, who may do everything.
    #[must_use]
    pub fn admin() -> Self {
        Self {
            name: "admin".to_owned(),
            uid: "admin".to_owned(),
            groups: vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()],
            extra: BTreeMap::new(),
        }
    }

    pub(super) fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }
}

/// Who has shown no credentials.
#[must_use]
pub fn anonymous() -> User {
    User { name: ANONYMOUS.to_owned(), groups: vec![UNAUTHENTICATED.to_owned()], ..User::default() }
}

/// Name of a service account as a user.
pub(super) fn account_name(namespace: &str, name: &str) -> String {
    format!("{ACCOUNT_PREFIX}{namespace}:{name}")
}

/// Groups that every service account of a namespace is in.
pub(super) fn account_groups(namespace: &str) -> Vec<String> {
    vec![ACCOUNTS.to_owned(), format!("{ACCOUNTS}:{namespace}")]
}

/// Namespace and name of a service account whose user name this is, if both could be.
pub(super) fn split_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(ACCOUNT_PREFIX)?.split_once(':')?;
    (is_label(namespace) && name.len() <= 253 && name.split('.').all(is_part)).then_some((namespace, name))
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

/// What stands between the dots of a DNS subdomain.
fn is_part(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(inner) && text.ends_with(inner) && text.chars().all(|c| inner(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_account_is_known_by_its_user_name() {
        assert_eq!(account_name("a", "b.c-d"), "system:serviceaccount:a:b.c-d");
        assert_eq!(split_account("system:serviceaccount:a:b.c-d"), Some(("a", "b.c-d")));
        for other in ["system:serviceaccount:a", "system:serviceaccount:a:b:c", "system:serviceaccount:A:b", "x"] {
            assert_eq!(split_account(other), None, "{other}");
        }
    }
}
