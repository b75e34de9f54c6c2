//! A run that died: what is known of it is told before anything else, and what it left unfinished is settled by what was
//! read.

use std::collections::BTreeMap;

use serde_json::Value;

use super::talk::Streams;
use crate::apply::settled_entry;
use crate::live::{Observation, Observed};
use crate::resource::{Address, FIELD_MANAGER, STACK_LABEL, stack_label};
use crate::ssa;
use crate::state::{Intent, Interrupted, State};

/// Records what a dead run made and could not record any more: it carries our label and our field manager. Without a
/// record it would never be deleted if it left the stack file, or by a destroy. What else a run leaves unfinished shows by
/// itself when the live object is compared with its record.
///
/// Returns what could not be settled, since it may not be read, and why.
pub(super) fn settle(
    state: &mut State,
    unfinished: &[Intent],
    observation: &Observation,
    keyed: &dyn Fn(&Value) -> Value,
) -> BTreeMap<Address, String> {
    let mut open = BTreeMap::new();
    let label = stack_label(&state.stack, &state.namespace);
    for intent in unfinished.iter().filter(|intent| !intent.recorded) {
        let Some(live) = observation.objects.get(&intent.object).map(Observed::live) else {
            if let Some(why) = observation.unreadable.get(&intent.object) {
                open.insert(intent.address.clone(), why.clone());
            }
            continue;
        };
        let is_ours =
            live.label(STACK_LABEL) == Some(label.as_str()) && ssa::owned_by(&live.object, FIELD_MANAGER).is_some();
        if is_ours {
            let entry = settled_entry(intent, &live, keyed);
            state.entries.entry(intent.object.clone()).or_insert(entry);
        }
    }
    open
}

/// Tells of an interrupted run.
pub(super) fn tell(interrupted: Option<&Interrupted>, streams: &Streams) {
    let Some(run) = interrupted else { return };
    let header = &run.header;
    if run.alive {
        streams.insist(&format!(
            "note: `{}` is going on since {}; what is shown here may change under it\n",
            header.command,
            moment(header.started)
        ));
        return;
    }
    streams.insist(&format!(
        "note: `{}`, begun {}, did not come to its end: {} done, {} failed, {} unknown, which are looked up now\n",
        header.command,
        moment(header.started),
        run.done,
        run.failed,
        run.unfinished.len()
    ));
}

/// A moment for people, in seconds.
fn moment(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::live::Live;
    use crate::resource::{Digest, ObjectRef};
    use crate::state::{IntentAction, Lineage};

    fn intent(name: &str) -> Intent {
        let object = ObjectRef::new("", "ConfigMap", Some("shop"), name);
        Intent {
            address: Address::of("manifest", &object, "shop"),
            object,
            api_version: "v1".to_owned(),
            action: IntentAction::Create,
            desired: Some(Digest::of_bytes(b"desired")),
            uid: None,
            resource_version: None,
            recorded: false,
            depends_on: Vec::new(),
            protect: true,
        }
    }

    fn live(name: &str, label: &str, manager: &str) -> Live {
        let owner = json!({"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:a": {}}}});
        Live {
            object: json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"}, "metadata": {
                "name": name, "namespace": "shop", "uid": format!("uid-of-{name}"), "labels": {STACK_LABEL: label},
                "managedFields": [owner]}}),
        }
    }

    #[test]
    fn what_a_dead_run_made_without_recording_it_is_recorded() {
        let mut state = State::new("shop", "shop", "cluster", Lineage("l".to_owned()));
        let mut observation = Observation::default();
        for (name, label, manager) in
            [("made", "shop.shop", FIELD_MANAGER), ("other", "b.shop", FIELD_MANAGER), ("foreign", "shop.shop", "eve")]
        {
            observation.objects.insert(intent(name).object, live(name, label, manager).into());
        }
        observation.unreadable.insert(intent("hidden").object, "no right".to_owned());
        let unfinished = ["made", "other", "foreign", "never-made", "hidden"].map(intent);
        let open = settle(&mut state, &unfinished, &observation, &Value::clone);
        assert_eq!(open, BTreeMap::from([(intent("hidden").address, "no right".to_owned())]));
        assert_eq!(state.entries.keys().collect::<Vec<_>>(), [&intent("made").object]);
        let entry = &state.entries[&intent("made").object];
        assert_eq!((entry.uid.as_str(), entry.protect), ("uid-of-made", true));
        assert_eq!(entry.applied, json!({"data": {"a": "1"}}));
    }
}
