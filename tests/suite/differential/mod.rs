//! The sandbox, held to a real server: the same requests to both, and every answer compared.
//!
//! A sequence is made up from its number: some ten requests about one kind, in a namespace of its own, which begin with a
//! valid object and change it at random. It ends at its first difference, and one that nothing explains is asked again from
//! the beginning, up to six times: what does not come each time was chance (the clocks of the two are not one, and Go walks
//! its maps in any order), and is told, but is no mistake.
//! `DIFFERENTIAL_SEQUENCES` says how many there are,
//! `DIFFERENTIAL_FIRST` the number of the first, `DIFFERENTIAL_KIND` that only sequences of a kind run (or of several, with
//! commas between them), and `DIFFERENTIAL_TRACE` that all requests are told with both answers.

mod bases;
mod dice;
mod difference;
mod mutation;
mod normal;
mod order;
mod request;
mod sequence;
mod servers;
mod step;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use self::bases::{bases, definitions};
use self::normal::Normal;
use self::request::{Answerer, Reply, Request};
use self::sequence::Sequence;
use self::servers::{Real, Sandbox};
use self::step::Seen;

/// Sequences that run unless it is said otherwise.
const SEQUENCES: u64 = 2_000;
/// Sequences far away that met a difference once; they run each time that nothing else is asked for.
const MENDED: [u64; 6] = [101_695, 102_553, 102_671, 103_350, 106_725, 119_797];
/// How often, and under which names, a sequence is run again that met what nothing explains.
const AGAIN: [&str; 6] = ["-again", "-once-more", "-fourth", "-fifth", "-sixth", "-at-last"];
/// Requests of a sequence.
const REQUESTS: usize = 10;
const WORKERS: usize = 4;
/// Differences that are told in full; a goal that is missed by more is not read to its end anyway.
const TOLD: usize = 1_000;

#[derive(Default)]
struct Figures {
    sequences: u64,
    requests: u64,
    kinds: BTreeSet<String>,
    unexplained: Vec<String>,
    /// What differed once, and not when it was asked again.
    chance: Vec<String>,
    /// Sequences that ended where the real server hung up.
    hung_up: Vec<String>,
}

#[test]
#[ignore = "needs the testbed (tests/testbed/testbed bare up)"]
fn the_sandbox_answers_as_a_real_server_does() {
    let said = |name: &str| std::env::var(name).ok();
    let count = said("DIFFERENTIAL_SEQUENCES").map_or(SEQUENCES, |text| text.parse().expect("a number"));
    let first = said("DIFFERENTIAL_FIRST").map_or(0, |text| text.parse().expect("a number"));
    let only = said("DIFFERENTIAL_KIND");
    let (real, sandbox) = (Real::expect(), Sandbox::open(first));
    prepare(&real);
    prepare(&sandbox);
    let bases = bases();
    let run = format!("d{:x}", jiff::Timestamp::now().as_millisecond() & 0x00ff_ffff);
    let again = if said("DIFFERENTIAL_FIRST").is_none() && only.is_none() { MENDED.as_slice() } else { &[] };
    let seeds: Vec<u64> = (first..first + count).chain(again.iter().copied()).collect();
    let (next, figures) = (AtomicUsize::new(0), Mutex::new(Figures::default()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                    let sequence = |end: &str| Sequence::new(seed, &format!("{run}-{seed}{end}"), &bases);
                    let is_wanted = |kinds: &String| kinds.split(',').any(|kind| sequence("").kind().kind == kind);
                    if only.as_ref().is_none_or(is_wanted) {
                        let mut met = run_one(&real, &sandbox, seed, sequence(""));
                        for end in AGAIN {
                            let Some(once) = met.unexplained.take() else { break };
                            met = run_one(&real, &sandbox, seed, sequence(end));
                            met.chance = met.unexplained.is_none().then_some(once);
                        }
                        figures.lock().expect("nobody panicked").add(met);
                    }
                }
            });
        }
    });
    let figures = figures.into_inner().expect("nobody panicked");
    tell(&figures);
    let unexplained = figures.unexplained.len() as u64;
    assert!(figures.sequences > 0 && figures.requests > 0, "nothing was compared");
    assert!(figures.hung_up.len() as u64 * 20 <= figures.sequences, "the real server hung up too often");
    assert!(figures.chance.len() as u64 * 50 <= figures.sequences, "too much is left to chance");
    assert_eq!(unexplained, 0, "sequences of {} that met an unexplained difference", figures.sequences);
}

impl Figures {
    fn add(&mut self, met: Met) {
        self.sequences += 1;
        self.requests += met.requests;
        self.kinds.insert(met.kind);
        self.unexplained.extend(met.unexplained);
        self.chance.extend(met.chance);
        self.hung_up.extend(met.hung_up);
    }
}

/// What one sequence met.
#[derive(Default)]
struct Met {
    kind: String,
    requests: u64,
    unexplained: Option<String>,
    chance: Option<String>,
    hung_up: Option<String>,
}

/// Defines our own kinds, and waits until they are served.
fn prepare(server: &dyn Answerer) {
    for definition in definitions() {
        let name = definition["metadata"]["name"].as_str().expect("a name");
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        let request = Request {
            method: "PATCH",
            path: format!("{path}?fieldManager=differential&force=true"),
            content: "application/apply-patch+yaml",
            accept: "application/json",
            body: definition.to_string(),
        };
        let reply = server.answer(&request);
        assert!((200..300).contains(&reply.code), "{name}: {}", reply.body);
        let spec = &definition["spec"];
        for version in spec["versions"].as_array().expect("versions") {
            let list = |path: &str| Request {
                method: "GET",
                path: path.to_owned(),
                content: "",
                accept: "application/json",
                body: String::new(),
            };
            let path = format!(
                "/apis/differential.example.com/{}/{}",
                version["name"].as_str().expect("a name"),
                spec["names"]["plural"].as_str().expect("a plural")
            );
            crate::support::cluster::eventually("the kind is served", std::time::Duration::from_secs(30), || {
                server.answer(&list(&path)).code == 200
            });
        }
    }
}

/// Makes the namespace of a sequence, and what controllers would put into it.
fn make_namespace(server: &dyn Answerer, name: &str) {
    let post = |path: String, body: Value| {
        let request = Request {
            method: "POST",
            path,
            content: "application/json",
            accept: "application/json",
            body: body.to_string(),
        };
        let reply = server.answer(&request);
        assert!((200..300).contains(&reply.code), "{}", reply.body);
    };
    post("/api/v1/namespaces".to_owned(), json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    post(
        format!("/api/v1/namespaces/{name}/serviceaccounts"),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}),
    );
}

fn run_one(real: &dyn Answerer, sandbox: &dyn Answerer, seed: u64, mut sequence: Sequence<'_>) -> Met {
    make_namespace(real, &sequence.namespace);
    make_namespace(sandbox, &sequence.namespace);
    let (mut seen, mut normal) = ((Seen::default(), Seen::default()), (Normal::default(), Normal::default()));
    let kind = sequence.kind().kind.clone();
    let mut met = Met { kind: format!("{}/{kind}", sequence.kind().group), ..Met::default() };
    for index in 0..REQUESTS {
        let step = sequence.next(&seen.0);
        let asked = (step.request(&seen.0), step::translated(step.request(&seen.1), &seen.0, &seen.1));
        let raw = (real.answer(&asked.0), sandbox.answer(&asked.1));
        if raw.0.code == 0 {
            met.hung_up = Some(format!("#{seed}.{index} {} {}", asked.0.method, asked.0.path));
            break;
        }
        met.requests += 1;
        if std::env::var_os("DIFFERENTIAL_TRACE").is_some() {
            let Request { method, path, content, body, .. } = &asked.0;
            let (real, ours) = (&raw.0, &raw.1);
            let _ = writeln!(
                io::stderr(),
                "#{seed}.{index} {method} {path} {content}\n  sent: {body}\n  real: {} {}\n  ours: {} {}",
                real.code,
                real.body,
                ours.code,
                ours.body
            );
        }
        let one = worded(normal.0.reply(&raw.0), &normal.0);
        let other = worded(normal.1.reply(&raw.1), &normal.1);
        let lines = difference::differences(&one, &other);
        if !lines.is_empty() {
            met.unexplained = Some(report(seed, index, &kind, &asked.0, &one, &lines));
            break;
        }
        seen.0.note(&step, &raw.0);
        seen.1.note(&step, &raw.1);
    }
    met
}

/// Versions stand in messages as well, and what Go tells in the order of a map is in no order.
fn worded(mut reply: Reply, normal: &Normal) -> Reply {
    let reword = |message: &mut Value| match message {
        Value::String(text) if text.contains("ersion") => *text = normal.versions_in(text),
        _ => {}
    };
    if reply.body["kind"] == "Status" {
        reply.body.get_mut("message").map(reword);
        let causes = reply.body.pointer_mut("/details/causes").and_then(Value::as_array_mut);
        causes.into_iter().flatten().filter_map(|cause| cause.get_mut("message")).for_each(reword);
        order::settle(&mut reply.body);
    }
    reply
}

fn report(seed: u64, index: usize, kind: &str, request: &Request, real: &Reply, lines: &[String]) -> String {
    let mut text = format!("#{seed}.{index} {kind} {} {} {}\n", request.method, request.path, request.content);
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let _ = writeln!(text, "  sent: {}", cut(&request.body, 3_000));
    let _ = writeln!(text, "  real: {} {}", real.code, cut(real.body["message"].as_str().unwrap_or_default(), 1_000));
    for line in lines.iter().take(12) {
        let _ = writeln!(text, "  {}", cut(line, 1_200));
    }
    text
}

fn tell(figures: &Figures) {
    let mut text = String::new();
    for report in figures.unexplained.iter().take(TOLD) {
        text.push_str(report);
    }
    for place in &figures.hung_up {
        let _ = writeln!(text, "the real server hung up: {place}");
    }
    for report in &figures.chance {
        let _ = write!(text, "not met again: {report}");
    }
    let own = figures.kinds.iter().filter(|kind| kind.starts_with("differential.example.com/")).count();
    let _ = writeln!(
        text,
        "{} sequences, {} requests, {} built-in kinds, {own} of our own",
        figures.sequences,
        figures.requests,
        figures.kinds.len() - own
    );
    let _ = writeln!(text, "unexplained: {}", figures.unexplained.len());
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
