//! ConfigMaps and Secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::path::Path;
use super::read::Read;
use crate::sandbox::decode::node::Node;

/// The most bytes that a ConfigMap or Secret holds.
const MOST: usize = 1024 * 1024;

fn decoded(value: &str) -> Vec<u8> {
    STANDARD.decode(value).unwrap_or_default()
}

/// A ConfigMap.
pub(super) fn config_map(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    let binary = object.entries("binaryData");
    let mut size = 0;
    for (key, value) in object.entries("data").texts() {
        let at = Path::new("data").key(key);
        problems.extend(at.each(key, names::config_key(key)));
        if binary.has(key) {
            problems.push(at.invalid(key, "duplicate of key present in binaryData"));
        }
        size += value.len();
    }
    for (key, value) in binary.texts() {
        problems.extend(Path::new("binaryData").key(key).each(key, names::config_key(key)));
        size += decoded(value).len();
    }
    if size > MOST {
        // A path of an empty name is written so.
        problems.push(Path::new("[]").too_long(MOST));
    }
}

/// A change of a ConfigMap.
pub(super) fn config_map_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    frozen(live, object, &["data", "binaryData"], problems);
    config_map(object, problems);
}

fn frozen(live: &Value, object: &Value, fields: &[&str], problems: &mut Problems) {
    const WHY: &str = "field is immutable when `immutable` is set";
    if !live.flag("immutable") {
        return;
    }
    if !object.flag("immutable") {
        problems.push(Path::new("immutable").forbidden(WHY));
    }
    for name in fields.iter().filter(|name| live.field(name) != object.field(name)) {
        problems.push(Path::new(name).forbidden(WHY));
    }
}

/// A Secret.
pub(super) fn secret(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    let path = Path::new("data");
    let data = object.entries("data");
    let mut size = 0;
    for (key, value) in data.texts() {
        problems.extend(path.key(key).each(key, names::config_key(key)));
        size += decoded(value).len();
    }
    if size > MOST {
        problems.push(path.too_long(MOST));
    }
    let demand = |key: &str, problems: &mut Problems| {
        if !data.has(key) {
            problems.push(path.key(key).required(""));
        }
    };
    match object.text("type") {
        "kubernetes.io/service-account-token" => {
            const ACCOUNT: &str = "kubernetes.io/service-account.name";
            let account = object.below(&["metadata", "annotations", ACCOUNT]).and_then(Value::as_str);
            if account.unwrap_or_default().is_empty() {
                problems.push(Path::new("metadata.annotations").key(ACCOUNT).required(""));
            }
        }
        "kubernetes.io/dockercfg" => registries(object, ".dockercfg", problems),
        "kubernetes.io/dockerconfigjson" => registries(object, ".dockerconfigjson", problems),
        "kubernetes.io/basic-auth" if !data.has("username") && !data.has("password") => {
            demand("username", problems);
            demand("password", problems);
        }
        "kubernetes.io/ssh-auth" => {
            let key = data.get("ssh-privatekey").and_then(Value::as_str);
            if key.is_none_or(str::is_empty) {
                problems.push(path.key("ssh-privatekey").required(""));
            }
        }
        "kubernetes.io/tls" => {
            demand("tls.crt", problems);
            demand("tls.key", problems);
        }
        _ => {}
    }
}

/// The logins at registries are an object in JSON.
fn registries(object: &Value, key: &str, problems: &mut Problems) {
    const REDACTED: &str = "<secret contents redacted>";
    let at = Path::new("data").key(key);
    let Some(value) = object.entries("data").get(key).and_then(Value::as_str) else {
        problems.push(at.required(""));
        return;
    };
    match Node::read(&decoded(value)) {
        Ok(Node::Map(_) | Node::Null) => {}
        Ok(other) => {
            let sort = other.describe();
            let detail = format!("json: cannot unmarshal {sort} into Go value of type map[string]interface {{}}");
            problems.push(at.invalid(REDACTED, &detail));
        }
        Err(error) => problems.push(at.invalid(REDACTED, &error)),
    }
}

/// A change of a Secret.
pub(super) fn secret_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    if live.text("type") != object.text("type") {
        problems.push(Path::new("type").invalid(object.text("type"), "field is immutable"));
    }
    frozen(live, object, &["data"], problems);
    secret(object, problems);
}
