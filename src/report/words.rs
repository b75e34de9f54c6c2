//! The engine's enumerations in words: one sentence for people, one code for programs. A code never changes; words may.

use std::collections::BTreeSet;
use std::time::Duration;

use super::line::counted;
use crate::diff::{Attribution, visible};
use crate::plan::{Action, Certainty, Change, Conflict, Consequence, Reason};

/// An action in the forms that a sentence may need.
pub(super) struct ActionWords {
    /// The symbol before an address. Each is another character, so that nothing depends on colour.
    pub(super) symbol: &'static str,
    /// What will be done: `create`.
    pub(super) verb: &'static str,
    /// While it is done: `creating`.
    pub(super) doing: &'static str,
    /// Once it is done: `created`.
    pub(super) done: &'static str,
    /// For programs.
    pub(super) code: &'static str,
}

pub(super) fn action_words(action: Action) -> ActionWords {
    let (symbol, verb, doing, done, code) = match action {
        Action::NoChange => (" ", "check", "checking", "unchanged", "no_change"),
        Action::Create => ("+", "create", "creating", "created", "create"),
        Action::Update => ("~", "update", "updating", "updated", "update"),
        Action::Adopt => (">", "adopt", "adopting", "adopted", "adopt"),
        Action::Delete => ("-", "delete", "deleting", "deleted", "delete"),
        Action::Keep => ("=", "keep", "keeping", "kept", "keep"),
        Action::Forget => (".", "forget", "forgetting", "forgotten", "forget"),
        Action::Refuse => ("!", "refuse", "refusing", "refused", "refuse"),
    };
    ActionWords { symbol, verb, doing, done, code }
}

/// Returns what makes another object desired than was recorded.
fn what_changed(change: &Change) -> &'static str {
    // Values of a Secret come from elsewhere: a variable, a file, or what is live already.
    if change.object.is_secret() { "the stack file or a value's source changed" } else { "the stack file changed" }
}

/// Returns what is taken back, and from whom.
fn taken_back_words(change: &Change) -> String {
    if change.diff.is_empty() {
        // A value of a Secret that somebody changed and that nothing else gives is kept, for one.
        return "only the ownership of fields is taken back".to_owned();
    }
    let managers: BTreeSet<&str> =
        change.diff.iter().filter_map(|field| field.by.as_ref()).map(|by| by.manager.as_str()).collect();
    let forced: BTreeSet<&str> = change.forced.iter().map(|conflict| conflict.by.manager.as_str()).collect();
    format!("changed by {}, taken back", listed(if managers.is_empty() { &forced } else { &managers }))
}

/// Returns `a`, `a and b` or `a, b and c`; `somebody` where nobody is named.
pub(super) fn listed(names: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    match names.as_slice() {
        [] => "somebody".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Returns the reason of a change as a fragment that follows its action.
pub(super) fn reason_words(change: &Change) -> String {
    match &change.reason {
        Reason::UpToDate => "as declared".to_owned(),
        Reason::NotReady(why) => format!("as declared, but not ready: {why}"),
        Reason::Missing => "missing".to_owned(),
        Reason::Vanished if change.action == Action::Forget => "recorded, and gone from the cluster already".to_owned(),
        Reason::Vanished => "recorded, but gone from the cluster".to_owned(),
        Reason::DesiredChanged => what_changed(change).to_owned(),
        Reason::TakeBack => taken_back_words(change),
        Reason::DesiredChangedAndTakeBack => {
            format!("{}; {}", what_changed(change), taken_back_words(change))
        }
        Reason::OursByLabel => "ours by label and manager, not recorded".to_owned(),
        Reason::AdoptionAsked => "named in --adopt".to_owned(),
        Reason::Recreated => "deleted and made anew by somebody".to_owned(),
        Reason::LeftTheFile => "it left the stack file".to_owned(),
        Reason::Destroy => "the stack is destroyed".to_owned(),
        Reason::HoldsData => "it holds data".to_owned(),
        Reason::UsedNamespace => "used, but not made by this stack".to_owned(),
        Reason::NoLongerOurs => "recorded as ours, but its uid or field manager no longer is".to_owned(),
        Reason::Protected => "it has `protect: true`".to_owned(),
        Reason::TakenByOthers { owner } => format!("it exists already and belongs to {owner}"),
        Reason::Conflict(conflicts) => {
            let managers = conflicts.iter().map(|conflict| conflict.by.manager.as_str()).collect();
            let verb = if conflicts.len() == 1 { "belongs" } else { "belong" };
            format!("{} {verb} to {}", counted(conflicts.len(), "field"), listed(&managers))
        }
        Reason::Rejected(_) => "the server would refuse it".to_owned(),
        Reason::BeingDeleted => "it is being deleted".to_owned(),
        Reason::UnknownKind => "the server does not know its kind, and the stack does not define it".to_owned(),
        Reason::Unreadable(_) => "it could not be read".to_owned(),
        Reason::RecordOnly => "only the record is out of date, the object stays as it is".to_owned(),
    }
}

/// Returns why a change is refused, with the server's or the conflict's own words, in one line.
#[must_use]
pub fn refusal(change: &Change) -> String {
    let detail = match &change.reason {
        Reason::Rejected(message) | Reason::Unreadable(message) => format!(": {}", message.replace('\n', " ")),
        Reason::Conflict(conflicts) => {
            let told: Vec<String> = conflicts.iter().map(conflict_words).collect();
            format!(": {}", told.join("; "))
        }
        _ => String::new(),
    };
    visible(&format!("{}: {}{detail}", change.address, reason_words(change))).into_owned()
}

/// Returns the reason for programs.
pub(super) fn reason_code(reason: &Reason) -> &'static str {
    match reason {
        Reason::UpToDate => "up_to_date",
        Reason::NotReady(_) => "not_ready",
        Reason::Missing => "missing",
        Reason::Vanished => "vanished",
        Reason::DesiredChanged => "desired_changed",
        Reason::TakeBack => "take_back",
        Reason::DesiredChangedAndTakeBack => "desired_changed_and_take_back",
        Reason::OursByLabel => "ours_by_label",
        Reason::AdoptionAsked => "adoption_asked",
        Reason::Recreated => "recreated",
        Reason::LeftTheFile => "left_the_file",
        Reason::Destroy => "destroy",
        Reason::HoldsData => "holds_data",
        Reason::UsedNamespace => "used_namespace",
        Reason::NoLongerOurs => "no_longer_ours",
        Reason::Protected => "protected",
        Reason::TakenByOthers { .. } => "taken_by_others",
        Reason::Conflict(_) => "conflict",
        Reason::Rejected(_) => "rejected",
        Reason::BeingDeleted => "being_deleted",
        Reason::UnknownKind => "unknown_kind",
        Reason::Unreadable(_) => "unreadable",
        Reason::RecordOnly => "record_only",
    }
}

/// Returns how sure a result is: `proved`, `after apply: defaults`.
pub(super) fn certainty_words(certainty: &Certainty) -> String {
    match certainty {
        Certainty::Proved => "proved".to_owned(),
        Certainty::Server => "server".to_owned(),
        Certainty::SchemaOnly => "schema only".to_owned(),
        Certainty::AfterApply(why) => format!("after apply: {why}"),
    }
}

/// Returns a consequence as a sentence without its full stop.
pub(super) fn consequence_words(consequence: &Consequence) -> String {
    match consequence {
        Consequence::PodsRestart { replicas: 1 } => "its pod restarts".to_owned(),
        Consequence::PodsRestart { replicas } => format!("its {replicas} pods restart"),
        Consequence::PodsDoNotRestart { workload } => {
            format!("the pods of {workload} do not restart, and see the change only once they do")
        }
        Consequence::VolumeKept { claim } => format!("the volume claim {claim} is kept, and its data with it"),
        Consequence::Note(text) => text.clone(),
    }
}

/// Returns who set a field and when: `set by kubectl-edit at 2026-11-20T08:00:00Z`.
pub(super) fn attribution_words(by: &Attribution) -> String {
    format!("set by {} {}", by.manager, time_words(by))
}

/// Returns who wrote, through which verb and when: `kubectl (Update of scale) at 2026-11-20T08:00:00Z`.
pub(super) fn full_attribution_words(by: &Attribution) -> String {
    let subresource = by.subresource.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    format!("{} ({}{subresource}) {}", by.manager, by.operation, time_words(by))
}

fn time_words(by: &Attribution) -> String {
    by.time.as_ref().map_or_else(|| "at an unknown time".to_owned(), |time| format!("at {time}"))
}

/// Returns the field of a conflict and whose it is.
pub(super) fn conflict_words(conflict: &Conflict) -> String {
    format!("{}: {}", conflict.field, attribution_words(&conflict.by))
}

/// Returns a duration as one word, as kubectl and Go write it: `450ms`, `12s`, `1m05s`, `2h03m`.
pub(super) fn duration_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.subsec_millis()),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_symbol_of_its_own() {
        let actions = [
            Action::NoChange,
            Action::Create,
            Action::Update,
            Action::Adopt,
            Action::Delete,
            Action::Keep,
            Action::Forget,
            Action::Refuse,
        ];
        let symbols: BTreeSet<&str> = actions.iter().map(|action| action_words(*action).symbol).collect();
        assert_eq!(symbols.len(), actions.len());
    }

    #[test]
    fn nothing_is_called_taken_back_whose_value_stays() {
        let mut change = crate::report::samples::take_back().changes.remove(0);
        assert_eq!(reason_words(&change), "changed by kubectl-edit, taken back");
        change.reason = Reason::DesiredChangedAndTakeBack;
        assert_eq!(reason_words(&change), "the stack file changed; changed by kubectl-edit, taken back");
        change.diff.clear();
        change.object = crate::resource::ObjectRef::new("", "Secret", Some("n"), "s");
        assert_eq!(
            reason_words(&change),
            "the stack file or a value's source changed; only the ownership of fields is taken back"
        );
    }

    #[test]
    fn durations_get_coarser_as_they_grow() {
        let words = |milliseconds| duration_words(Duration::from_millis(milliseconds));
        assert_eq!([words(0), words(450), words(12_900)], ["0ms", "450ms", "12s"]);
        assert_eq!([words(65_000), words(7_380_000)], ["1m05s", "2h03m"]);
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!(listed(&BTreeSet::new()), "somebody");
        assert_eq!(listed(&BTreeSet::from(["b", "a"])), "a and b");
        assert_eq!(listed(&BTreeSet::from(["c", "b", "a"])), "a, b and c");
    }
}
