//! [`TestEnv`]: the closed environment in which the program runs.
//!
//! Its own folders, a fixed width and time zone, and not one variable of whoever runs the tests. Nothing here knows a
//! cluster; [`super::cluster`] adds the kubeconfig.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::output::Output;
use super::redact::Redactions;

/// Longer than any single command takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder of its own, with `work` (where the program runs), `home` and `tmp` in it; deleted at the end.
pub struct TestEnv {
    root: TempDir,
    variables: BTreeMap<OsString, OsString>,
    redactions: Redactions,
}

impl TestEnv {
    /// Makes the folders.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("mathison-").tempdir().expect("make a temporary folder");
        for folder in ["work", "home", "tmp"] {
            fs::create_dir(root.path().join(folder)).expect("make a folder of the environment");
        }
        let home = root.path().join("home");
        let variables = [
            ("HOME", home.clone().into_os_string()),
            ("XDG_CACHE_HOME", home.join(".cache").into_os_string()),
            ("XDG_CONFIG_HOME", home.join(".config").into_os_string()),
            ("XDG_DATA_HOME", home.join(".local/share").into_os_string()),
            ("XDG_STATE_HOME", home.join(".local/state").into_os_string()),
            ("TMPDIR", root.path().join("tmp").into_os_string()),
            ("PATH", "/usr/bin:/bin".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("COLUMNS", "100".into()),
            ("NO_COLOR", "1".into()),
        ];
        let mut redactions = Redactions::default();
        redactions.replace(&root.path().display().to_string(), "[root]");
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { root, variables, redactions }
    }

    /// Returns the folder that holds all the others: what the program may have written lies below it.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns the folder in which the program runs.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Returns a path in the program's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Writes a file in the program's folder, and the folders above it.
    pub fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("make the folders above a file");
        }
        fs::write(&path, text).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        self
    }

    /// Reads a file in the program's folder.
    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
    }

    /// Replaces one piece of text in a file, which must be there exactly once: a test that edits nothing shows nothing.
    pub fn edit(&self, name: &str, before: &str, after: &str) -> &Self {
        let text = self.read(name);
        assert_eq!(text.matches(before).count(), 1, "`{before}` must stand exactly once in {name}:\n{text}");
        self.write(name, &text.replacen(before, after, 1))
    }

    /// Sets a variable for every run that follows.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.variables.insert(name.into(), value.as_ref().to_owned());
        self
    }

    /// Returns every regular file below the root.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("list a folder of the environment") {
                let entry = entry.expect("read an entry of a folder");
                let kind = entry.file_type().expect("read the type of an entry");
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files.sort();
        files
    }

    /// Begins a run of `mathison` with these words.
    pub fn mathison<I: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = I>) -> Run<'_> {
        self.program(env!("CARGO_BIN_EXE_mathison"), words)
    }

    /// Begins a run of another program in the same environment.
    pub fn program<I: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, words: impl IntoIterator<Item = I>) -> Run<'_> {
        let mut command = Command::new(program);
        command.args(words).env_clear().envs(&self.variables).current_dir(self.work());
        Run { environment: self, command, input: None, patience: PATIENCE }
    }

    /// Runs `mathison` with these words, written as on a command line; no quoting.
    #[must_use = "look at what it printed: a snapshot, or `.expect_code(0)`"]
    pub fn run(&self, line: &str) -> Output {
        self.mathison(line.split_whitespace()).finish()
    }
}

/// One run, being prepared.
#[must_use = "nothing happens before `finish`"]
pub struct Run<'environment> {
    environment: &'environment TestEnv,
    command: Command,
    input: Option<Vec<u8>>,
    patience: Duration,
}

impl Run<'_> {
    /// Sets a variable for this run only.
    pub fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives it something on standard input, which is else at its end from the start.
    pub fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.input = Some(text.into());
        self
    }

    /// Lets it run longer, or shorter, than a command should.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs it to its end. One that does not end in time is killed, and fails the test with what it printed.
    pub fn finish(self) -> Output {
        self.start().finish()
    }

    /// Starts it, for tests that do something beside it.
    pub fn start(mut self) -> Started {
        let line = format!("{:?}", self.command);
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("start {line}: {error}"));
        if let (Some(input), Some(mut pipe)) = (self.input.take(), child.stdin.take()) {
            // Written beside, since a program may print more than a pipe holds before it reads. One that ends
            // without reading is no fault of ours.
            thread::spawn(move || pipe.write_all(&input));
        }
        Started {
            line,
            stdout: Stream::of(child.stdout.take()),
            stderr: Stream::of(child.stderr.take()),
            child,
            end: Instant::now() + self.patience,
            patience: self.patience,
            redactions: self.environment.redactions.clone(),
        }
    }
}

/// One run on its way. Dropped, it is killed.
pub struct Started {
    line: String,
    child: Child,
    stdout: Stream,
    stderr: Stream,
    end: Instant,
    patience: Duration,
    redactions: Redactions,
}

impl Started {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        // One that has just ended gets none; its exit code tells.
        let _ = kill_process(pid, signal);
    }

    /// Tells whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("ask for the program's end").is_some()
    }

    /// Tells whether it has printed this on one of its streams.
    pub fn said(&self, text: &str) -> bool {
        [&self.stdout, &self.stderr].iter().any(|stream| stream.so_far().contains(text))
    }

    /// Returns the most memory, in bytes, that it has had resident so far; nothing once it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
    }

    /// Waits until it ends. One that does not end in time is killed, and fails the test with what it printed.
    pub fn finish(mut self) -> Output {
        let code = wait(&mut self.child, self.end);
        let output = Output {
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            code: code.unwrap_or(-1),
            redactions: self.redactions.clone(),
        };
        assert!(code.is_some(), "{} did not end within {:?}\n{output}", self.line, self.patience);
        output
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream, read to its end on a thread of its own, so that the program never blocks on a full pipe.
struct Stream {
    read: Arc<Mutex<Vec<u8>>>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Stream {
    fn of(stream: Option<impl Read + Send + 'static>) -> Self {
        let read = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&read);
        let reader = thread::spawn(move || {
            let Some(mut stream) = stream else { return };
            let mut part = [0; 4096];
            loop {
                let count = stream.read(&mut part).expect("read what the program prints");
                if count == 0 {
                    return;
                }
                kept.lock().expect("what was read").extend_from_slice(&part[..count]);
            }
        });
        Self { read, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.read.lock().expect("what was read")).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("read to the end");
        }
        self.so_far()
    }
}

/// Returns the exit code, or `None` if the program had to be killed.
fn wait(child: &mut Child, end: Instant) -> Option<i32> {
    loop {
        if let Some(status) = child.try_wait().expect("ask for the program's end") {
            // A signal has no code of its own; shells say 128 and its number.
            return Some(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(128));
        }
        if Instant::now() >= end {
            child.kill().expect("kill the program");
            child.wait().expect("collect the killed program");
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
