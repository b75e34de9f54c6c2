//! Events, of the core group or of their own: the two name the same things differently.

use jiff::Timestamp;
use serde_json::json;

use crate::sandbox::table::Row;
use crate::sandbox::table::age::age;
use crate::sandbox::table::fields::Fields;

pub(super) fn event(event: Fields<'_>, now: Timestamp) -> Row {
    let since = |time: &str| age(time, now);
    let first = match event.either("/firstTimestamp", "/deprecatedFirstTimestamp") {
        "" => since(event.text("/eventTime")),
        time => since(time),
    };
    let last = match event.either("/lastTimestamp", "/deprecatedLastTimestamp") {
        "" => first.clone(),
        time => since(time),
    };
    let count = event.integer("/count").max(event.integer("/deprecatedCount"));
    let (last, count) = match event.at("/series").map(Fields) {
        Some(series) => (since(series.text("/lastObservedTime")), series.integer("/count")),
        // One that happened once need not count.
        None => (last, if count == 0 { 1 } else { count }),
    };
    let about = event.at("/involvedObject").or_else(|| event.at("/regarding")).map(Fields);
    let about = about.unwrap_or(Fields(&serde_json::Value::Null));
    let kind = about.text("/kind").to_lowercase();
    let object = match about.text("/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let component = event.either("/source/component", "/deprecatedSource/component");
    let controller = event.either("/reportingComponent", "/reportingController");
    let host = event.either("/source/host", "/deprecatedSource/host");
    let instance = if host.is_empty() { event.text("/reportingInstance") } else { host };
    let component = if component.is_empty() { controller } else { component };
    let source = if instance.is_empty() { component.to_owned() } else { format!("{component}, {instance}") };
    vec![
        json!(last),
        json!(event.text("/type")),
        json!(event.text("/reason")),
        json!(object),
        json!(about.text("/fieldPath")),
        json!(source),
        json!(event.either("/message", "/note").trim()),
        json!(first),
        json!(count),
        json!(event.name()),
    ]
    .into()
}
