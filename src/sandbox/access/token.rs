//! Bearer tokens: the administrator's, and those of service accounts, which are signed and tell whom they are for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    user::{AUTHENTICATED, User, account_groups, account_name, anonymous},
    wording::{quoted, quoted_list},
};
use crate::sandbox::{refusal::Refusal, view::View};

/// Whom tokens are for that are meant for the API server; also who issues them.
pub const AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";

/// Clocks may differ by this much.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";
const POD_NAME: &str = "authentication.kubernetes.io/pod-name";
const POD_UID: &str = "authentication.kubernetes.io/pod-uid";
const NODE_NAME: &str = "authentication.kubernetes.io/node-name";
const NODE_UID: &str = "authentication.kubernetes.io/node-uid";

/// Issues tokens and tells whose they are.
pub struct Tokens {
    admin: Zeroizing<String>,
    key: Zeroizing<Vec<u8>>,
}

/// What a token is to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// Namespace of the service account.
    pub namespace: String,
    /// Name of the service account.
    pub account: String,
    /// Its uid.
    pub uid: String,
    /// Whom the token is for.
    pub audiences: Vec<String>,
    /// How long it is valid.
    pub seconds: i64,
    /// After how long its use is a sign that somebody does not renew it.
    pub warn_after: Option<i64>,
    /// Kind, name and uid of the objects with which it ends: a `Pod` and perhaps its `Node`, or a `Secret`, or a `Node`.
    pub bound: Vec<(&'static str, String, String)>,
    /// What tells it apart from every other.
    pub id: String,
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The user.
    pub user: User,
    /// For whom of those that were asked about it is.
    pub audiences: Vec<String>,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is nobody's.
    #[error("invalid bearer token")]
    Unknown,
    /// It is not valid (any more).
    #[error("[invalid bearer token, {0}]")]
    Invalid(String),
}

impl Tokens {
    /// Takes the administrator's token, and the key that the others are signed with.
    #[must_use]
    pub fn new(admin: String, key: Vec<u8>) -> Self {
        Self { admin: Zeroizing::new(admin), key: Zeroizing::new(key) }
    }

    /// Returns a token for a service account.
    #[must_use]
    pub fn issue(&self, grant: &Claims, now: Timestamp) -> String {
        let second = now.as_second();
        let mut about = json!({
            "namespace": grant.namespace,
            "serviceaccount": {"name": grant.account, "uid": grant.uid}
        });
        for (kind, name, uid) in &grant.bound {
            about[kind.to_ascii_lowercase()] = match uid.as_str() {
                "" => json!({"name": name}),
                uid => json!({"name": name, "uid": uid}),
            };
        }
        if let Some(after) = grant.warn_after {
            about["warnafter"] = Value::from(second.saturating_add(after));
        }
        let claims = json!({
            "aud": grant.audiences, "exp": second.saturating_add(grant.seconds), "iat": second, "iss": AUDIENCE,
            "jti": grant.id, "kubernetes.io": about, "nbf": second, "sub": account_name(&grant.namespace, &grant.account)
        });
        let header = json!({"alg": "HS256", "kid": "mathison-sandbox"});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(signed.as_bytes()).finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        // A longer key than a block is hashed first, as HMAC has it, so that any key is one.
        let mut block = [0; 64];
        let mut key: &[u8] = &self.key;
        let digest;
        if key.len() > block.len() {
            digest = <Sha256 as sha2::Digest>::digest(key);
            key = &digest;
        }
        block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        mac.update(message);
        mac
    }

    /// Returns who sent a request, by its `Authorization` header.
    ///
    /// # Errors
    /// If there are credentials, but none that are accepted.
    pub fn authenticate(&self, view: &impl View, authorization: Option<&str>) -> Result<User, Refusal> {
        let mut words = authorization.unwrap_or_default().trim().splitn(3, ' ');
        let bearer = words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
        match words.next() {
            Some(token) if bearer && !token.is_empty() => match self.check(view, token, &[]) {
                Ok(authenticated) => Ok(authenticated.user),
                Err(_) => Err(Refusal::unauthorized()),
            },
            _ => Ok(anonymous()),
        }
    }

    /// Returns whose a token is, if it is for one of the audiences; for the API server if none are named.
    ///
    /// # Errors
    /// If it is not accepted.
    pub fn check(&self, view: &impl View, token: &str, audiences: &[String]) -> Result<Authenticated, TokenError> {
        let server = [AUDIENCE.to_owned()];
        let asked = if audiences.is_empty() { &server[..] } else { audiences };
        // The time it takes does not tell where they differ.
        if !self.admin.is_empty() && bool::from(self.admin.as_bytes().ct_eq(token.as_bytes())) {
            if !asked.iter().any(|audience| audience == AUDIENCE) {
                return Err(TokenError::Unknown);
            }
            return Ok(Authenticated { user: User::admin(), audiences: vec![AUDIENCE.to_owned()] });
        }
        let claims = self.verified(token)?;
        let of_token: Vec<&str> = claims["aud"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let common: Vec<String> =
            asked.iter().filter(|audience| of_token.contains(&audience.as_str())).cloned().collect();
        if common.is_empty() {
            let (of_token, asked) = (quoted_list(&of_token), quoted_list(asked));
            let why = format!("token audiences {of_token} is invalid for the target audiences {asked}");
            return Err(TokenError::Invalid(why));
        }
        let mut user = validate(view, &claims).map_err(TokenError::Invalid)?;
        user.groups.push(AUTHENTICATED.to_owned());
        Ok(Authenticated { user, audiences: common })
    }

    /// Returns what a token says, if it is signed here.
    fn verified(&self, token: &str) -> Result<Value, TokenError> {
        let decode = |text: &str| -> Option<Vec<u8>> { URL_SAFE_NO_PAD.decode(text).ok() };
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Unknown)?;
        let claims = signed
            .split_once('.')
            .and_then(|(_, claims)| decode(claims))
            .and_then(|claims| serde_json::from_slice::<Value>(&claims).ok())
            .filter(|claims| claims["iss"] == AUDIENCE)
            .ok_or(TokenError::Unknown)?;
        let signature = decode(signature).ok_or(TokenError::Unknown)?;
        if self.mac(signed.as_bytes()).verify_slice(&signature).is_err() {
            let why = "go-jose/go-jose: error in cryptographic primitive";
            return Err(TokenError::Invalid(why.to_owned()));
        }
        Ok(claims)
    }
}

/// Checks that what a token says still holds.
fn validate(view: &impl View, claims: &Value) -> Result<User, String> {
    let now = view.now();
    let moment = |claim: &Value| claim.as_i64().and_then(|second| Timestamp::from_second(second).ok());
    let later = now.saturating_add(LEEWAY).unwrap_or(now);
    let earlier = now.saturating_sub(LEEWAY).unwrap_or(now);
    if moment(&claims["nbf"]).is_some_and(|from| later < from) {
        return Err("service account token is not valid yet".to_owned());
    }
    if moment(&claims["exp"]).is_some_and(|until| earlier > until) {
        return Err("service account token has expired".to_owned());
    }
    if moment(&claims["iat"]).is_some_and(|issued| later < issued) {
        return Err("service account token is issued in the future".to_owned());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let about = &claims["kubernetes.io"];
    let namespace = text(&about["namespace"]);
    let (name, uid) = (text(&about["serviceaccount"]["name"]), text(&about["serviceaccount"]["uid"]));
    let account = view
        .get("", "ServiceAccount", &namespace, &name)
        .ok_or_else(|| format!("serviceaccounts {} not found", quoted(&name)))?;
    let actual = text(&account["metadata"]["uid"]);
    if actual != uid {
        return Err(format!("service account UID ({actual}) does not match claim ({uid})"));
    }
    if deleted_before(&account, earlier) {
        return Err(format!("service account {namespace}/{name} has been deleted"));
    }
    let mut user =
        User { name: account_name(&namespace, &name), uid, groups: account_groups(&namespace), ..User::default() };
    let mut know = |key: &str, value: &Value| {
        if let Some(value) = value.as_str().filter(|value| !value.is_empty()) {
            user.extra.insert(key.to_owned(), vec![value.to_owned()]);
        }
    };
    if about.get("secret").is_some() {
        still_there(view, "Secret", &namespace, &about["secret"], "secret ref", earlier)?;
    }
    if about.get("pod").is_some() {
        still_there(view, "Pod", &namespace, &about["pod"], "pod ref", earlier)?;
        know(POD_NAME, &about["pod"]["name"]);
        know(POD_UID, &about["pod"]["uid"]);
    } else if about.get("node").is_some() {
        still_there(view, "Node", "", &about["node"], "node ref", earlier)?;
    }
    know(NODE_NAME, &about["node"]["name"]);
    know(NODE_UID, &about["node"]["uid"]);
    if let Some(id) = claims["jti"].as_str().filter(|id| !id.is_empty()) {
        know(CREDENTIAL, &Value::from(format!("JTI={id}")));
    }
    Ok(user)
}

/// Checks that an object is there with which a token ends.
fn still_there(
    view: &impl View,
    kind: &str,
    namespace: &str,
    claim: &Value,
    claimed: &str,
    earlier: Timestamp,
) -> Result<(), String> {
    let invalidated = || "service account token has been invalidated".to_owned();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = view.get("", kind, namespace, &text(&claim["name"])).ok_or_else(invalidated)?;
    let (actual, uid) = (text(&object["metadata"]["uid"]), text(&claim["uid"]));
    if actual != uid {
        let word = kind.to_ascii_lowercase();
        return Err(format!("{word} UID ({actual}) does not match service account {claimed} claim ({uid})"));
    }
    if deleted_before(&object, earlier) { Err(invalidated()) } else { Ok(()) }
}

fn deleted_before(object: &Value, moment: Timestamp) -> bool {
    let deleted = object["metadata"]["deletionTimestamp"].as_str();
    deleted.and_then(|deleted| deleted.parse::<Timestamp>().ok()).is_some_and(|deleted| deleted < moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::access::fixture::Stored;

    fn tokens() -> Tokens {
        Tokens::new("admin-token".to_owned(), b"key".to_vec())
    }

    fn stored() -> Stored {
        let object = |kind: &str, name: &str, uid: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"namespace": "shop", "name": name, "uid": uid}});
        Stored::bootstrapped()
            .with(object("ServiceAccount", "bob", "u-1"))
            .with(object("Secret", "s", "u-2"))
            .with(object("Pod", "p", "u-3"))
    }

    fn grant() -> Claims {
        Claims {
            namespace: "shop".to_owned(),
            account: "bob".to_owned(),
            uid: "u-1".to_owned(),
            audiences: vec![AUDIENCE.to_owned()],
            seconds: 3600,
            id: "id-1".to_owned(),
            ..Claims::default()
        }
    }

    fn why(view: &Stored, token: &str) -> String {
        tokens().check(view, token, &[]).unwrap_err().to_string()
    }

    #[test]
    fn a_service_accounts_token_tells_who_it_is() {
        let view = stored();
        let token = tokens().issue(&grant(), view.now);
        let user = tokens().authenticate(&view, Some(&format!("Bearer {token}"))).unwrap();
        assert_eq!(user.name, "system:serviceaccount:shop:bob");
        assert_eq!(user.uid, "u-1");
        assert_eq!(user.groups, ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]);
        assert_eq!(user.extra.into_iter().collect::<Vec<_>>(), [(CREDENTIAL.to_owned(), vec!["JTI=id-1".to_owned()])]);
    }

    #[test]
    fn a_token_says_what_the_servers_says() {
        let view = stored();
        let bound = vec![("Secret", "s".to_owned(), "u-2".to_owned())];
        let token = tokens().issue(&Claims { bound, ..grant() }, view.now);
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        assert_eq!(
            String::from_utf8(claims).unwrap(),
            r#"{"aud":["https://kubernetes.default.svc.cluster.local"],"exp":1795352400,"iat":1795348800,"iss":"https://kubernetes.default.svc.cluster.local","jti":"id-1","kubernetes.io":{"namespace":"shop","secret":{"name":"s","uid":"u-2"},"serviceaccount":{"name":"bob","uid":"u-1"}},"nbf":1795348800,"sub":"system:serviceaccount:shop:bob"}"#
        );
    }

    #[test]
    fn the_administrators_token_is_for_the_server_only() {
        let view = stored();
        assert_eq!(tokens().authenticate(&view, Some("Bearer admin-token")).unwrap(), User::admin());
        assert_eq!(tokens().check(&view, "admin-token", &["foo".to_owned()]), Err(TokenError::Unknown));
        for other in ["admin-toke", "admin-tokem", "admin-token-"] {
            assert_eq!(tokens().check(&view, other, &[]), Err(TokenError::Unknown));
        }
        let nothing = Tokens::new(String::new(), b"key".to_vec());
        assert_eq!(nothing.check(&view, "", &[]), Err(TokenError::Unknown));
    }

    #[test]
    fn nobody_is_anonymous_and_somebody_unknown_is_refused() {
        let view = stored();
        for none in [None, Some(""), Some("Basic eA=="), Some("Bearer"), Some("Bearer ")] {
            assert_eq!(tokens().authenticate(&view, none).unwrap(), anonymous(), "{none:?}");
        }
        assert_eq!(tokens().authenticate(&view, Some("Bearer x")).unwrap_err(), Refusal::unauthorized());
    }

    #[test]
    fn a_token_ends_with_its_time_its_account_or_what_it_is_bound_to() {
        let mut view = stored();
        let now = view.now;
        let token = tokens().issue(&grant(), now);
        view.now = now + SignedDuration::from_secs(3600 + 60);
        assert!(tokens().check(&view, &token, &[]).is_ok());
        view.now = now + SignedDuration::from_secs(3600 + 61);
        assert_eq!(why(&view, &token), "[invalid bearer token, service account token has expired]");
        view.now = now - SignedDuration::from_secs(61);
        assert_eq!(why(&view, &token), "[invalid bearer token, service account token is not valid yet]");
        view.now = now;

        let bound = |kind, name: &str, uid: &str| {
            tokens().issue(&Claims { bound: vec![(kind, name.to_owned(), uid.to_owned())], ..grant() }, now)
        };
        let (secret, pod) = (bound("Secret", "s", "u-2"), bound("Pod", "p", "u-3"));
        assert!(tokens().check(&view, &secret, &[]).is_ok());
        assert_eq!(tokens().check(&view, &pod, &[]).unwrap().user.extra[POD_NAME], ["p"]);
        view.remove("Secret", "s");
        view.remove("Pod", "p");
        for token in [&secret, &pod] {
            assert_eq!(why(&view, token), "[invalid bearer token, service account token has been invalidated]");
        }
        view.remove("ServiceAccount", "bob");
        assert_eq!(why(&view, &token), r#"[invalid bearer token, serviceaccounts "bob" not found]"#);
    }

    #[test]
    fn a_token_that_was_changed_or_is_for_others_is_not_accepted() {
        let view = stored();
        let token = tokens().issue(&grant(), view.now);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
        assert!(tokens().check(&view, &forged, &[]).is_err());
        let other = Tokens::new("x".to_owned(), b"other key".to_vec()).issue(&grant(), view.now);
        assert_eq!(why(&view, &other), "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]");
        assert_eq!(why(&view, &format!("{signed}x")), "invalid bearer token");
        let audiences = vec!["a".to_owned(), "b".to_owned()];
        let for_others = tokens().issue(&Claims { audiences, ..grant() }, view.now);
        assert_eq!(
            why(&view, &for_others),
            r#"[invalid bearer token, token audiences ["a" "b"] is invalid for the target audiences ["https://kubernetes.default.svc.cluster.local"]]"#
        );
        assert_eq!(tokens().check(&view, &for_others, &["b".to_owned()]).unwrap().audiences, ["b"]);
    }
}
