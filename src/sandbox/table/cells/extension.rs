//! What extends and guards the server itself.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::table::Row;
use crate::sandbox::table::fields::Fields;
use crate::sandbox::table::selector::structure;

pub(super) fn webhooks(configuration: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(configuration.name()), json!(configuration.count("/webhooks")), configuration.age(now)].into()
}

pub(super) fn admission_policy(policy: Fields<'_>, now: Timestamp) -> Row {
    let kind = policy
        .at("/spec/paramKind")
        .map(Fields)
        .map_or_else(|| "<unset>".to_owned(), |kind| format!("{}/{}", kind.text("/apiVersion"), kind.text("/kind")));
    vec![json!(policy.name()), json!(policy.count("/spec/validations")), json!(kind), policy.age(now)].into()
}

pub(super) fn admission_policy_binding(binding: Fields<'_>, now: Timestamp) -> Row {
    let parameter = binding.at("/spec/paramRef").map(Fields).and_then(|parameter| match parameter.text("/name") {
        "" => parameter.at("/selector").map(structure),
        name => Some(format!("{}/{name}", parameter.text_or("/namespace", "*"))),
    });
    vec![
        json!(binding.name()),
        json!(binding.text("/spec/policyName")),
        json!(parameter.unwrap_or_else(|| "<unset>".to_owned())),
        binding.age(now),
    ]
    .into()
}

pub(super) fn api_service(service: Fields<'_>, now: Timestamp) -> Row {
    let behind = service
        .at("/spec/service")
        .map(Fields)
        .map_or_else(|| "Local".to_owned(), |behind| format!("{}/{}", behind.text("/namespace"), behind.text("/name")));
    let available = service.condition("/status/conditions", "Available").map_or_else(
        || "Unknown".to_owned(),
        |condition| match (condition.text("/status"), condition.text("/reason")) {
            ("True", _) => "True".to_owned(),
            (status, "") => status.to_owned(),
            (status, reason) => format!("{status} ({reason})"),
        },
    );
    vec![json!(service.name()), json!(behind), json!(available), service.age(now)].into()
}

pub(super) fn flow_schema(schema: Fields<'_>, now: Timestamp) -> Row {
    let dangling = schema.condition("/status/conditions", "Dangling");
    vec![
        json!(schema.name()),
        json!(schema.text("/spec/priorityLevelConfiguration/name")),
        json!(schema.integer("/spec/matchingPrecedence")),
        json!(schema.text_or("/spec/distinguisherMethod/type", "<none>")),
        schema.age(now),
        json!(dangling.map_or("?", |condition| condition.text("/status"))),
    ]
    .into()
}

pub(super) fn priority_level(level: Fields<'_>, now: Timestamp) -> Row {
    let limited = level.at("/spec/limited").map(Fields);
    let queuing = limited.and_then(|limited| limited.at("/limitResponse/queuing")).map(Fields);
    let number = |part: Option<Fields<'_>>, path: &str| -> Value {
        part.map_or_else(|| json!("<none>"), |part| json!(part.integer(path)))
    };
    vec![
        json!(level.name()),
        json!(level.text("/spec/type")),
        number(limited, "/nominalConcurrencyShares"),
        number(queuing, "/queues"),
        number(queuing, "/handSize"),
        number(queuing, "/queueLengthLimit"),
        level.age(now),
    ]
    .into()
}

pub(super) fn resource_claim(claim: Fields<'_>, now: Timestamp) -> Row {
    let mut states = Vec::new();
    if claim.is_being_deleted() {
        states.push("deleted");
    }
    if claim.at("/status/allocation").is_some() {
        states.push("allocated");
        if claim.count("/status/reservedFor") > 0 {
            states.push("reserved");
        }
    } else if !claim.is_being_deleted() {
        states.push("pending");
    }
    vec![json!(claim.name()), json!(states.join(",")), claim.age(now)].into()
}

pub(super) fn resource_slice(slice: Fields<'_>, now: Timestamp) -> Row {
    vec![
        json!(slice.name()),
        json!(slice.text("/spec/nodeName")),
        json!(slice.text("/spec/driver")),
        json!(slice.text("/spec/pool/name")),
        slice.age(now),
    ]
    .into()
}
