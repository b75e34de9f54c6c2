//! From an answer to an outcome.

use serde_json::Value;

use crate::ready::{Readiness, readiness};
use crate::resource::{Manifest, ObjectRef};
use crate::service::{Check, CheckKind};

use super::{Answer, CheckOutcome, access, limits, requirements, restart};

/// Judges the answer to a check's question. `declared` as for [`question`](super::question()).
#[must_use]
pub fn judge(check: &Check, declared: Option<&Manifest>, answer: &Answer) -> CheckOutcome {
    match answer {
        Answer::Unavailable(why) => return CheckOutcome::Skipped(why.clone()),
        Answer::Forbidden(why) => return CheckOutcome::Skipped(format!("no right to ask: {why}")),
        Answer::Error(why) => return CheckOutcome::Failed(format!("it could not be asked: {why}")),
        Answer::NotWritable(why) | Answer::NotBack(why) => return CheckOutcome::Failed(why.clone()),
        Answer::NoReadyPod => return CheckOutcome::Failed(no_ready_pod(&check.kind)),
        Answer::NoSecretKey => return CheckOutcome::Failed(no_secret_key(&check.kind)),
        _ => {}
    }
    match (&check.kind, answer) {
        (CheckKind::Ready(object), Answer::Objects(live)) => with_object(object, live, ready),
        (CheckKind::ClaimBound(object), Answer::Objects(live)) => with_object(object, live, bound),
        (CheckKind::Resources(object), Answer::Objects(live)) => {
            with_object(object, live, |live| requirements::judge(declared, live))
        }
        (CheckKind::Endpoints(service), Answer::List(slices)) => endpoints(service, slices),
        (CheckKind::Sql { expect, password, .. }, Answer::Exec { code, stdout, stderr }) => {
            sql(expect.as_deref(), password.as_ref(), *code, stdout, stderr)
        }
        (CheckKind::RefusesPassword { .. }, Answer::Exec { code, stderr, stdout }) => refuses(*code, stdout, stderr),
        (CheckKind::Limits { container, .. }, Answer::Exec { code, stdout, stderr }) => {
            run("sh", *code, stdout, stderr).unwrap_or_else(|| limits::judge(declared, container, stdout))
        }
        (CheckKind::Redis { expect, .. }, Answer::Exec { code, stdout, stderr }) => {
            run("redis-cli", *code, stdout, stderr).unwrap_or_else(|| printed(stdout, expect))
        }
        (CheckKind::Resolves { host, .. }, Answer::Exec { code, stdout, stderr }) => {
            resolves(host, *code, stdout, stderr)
        }
        (CheckKind::Access { account, allowed }, Answer::Access { allowed: answers, roles }) => {
            access::judge(&access::reviews(check, account, allowed), answers, roles)
        }
        (CheckKind::SurvivesRestart(_), Answer::Restart { written, read }) => restart::judge(written, read.as_deref()),
        (_, answer) => CheckOutcome::Skipped(format!("the answer is of another kind than the question: {answer:?}")),
    }
}

fn no_ready_pod(kind: &CheckKind) -> String {
    match kind {
        CheckKind::Sql { workload, .. }
        | CheckKind::RefusesPassword { workload, .. }
        | CheckKind::Limits { workload, .. }
        | CheckKind::Redis { workload, .. }
        | CheckKind::Resolves { workload, .. }
        | CheckKind::SurvivesRestart(workload) => format!("{} {} has no ready pod", workload.kind, workload.name),
        _ => "there is no ready pod".to_owned(),
    }
}

fn no_secret_key(kind: &CheckKind) -> String {
    match kind {
        CheckKind::Sql { password: Some((secret, key)), .. }
        | CheckKind::Redis { password: Some((secret, key)), .. } => {
            format!("Secret {} has no key `{key}`", secret.name)
        }
        _ => "the Secret has no such key".to_owned(),
    }
}

fn with_object(object: &ObjectRef, live: &[Option<Value>], rule: impl Fn(&Value) -> CheckOutcome) -> CheckOutcome {
    match live.first() {
        Some(Some(live)) => rule(live),
        _ => CheckOutcome::Failed(format!("{} {} does not exist", object.kind, object.name)),
    }
}

fn ready(live: &Value) -> CheckOutcome {
    match readiness(live, None) {
        Readiness::Ready => CheckOutcome::Passed,
        Readiness::Waiting(why) | Readiness::Failed(why) => CheckOutcome::Failed(why),
    }
}

fn bound(live: &Value) -> CheckOutcome {
    match live.pointer("/status/phase").and_then(Value::as_str) {
        Some("Bound") => CheckOutcome::Passed,
        Some(phase) => CheckOutcome::Failed(format!("the claim is {phase}")),
        None => CheckOutcome::Failed("the claim has no phase yet".to_owned()),
    }
}

fn endpoints(service: &ObjectRef, slices: &[Value]) -> CheckOutcome {
    let all: Vec<&Value> = slices.iter().filter_map(|slice| slice.get("endpoints")?.as_array()).flatten().collect();
    // A missing `ready` means ready, says the API.
    let is_ready = |endpoint: &&&Value| endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true);
    if all.iter().filter(is_ready).count() > 0 {
        return CheckOutcome::Passed;
    }
    CheckOutcome::Failed(match all.len() {
        0 => format!("Service {} has no endpoints", service.name),
        1 => format!("Service {} has 1 endpoint, and it is not ready", service.name),
        count => format!("Service {} has {count} endpoints, and none is ready", service.name),
    })
}

fn sql(
    expect: Option<&str>,
    password: Option<&(ObjectRef, String)>,
    code: i32,
    stdout: &str,
    stderr: &str,
) -> CheckOutcome {
    if let Some((secret, key)) = password {
        if stderr.contains("password authentication failed") {
            return CheckOutcome::Failed(format!(
                "the database does not accept the password in `{}/{key}`; its volume may have been made with another",
                secret.name
            ));
        }
        if stderr.contains("authentication method requirement") {
            return CheckOutcome::Failed("the database lets everybody in without a password".to_owned());
        }
    }
    run("psql", code, stdout, stderr)
        .unwrap_or_else(|| expect.map_or(CheckOutcome::Passed, |text| printed(stdout, text)))
}

/// Only one refusal counts: a server that cannot be reached refuses everybody.
fn refuses(code: i32, stdout: &str, stderr: &str) -> CheckOutcome {
    match run("psql", code, stdout, stderr) {
        None => CheckOutcome::Failed("a wrong password opens the database".to_owned()),
        Some(_) if stderr.contains("password authentication failed") => CheckOutcome::Passed,
        Some(other) => other,
    }
}

fn resolves(host: &str, code: i32, stdout: &str, stderr: &str) -> CheckOutcome {
    // getent says with 2 that there is no such name.
    if code == 2 || (code == 0 && stdout.trim().is_empty()) {
        return CheckOutcome::Failed(format!("`{host}` does not resolve"));
    }
    run("getent", code, stdout, stderr).unwrap_or(CheckOutcome::Passed)
}

/// Judges how a command ended; `None` if it ended well and its output decides.
fn run(program: &str, code: i32, stdout: &str, stderr: &str) -> Option<CheckOutcome> {
    let words = [stderr, stdout].into_iter().map(str::trim).find(|words| !words.is_empty()).map(shortened);
    match code {
        0 => None,
        // What a shell and a container runtime say of a program that is not there or cannot be run.
        126 | 127 => Some(CheckOutcome::Skipped(format!("the container has no `{program}` that runs"))),
        code => Some(CheckOutcome::Failed(match words {
            Some(words) => format!("`{program}` ended with {code}: {words}"),
            None => format!("`{program}` ended with {code}"),
        })),
    }
}

/// Lines are compared without trailing white space, and so is the end of the text.
fn printed(stdout: &str, expect: &str) -> CheckOutcome {
    let lines = |text: &str| text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    if lines(stdout) == lines(expect) {
        return CheckOutcome::Passed;
    }
    let answer = lines(stdout);
    if answer.is_empty() {
        return CheckOutcome::Failed(format!("it printed nothing, expected `{}`", shortened(expect)));
    }
    CheckOutcome::Failed(format!("it printed `{}`, expected `{}`", shortened(&answer), shortened(expect)))
}

/// The most characters of a command's output that stand in a message.
const SHOWN: usize = 200;

fn shortened(text: &str) -> String {
    let one_line = text.trim().split('\n').map(str::trim_end).collect::<Vec<_>>().join(" | ");
    match one_line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}
