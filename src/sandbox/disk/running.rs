//! How other processes find the one that serves.
//!
//! The file that tells of it is locked by its writer as long as that serves, so a file left behind by a dead process is
//! known by its free lock, and the file of one that lives is never mistaken for another's.

use std::{
    fs::{self, File, TryLockError},
    io::Read,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::folder::{Folder, write_private};
use crate::sandbox::error::SandboxError;

/// A process that serves a sandbox, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process id.
    pub pid: u32,
    /// Where it listens, such as `https://127.0.0.1:34567`.
    pub url: String,
    /// The certificate that its own is signed with, as PEM.
    pub ca: String,
    /// The file that holds the administrator's token.
    pub token_file: PathBuf,
    /// Since when it serves, in RFC 3339.
    pub started: String,
}

/// Says that this process serves, until it is dropped.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
    // Its lock is what tells others that the writer lives.
    file: File,
}

impl Announcement {
    pub(super) fn make(folder: &Folder, running: &Running) -> Result<Self, SandboxError> {
        let path = folder.running();
        let mut content = serde_json::to_vec_pretty(running).map_err(|error| SandboxError::Store {
            action: "announce",
            path: path.clone(),
            why: error.to_string(),
        })?;
        content.push(b'\n');
        let file = write_private(&path, &content, true)?;
        Ok(Self { path, file })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // A file that stays behind is harmless once its lock is free.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

/// Returns the process that serves from a folder, if there is one.
#[must_use]
pub fn find_running(folder: &Path) -> Option<Running> {
    let mut file = File::open(Folder::at(folder).running()).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        // Free: its writer is gone.
        Ok(()) | Err(TryLockError::Error(_)) => return None,
    }
    let mut content = String::new();
    file.read_to_string(&mut content).ok()?;
    serde_json::from_str(&content).ok()
}
