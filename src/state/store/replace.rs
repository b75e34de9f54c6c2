//! Atomic replacement of a file: at every instant there is the old content or the new, whole.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files::{FileError, Files, parent};

/// Returns `path` with something added to its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = OsString::from(path);
    text.push(suffix);
    PathBuf::from(text)
}

/// Replaces the content of a file, or makes it. When this returns without an error it is on the disk. After an error
/// there is the old content, or, if only the last flush failed, the new.
pub(super) fn replace(files: &dyn Files, doing: &'static str, path: &Path, content: &[u8]) -> Result<(), FileError> {
    let temporary = with_suffix(path, ".new");
    let folder = parent(path);
    let written = write_temporary(files, &temporary, content).and_then(|()| files.rename(&temporary, path));
    if written.is_err() {
        // Where this fails too, the next replacement removes it.
        let _ = files.remove(&temporary);
    }
    written.map_err(FileError::doing(doing, path))?;
    files.sync_folder(folder).map_err(FileError::doing("write to the disk the folder", folder))
}

fn write_temporary(files: &dyn Files, temporary: &Path, content: &[u8]) -> io::Result<()> {
    // One is there where a run died; the lock says that it is nobody's.
    files.remove(temporary)?;
    let mut file = files.create_new(temporary)?;
    file.write_all(content)?;
    file.sync()
}

/// Writes so many bytes beside `path` and removes them: finds a disk that is full or cannot be written.
pub(super) fn check_room(files: &dyn Files, path: &Path, bytes: usize) -> Result<(), FileError> {
    static BLOCK: [u8; 64 * 1024] = [0x5a; 64 * 1024];
    let temporary = with_suffix(path, ".room");
    let tried = files.remove(&temporary).and_then(|()| files.create_new(&temporary)).and_then(|mut file| {
        let mut left = bytes;
        while left > 0 {
            let size = left.min(BLOCK.len());
            file.write_all(&BLOCK[..size])?;
            left -= size;
        }
        file.sync()
    });
    let removed = files.remove(&temporary);
    tried.and(removed).map_err(FileError::doing("make sure that the state can be saved beside", path))
}
