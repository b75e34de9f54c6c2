//! Writes a journal: everything is on the disk when a call returns.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::record::{Body, CommittedRecord, HeaderRecord, IntentRecord, ResultRecord};
use super::{Intent, JournalError, JournalHeader, JournalResult, line};
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
        let file = files.create_new(path).map_err(FileError::doing("make the journal", path))?;
        let announced = intents.iter().map(|intent| intent.object.clone()).collect();
        let mut journal = Self { path: path.to_owned(), file, synced: 0, announced, broken: false };
        let begun = journal.announce(files, header, intents);
        if begun.is_err() {
            // Where this fails too, the next run finds intents of which none was begun.
            let _ = files.remove(path);
        }
        begun.map(|()| journal)
    }

    fn announce(&mut self, files: &dyn Files, header: &JournalHeader, intents: &[Intent]) -> Result<(), JournalError> {
        let mut bodies = vec![Body::Header(HeaderRecord::of(header, env!("CARGO_PKG_VERSION")))];
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
        self.put(&bodies)
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
