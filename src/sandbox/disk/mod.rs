//! Where a sandbox is kept: a store in one file of a folder that belongs to one process at a time.
//!
//! What has been answered survives the end of the process, however sudden. It does not survive a power failure: see
//! `backend`. The store knows keys and bytes only, not what they mean.

mod backend;
mod folder;
mod running;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};

use self::{
    backend::Unsynced,
    folder::{Folder, Owned, open_private},
};
pub use self::{
    folder::{DEFAULT_FOLDER, write_private},
    running::{Announcement, Running, find_running},
};
use super::error::SandboxError;

const OBJECTS: TableDefinition<&str, &[u8]> = TableDefinition::new("objects");
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");

const FORMAT: &str = "format";
const KNOWN_FORMAT: u64 = 1;
const RESOURCE_VERSION: &str = "resourceVersion";

/// All is read once and then held by the caller, so a large cache would hold it twice.
const CACHE_BYTES: usize = 8 << 20;

/// One object that was written or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Key of the object.
    pub key: String,
    /// What it is now; nothing if it is gone.
    pub value: Option<Bytes>,
    /// The resource version that the change was made at.
    pub resource_version: u64,
}

/// The store of one sandbox, owned by this process.
#[derive(Debug)]
pub struct Disk {
    // Closed before the lock is given back.
    database: Database,
    folder: Folder,
    _lock: Owned,
}

impl Disk {
    /// Opens the sandbox in a folder, and makes it if there is none.
    ///
    /// # Errors
    /// If the folder is another process's, holds something else, or its store is damaged or of a newer version.
    pub fn open(path: &Path) -> Result<Self, SandboxError> {
        let folder = Folder::prepare(path)?;
        let lock = own(&folder)?;
        let store = folder.store();
        let file = open_private(&store).map_err(SandboxError::file("open", &store))?;
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            // All is about to be read anyway, and what is damaged must be refused, not believed.
            .set_check_integrity_on_open(true)
            .create_with_backend(Unsynced::new(file))
            .map_err(|error| opening(&store, error))?;
        let disk = Self { database, folder, _lock: lock };
        disk.check_format()?;
        Ok(disk)
    }

    fn check_format(&self) -> Result<(), SandboxError> {
        let write = self.database.begin_write().map_err(|error| self.failed("open", error))?;
        {
            let mut numbers = write.open_table(NUMBERS).map_err(|error| self.failed("open", error))?;
            let found = numbers.get(FORMAT).map_err(|error| self.failed("read", error))?.map(|found| found.value());
            match found {
                Some(KNOWN_FORMAT) => {}
                Some(found) if found > KNOWN_FORMAT => {
                    return Err(SandboxError::Newer { path: self.folder.store(), found, known: KNOWN_FORMAT });
                }
                Some(found) => {
                    let why = format!("its format is {found}, which never was");
                    return Err(SandboxError::Damaged { path: self.folder.store(), why });
                }
                None => {
                    numbers.insert(FORMAT, KNOWN_FORMAT).map_err(|error| self.failed("write", error))?;
                }
            }
            write.open_table(META).map_err(|error| self.failed("open", error))?;
            write.open_table(OBJECTS).map_err(|error| self.failed("open", error))?;
        }
        write.commit().map_err(|error| self.failed("write", error))
    }

    /// Hands out key and bytes of each object, ordered by key, and returns the last resource version. Whoever takes them tells
    /// whether anything could be made of each.
    ///
    /// # Errors
    /// If the store cannot be read, or nothing could be made of an object.
    pub fn load(&self, mut take: impl FnMut(&str, &[u8]) -> bool) -> Result<u64, SandboxError> {
        let unread =
            |key: &str| SandboxError::Damaged { path: self.folder.store(), why: format!("`{key}` is no object") };
        let read = self.database.begin_read().map_err(|error| self.failed("read", error))?;
        let numbers = read.open_table(NUMBERS).map_err(|error| self.failed("read", error))?;
        let last = numbers.get(RESOURCE_VERSION).map_err(|error| self.failed("read", error))?;
        let table = read.open_table(OBJECTS).map_err(|error| self.failed("read", error))?;
        for entry in table.iter().map_err(|error| self.failed("read", error))? {
            let (key, value) = entry.map_err(|error| self.failed("read", error))?;
            if !take(key.value(), value.value()) {
                return Err(unread(key.value()));
            }
        }
        Ok(last.map_or(0, |last| last.value()))
    }

    /// Writes changes: all of them or none. When this returns, they survive the end of the process.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn write(&self, changes: &[Change]) -> Result<(), SandboxError> {
        let Some(newest) = changes.iter().map(|change| change.resource_version).max() else {
            return Ok(());
        };
        let write = self.database.begin_write().map_err(|error| self.failed("write", error))?;
        {
            let mut objects = write.open_table(OBJECTS).map_err(|error| self.failed("write", error))?;
            for change in changes {
                let key = change.key.as_str();
                match &change.value {
                    Some(value) => objects.insert(key, value.as_ref()),
                    None => objects.remove(key),
                }
                .map_err(|error| self.failed("write", error))?;
            }
            let mut numbers = write.open_table(NUMBERS).map_err(|error| self.failed("write", error))?;
            let last = numbers.get(RESOURCE_VERSION).map_err(|error| self.failed("write", error))?;
            let last = last.map_or(0, |last| last.value());
            numbers.insert(RESOURCE_VERSION, newest.max(last)).map_err(|error| self.failed("write", error))?;
        }
        write.commit().map_err(|error| self.failed("write", error))
    }

    /// Returns something that is kept beside the objects, such as the cluster's identity.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn meta(&self, name: &str) -> Result<Option<Bytes>, SandboxError> {
        let read = self.database.begin_read().map_err(|error| self.failed("read", error))?;
        let table = read.open_table(META).map_err(|error| self.failed("read", error))?;
        let value = table.get(name).map_err(|error| self.failed("read", error))?;
        Ok(value.map(|value| Bytes::copy_from_slice(value.value())))
    }

    /// Keeps something beside the objects.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn put_meta(&self, entries: &[(&str, &[u8])]) -> Result<(), SandboxError> {
        let write = self.database.begin_write().map_err(|error| self.failed("write", error))?;
        {
            let mut table = write.open_table(META).map_err(|error| self.failed("write", error))?;
            for (name, value) in entries {
                table.insert(*name, *value).map_err(|error| self.failed("write", error))?;
            }
        }
        write.commit().map_err(|error| self.failed("write", error))
    }

    /// Writes the administrator's token where those who find the server look for it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_token(&self, token: &str) -> Result<PathBuf, SandboxError> {
        let path = self.folder.token();
        write_private(&path, token.as_bytes(), false)?;
        std::path::absolute(&path).map_err(SandboxError::file("find", path))
    }

    /// Tells other processes that this one serves, as long as the answer lives.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn announce(&self, running: &Running) -> Result<Announcement, SandboxError> {
        Announcement::make(&self.folder, running)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn failed(&self, action: &'static str, error: impl Into<redb::Error>) -> SandboxError {
        let path = self.folder.store();
        match error.into() {
            redb::Error::Corrupted(why) => SandboxError::Damaged { path, why },
            redb::Error::TableTypeMismatch { table, .. } => {
                SandboxError::Damaged { path, why: format!("its table {table} is of another type") }
            }
            error => SandboxError::Store { action, path, why: error.to_string() },
        }
    }
}

/// Tells whether a folder holds a sandbox.
#[must_use]
pub fn exists(path: &Path) -> bool {
    Folder::at(path).store().exists()
}

/// Removes what a sandbox has kept, and the files and folders in its folder that are named. Tells whether there was
/// anything.
///
/// # Errors
/// If a process serves from the folder, if it holds no sandbox, or a file cannot be removed.
pub fn reset(path: &Path, beside: &[&str]) -> Result<bool, SandboxError> {
    if !path.exists() {
        return Ok(false);
    }
    let folder = Folder::prepare(path)?;
    let _lock = own(&folder)?;
    let was = folder.store().exists();
    folder.empty(beside)?;
    Ok(was)
}

fn own(folder: &Folder) -> Result<Owned, SandboxError> {
    folder.lock()?.ok_or_else(|| {
        let served = find_running(folder.path()).map(|running| running.pid);
        let pid = served.or_else(|| folder.holder());
        SandboxError::InUse { path: folder.path().to_owned(), pid, serves: served.is_some() }
    })
}

fn opening(path: &Path, error: redb::DatabaseError) -> SandboxError {
    let path = path.to_owned();
    match error {
        redb::DatabaseError::Storage(redb::StorageError::Io(error)) => match error.kind() {
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
                SandboxError::Damaged { path, why: error.to_string() }
            }
            _ => SandboxError::File { action: "open", path, source: error },
        },
        error => SandboxError::Damaged { path, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::{
        env, fs,
        io::{BufRead, BufReader, Write},
        os::unix::fs::PermissionsExt,
        process::{Command, Stdio},
    };

    use super::*;

    fn put(key: &str, value: &str, resource_version: u64) -> Change {
        Change { key: key.to_owned(), value: Some(Bytes::copy_from_slice(value.as_bytes())), resource_version }
    }

    /// All that is kept, as it is.
    fn load(disk: &Disk) -> Result<(u64, Vec<(String, Bytes)>), SandboxError> {
        let mut all = Vec::new();
        let last = disk.load(|key, value| {
            all.push((key.to_owned(), Bytes::copy_from_slice(value)));
            true
        })?;
        Ok((last, all))
    }

    #[test]
    fn what_was_written_is_there_when_the_store_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/sandbox");
        let disk = Disk::open(&path).unwrap();
        assert_eq!(load(&disk).unwrap(), (0, Vec::new()));
        disk.write(&[put("b", "2", 7), put("a", "1", 6)]).unwrap();
        disk.write(&[Change { key: "b".to_owned(), value: None, resource_version: 9 }, put("c", "3", 8)]).unwrap();
        disk.put_meta(&[("uid", b"u-1")]).unwrap();
        drop(disk);
        let disk = Disk::open(&path).unwrap();
        let expected = vec![("a".to_owned(), Bytes::from("1")), ("c".to_owned(), Bytes::from("3"))];
        assert_eq!(load(&disk).unwrap(), (9, expected));
        assert_eq!(disk.meta("uid").unwrap().unwrap(), "u-1");
        assert_eq!(disk.meta("none").unwrap(), None);
    }

    #[test]
    fn others_may_not_read_the_folder_or_its_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let token = disk.write_token("secret").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&token), 0o600);
        for entry in fs::read_dir(folder.path()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn a_folder_of_other_files_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let error = Disk::open(folder.path()).unwrap_err();
        assert!(matches!(error, SandboxError::NotASandbox { .. }), "{error}");
        assert!(reset(folder.path(), &[]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_one_may_have_a_folder_open() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let error = Disk::open(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with(&format!("is in use by process {}", std::process::id())), "{error}");
        assert!(reset(folder.path(), &[]).is_err());
        drop(disk);
        assert!(Disk::open(folder.path()).is_ok());
    }

    #[test]
    fn a_process_that_serves_is_found_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find_running(folder.path()), None);
        let disk = Disk::open(folder.path()).unwrap();
        let running = Running {
            pid: 7,
            url: "https://127.0.0.1:1".to_owned(),
            ca: "CA".to_owned(),
            token_file: disk.write_token("t").unwrap(),
            started: "2026-01-01T00:00:00Z".to_owned(),
        };
        let announcement = disk.announce(&running).unwrap();
        assert_eq!(find_running(folder.path()), Some(running));
        let error = Disk::open(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with("is served by process 7"), "{error}");
        let content = fs::read(folder.path().join("serve.json")).unwrap();
        drop(announcement);
        assert_eq!(find_running(folder.path()), None);
        // As a process leaves it that was killed.
        fs::write(folder.path().join("serve.json"), content).unwrap();
        assert_eq!(find_running(folder.path()), None);
    }

    #[test]
    fn a_newer_format_is_refused_and_a_reset_helps() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let write = disk.database.begin_write().unwrap();
        write.open_table(NUMBERS).unwrap().insert(FORMAT, 2).unwrap();
        write.commit().unwrap();
        drop(disk);
        let error = Disk::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("its format is 2, this version knows up to 1"), "{error}");
        assert!(error.hint().unwrap().contains("`mathison sandbox reset --dir "), "{error}");
        assert!(reset(folder.path(), &[]).unwrap());
        assert!(!reset(folder.path(), &[]).unwrap());
        assert!(Disk::open(folder.path()).is_ok());
    }

    #[test]
    fn a_damaged_store_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.redb");
        let disk = Disk::open(folder.path()).unwrap();
        disk.write(&[put("a", &"x".repeat(100_000), 1)]).unwrap();
        drop(disk);
        let sound = fs::read(&store).unwrap();
        let damages: [(&str, Vec<u8>); 3] = [
            ("other", b"this is no store at all".repeat(1000)),
            ("cut", sound[..sound.len() / 3].to_vec()),
            ("head", [vec![0xff; 512], sound[512..].to_vec()].concat()),
        ];
        for (name, damage) in damages {
            fs::write(&store, damage).unwrap();
            let opened = Disk::open(folder.path()).and_then(|disk| load(&disk));
            let error = opened.unwrap_err();
            assert!(error.to_string().contains("is damaged"), "{name}: {error}");
            assert!(error.hint().unwrap().contains("`mathison sandbox reset --dir "), "{name}: {error}");
        }
    }

    #[test]
    fn a_changed_byte_is_never_believed() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.redb");
        let disk = Disk::open(folder.path()).unwrap();
        let changes: Vec<Change> = (1..=50).map(|n| put(&format!("k/{n}"), &"x".repeat(700), n)).collect();
        disk.write(&changes).unwrap();
        let whole = load(&disk).unwrap();
        drop(disk);
        let sound = fs::read(&store).unwrap();
        let value = sound.windows(700).position(|window| window == [b'x'; 700]).unwrap();
        for at in [value, value + 350, sound.len() / 7, sound.len() / 3, 70, 140] {
            let mut changed = sound.clone();
            changed[at] ^= 1;
            fs::write(&store, changed).unwrap();
            match Disk::open(folder.path()).and_then(|disk| load(&disk)) {
                Ok(loaded) => assert_eq!(loaded, whole, "byte {at}"),
                Err(error) => assert!(matches!(error, SandboxError::Damaged { .. }), "byte {at}: {error}"),
            }
        }
    }

    const WRITER: &str = "MATHISON_TEST_WRITES_UNTIL_KILLED";

    /// Not a test of its own: the child of the next one.
    #[test]
    fn write_until_killed() {
        let Some(folder) = env::var_os(WRITER) else { return };
        let disk = Disk::open(Path::new(&folder)).unwrap();
        let (last, _) = load(&disk).unwrap();
        for version in last + 1.. {
            // Each is written together with its mirror: neither may ever be there alone.
            disk.write(&[
                put(&format!("a/{version}"), &"x".repeat(900), version),
                put(&format!("b/{version}"), "y", version),
            ])
            .unwrap();
            writeln!(std::io::stderr(), "answered {version}").unwrap();
        }
    }

    #[test]
    fn all_that_was_answered_survives_a_kill_amid_writes() {
        let folder = tempfile::tempdir().unwrap();
        let mut answered = 0;
        for round in 1..=5 {
            let mut child = Command::new(env::current_exe().unwrap())
                .args(["write_until_killed", "--nocapture", "--test-threads=1"])
                .env(WRITER, folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            let mut seen = 0;
            let mut note = |line: String| -> bool {
                let version = line.strip_prefix("answered ").and_then(|version| version.parse::<u64>().ok());
                answered = version.unwrap_or(answered);
                seen += u32::from(version.is_some());
                seen == 40 * round
            };
            while !note(lines.next().unwrap().unwrap()) {}
            child.kill().unwrap();
            child.wait().unwrap();
            // What it said before it died counts as well.
            for line in lines.map_while(Result::ok) {
                note(line);
            }

            let disk = Disk::open(folder.path()).unwrap();
            let (last, objects) = load(&disk).unwrap();
            assert!(last >= answered, "{last} is before {answered}");
            assert_eq!(objects.len() as u64, 2 * last);
            let keys: std::collections::BTreeSet<String> = objects.into_iter().map(|(key, _)| key).collect();
            assert!((1..=last).all(|n| keys.contains(&format!("a/{n}")) && keys.contains(&format!("b/{n}"))));
        }
    }
}
