//! Events as they are stored: one object for equal ones, with a count.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::deed::{Deed, EventSort, Notice, Outcome};
use super::fields::{at, kind, name, namespace, number, set, stamp, text, time, uid};
use super::hash;
use super::offspring::MANAGER;
use crate::sandbox::view::View;

/// The server forgets Events after this long.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// The scheduler speaks the newer form of Events.
const NEWER: &str = "default-scheduler";

/// Returns the name of an Event: equal ones have the same. It looks like the real ones, which end in a time.
fn name_of(notice: &Notice) -> String {
    let parts = [uid(&notice.about), notice.sort.as_str(), &notice.reason, &notice.message, notice.component];
    format!("{}.{}", name(&notice.about), hash::hexadecimal(&parts))
}

fn namespace_of(notice: &Notice) -> &str {
    match namespace(&notice.about) {
        "" => "default",
        namespace => namespace,
    }
}

fn recorded(view: &dyn View, notice: &Notice) -> Option<Arc<Value>> {
    view.get("", "Event", namespace_of(notice), &name_of(notice))
}

/// Returns what writes an Event: a new object, or one more of the same.
#[must_use]
pub fn record(view: &impl View, notice: &Notice) -> Deed {
    deed(view, notice)
}

fn deed(view: &dyn View, notice: &Notice) -> Deed {
    let now = view.now();
    let manager = if notice.component == NEWER { "kube-scheduler" } else { MANAGER };
    let manager = if notice.component == super::pod::KUBELET { super::pod::KUBELET } else { manager };
    let micro = Value::from(now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string());
    if let Some(present) = recorded(view, notice) {
        let mut event = (*present).clone();
        if notice.component == NEWER {
            let count = number(&event, "/series/count").unwrap_or(1) + 1;
            set(&mut event, &["series"], json!({"count": count, "lastObservedTime": micro}));
        } else {
            let count = number(&event, "/count").unwrap_or(1) + 1;
            set(&mut event, &["count"], Value::from(count));
            set(&mut event, &["lastTimestamp"], stamp(now));
        }
        return Deed::Update { object: event, manager };
    }
    let about = &notice.about;
    let mut involved = json!({"apiVersion": text(about, "/apiVersion"), "kind": kind(about)});
    for field in ["name", "namespace", "uid", "resourceVersion"] {
        if let Some(value) = at(about, "/metadata").and_then(|metadata| metadata.get(field)) {
            set(&mut involved, &[field], value.clone());
        }
    }
    let mut event = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": name_of(notice), "namespace": namespace_of(notice)},
        "involvedObject": involved, "type": notice.sort.as_str(), "reason": notice.reason, "message": notice.message,
        "reportingComponent": notice.component
    });
    let more = if notice.component == NEWER {
        let instance = format!("{NEWER}-sandbox");
        let action = if notice.reason == "Scheduled" { "Binding" } else { "Scheduling" };
        vec![
            ("action", Value::from(action)),
            ("eventTime", micro),
            ("reportingInstance", Value::from(instance)),
            ("source", json!({})),
            ("firstTimestamp", Value::Null),
            ("lastTimestamp", Value::Null),
        ]
    } else {
        let is_kubelet = notice.component == super::pod::KUBELET;
        let host = if is_kubelet { super::bootstrap::NODE } else { "" };
        let mut source = json!({"component": notice.component});
        if is_kubelet {
            set(&mut source, &["host"], Value::from(host));
        }
        vec![
            ("count", Value::from(1)),
            ("eventTime", Value::Null),
            ("firstTimestamp", stamp(now)),
            ("lastTimestamp", stamp(now)),
            ("reportingInstance", Value::from(host)),
            ("source", source),
        ]
    };
    for (field, value) in more {
        set(&mut event, &[field], value);
    }
    Deed::Create { object: event, manager }
}

/// Says something unless it was said already: for what lasts and has no place in a status.
pub(super) fn once(
    view: &dyn View,
    outcome: &mut Outcome,
    about: &Value,
    sort: &str,
    component: &'static str,
    reason: &str,
    message: &str,
) {
    let sort = if sort == "Warning" { EventSort::Warning } else { EventSort::Normal };
    let about = super::fields::reference(about);
    let notice = Notice { about, sort, reason: reason.to_owned(), message: message.to_owned(), component };
    if recorded(view, &notice).is_none() {
        outcome.deeds.push(Deed::Event(notice));
    }
}

/// Looks at one Event: it goes when nobody repeats it.
pub(super) fn reconcile(view: &dyn View, event: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let last = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    let seen: Option<Timestamp> = last.into_iter().find_map(|pointer| time(event, pointer));
    match seen.and_then(|seen| seen.checked_add(KEPT).ok()) {
        Some(until) if until > view.now() => outcome.again(until),
        Some(_) => outcome.delete(event),
        None => {}
    }
    outcome
}
