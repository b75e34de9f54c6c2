//! Every file call of the store, behind one trait, so that a test can make any of them fail.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The file calls that a store makes.
pub trait Files: fmt::Debug + Send + Sync {
    /// Returns the content of a file; `None` where there is none.
    ///
    /// # Errors
    /// As the operating system says.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Makes a folder and those above it, where they are missing; their names are on the disk when this returns.
    ///
    /// # Errors
    /// As the operating system says.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes a file that only its owner may read. There must be none of that name.
    ///
    /// # Errors
    /// As the operating system says.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Writing>>;

    /// Renames a file over another.
    ///
    /// # Errors
    /// As the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, if there is one.
    ///
    /// # Errors
    /// As the operating system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Puts the names in a folder on the disk.
    ///
    /// # Errors
    /// As the operating system says.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Opens a file to lock, made where it is missing if `create` says so; else `None`.
    ///
    /// # Errors
    /// As the operating system says.
    fn open_lock(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn LockFile>>>;
}

/// A file that is being written.
pub trait Writing: Write + fmt::Debug + Send + Sync {
    /// Puts what was written on the disk.
    ///
    /// # Errors
    /// As the operating system says.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that carries a lock of the operating system. The lock ends when this is dropped, or the process dies.
pub trait LockFile: fmt::Debug + Send + Sync {
    /// Takes the lock for this process alone; false where somebody has it.
    ///
    /// # Errors
    /// As the operating system says.
    fn try_lock(&mut self) -> io::Result<bool>;

    /// Takes the lock beside others that do the same; false where somebody has it alone.
    ///
    /// # Errors
    /// As the operating system says.
    fn try_lock_shared(&mut self) -> io::Result<bool>;

    /// Returns the content.
    ///
    /// # Errors
    /// As the operating system says.
    fn content(&mut self) -> io::Result<Vec<u8>>;

    /// Replaces the content.
    ///
    /// # Errors
    /// As the operating system says.
    fn replace(&mut self, content: &[u8]) -> io::Result<()>;
}

/// A file call that failed: what for, and on which path. The cause is the source.
#[derive(Debug, Error)]
#[error("cannot {doing} `{}`", .path.display())]
pub struct FileError {
    /// What was being done, such as `write the state`.
    pub doing: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system says.
    pub source: io::Error,
}

impl FileError {
    /// Returns a function that adds to a cause what was being done.
    pub(crate) fn doing(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { doing, path: path.to_owned(), source }
    }

    /// Returns what to do about it, where that can be told from the kind of error.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let folder = parent(&self.path).display();
        match self.source.kind() {
            ErrorKind::ReadOnlyFilesystem => Some(format!(
                "the disk of `{folder}` cannot be written; keep the state in another folder with `--state`"
            )),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Some(format!("make room on the disk of `{folder}`, or keep the state in another folder with `--state`"))
            }
            ErrorKind::PermissionDenied => {
                Some(format!("the rights to `{folder}` or the files in it are missing; the state is its owner's alone"))
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                Some(format!("something else is in the way below `{folder}`"))
            }
            _ => None,
        }
    }
}

/// Returns the folder that a file is in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The real calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        absent_is_none(fs::read(path))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let above = parent(path);
        self.make_folder(above)?;
        match fs::create_dir(path) {
            // Another run was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            other => other?,
        }
        self.sync_folder(above)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Writing>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Box::new(DiskFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        absent_is_none(fs::remove_file(path)).map(|_| ())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        match File::open(path)?.sync_all() {
            // Some network file systems have no flush for folders; theirs are on the server when a call returns.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            other => other,
        }
    }

    fn open_lock(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn LockFile>>> {
        let mut options = OpenOptions::new();
        options.read(true).write(create).create(create).truncate(false).mode(0o600);
        Ok(absent_is_none(options.open(path))?.map(|file| Box::new(DiskFile(file)) as Box<dyn LockFile>))
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Debug)]
struct DiskFile(File);

impl Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Writing for DiskFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

impl LockFile for DiskFile {
    fn try_lock(&mut self) -> io::Result<bool> {
        was_taken(self.0.try_lock())
    }

    fn try_lock_shared(&mut self) -> io::Result<bool> {
        was_taken(self.0.try_lock_shared())
    }

    fn content(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.0.rewind()?;
        self.0.read_to_end(&mut content)?;
        Ok(content)
    }

    fn replace(&mut self, content: &[u8]) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        self.0.write_all(content)
    }
}

fn was_taken(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
