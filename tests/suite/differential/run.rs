//! One sequence, asked of both servers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde_json::Value;

use super::bases::{Base, definitions};
use super::figures::Met;
use super::normal::Normal;
use super::predicted::{self, Prediction};
use super::request::{Answerer, Reply, Request};
use super::script::{Script, Source, make_namespace};
use super::step::{self, Seen, Step};
use super::{difference, order, watched};

/// Both servers, and what is the same for all sequences.
pub struct Bench<'a> {
    pub real: &'a dyn Answerer,
    pub sandbox: &'a dyn Answerer,
    pub bases: &'a [Base],
}

/// What a sequence came to, and what it asked for.
pub struct Ran {
    pub met: Met,
    pub script: Script,
    /// Where the answers differed, without the values.
    pub places: Vec<String>,
}

impl Bench<'_> {
    /// Asks both servers, up to the first difference.
    pub fn run(&self, about: &str, label: &str, source: &mut dyn Source) -> Ran {
        let since = (make_namespace(self.real, label), make_namespace(self.sandbox, label));
        let (mut seen, mut normal) = ((Seen::default(), Seen::default()), (Normal::default(), Normal::default()));
        let kind = source.kind();
        let mut met = Met { kind: kind.clone(), ..Met::default() };
        let mut steps: Vec<Step> = Vec::new();
        let mut found = Vec::new();
        // Objects that were written since they were told last: nothing is predicted of what nobody has seen.
        let mut untold: BTreeSet<String> = BTreeSet::new();
        while let Some(step) = source.next(&seen.0) {
            let index = steps.len();
            let asked = (step.request(&seen.0), step::translated(step.request(&seen.1), &seen.0, &seen.1));
            let raw = (self.real.answer(&asked.0), self.sandbox.answer(&asked.1));
            steps.push(step.clone());
            if raw.0.code == 0 {
                met.hung_up = Some(format!("{about}.{index} {} {}", asked.0.method, asked.0.path));
                break;
            }
            met.asked.push((step.operation(), raw.0.code));
            let known = step.about.as_ref().filter(|name| !untold.contains(*name));
            let live = known.and_then(|name| seen.0.objects.get(name));
            match predicted::judged(live, &asked.0, &raw.0) {
                Prediction::None => {}
                Prediction::Right { proved: true } => met.foreseen.proved += 1,
                Prediction::Right { proved: false } => met.foreseen.doubted += 1,
                Prediction::Refused => met.foreseen.refused += 1,
                Prediction::Wrong { places, proved } => {
                    let report = report(&format!("{about}.{index} {kind}"), &asked.0, &raw.0, &places);
                    met.disproved.extend(proved.then(|| report.clone()));
                    met.unforeseen.push(report);
                }
            }
            trace(&format!("{about}.{index}"), &asked.0, &raw.0, &raw.1);
            let one = worded(normal.0.reply(&raw.0), &normal.0);
            let other = worded(normal.1.reply(&raw.1), &normal.1);
            found = difference::differences(&one, &other);
            if !found.is_empty() {
                met.unexplained = Some(report(&format!("{about}.{index} {kind}"), &asked.0, &one, &found));
                break;
            }
            match (step.operation(), &step.about) {
                ("delete all", _) => untold.extend(seen.0.objects.keys().cloned()),
                ("scale", Some(name)) => drop(untold.insert(name.clone())),
                (_, Some(name)) if raw.0.code < 300 && !step.is_idle => drop(untold.remove(name)),
                _ => {}
            }
            seen.0.note(&step, &raw.0);
            seen.1.note(&step, &raw.1);
        }
        let collection = source.collection();
        if met.unexplained.is_none() && met.hung_up.is_none() && collection.contains("/namespaces/") {
            let servers = [(self.real, since.0.as_str()), (self.sandbox, since.1.as_str())];
            let selector = if about.ends_with(['0', '5']) { "&labelSelector=app" } else { "" };
            let watched = self.base(&kind, label).and_then(|base| {
                watched::compared(servers, [&mut normal.0, &mut normal.1], &collection, selector, &base)
            });
            met.watched = watched.is_some();
            found = watched.unwrap_or_default();
            if !found.is_empty() {
                let asked = Request::get(format!("{collection}?watch{selector}"));
                let none = Reply { code: 200, warnings: Vec::new(), body: Value::Null };
                met.unexplained = Some(report(&format!("{about}.{} {kind}", steps.len()), &asked, &none, &found));
            }
        }
        let script = Script { about: about.to_owned(), kind, collection, steps }.without(label);
        Ran { met, script, places: found.iter().map(|line| place_of(line)).collect() }
    }

    fn base(&self, kind: &str, label: &str) -> Option<Value> {
        let base = self.bases.iter().find(|base| format!("{}/{}", base.kind.group, base.kind.kind) == kind)?;
        serde_json::from_str(&base.object.to_string().replace("@namespace@", label)).ok()
    }
}

fn place_of(line: &str) -> String {
    line.split(": ").next().unwrap_or_default().to_owned()
}

fn trace(what: &str, asked: &Request, real: &Reply, ours: &Reply) {
    if std::env::var_os("DIFFERENTIAL_TRACE").is_none() {
        return;
    }
    let Request { method, path, content, body, .. } = asked;
    let _ = writeln!(
        io::stderr(),
        "{what} {method} {path} {content}\n  sent: {body}\n  real: {} {}\n  ours: {} {}",
        real.code,
        real.body,
        ours.code,
        ours.body
    );
}

/// Defines our own kinds, and waits until they are served.
pub fn prepare(server: &dyn Answerer) {
    for definition in definitions() {
        let name = definition["metadata"]["name"].as_str().expect("a name");
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        let request = Request {
            method: "PATCH".to_owned(),
            content: "application/apply-patch+yaml".to_owned(),
            body: definition.to_string(),
            ..Request::get(format!("{path}?fieldManager=differential&force=true"))
        };
        let reply = server.answer(&request);
        assert!((200..300).contains(&reply.code), "{name}: {}", reply.body);
        let spec = &definition["spec"];
        for version in spec["versions"].as_array().expect("versions") {
            let path = format!(
                "/apis/differential.example.com/{}/{}",
                version["name"].as_str().expect("a name"),
                spec["names"]["plural"].as_str().expect("a plural")
            );
            crate::support::cluster::eventually("the kind is served", std::time::Duration::from_secs(30), || {
                server.answer(&Request::get(path.as_str())).code == 200
            });
        }
    }
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

fn report(what: &str, request: &Request, real: &Reply, lines: &[String]) -> String {
    let mut text = format!("{what} {} {} {}\n", request.method, request.path, request.content);
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let _ = writeln!(text, "  sent: {}", cut(&request.body, 3_000));
    let _ = writeln!(text, "  real: {} {}", real.code, cut(real.body["message"].as_str().unwrap_or_default(), 1_000));
    for line in lines.iter().take(12) {
        let _ = writeln!(text, "  {}", cut(line, 1_200));
    }
    text
}
