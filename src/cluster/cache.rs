//! What is kept on disk between runs: a cache, so that no loss of it is an error.

use std::path::Path;

/// Writes a file that others may read at the same time. One that cannot be written costs a request in the next run.
pub(super) fn keep(file: &Path, bytes: &[u8]) {
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    // Runs side by side must never read half a file.
    let temporary = file.with_extension(format!("{}.tmp", std::process::id()));
    if std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, file)).is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
}
