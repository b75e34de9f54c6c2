//! Puts what a dead run recorded into the state it started from.

use std::collections::BTreeMap;

use super::{Intent, JournalContent, Outcome, Recording};
use crate::resource::ObjectRef;
use crate::state::State;

/// What is known after a run that died.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// The state with all results in it. Its serial is still that of the snapshot.
    pub state: State,
    /// How many intents are done.
    pub done: usize,
    /// How many failed without having written anything.
    pub failed: usize,
    /// The intents of which nobody knows whether they happened: each is settled by one read of the cluster.
    pub unfinished: Vec<Intent>,
}

/// Puts the results of a journal into the state that its run started from. Doing it twice gives the same.
#[must_use]
pub fn recover(mut state: State, journal: &JournalContent) -> Recovered {
    let mut outcomes: BTreeMap<&ObjectRef, Outcome> = BTreeMap::new();
    for result in &journal.results {
        outcomes.insert(&result.object, result.outcome);
        match &result.recording {
            Recording::Put(entry) => {
                state.entries.insert(result.object.clone(), (**entry).clone());
            }
            Recording::Remove => {
                state.entries.remove(&result.object);
            }
            Recording::Unchanged => {}
        }
    }
    let (mut done, mut failed, mut unfinished) = (0, 0, Vec::new());
    if journal.may_have_written() {
        state.with_extra_manifests = journal.header.with_extra_manifests;
        for intent in &journal.intents {
            match outcomes.get(&intent.object) {
                Some(Outcome::Done) => done += 1,
                Some(Outcome::Failed) => failed += 1,
                Some(Outcome::Unknown) | None => unfinished.push(intent.clone()),
            }
        }
    }
    Recovered { state, done, failed, unfinished }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Digest;
    use crate::state::example::{done, entry, header, intent, service, state, stateful_set};
    use crate::state::journal::{IntentAction, JournalResult};

    fn content(results: Vec<JournalResult>) -> JournalContent {
        let intents = vec![intent(&service(), IntentAction::Update), intent(&stateful_set(), IntentAction::Delete)];
        JournalContent { header: header(), intents, committed: true, results, torn: false }
    }

    #[test]
    fn results_go_into_the_state_and_the_rest_is_unfinished() {
        let mut updated = entry(&service(), &[]);
        updated.desired = Digest::of_bytes(b"another");
        let journal = content(vec![done(&service(), Recording::Put(Box::new(updated.clone())))]);
        let recovered = recover(state(), &journal);
        assert_eq!(recovered.state.entry(&service()), Some(&updated));
        assert_eq!((recovered.done, recovered.failed), (1, 0));
        assert_eq!(recovered.unfinished, [journal.intents[1].clone()]);
        assert_eq!(recovered.state.serial, state().serial);
        assert_eq!(recover(recovered.state.clone(), &journal), recovered);
    }

    #[test]
    fn what_was_deleted_is_recorded_no_longer() {
        let recovered = recover(state(), &content(vec![done(&stateful_set(), Recording::Remove)]));
        assert_eq!(recovered.state.entry(&stateful_set()), None);
    }

    #[test]
    fn an_unknown_result_is_unfinished_until_a_later_one_is_known() {
        let unknown = JournalResult { outcome: Outcome::Unknown, ..done(&service(), Recording::Unchanged) };
        let failed = JournalResult { outcome: Outcome::Failed, ..unknown.clone() };
        assert_eq!(recover(state(), &content(vec![unknown.clone()])).unfinished.len(), 2);
        let recovered = recover(state(), &content(vec![unknown, failed]));
        assert_eq!((recovered.failed, recovered.unfinished.len()), (1, 1));
        assert_eq!(recovered.state, state());
    }

    #[test]
    fn a_run_that_never_closed_its_intents_left_nothing_to_settle() {
        let journal = JournalContent { committed: false, ..content(Vec::new()) };
        let recovered = recover(state(), &journal);
        assert_eq!((recovered.state, recovered.unfinished), (state(), Vec::new()));
        let torn = JournalContent { torn: true, ..journal };
        assert_eq!(recover(state(), &torn).unfinished, torn.intents);
    }
}
