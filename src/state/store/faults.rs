//! File calls of which one fails, for tests.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::files::{DiskFiles, Files, LockFile, Writing};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It fails; those after it work.
    Once(ErrorKind),
    /// It and all after it fail, as if the process had died.
    Dead,
    /// It fails after it did its work, and all after it fail: the process died just behind it.
    DeadAfter,
}

/// The real calls, but for a fault at one of them. A write that fails has written half.
#[derive(Debug, Clone)]
pub(super) struct FaultyFiles {
    calls: Arc<AtomicUsize>,
    at: usize,
    fault: Fault,
}

impl FaultyFiles {
    /// Makes call number `at`, counted from 0, fail.
    pub(super) fn new(at: usize, fault: Fault) -> Self {
        Self { calls: Arc::default(), at, fault }
    }

    /// Returns how many calls were made.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn call<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let dead = io::Error::other("the process is dead");
        match self.fault {
            Fault::Once(kind) if number == self.at => Err(kind.into()),
            Fault::Dead if number >= self.at => Err(dead),
            Fault::DeadAfter if number == self.at => work().and(Err(dead)),
            Fault::DeadAfter if number > self.at => Err(dead),
            _ => work(),
        }
    }
}

impl Files for FaultyFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.call(|| DiskFiles.read(path))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.call(|| DiskFiles.make_folder(path))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Writing>> {
        let file = self.call(|| DiskFiles.create_new(path))?;
        Ok(Box::new(FaultyFile { file, files: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|| DiskFiles.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|| DiskFiles.remove(path))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.call(|| DiskFiles.sync_folder(path))
    }

    fn open_lock(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn LockFile>>> {
        let file = self.call(|| DiskFiles.open_lock(path, create))?;
        Ok(file.map(|file| Box::new(FaultyLock { file, files: self.clone() }) as Box<dyn LockFile>))
    }
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn Writing>,
    files: FaultyFiles,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut tried = false;
        let written = self.files.clone().call(|| {
            tried = true;
            self.file.write(bytes)
        });
        if written.is_err() && !tried {
            self.file.write_all(&bytes[..bytes.len() / 2])?;
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Writing for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        self.files.clone().call(|| self.file.sync())
    }
}

#[derive(Debug)]
struct FaultyLock {
    file: Box<dyn LockFile>,
    files: FaultyFiles,
}

impl LockFile for FaultyLock {
    fn try_lock(&mut self) -> io::Result<bool> {
        self.files.clone().call(|| self.file.try_lock())
    }

    fn try_lock_shared(&mut self) -> io::Result<bool> {
        self.files.clone().call(|| self.file.try_lock_shared())
    }

    fn content(&mut self) -> io::Result<Vec<u8>> {
        self.files.clone().call(|| self.file.content())
    }

    fn replace(&mut self, content: &[u8]) -> io::Result<()> {
        self.files.clone().call(|| self.file.replace(content))
    }
}
