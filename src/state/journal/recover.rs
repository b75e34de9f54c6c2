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
