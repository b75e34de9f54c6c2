//! Who may do what.

use jiff::Timestamp;
use serde_json::json;

use crate::sandbox::table::Row;
use crate::sandbox::table::age::human_duration;
use crate::sandbox::table::fields::Fields;

pub(super) fn binding(binding: Fields<'_>, now: Timestamp) -> Row {
    let role = format!("{}/{}", binding.text("/roleRef/kind"), binding.text("/roleRef/name"));
    let named = |kind: &str| {
        let subjects = binding.items("/subjects").filter(|subject| subject.text("/kind") == kind);
        let names: Vec<String> = subjects
            .map(|subject| match kind {
                "ServiceAccount" => format!("{}/{}", subject.text("/namespace"), subject.text("/name")),
                _ => subject.text("/name").to_owned(),
            })
            .collect();
        json!(names.join(", "))
    };
    vec![json!(binding.name()), json!(role), binding.age(now), named("User"), named("Group"), named("ServiceAccount")]
        .into()
}

pub(super) fn signing_request(request: Fields<'_>, now: Timestamp) -> Row {
    let has = |kind: &str| request.condition("/status/conditions", kind).is_some();
    let mut status = if has("Denied") {
        "Denied"
    } else if has("Approved") {
        "Approved"
    } else {
        "Pending"
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !request.text("/status/certificate").is_empty() {
        status.push_str(",Issued");
    }
    let duration = request.at("/spec/expirationSeconds").and_then(serde_json::Value::as_i64);
    vec![
        json!(request.name()),
        request.age(now),
        json!(request.text_or("/spec/signerName", "<none>")),
        json!(request.text("/spec/username")),
        json!(duration.map_or_else(|| "<none>".to_owned(), human_duration)),
        json!(status),
    ]
    .into()
}
