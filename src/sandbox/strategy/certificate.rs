//! CertificateSigningRequests: who asked, and when conditions changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::claim::stamp;
use super::fields::{at, items, items_mut, put, remove, restore, text};

/// Who makes a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requester {
    /// The name of the user.
    pub username: String,
    /// The uid of the user.
    pub uid: String,
    /// The groups that the user belongs to.
    pub groups: Vec<String>,
    /// What else is known about the user.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Notes in a new `CertificateSigningRequest` who asks; what the object itself says about it is dropped.
pub fn record_requester(requester: &Requester, object: &mut Value) {
    for field in ["username", "uid", "groups", "extra"] {
        remove(object, &["spec", field]);
    }
    if !requester.username.is_empty() {
        put(object, &["spec", "username"], requester.username.clone());
    }
    if !requester.uid.is_empty() {
        put(object, &["spec", "uid"], requester.uid.clone());
    }
    if !requester.groups.is_empty() {
        put(object, &["spec", "groups"], requester.groups.clone());
    }
    if !requester.extra.is_empty() {
        put(object, &["spec", "extra"], json!(requester.extra));
    }
}

pub(super) fn update(subresource: Option<&str>, live: &Value, object: &mut Value, now: Timestamp) {
    restore(object, live, &["spec"]);
    match subresource {
        Some("status") => {
            keep_instances(live, object, "Approved");
            keep_instances(live, object, "Denied");
            stamp_conditions(live, object, now);
        }
        Some("approval") => {
            stamp_conditions(live, object, now);
            let conditions = at(object, &["status", "conditions"]).cloned();
            restore(object, live, &["status"]);
            match conditions {
                Some(conditions) => put(object, &["status", "conditions"], conditions),
                None => remove(object, &["status", "conditions"]),
            }
        }
        _ => restore(object, live, &["status"]),
    }
}

/// A write of the status can neither approve nor deny: as long as their number stays, such conditions stay as they are.
fn keep_instances(live: &Value, object: &mut Value, of_type: &str) {
    let is_one = |condition: &Value| text(condition, &["type"]) == of_type;
    let kept: Vec<&Value> = items(live, &["status", "conditions"]).iter().filter(|one| is_one(one)).collect();
    let written = items(object, &["status", "conditions"]).iter().filter(|one| is_one(one)).count();
    if kept.len() == written {
        let conditions = items_mut(object, &["status", "conditions"]).filter(|one| is_one(one));
        for (condition, before) in conditions.zip(kept) {
            *condition = before.clone();
        }
    }
}

fn stamp_conditions(live: &Value, object: &mut Value, now: Timestamp) {
    let now = stamp(now);
    for condition in items_mut(object, &["status", "conditions"]) {
        if at(condition, &["lastUpdateTime"]).is_none() {
            put(condition, &["lastUpdateTime"], now.clone());
        }
        if at(condition, &["lastTransitionTime"]).is_none() {
            let mut before = items(live, &["status", "conditions"]).iter().filter(|before| {
                ["type", "status"].iter().all(|field| text(before, &[field]) == text(condition, &[field]))
            });
            let time = before.find_map(|before| at(before, &["lastTransitionTime"]).cloned());
            put(condition, &["lastTransitionTime"], time.unwrap_or_else(|| now.clone().into()));
        }
    }
}
