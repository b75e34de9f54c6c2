//! Counts requests in the API server's audit log, or in the one that the sandbox of a test keeps in memory.
//!
//! A server writes a request's line when it has answered it, so a reader may come too early. Nobody sleeps for that: a
//! [`Mark`] is a request of our own with a name that occurs once, and whoever sees its line has seen those before it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The log of one server.
pub struct AuditLog {
    kept: Kept,
}

/// Where it is. What is in memory is there before its request is answered, so nobody comes too early.
enum Kept {
    File(PathBuf),
    Memory(Arc<Mutex<Vec<Value>>>),
}

/// A place in the log.
#[derive(Debug, Clone, Copy)]
pub struct Mark(u64);

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Verb as authorisation has it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Resource, with its group and subresource where it has one (`deployments.apps`, `pods/log`), or the path of a
    /// request that is about none (`/openapi/v3`).
    pub resource: String,
    /// Namespace, empty for a cluster-scoped one.
    pub namespace: String,
    /// Name, empty for a list.
    pub name: String,
    /// Path and query.
    pub uri: String,
    /// Status code of the answer.
    pub code: i64,
    /// Who asked.
    pub user: String,
    /// With which program.
    pub agent: String,
}

impl Request {
    /// Tells whether nothing was to be kept.
    pub fn is_dry_run(&self) -> bool {
        self.uri.contains("dryRun=")
    }

    /// Tells whether it was to change something. Access reviews are created, but only ask.
    pub fn is_write(&self) -> bool {
        let changes = ["create", "update", "patch", "delete", "deletecollection"].contains(&self.verb.as_str());
        changes && !self.is_dry_run() && !self.resource.contains("reviews.authorization.k8s.io")
    }

    /// Tells whether it fetched a further page of a list.
    pub fn is_further_page(&self) -> bool {
        self.verb == "list" && self.uri.contains("continue=")
    }

    fn from_event(event: &Value) -> Self {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let uri = text("/requestURI");
        let mut resource = text("/objectRef/resource");
        let group = text("/objectRef/apiGroup");
        if !group.is_empty() {
            resource = format!("{resource}.{group}");
        }
        let subresource = text("/objectRef/subresource");
        if !subresource.is_empty() {
            resource = format!("{resource}/{subresource}");
        }
        if resource.is_empty() {
            resource = uri.split('?').next().unwrap_or_default().to_owned();
        }
        Self {
            verb: text("/verb"),
            resource,
            namespace: text("/objectRef/namespace"),
            name: text("/objectRef/name"),
            code: event.pointer("/responseStatus/code").and_then(Value::as_i64).unwrap_or_default(),
            user: text("/user/username"),
            agent: text("/userAgent"),
            uri,
        }
    }
}

/// The requests of one program between two marks. Shown as a table of counts.
#[derive(Debug, Clone, Default)]
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// Returns those of whom this is true.
    pub fn only(&self, wanted: impl Fn(&Request) -> bool) -> Self {
        Self(self.0.iter().filter(|request| wanted(request)).cloned().collect())
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns those that were to change something.
    pub fn writes(&self) -> Self {
        self.only(Request::is_write)
    }

    /// Returns those that asked what a write would give.
    pub fn dry_runs(&self) -> Self {
        self.only(Request::is_dry_run)
    }

    /// Returns the further pages of lists.
    pub fn further_pages(&self) -> Self {
        self.only(Request::is_further_page)
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = BTreeMap::<String, usize>::new();
        for request in &self.0 {
            let dry_run = if request.is_dry_run() { " (dry run)" } else { "" };
            *counts.entry(format!("{} {}{dry_run} {}", request.verb, request.resource, request.code)).or_default() += 1;
        }
        for (what, count) in &counts {
            writeln!(f, "{count:>6}  {what}")?;
        }
        write!(f, "{:>6}  in all", self.count())
    }
}

impl AuditLog {
    /// Names the log's file; it is opened anew for each question.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { kept: Kept::File(path.into()) }
    }

    /// Reads events as they are put into this list.
    pub fn in_memory(events: Arc<Mutex<Vec<Value>>>) -> Self {
        Self { kept: Kept::Memory(events) }
    }

    /// Returns the place right after the line of the request whose path ends with `marker`, made just before.
    pub fn mark_at(&self, marker: &str) -> Mark {
        let begin = if matches!(self.kept, Kept::Memory(_)) { 0 } else { self.length().saturating_sub(TAIL) };
        Mark(self.scan(Mark(begin), marker, |_| {}))
    }

    /// Returns the requests between a mark and the line of `marker`.
    pub fn between(&self, since: Mark, marker: &str) -> Requests {
        Requests(self.events_between(since, marker).iter().map(Request::from_event).collect())
    }

    /// Returns the events themselves, one a request.
    pub fn events_between(&self, since: Mark, marker: &str) -> Vec<Value> {
        let mut seen = BTreeSet::new();
        let mut events = Vec::new();
        self.scan(since, marker, |event| {
            // A watch has a line when it begins and one when it ends.
            let id = event.get("auditID").and_then(Value::as_str).unwrap_or_default();
            if seen.insert(id.to_owned()) {
                events.push(event.clone());
            }
        });
        events
    }

    fn length(&self) -> u64 {
        match &self.kept {
            Kept::File(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
            Kept::Memory(events) => events.lock().expect("the log").len() as u64,
        }
    }

    /// Hands every whole event from `since` on to `each`, until the marker's own has come; returns the place after it.
    fn scan(&self, since: Mark, marker: &str, mut each: impl FnMut(&Value)) -> u64 {
        let path = match &self.kept {
            Kept::File(path) => path,
            Kept::Memory(events) => {
                let events = events.lock().expect("the log");
                let begin = usize::try_from(since.0).expect("a place in memory");
                let is_marker = |event: &Value| event["requestURI"].as_str().is_some_and(|uri| uri.ends_with(marker));
                let count = events[begin..].iter().position(is_marker).expect("the marker is in the log");
                events[begin..begin + count].iter().for_each(each);
                return since.0 + count as u64 + 1;
            }
        };
        let file = File::open(path).unwrap_or_else(|error| panic!("open {}: {error}", path.display()));
        let mut reader = BufReader::new(file);
        let mut place = since.0;
        reader.seek(SeekFrom::Start(place)).expect("go to a place in the audit log");
        let end = Instant::now() + Duration::from_secs(20);
        let mut line = String::new();
        loop {
            let length = reader.read_line(&mut line).expect("read the audit log");
            if !line.ends_with('\n') {
                // The rest of it is still being written.
                assert!(Instant::now() < end, "the audit log never showed {marker}");
                thread::sleep(Duration::from_millis(10));
                continue;
            }
            place += line.len() as u64;
            debug_assert!(length > 0);
            // A scan that begins in the middle of a line skips what is left of it.
            if let Ok(event) = serde_json::from_str::<Value>(&line) {
                if event.get("requestURI").and_then(Value::as_str).is_some_and(|uri| uri.ends_with(marker)) {
                    return place;
                }
                each(&event);
            }
            line.clear();
        }
    }
}

/// How far before the end of the log a mark made just now may stand.
const TAIL: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[&str]) -> (tempfile::NamedTempFile, AuditLog) {
        let file = tempfile::NamedTempFile::new().expect("make a file");
        std::fs::write(file.path(), lines.iter().map(|line| format!("{line}\n")).collect::<String>())
            .expect("write it");
        let log = AuditLog::new(file.path());
        (file, log)
    }

    #[test]
    fn requests_between_two_marks_are_told_apart() {
        let (_file, log) = log(&[
            r#"{"auditID":"0","requestURI":"/before","verb":"get"}"#,
            r#"{"auditID":"1","requestURI":"/m1","verb":"get"}"#,
            r#"{"auditID":"2","requestURI":"/apis/apps/v1/namespaces/n/deployments?limit=500","verb":"list","objectRef":{"resource":"deployments","apiGroup":"apps","namespace":"n"},"responseStatus":{"code":200}}"#,
            r#"{"auditID":"3","requestURI":"/apis/apps/v1/namespaces/n/deployments?limit=500&continue=x","verb":"list","objectRef":{"resource":"deployments","apiGroup":"apps","namespace":"n"},"responseStatus":{"code":200}}"#,
            r#"{"auditID":"4","requestURI":"/api/v1/namespaces/n/configmaps/c?dryRun=All","verb":"patch","objectRef":{"resource":"configmaps","namespace":"n","name":"c"},"responseStatus":{"code":200}}"#,
            r#"{"auditID":"5","requestURI":"/api/v1/namespaces/n/configmaps/c","verb":"patch","objectRef":{"resource":"configmaps","namespace":"n","name":"c"},"responseStatus":{"code":200}}"#,
            r#"{"auditID":"6","requestURI":"/api/v1/namespaces/n/pods?watch=1","verb":"watch","stage":"ResponseStarted","objectRef":{"resource":"pods","namespace":"n"},"responseStatus":{"code":200}}"#,
            r#"{"auditID":"6","requestURI":"/api/v1/namespaces/n/pods?watch=1","verb":"watch","stage":"ResponseComplete","objectRef":{"resource":"pods","namespace":"n"},"responseStatus":{"code":200}}"#,
            r#"{"auditID":"7","requestURI":"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews","verb":"create","objectRef":{"resource":"selfsubjectaccessreviews","apiGroup":"authorization.k8s.io"},"responseStatus":{"code":201}}"#,
            r#"{"auditID":"8","requestURI":"/openapi/v3?x=1","verb":"get","responseStatus":{"code":200}}"#,
            r#"{"auditID":"9","requestURI":"/m2","verb":"get"}"#,
        ]);
        let requests = log.between(log.mark_at("/m1"), "/m2");
        insta::assert_snapshot!(requests, @"
             1  create selfsubjectaccessreviews.authorization.k8s.io 201
             1  get /openapi/v3 200
             2  list deployments.apps 200
             1  patch configmaps (dry run) 200
             1  patch configmaps 200
             1  watch pods 200
             7  in all
        ");
        assert_eq!(
            (requests.writes().count(), requests.dry_runs().count(), requests.further_pages().count()),
            (1, 1, 1)
        );
    }
}
