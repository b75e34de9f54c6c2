//! The file below the store, which is written but never synced while it is in use.
//!
//! What a process has written is the kernel's and survives the process; only a crash of the machine may lose it. Waiting
//! for the disk at each answer would cost a sandbox most of its time. The file is synced once, when it is closed in order.

use std::{fs::File, io, os::unix::fs::FileExt};

use redb::StorageBackend;

#[derive(Debug)]
pub(super) struct Unsynced {
    file: File,
}

impl Unsynced {
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }
}

impl StorageBackend for Unsynced {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    fn close(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
