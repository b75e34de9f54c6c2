//! The sandbox, held to a real server: the same requests to both, and every answer compared.
//!
//! A sequence is made up from its number: some ten requests about one kind, in a namespace of its own, which begin with a
//! valid object and change it at random. It ends at its first difference. `DIFFERENTIAL_SEQUENCES` says how many there are,
//! `DIFFERENTIAL_FIRST` the number of the first, `DIFFERENTIAL_KIND` that only sequences of a kind run (or of several, with
//! commas between them), and `DIFFERENTIAL_TRACE` that all requests are told with both answers.

mod bases;
mod dice;
mod difference;
mod known;
mod mutation;
mod normal;
mod order;
mod request;
mod sequence;
mod servers;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use self::bases::{bases, definitions};
use self::normal::Normal;
use self::request::{Answerer, Reply, Request};
use self::sequence::Sequence;
use self::servers::{Real, Sandbox};
use self::step::Seen;

/// Sequences that run unless it is said otherwise.
const SEQUENCES: u64 = 2_000;
/// How many of a hundred sequences may meet a difference that nobody has explained yet. It goes down with each that is
/// mended or explained, never up; the goal is none.
const UNEXPLAINED_PERCENT: u64 = 26;
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
    known: BTreeMap<usize, u64>,
    unexplained: Vec<String>,
    /// Sequences that ended where the real server hung up.
    hung_up: u64,
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
    let (next, figures) = (AtomicU64::new(first), Mutex::new(Figures::default()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let sequence = Sequence::new(seed, &format!("{run}-{seed}"), &bases);
                    if only.as_ref().is_none_or(|kinds| kinds.split(',').any(|kind| sequence.kind().kind == kind)) {
                        run_one(&real, &sandbox, seed, sequence, &figures);
                    }
                }
            });
        }
    });
    let figures = figures.into_inner().expect("nobody panicked");
    tell(&figures);
    let unexplained = figures.unexplained.len() as u64;
    assert!(figures.sequences > 0 && figures.requests > 0, "nothing was compared");
    assert!(figures.hung_up * 20 <= figures.sequences, "the real server hung up {} times", figures.hung_up);
    assert!(
        unexplained * 100 <= figures.sequences * UNEXPLAINED_PERCENT,
        "{unexplained} of {} sequences met an unexplained difference, more than {UNEXPLAINED_PERCENT} of a hundred",
        figures.sequences
    );
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

fn run_one(
    real: &dyn Answerer,
    sandbox: &dyn Answerer,
    seed: u64,
    mut sequence: Sequence<'_>,
    figures: &Mutex<Figures>,
) {
    make_namespace(real, &sequence.namespace);
    make_namespace(sandbox, &sequence.namespace);
    let (mut seen, mut normal) = ((Seen::default(), Seen::default()), (Normal::default(), Normal::default()));
    let kind = sequence.kind().kind.clone();
    let (mut requests, mut met, mut unexplained, mut hung_up) = (0, Vec::new(), None, 0);
    for index in 0..REQUESTS {
        let step = sequence.next(&seen.0);
        let asked = (step.request(&seen.0), step::translated(step.request(&seen.1), &seen.0, &seen.1));
        let raw = (real.answer(&asked.0), sandbox.answer(&asked.1));
        if raw.0.code == 0 {
            eprintln!("the real server hung up: #{seed}.{index} {} {} {}", asked.0.method, asked.0.path, asked.0.body);
            hung_up = 1;
            break;
        }
        requests += 1;
        let one = worded(normal.0.reply(&raw.0), &normal.0);
        let other = worded(normal.1.reply(&raw.1), &normal.1);
        let lines = difference::differences(&one, &other);
        if !lines.is_empty() {
            match known::explained(&kind, &asked.0, &lines) {
                Some(known) => met = known,
                None => unexplained = Some(report(seed, index, &kind, &asked.0, &one, &lines)),
            }
            break;
        }
        seen.0.note(&step, &raw.0);
        seen.1.note(&step, &raw.1);
    }
    let mut figures = figures.lock().expect("nobody panicked");
    figures.sequences += 1;
    figures.requests += requests;
    figures.kinds.insert(format!("{}/{kind}", sequence.kind().group));
    for known in met.into_iter().collect::<BTreeSet<_>>() {
        *figures.known.entry(known).or_default() += 1;
    }
    figures.unexplained.extend(unexplained);
    figures.hung_up += hung_up;
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
    let own = figures.kinds.iter().filter(|kind| kind.starts_with("differential.example.com/")).count();
    let _ = writeln!(
        text,
        "{} sequences, {} requests, {} built-in kinds, {own} of our own",
        figures.sequences,
        figures.requests,
        figures.kinds.len() - own
    );
    for (known, count) in &figures.known {
        let _ = writeln!(text, "known, {count} sequences: {}", known::KNOWN[*known].reason);
    }
    let _ = writeln!(text, "unexplained: {}", figures.unexplained.len());
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
