//! The sandbox, held to a real server: the same requests to both, and every answer compared.
//!
//! A sequence is made up from its number: some ten requests about one kind, in a namespace of its own, which begin with a
//! valid object and change it at random. It ends at its first difference, and one that nothing explains is asked again from
//! the beginning, up to six times: what does not come each time was chance (the clocks of the two are not one, and Go walks
//! its maps in any order), and is told, but is no mistake.
//! One that comes each time is shrunk: it is told with the least of its requests that still shows it, as a line that
//! `mended.jsonl` takes once it is mended. Where a sequence went well, what a watch tells of it is compared as well.
//!
//! `DIFFERENTIAL_SEQUENCES` says how many there are, `DIFFERENTIAL_FIRST` the number of the first, `DIFFERENTIAL_FRESH` that
//! 500 more run which follow from a text, such as the name of a commit, `DIFFERENTIAL_KIND` that only sequences of a kind run
//! (or of several, with commas between them), and `DIFFERENTIAL_TRACE` that all requests are told with both answers. At the
//! end stands a table of the kinds and how often each was asked for what.

mod bases;
mod dice;
mod difference;
mod figures;
mod manifests;
mod mutation;
mod normal;
mod order;
mod predicted;
mod queries;
mod request;
mod run;
mod script;
mod sequence;
mod servers;
mod shrink;
mod step;
mod watched;

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};

use self::bases::bases;
use self::figures::{Figures, Met};
use self::manifests::Manifests;
use self::run::{Bench, Ran, prepare};
use self::script::{Replay, Script, Source};
use self::sequence::Sequence;
use self::servers::{Real, Sandbox};
use self::shrink::shrunk;

/// Sequences that run unless it is said otherwise.
const SEQUENCES: u64 = 2_000;
/// Sequences that met a difference once, the later ones shrunk; they run each time that nothing else is asked for.
const MENDED: &str = include_str!("mended.jsonl");
/// Sequences of each commit's own.
const FRESH: u64 = 500;
/// How often, and under which names, a sequence is run again that met what nothing explains.
const AGAIN: [&str; 6] = ["-again", "-once-more", "-fourth", "-fifth", "-sixth", "-at-last"];
const WORKERS: usize = 4;
/// Differences that are shrunk; it takes some hundred requests each.
const SHRUNK: usize = 20;

/// A sequence that is to run: a number, or one that was written down.
enum Task {
    Made(u64),
    /// One that no run had before.
    Fresh(u64),
    Kept(Script),
}

#[test]
#[ignore = "needs the testbed (tests/testbed/testbed bare up)"]
fn the_sandbox_answers_as_a_real_server_does() {
    let said = |name: &str| std::env::var(name).ok();
    let number = |name: &str| said(name).map(|text| text.parse::<u64>().expect("a number"));
    let count = number("DIFFERENTIAL_SEQUENCES").unwrap_or(SEQUENCES);
    let first = number("DIFFERENTIAL_FIRST").unwrap_or(0);
    let only = said("DIFFERENTIAL_KIND");
    let (real, sandbox) = (Real::expect(), Sandbox::open(first));
    prepare(&real);
    prepare(&sandbox);
    let bases = bases();
    let bench = Bench { real: &real, sandbox: &sandbox, bases: &bases };
    let run = format!("d{:x}", jiff::Timestamp::now().as_millisecond() & 0x00ff_ffff);
    let mut tasks: Vec<Task> = (first..first + count).map(Task::Made).collect();
    if let Some(fresh) = said("DIFFERENTIAL_FRESH") {
        tasks.extend(fresh_seeds(&fresh).map(Task::Fresh));
    }
    if said("DIFFERENTIAL_FIRST").is_none() {
        tasks.extend(Script::read_all(MENDED).into_iter().map(Task::Kept));
    }
    let is_wanted = |kind: &str| {
        let name = kind.rsplit('/').next().unwrap_or_default();
        only.as_ref().is_none_or(|kinds| kinds.split(',').any(|kind| kind == name))
    };
    let figures = asked(&bench, &run, &tasks, &is_wanted);
    figures.tell();
    let unexplained = figures.unexplained.len() as u64;
    assert!(figures.sequences > 0 && figures.requests > 0, "nothing was compared");
    assert!(figures.hung_up.len() as u64 * 20 <= figures.sequences, "the real server hung up too often");
    assert!(figures.chance.len() as u64 * 50 <= figures.sequences, "too much is left to chance");
    assert!(
        only.is_some() || count < 500 || figures.foresaw(),
        "too many applies came to something else than was predicted"
    );
    assert!(only.is_some() || figures.disproved.is_empty(), "what was foreseen without a doubt came out otherwise");
    // One of some 6,000 meets a difference that nobody saw before. That is told, to be mended; a commit that has nothing to do
    // with it is not to blame.
    assert!(figures.fresh.len() as u64 * 100 <= FRESH, "too many sequences that are new met a difference");
    assert_eq!(unexplained, 0, "sequences of {} that met an unexplained difference", figures.sequences);
}

/// Asks both servers for all of it.
fn asked(bench: &Bench<'_>, run: &str, tasks: &[Task], is_wanted: &(dyn Fn(&str) -> bool + Sync)) -> Figures {
    let (next, left_to_shrink) = (AtomicUsize::new(0), AtomicUsize::new(SHRUNK));
    let figures = Mutex::new(Figures::default());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(at) else { break };
                    let source = |label: &str| -> (String, Box<dyn Source + '_>) {
                        match task {
                            Task::Made(seed) | Task::Fresh(seed) => (
                                format!("#{seed}"),
                                Box::new(Sequence::new(*seed, label, bench.bases)) as Box<dyn Source>,
                            ),
                            Task::Kept(script) => (script.about.clone(), Box::new(Replay::new(script, label))),
                        }
                    };
                    let label = match task {
                        Task::Made(seed) | Task::Fresh(seed) => format!("{run}-{seed}"),
                        Task::Kept(_) => format!("{run}-k{at}"),
                    };
                    if is_wanted(&source(&label).1.kind()) {
                        let once = |end: &str| {
                            let label = format!("{label}{end}");
                            let (about, mut source) = source(&label);
                            bench.run(&about, &label, source.as_mut())
                        };
                        let mut met = again(bench, &once, &label, &left_to_shrink);
                        met.is_fresh = matches!(task, Task::Fresh(_));
                        figures.lock().expect("nobody panicked").add(met);
                    }
                }
            });
        }
    });
    figures.into_inner().expect("nobody panicked")
}

/// Manifests that people really apply.
#[test]
#[ignore = "needs the testbed (tests/testbed/testbed bare up) and the Go modules of `manifests.rs`"]
fn real_manifests_are_taken_as_a_real_server_takes_them() {
    let Manifests { scripts, others, skipped } = manifests::read();
    let (real, sandbox) = (Real::expect(), Sandbox::open(0));
    prepare(&real);
    prepare(&sandbox);
    let bases = bases();
    let bench = Bench { real: &real, sandbox: &sandbox, bases: &bases };
    let run = format!("m{:x}", jiff::Timestamp::now().as_millisecond() & 0x00ff_ffff);
    let count = scripts.len();
    let tasks: Vec<Task> = scripts.into_iter().map(Task::Kept).collect();
    let figures = asked(&bench, &run, &tasks, &|_| true);
    figures.tell();
    let _ = writeln!(std::io::stderr(), "{count} manifests, and {others} of kinds that are not built in or not asked");
    for module in &skipped {
        let _ = writeln!(std::io::stderr(), "skipped {module}");
    }
    // The testbed is built from Kubernetes' own module, which is always there.
    assert!(count > 100, "the modules were not found");
    assert!(figures.unexplained.is_empty(), "manifests that met a difference");
    assert!(figures.disproved.is_empty(), "what was foreseen without a doubt came out otherwise");
}

/// Seeds that no run had before: they follow from a text, such as the name of a commit, so that the run can be repeated.
fn fresh_seeds(text: &str) -> impl Iterator<Item = u64> {
    let digest = Sha256::digest(text.as_bytes());
    // Far from those that are counted from 0.
    let first = u64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])) + (1 << 32);
    let _ = writeln!(std::io::stderr(), "fresh: DIFFERENTIAL_FIRST={first} DIFFERENTIAL_SEQUENCES={FRESH}");
    first..first + FRESH
}

/// Runs a sequence, again if it met a difference, and shrinks what comes each time.
fn again(bench: &Bench<'_>, once: &dyn Fn(&str) -> Ran, label: &str, left_to_shrink: &AtomicUsize) -> Met {
    let mut ran = once("");
    for end in AGAIN {
        let Some(met_once) = ran.met.unexplained.take() else { break };
        ran = once(end);
        ran.met.chance = ran.met.unexplained.is_none().then_some(met_once);
    }
    let may_shrink =
        || left_to_shrink.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    if let Some(unexplained) = &mut ran.met.unexplained
        && may_shrink()
    {
        let tries = AtomicUsize::new(0);
        let shows = |script: &Script| {
            let label = format!("{label}-s{}", tries.fetch_add(1, Ordering::Relaxed));
            let tried = bench.run(&script.about, &label, &mut Replay::new(script, &label));
            tried.met.unexplained.is_some() && tried.places == ran.places && tried.met.asked.len() == script.steps.len()
        };
        let least = shrunk(&ran.script, shows);
        unexplained.push_str(&format!("  at least: {}\n", least.line()));
    }
    ran.met
}
