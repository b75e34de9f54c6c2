//! kubectl against the sandbox says what it says against a real cluster.
//!
//! A script is a list of commands, run in order in a fresh namespace of each server. What each command printed, and how it
//! ended, must be the same once what no two clusters share (names given out, ages, addresses) is made equal by
//! [`normalise`]. Where they differ, `known.yaml` says why they may, and in which lines; everything else fails.

mod difference;
mod known;
mod normalise;
mod servers;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde::Deserialize;

use difference::Difference;
use known::Known;
use servers::{Scene, Side, Told};

/// Scripts run at once: more would only make the servers slow.
const WORKERS: usize = 4;

/// One list of commands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    name: String,
    /// Files in the folder where the commands run, by name.
    #[serde(default)]
    files: BTreeMap<String, String>,
    run: Vec<Step>,
    /// What to do at the end to what lies in no namespace.
    #[serde(default)]
    after: Vec<String>,
}

/// One command.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Step {
    /// Everything that it says is compared.
    Compared(String),
    /// It prepares what follows: only how it ends is compared.
    Prepares { prepare: String },
    /// Its lines come in no order.
    Unordered { unordered: String },
}

#[derive(Default)]
struct Found {
    compared: usize,
    equal: usize,
    known: Vec<String>,
    differences: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/kubectl")
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads all scripts; only those that `MATHISON_KUBECTL_SCRIPTS` names (with commas) if it is set.
fn scripts() -> Vec<Script> {
    let wanted = std::env::var("MATHISON_KUBECTL_SCRIPTS").ok();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder().join("scripts"))
        .expect("list the scripts")
        .map(|entry| entry.expect("read an entry").path())
        .collect();
    paths.sort();
    let all = paths.iter().flat_map(|path| read::<Script>(path));
    let mut scripts: Vec<Script> = all
        .filter(|script| wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|name| name == script.name)))
        .collect();
    // The longest are taken first, from the end.
    scripts.sort_by_key(|script| script.run.len());
    scripts
}

#[test]
fn scripts_have_names_of_their_own_and_known_differences_are_of_them() {
    let mut commands: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for script in scripts() {
        let lines = script.run.iter().map(|step| step.command().to_owned()).collect();
        assert!(commands.insert(script.name.clone(), lines).is_none(), "`{}` is there twice", script.name);
    }
    if std::env::var_os("MATHISON_KUBECTL_SCRIPTS").is_none() {
        for known in Known::all(&folder()) {
            let is_there = commands.get(&known.script).is_some_and(|lines| lines.contains(&known.command));
            assert!(is_there, "no script `{}` runs `{}`", known.script, known.command);
        }
    }
}

/// How often a script is run in all that does not go equally: what a busy cluster tells late, or in the order of a Go map,
/// comes and goes, and is shown; what differs each time is a mistake.
const ATTEMPTS: usize = 3;

#[test]
#[ignore = "needs the testbed (tests/testbed/testbed api up)"]
fn kubectl_says_of_the_sandbox_what_it_says_of_a_cluster() {
    let (real, sandbox) = (Side::real(), Side::sandbox());
    let began = Instant::now();
    let known = Known::all(&folder());
    let (queue, found) = (Mutex::new(scripts()), Mutex::new(Found::default()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(script) = { queue.lock().expect("the queue").pop() } {
                    for attempt in 1..=ATTEMPTS {
                        let began = Instant::now();
                        let (theirs, ours) = thread::scope(|scope| {
                            let theirs = scope.spawn(|| told(&real, &script));
                            let ours = told(&sandbox, &script);
                            (theirs.join().expect("the cluster's side"), ours)
                        });
                        let of_script = compare(&script, &theirs, &ours, &known);
                        of_script.tell(&script.name, began.elapsed());
                        if of_script.differences.is_empty() || attempt == ATTEMPTS {
                            found.lock().expect("what was found").add(of_script);
                            break;
                        }
                        let _ = writeln!(
                            io::stderr(),
                            "once more, to see whether that was chance:\n{}",
                            of_script.differences.join("\n")
                        );
                    }
                }
            });
        }
    });
    let found = found.into_inner().expect("what was found");
    found.tell("all of them", began.elapsed());
    assert!(found.differences.is_empty(), "\n{}", found.differences.join("\n"));
}

impl Found {
    fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.equal += other.equal;
        self.known.extend(other.known);
        self.differences.extend(other.differences);
    }

    /// Says at once how a script went, so that one which hangs is known by its silence.
    fn tell(&self, name: &str, took: Duration) {
        let _ = writeln!(
            io::stderr(),
            "{name}: {} commands, {} equal, {} differ as is known, {} differ, {} s",
            self.compared,
            self.equal,
            self.known.len(),
            self.differences.len(),
            took.as_secs()
        );
    }
}

impl Step {
    fn command(&self) -> &str {
        match self {
            Self::Compared(command) | Self::Prepares { prepare: command } | Self::Unordered { unordered: command } => {
                command
            }
        }
    }
}

/// Runs a script on one side.
fn told(side: &Side, script: &Script) -> Vec<Told> {
    let scene = Scene::new(side, &script.files);
    let told = script.run.iter().map(|step| scene.run(step.command())).collect();
    for command in &script.after {
        scene.run(command);
    }
    told
}

fn compare(script: &Script, theirs: &[Told], ours: &[Told], known: &[Known]) -> Found {
    let mut found = Found::default();
    for ((step, theirs), ours) in script.run.iter().zip(theirs).zip(ours) {
        let (theirs, ours) = match step {
            Step::Prepares { .. } if theirs.code == ours.code => continue,
            Step::Unordered { .. } => (theirs.sorted(), ours.sorted()),
            _ => (theirs.clone(), ours.clone()),
        };
        found.compared += 1;
        let title = format!("{}: {}", script.name, step.command());
        let known = known.iter().find(|known| known.is_of(&script.name, step.command()));
        if theirs == ours {
            found.equal += 1;
            // An entry that nothing needs any more would hide what comes next.
            if known.is_some() {
                found.differences.push(format!("== {title}\nis known to differ, and does not"));
            }
            continue;
        }
        let difference = Difference::between(&theirs.to_string(), &ours.to_string());
        if known.is_some_and(|known| known.explains(&difference)) {
            found.known.push(title);
        } else {
            found.differences.push(format!("== {title}\n{difference}"));
        }
    }
    found
}
