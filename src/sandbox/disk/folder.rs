//! The folder of a sandbox: whose it is, which files are in it, and who may read them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::sandbox::error::SandboxError;

/// Where a sandbox is kept if nothing else is said.
pub const DEFAULT_FOLDER: &str = ".mathison/sandbox";

/// What a folder is known by as a sandbox's, so not a name that others use too.
const LOCK: &str = "sandbox.lock";
const STORE: &str = "store.redb";
const RUNNING: &str = "serve.json";
const TOKEN: &str = "token";

/// The lock of a folder, as long as this lives.
#[derive(Debug)]
pub(super) struct Owned {
    file: File,
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        // Closing is not enough: a process that is just being started may hold a copy for an instant.
        let _ = self.file.unlock();
    }
}

/// Names of the files in a sandbox's folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes the folder, or takes one that is empty or a sandbox's already, and closes it to other users.
    pub(super) fn prepare(path: &Path) -> Result<Self, SandboxError> {
        let folder = Self::at(path);
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(SandboxError::file("make the folder", parent))?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(SandboxError::file("make the folder", path)(error)),
        }
        let mut entries = fs::read_dir(path).map_err(SandboxError::file("read the folder", path))?;
        if !folder.lock_file().exists() && entries.next().is_some() {
            return Err(SandboxError::NotASandbox { path: path.to_owned() });
        }
        let permissions = fs::metadata(path).map_err(SandboxError::file("read the folder", path))?.permissions();
        if permissions.mode() & 0o077 != 0 {
            fs::set_permissions(path, Permissions::from_mode(0o700))
                .map_err(SandboxError::file("close to other users the folder", path))?;
        }
        Ok(folder)
    }

    /// Takes the lock that says who owns the folder; it ends with the returned value, or with the process.
    pub(super) fn lock(&self) -> Result<Option<Owned>, SandboxError> {
        let path = self.lock_file();
        let file = open_private(&path).map_err(SandboxError::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {
                let told = file.set_len(0).and_then(|()| (&file).write_all(std::process::id().to_string().as_bytes()));
                told.map_err(SandboxError::file("write", path))?;
                Ok(Some(Owned { file }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(SandboxError::file("lock", path)(error)),
        }
    }

    /// The process that holds the lock, as it has written there. What stands there is true only while the lock is held.
    pub(super) fn holder(&self) -> Option<u32> {
        fs::read_to_string(self.lock_file()).ok()?.trim().parse().ok()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join(LOCK)
    }

    pub(super) fn store(&self) -> PathBuf {
        self.path.join(STORE)
    }

    pub(super) fn running(&self) -> PathBuf {
        self.path.join(RUNNING)
    }

    pub(super) fn token(&self) -> PathBuf {
        self.path.join(TOKEN)
    }

    /// Removes the store, what tells of it, and what is named; but not the lock, which others may be about to take.
    pub(super) fn empty(&self, beside: &[&str]) -> Result<(), SandboxError> {
        let beside = beside.iter().map(|name| self.path.join(name));
        for path in [self.running(), self.token(), self.store()].into_iter().chain(beside) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(SandboxError::file("remove", path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Opens a file for reading and writing, and makes it if it is missing, for this user only.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Writes a file for this user only, whole or not at all; returns it still open.
///
/// # Errors
/// If the file cannot be written.
pub fn write_private(path: &Path, content: &[u8], lock: bool) -> Result<File, SandboxError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    let write = || -> io::Result<File> {
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        if lock {
            file.lock()?;
        }
        file.write_all(content)?;
        fs::rename(&temporary, path)?;
        Ok(file)
    };
    write().map_err(SandboxError::file("write", path))
}
