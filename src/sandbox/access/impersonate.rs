//! Acting as somebody else: `Impersonate-User`, `-Group`, `-Uid` and `-Extra-…`, each of which must be allowed.

use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::{
    authorize::{Attributes, authorize, forbidden},
    user::{ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User, account_groups, split_account},
};
use crate::sandbox::{refusal::Refusal, view::View};

const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";

const AUTHENTICATION: &str = "authentication.k8s.io";

/// Returns whom a request is to be answered as: its user, or who its headers ask for.
///
/// # Errors
/// If the user may not act as who is asked for, or the headers name no user.
pub fn impersonate(view: &impl View, user: User, headers: &HeaderMap) -> Result<User, Refusal> {
    let wanted = Wanted::read(headers);
    let Some(name) = &wanted.user else {
        return if wanted.is_empty() { Ok(user) } else { Err(wanted.without_user()) };
    };
    let mut acting = User { name: name.clone(), groups: wanted.groups.clone(), ..User::default() };
    let check = |group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| {
        let attributes = Attributes {
            user: user.clone(),
            verb: "impersonate".to_owned(),
            group: group.to_owned(),
            version: "v1".to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            path: None,
        };
        let decision = authorize(view, &attributes);
        if decision.allowed { Ok(()) } else { Err(forbidden(&attributes, &decision.reason)) }
    };
    match split_account(name) {
        Some((namespace, account)) => {
            check("", "serviceaccounts", "", namespace, account)?;
            if acting.groups.is_empty() {
                acting.groups = account_groups(namespace);
            }
        }
        None => check("", "users", "", "", name)?,
    }
    for group in &wanted.groups {
        check("", "groups", "", "", group)?;
    }
    for (key, value) in &wanted.extra {
        check(AUTHENTICATION, "userextras", key, "", value)?;
        acting.extra.entry(key.clone()).or_default().push(value.clone());
    }
    if let Some(uid) = &wanted.uid {
        check(AUTHENTICATION, "uids", "", "", uid)?;
        acting.uid.clone_from(uid);
    }
    let in_group = |group: &str| acting.groups.iter().any(|other| other == group);
    let added = match acting.name.as_str() {
        ANONYMOUS => (!in_group(UNAUTHENTICATED)).then_some(UNAUTHENTICATED),
        _ => (!in_group(AUTHENTICATED) && !in_group(UNAUTHENTICATED)).then_some(AUTHENTICATED),
    };
    acting.groups.extend(added.map(str::to_owned));
    Ok(acting)
}

#[derive(Default)]
struct Wanted {
    user: Option<String>,
    groups: Vec<String>,
    extra: Vec<(String, String)>,
    uid: Option<String>,
}

impl Wanted {
    fn read(headers: &HeaderMap) -> Self {
        let mut wanted = Self::default();
        for (name, value) in headers {
            let name = name.as_str();
            if !name.starts_with("impersonate-") {
                continue;
            }
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            match name {
                // Of a repeated one the first counts; an empty one is none.
                USER if wanted.user.is_none() => wanted.user = Some(value),
                UID if wanted.uid.is_none() => wanted.uid = Some(value),
                GROUP => wanted.groups.push(value),
                name => {
                    if let Some(key) = name.strip_prefix(EXTRA) {
                        let key = percent_decode_str(key).decode_utf8_lossy().into_owned();
                        wanted.extra.push((key, value));
                    }
                }
            }
        }
        wanted.user = wanted.user.filter(|user| !user.is_empty());
        wanted.uid = wanted.uid.filter(|uid| !uid.is_empty());
        wanted
    }

    fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.extra.is_empty() && self.uid.is_none()
    }

    /// Shows what was asked for as the server does: a Go value, with the fields of a reference.
    fn without_user(&self) -> Refusal {
        let groups = self.groups.iter().map(|group| format!("{{Group  {group}    }}"));
        let extra = self.extra.iter().map(|(key, value)| format!("{{UserExtra  {value}  {AUTHENTICATION}/v1  {key}}}"));
        let uid = self.uid.iter().map(|uid| format!("{{UID  {uid}  {AUTHENTICATION}/v1  }}"));
        let all: Vec<String> = groups.chain(extra).chain(uid).collect();
        Refusal::bad_request(format!("requested [{}] without impersonating a user", all.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::sandbox::access::fixture::Stored;

    fn headers(of: &[(&str, &str)]) -> HeaderMap {
        of.iter()
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    fn nobody() -> User {
        User { name: "nobody".to_owned(), groups: vec![AUTHENTICATED.to_owned()], ..User::default() }
    }

    #[test]
    fn who_may_do_everything_may_act_as_anybody() {
        let view = Stored::bootstrapped();
        let acting = |of: &[(&str, &str)]| impersonate(&view, User::admin(), &headers(of)).unwrap();
        assert_eq!(acting(&[]), User::admin());
        assert_eq!(acting(&[("Impersonate-User", "bob")]).groups, ["system:authenticated"]);
        assert_eq!(
            acting(&[("Impersonate-User", "system:serviceaccount:default:x")]).groups,
            ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
        );
        assert_eq!(acting(&[("Impersonate-User", "system:anonymous")]).groups, ["system:unauthenticated"]);
        let all = acting(&[
            ("Impersonate-User", "bob"),
            ("Impersonate-Group", "a"),
            ("Impersonate-Group", "b"),
            ("Impersonate-Uid", "u1"),
            ("Impersonate-Extra-a.b%2fC", "d"),
            ("Impersonate-Extra-a.b%2fC", "e"),
        ]);
        assert_eq!(all.groups, ["a", "b", "system:authenticated"]);
        assert_eq!(all.uid, "u1");
        assert_eq!(all.extra.get("a.b/c").unwrap(), &["d", "e"]);
    }

    #[test]
    fn others_are_refused_in_the_servers_words() {
        let view = Stored::bootstrapped();
        let refused = |of: &[(&str, &str)]| impersonate(&view, nobody(), &headers(of)).unwrap_err();
        assert_eq!(
            refused(&[("Impersonate-User", "bob")]).message,
            r#"users "bob" is forbidden: User "nobody" cannot impersonate resource "users" in API group "" at the cluster scope"#
        );
        assert_eq!(
            refused(&[("Impersonate-User", "system:serviceaccount:default:x")]).message,
            r#"serviceaccounts "x" is forbidden: User "nobody" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default""#
        );
        let refusal = refused(&[("Impersonate-Group", "bob")]);
        assert_eq!(refusal.code, 400);
        assert_eq!(refusal.message, "requested [{Group  bob    }] without impersonating a user");
        let refusal =
            refused(&[("Impersonate-Uid", "bob"), ("Impersonate-Extra-a.b%2fc", "d"), ("Impersonate-Group", "g")]);
        assert_eq!(
            refusal.message,
            "requested [{Group  g    } {UserExtra  d  authentication.k8s.io/v1  a.b/c} \
             {UID  bob  authentication.k8s.io/v1  }] without impersonating a user"
        );
    }
}
