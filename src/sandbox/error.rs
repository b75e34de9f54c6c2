//! What can go wrong around the sandbox itself: its folder, its store, its certificates, its port.

use std::{io, path::PathBuf};

/// Why the sandbox cannot be opened, kept or served. Each says where, and what to do where there is something to do.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A file or folder could not be read or written.
    #[error("{action} `{}`", path.display())]
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
    /// Another process serves from this folder.
    #[error("the sandbox in `{}` is in use by another process{}", path.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process, where it has said so.
        pid: Option<u32>,
    },
    /// The objects that every control plane has cannot be made.
    #[error("cannot make the first objects of the sandbox: {why}")]
    Bootstrap {
        /// What the API said.
        why: String,
    },
    /// A later version wrote the store.
    #[error(
        "the sandbox in `{}` was written by a newer version (its format is {found}, this version knows up to {known}); use \
         that version, or start afresh with `mathison sandbox reset`",
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
    #[error("the store `{}` is damaged ({why}); nothing but a sandbox is lost by `mathison sandbox reset`", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The store could not be read or written, though it is sound.
    #[error("{action} the store `{}`: {why}", path.display())]
    Store {
        /// What was being done.
        action: &'static str,
        /// The store.
        path: PathBuf,
        /// What the store said.
        why: String,
    },
    /// Keys or certificates could not be made or used.
    #[error("{action}: {why}")]
    Certificate {
        /// What was being done.
        action: &'static str,
        /// What is wrong.
        why: String,
    },
    /// No port could be had.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

impl SandboxError {
    /// Makes a closure for `map_err` that says what was being done to which file.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
