//! What can go wrong around the sandbox itself: its folder, its store, its certificates, its port.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::disk::DEFAULT_FOLDER;

/// Why the sandbox cannot be opened, kept or served. Each says where, and what to do where there is something to do.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was being done, such as `read`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds something else.
    #[error(
        "`{}` holds other files and no sandbox; name an empty or a new folder, so that nothing of yours is touched",
        path.display()
    )]
    NotASandbox {
        /// The folder.
        path: PathBuf,
    },
    /// The folder belongs to another process.
    #[error(
        "the sandbox in `{}` is {} by {}",
        path.display(),
        if *serves { "served" } else { "in use" },
        pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process, where it has said so.
        pid: Option<u32>,
        /// Whether it serves others, or works on it alone.
        serves: bool,
    },
    /// The objects that every control plane has cannot be made.
    #[error("cannot make the first objects of the sandbox: {why}")]
    Bootstrap {
        /// What the API said.
        why: String,
    },
    /// A later version wrote the store.
    #[error(
        "the store `{}` was written by a newer version (its format is {found}, this version knows up to {known})",
        path.display()
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// Format of the store.
        found: u64,
        /// The highest format that is known here.
        known: u64,
    },
    /// The store cannot be understood.
    #[error("the store `{}` is damaged: {why}", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The store could not be read or written, though it is sound.
    #[error("cannot {action} the store `{}`: {why}", path.display())]
    Store {
        /// What was being done.
        action: &'static str,
        /// The store.
        path: PathBuf,
        /// What the store said.
        why: String,
    },
    /// Keys or certificates could not be made or used.
    #[error("cannot {action}: {why}")]
    Certificate {
        /// What was being done.
        action: &'static str,
        /// What is wrong.
        why: String,
    },
    /// No port could be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

impl SandboxError {
    /// Returns the next step, a sentence without a full stop that names a command where one helps.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::InUse { serves: true, pid, .. } => {
                let kill = pid.map(|pid| format!(" or `kill {pid}`")).unwrap_or_default();
                Some(format!("commands with `--sandbox` share it as it is; Ctrl-C where it was started{kill} ends it"))
            }
            Self::InUse { serves: false, .. } => Some(
                "wait until it ends; several commands at once share what `mathison sandbox serve` serves".to_owned(),
            ),
            Self::Newer { path, .. } => Some(format!("use that version, or start afresh: `{}`", reset(path))),
            Self::Damaged { path, .. } => Some(format!("nothing but this sandbox is lost by `{}`", reset(path))),
            Self::File { source, action, .. } => {
                let next = match source.kind() {
                    // Folders are made with those above them: where that does not go, nobody can make them.
                    io::ErrorKind::NotFound if action.starts_with("make") => "name another place",
                    io::ErrorKind::NotFound => "see that its folder is there, or name another place",
                    io::ErrorKind::NotADirectory => "name a folder",
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        "name a place that you may read and write"
                    }
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        "make room on its disk, or name another place"
                    }
                    _ => return None,
                };
                Some(next.to_owned())
            }
            Self::Store { .. } => Some(
                "see whether the disk has room; what was answered before is kept, and this was not done".to_owned(),
            ),
            _ => None,
        }
    }

    /// Makes a closure for `map_err` that says what was being done to which file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// The command that removes the sandbox of a store.
fn reset(store: &Path) -> String {
    match store.parent() {
        Some(folder) if folder != Path::new(DEFAULT_FOLDER) => {
            format!("mathison sandbox reset --dir {}", folder.display())
        }
        _ => "mathison sandbox reset".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_done_is_said_with_the_folder() {
        let told = |error: SandboxError| format!("{error}\n  {}", error.hint().unwrap());
        let path = PathBuf::from(DEFAULT_FOLDER);
        let in_use = |pid, serves| SandboxError::InUse { path: path.clone(), pid, serves };
        let newer = SandboxError::Newer { path: path.join("store.redb"), found: 2, known: 1 };
        let damaged =
            SandboxError::Damaged { path: PathBuf::from("/a/b/store.redb"), why: "its head is gone".to_owned() };
        let file = SandboxError::File {
            action: "make",
            path: PathBuf::from("/proc/nope"),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        let full = SandboxError::Store { action: "write", path: path.join("store.redb"), why: "no space".to_owned() };
        let all =
            [in_use(Some(7), true), in_use(Some(7), false), in_use(None, false), newer, damaged, file, full].map(told);
        insta::assert_snapshot!(all.join("\n"), @r"
        the sandbox in `.mathison/sandbox` is served by process 7
          commands with `--sandbox` share it as it is; Ctrl-C where it was started or `kill 7` ends it
        the sandbox in `.mathison/sandbox` is in use by process 7
          wait until it ends; several commands at once share what `mathison sandbox serve` serves
        the sandbox in `.mathison/sandbox` is in use by another process
          wait until it ends; several commands at once share what `mathison sandbox serve` serves
        the store `.mathison/sandbox/store.redb` was written by a newer version (its format is 2, this version knows up to 1)
          use that version, or start afresh: `mathison sandbox reset`
        the store `/a/b/store.redb` is damaged: its head is gone
          nothing but this sandbox is lost by `mathison sandbox reset --dir /a/b`
        cannot make `/proc/nope`
          name a place that you may read and write
        cannot write the store `.mathison/sandbox/store.redb`: no space
          see whether the disk has room; what was answered before is kept, and this was not done
        ");
    }
}
