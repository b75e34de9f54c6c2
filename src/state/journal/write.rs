//! Writes a journal: everything is on the disk when a call returns.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::record::{Body, CommittedRecord, HeaderRecord, IntentRecord, ResultRecord};
use super::{Intent, JournalError, JournalHeader, JournalResult, Outcome, line};
use crate::resource::ObjectRef;
use crate::state::store::{FileError, Files, Writing, parent};

/// The open journal of a run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Box<dyn Writing>,
    /// How much of the file is on the disk.
    synced: u64,
    announced: BTreeSet<ObjectRef>,
    /// The objects whose last result is unknown.
    unknown: BTreeSet<ObjectRef>,
    broken: bool,
}

impl Journal {
    /// Makes the journal and puts all intents on the disk. No file may be there yet.
    ///
    /// # Errors
    /// [`JournalError::File`]; then there is no journal, or one that shows that nothing was begun.
    pub fn begin(
        files: &dyn Files,
        path: &Path,
        header: &JournalHeader,
        intents: &[Intent],
    ) -> Result<Self, JournalError> {
        Self::begin_as(files, path, header, intents, env!("CARGO_PKG_VERSION"))
    }

    fn begin_as(
        files: &dyn Files,
        path: &Path,
        header: &JournalHeader,
        intents: &[Intent],
        written_by: &str,
    ) -> Result<Self, JournalError> {
        let file = files.create_new(path).map_err(FileError::doing("make the journal", path))?;
        let announced = intents.iter().map(|intent| intent.object.clone()).collect();
        let mut journal =
            Self { path: path.to_owned(), file, synced: 0, announced, unknown: BTreeSet::new(), broken: false };
        let begun = journal.announce(files, HeaderRecord::of(header, written_by), intents);
        if begun.is_err() {
            // Where this fails too, the next run finds intents of which none was begun.
            let _ = files.remove(path);
        }
        begun.map(|()| journal)
    }

    fn announce(
        &mut self,
        files: &dyn Files,
        header: HeaderRecord<'_>,
        intents: &[Intent],
    ) -> Result<(), JournalError> {
        let mut bodies = vec![Body::Header(header)];
        bodies.extend(intents.iter().map(|intent| Body::Intent(IntentRecord::of(intent))));
        self.put(&bodies)?;
        // The closing line goes to the disk after the intents are there, so that it never vouches for what is not.
        self.put(&[Body::Committed(CommittedRecord { intents: intents.len() })])?;
        let folder = parent(&self.path);
        files.sync_folder(folder).map_err(FileError::doing("write to the disk the folder", folder))?;
        Ok(())
    }

    /// Appends one result.
    ///
    /// # Errors
    /// As [`append_all`](Self::append_all).
    pub fn append(&mut self, result: &JournalResult) -> Result<(), JournalError> {
        self.append_all(std::slice::from_ref(result))
    }

    /// Appends results with one write and one flush for all of them.
    ///
    /// # Errors
    /// [`JournalError::NoIntent`] for an object that was not announced; [`JournalError::File`], after which the journal
    /// takes nothing more: the results are then unknown to the next run, which asks the cluster.
    pub fn append_all(&mut self, results: &[JournalResult]) -> Result<(), JournalError> {
        if let Some(stranger) = results.iter().find(|result| !self.announced.contains(&result.object)) {
            return Err(JournalError::NoIntent(stranger.object.clone()));
        }
        let bodies: Vec<_> = results.iter().map(|result| Body::Result(ResultRecord::of(result))).collect();
        self.put(&bodies)?;
        for result in results {
            match result.outcome {
                Outcome::Unknown => self.unknown.insert(result.object.clone()),
                Outcome::Done | Outcome::Failed => self.unknown.remove(&result.object),
            };
        }
        Ok(())
    }

    /// Returns the objects of which nobody knows whether they were written.
    #[must_use]
    pub fn unknown(&self) -> &BTreeSet<ObjectRef> {
        &self.unknown
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn put(&mut self, bodies: &[Body<'_>]) -> Result<(), JournalError> {
        if bodies.is_empty() {
            return Ok(());
        }
        if self.broken {
            return Err(JournalError::Broken(self.path.clone()));
        }
        let mut bytes = Vec::new();
        for body in bodies {
            line::push(&mut bytes, self.synced, self.synced, body);
        }
        // After a failed flush the kernel forgets what it could not write, so that a second one would lie.
        self.broken = true;
        self.file.write_all(&bytes).map_err(FileError::doing("write the journal", &self.path))?;
        self.file.sync().map_err(FileError::doing("write to the disk the journal", &self.path))?;
        self.broken = false;
        self.synced += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::state::example::{done, entry, header, intent, service, stateful_set};
    use crate::state::journal::{IntentAction, Recording};
    use crate::state::store::DiskFiles;

    fn begin(path: &Path) -> Journal {
        let intents = [intent(&service(), IntentAction::Update), intent(&stateful_set(), IntentAction::Delete)];
        Journal::begin_as(&DiskFiles, path, &header(), &intents, "0.1.0").unwrap()
    }

    #[test]
    fn the_written_form_is_fixed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal");
        let mut journal = begin(&path);
        journal.append(&done(&service(), Recording::Put(Box::new(entry(&service(), &[]))))).unwrap();
        journal.append(&done(&stateful_set(), Recording::Remove)).unwrap();
        insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
        {"at":0,"synced":0,"line":{"header":{"format":"mathison.dev/journal","version":1,"stack":"mathison","namespace":"mathison-system","clusterUid":"1a2b3c4d-0000-4000-8000-000000000000","lineage":"l-1","serial":3,"runId":"r-7f3a","command":"mathison apply stacks/mathison.yaml","started":"2026-01-02T03:04:05Z","withExtraManifests":false,"writtenBy":"0.1.0"}},"sum":"2bc021d6088d8f0febca220bcdfe760e793adf30af8075ecfe78e98e95578c96"}
        {"at":430,"synced":0,"line":{"intent":{"object":{"group":"","kind":"Service","name":"redis","namespace":"mathison-system"},"address":"redis.Service/redis","apiVersion":"v1","action":"update","desired":"sha256:382dfde2020fd195f5d9f9afa9fe1d8bb6e60f15d7a8ebe7c1d8a3246b8c4976","uid":"uid-of-Service","resourceVersion":"42","recorded":true,"dependsOn":[],"protect":false}},"sum":"653bc10fe1afc530709b804b8547e1fc285de74f7e4758700e1bd0ae47ff6f0b"}
        {"at":874,"synced":0,"line":{"intent":{"object":{"group":"apps","kind":"StatefulSet","name":"redis","namespace":"mathison-system"},"address":"redis.StatefulSet/redis","apiVersion":"v1","action":"delete","uid":"uid-of-StatefulSet","resourceVersion":"42","recorded":true,"dependsOn":[],"protect":false}},"sum":"36fa12a1f0f98535d9a84bc0fa870a9c08ac2caa324bd513fe0b6e46b7360d3f"}
        {"at":1250,"synced":1250,"line":{"committed":{"intents":2}},"sum":"9f86e09e3dae33a510b33358619228fe7d7b0e27013777b149e23ff45b4df536"}
        {"at":1384,"synced":1384,"line":{"result":{"object":{"group":"","kind":"Service","name":"redis","namespace":"mathison-system"},"outcome":"done","uid":"uid-of-Service","recording":{"put":{"address":"redis.Service/redis","apiVersion":"v1","applied":{"spec":{"replicas":1}},"dependsOn":[],"desired":"sha256:382dfde2020fd195f5d9f9afa9fe1d8bb6e60f15d7a8ebe7c1d8a3246b8c4976","fields":{"f:spec":{"f:replicas":{}}},"object":{"group":"","kind":"Service","name":"redis","namespace":"mathison-system"},"owned":"sha256:57a19abbf5c5f799e84b7066f04e7ca1665d2593a83813c40a26c56c6e4c62b6","protect":false,"uid":"uid-of-Service"}}}},"sum":"3daf43340c15a8c537ece703ce7711343384ce5aaf4f46223f754f7dd5fe8a85"}
        {"at":2075,"synced":2075,"line":{"result":{"object":{"group":"apps","kind":"StatefulSet","name":"redis","namespace":"mathison-system"},"outcome":"done","uid":"uid-of-StatefulSet","recording":"remove"}},"sum":"de4e2fec4934c7a477c87c121fbc814e36e8e97cb584bb0077f53dc655e2278a"}
        "#);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_journal_that_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal");
        fs::write(&path, "somebody else's").unwrap();
        let refused = Journal::begin(&DiskFiles, &path, &header(), &[]);
        assert!(matches!(refused, Err(JournalError::File(error)) if error.hint().unwrap().contains("in the way")));
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
    }

    #[test]
    fn what_was_not_announced_is_not_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.journal");
        let mut journal = begin(&path);
        let before = fs::read(&path).unwrap();
        let stranger = ObjectRef::new("", "Secret", Some("other"), "stranger");
        let results = [done(&service(), Recording::Unchanged), done(&stranger, Recording::Remove)];
        assert!(matches!(journal.append_all(&results), Err(JournalError::NoIntent(object)) if object == stranger));
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
