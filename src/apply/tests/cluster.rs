//! A server in memory that keeps objects, and a walk over it in one call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::apply::{Fact, Keyed, Options, Outcome, Record, Stop, Walk, run};
use crate::cluster::fake::{Answer, FakeServer, Seen, page, status};
use crate::event::Event;
use crate::plan::Plan;
use crate::plan::tests::world::keyed;
use crate::resource::{FIELD_MANAGER, STACK_LABEL};
use crate::service::Check;
use crate::ssa;

/// Answers a request before the server does; `None` leaves it to the server.
type Fault = dyn FnMut(&Seen, &mut BTreeMap<String, Value>) -> Option<Answer> + Send;

/// Objects by the path of their URL.
pub(super) type Objects = Arc<Mutex<BTreeMap<String, Value>>>;

pub(super) struct Run {
    pub(super) server: FakeServer,
    pub(super) objects: Objects,
    pub(super) options: Options,
    pub(super) checks: BTreeMap<String, Check>,
    pub(super) keyed: Keyed,
    pub(super) stop: watch::Sender<Stop>,
    /// Answers to the records, in their order; after the last, all are good.
    pub(super) recording: VecDeque<Result<(), String>>,
}

pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) events: Vec<Event>,
    pub(super) records: Vec<Record>,
}

impl Run {
    /// A server that does what the API server does, but for what `fault` answers.
    pub(super) fn new(
        live: &[Value],
        mut fault: impl FnMut(&Seen, &mut BTreeMap<String, Value>) -> Option<Answer> + Send + 'static,
    ) -> Self {
        let objects: Objects = Arc::default();
        for object in live {
            objects.lock().unwrap().insert(path_of(object), object.clone());
        }
        let kept = Arc::clone(&objects);
        let fault: Mutex<Box<Fault>> = Mutex::new(Box::new(move |seen, objects| fault(seen, objects)));
        let server = FakeServer::new(move |seen| {
            let mut objects = kept.lock().unwrap();
            if let Some(answer) = (fault.lock().unwrap())(seen, &mut objects) {
                return answer;
            }
            serve(seen, &mut objects)
        });
        let options = Options { timeout: Duration::from_secs(60), wait: true, run_checks: true, parallelism: 4 };
        let keyed: Keyed = Arc::new(keyed);
        let stop = watch::Sender::new(Stop::No);
        Self { server, objects, options, checks: BTreeMap::new(), keyed, stop, recording: VecDeque::new() }
    }

    pub(super) async fn walk(&mut self, plan: &Plan) -> Ended {
        let (events, mut heard) = mpsc::unbounded_channel();
        let mut records = Vec::new();
        let mut answers = std::mem::take(&mut self.recording);
        let mut record = |record: Record| {
            records.push(record);
            answers.pop_front().unwrap_or(Ok(()))
        };
        let outcome = run(Walk {
            cluster: self.server.cluster(),
            plan,
            label: (STACK_LABEL.to_owned(), "shop.shop".to_owned()),
            checks: &self.checks,
            declared: Arc::default(),
            keyed: Arc::clone(&self.keyed),
            find_secret: Arc::new(|_, _| None),
            options: self.options.clone(),
            stop: self.stop.subscribe(),
            events,
            record: &mut record,
        })
        .await;
        let mut told = Vec::new();
        while let Ok(event) = heard.try_recv() {
            told.push(event);
        }
        Ended { outcome, events: told, records }
    }

    /// The writes that arrived: verb and path.
    pub(super) fn writes(&self) -> Vec<String> {
        let short = |line: String| {
            let line = line.split('?').next().unwrap_or_default();
            line.rsplit_once("/namespaces/shop/")
                .map_or(line.to_owned(), |(_, path)| format!("{} {path}", line.split(' ').next().unwrap_or_default()))
        };
        self.server.lines().into_iter().filter(|line| !line.starts_with("GET")).map(short).collect()
    }

    pub(super) fn bodies(&self, verb: &str) -> Vec<Value> {
        self.server.requests().into_iter().filter(|seen| seen.line.starts_with(verb)).map(|seen| seen.body).collect()
    }
}

impl Ended {
    /// How each resource and check ended.
    pub(super) fn ends(&self) -> String {
        let resources =
            self.outcome.ends.iter().map(|(address, (action, end))| format!("{action:?} {address}: {end:?}"));
        let checks = self.outcome.checks.iter().map(|check| format!("check {}: {:?}", check.name, check.outcome));
        resources.chain(checks).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn facts(&self) -> Vec<String> {
        let fact = |fact: &Fact| match fact {
            Fact::Applied(entry) => format!("applied uid {}", entry.uid),
            other => format!("{other:?}"),
        };
        self.records.iter().map(|record| format!("{}: {}", record.object.name, fact(&record.fact))).collect()
    }

    pub(super) fn waiting(&self) -> Vec<(u64, String)> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::ResourceWaiting { why, elapsed, .. } => Some((elapsed.as_secs(), why.clone())),
                _ => None,
            })
            .collect()
    }
}

pub(super) fn path_of(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = text("/apiVersion");
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    let plural = format!("{}s", text("/kind").to_lowercase());
    match text("/metadata/namespace").as_str() {
        "" => format!("{root}/{plural}/{}", text("/metadata/name")),
        namespace => format!("{root}/namespaces/{namespace}/{plural}/{}", text("/metadata/name")),
    }
}

fn moved() -> Answer {
    let message = "Operation cannot be fulfilled on x \"x\": the object has been modified; please apply your changes to the latest version and try again";
    status(409, "Conflict", message, json!({"name": "x"}))
}

fn serve(seen: &Seen, objects: &mut BTreeMap<String, Value>) -> Answer {
    let (verb, rest) = seen.line.split_once(' ').unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_list =
        !path.rsplit_once('/').is_some_and(|(above, _)| above.ends_with('s') && !above.ends_with("/namespaces"))
            && path != "/api/v1/namespaces/shop";
    if query.contains("watch=true") {
        return Answer::Never;
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let found = objects.get(path).cloned();
    let newest = objects.values().filter_map(version).max().unwrap_or(0);
    match (verb, found) {
        ("GET", None) if is_list => {
            let below = format!("{path}/");
            page(
                objects
                    .iter()
                    .filter(|(place, _)| place.starts_with(&below))
                    .map(|(_, object)| object.clone())
                    .collect(),
                None,
                newest,
            )
        }
        ("GET" | "DELETE", None) => status(404, "NotFound", "not found", json!({"name": name, "kind": "x"})),
        ("GET", Some(object)) => Answer::Json(200, object),
        ("DELETE", Some(object)) => {
            let wanted = &seen.body["preconditions"];
            let differs = |key: &str| !wanted[key].is_null() && wanted[key] != object["metadata"][key];
            if differs("uid") || differs("resourceVersion") {
                return moved();
            }
            objects.remove(path);
            Answer::Json(200, json!({"kind": "Status", "status": "Success"}))
        }
        (_, found) => apply(seen, path, query, found, newest + 1, objects),
    }
}

fn version(object: &Value) -> Option<u64> {
    object.pointer("/metadata/resourceVersion")?.as_str()?.parse().ok()
}

fn apply(
    seen: &Seen,
    path: &str,
    query: &str,
    found: Option<Value>,
    newest: u64,
    objects: &mut BTreeMap<String, Value>,
) -> Answer {
    let mut config = seen.body.clone();
    let metadata = config["metadata"].as_object_mut().unwrap();
    let (uid, resource_version) = (metadata.remove("uid"), metadata.remove("resourceVersion"));
    if let Some(live) = &found {
        if uid.is_some_and(|uid| uid != live["metadata"]["uid"]) {
            return status(422, "Invalid", "x is invalid: metadata.uid: Invalid value: field is immutable", json!({}));
        }
        if resource_version.is_some_and(|wanted| wanted != live["metadata"]["resourceVersion"]) {
            return moved();
        }
    }
    let applied = ssa::apply(&ssa::Schema::deduced(), found.as_ref(), &config, FIELD_MANAGER).unwrap();
    if !applied.conflicts.is_empty() && !query.contains("force=true") {
        let causes: Vec<Value> = applied
            .conflicts
            .iter()
            .map(|conflict| json!({"reason": "FieldManagerConflict", "message": "conflict", "field": conflict.path.to_string()}))
            .collect();
        return status(409, "Conflict", "Apply failed with conflicts", json!({"causes": causes}));
    }
    let mut object = applied.object.into_owned();
    let metadata = object["metadata"].as_object_mut().unwrap();
    let name = metadata["name"].as_str().unwrap().to_owned();
    metadata.entry("uid").or_insert(json!(format!("uid-of-{name}")));
    metadata.insert("resourceVersion".to_owned(), json!(newest.to_string()));
    objects.insert(path.to_owned(), object.clone());
    Answer::Json(if found.is_some() { 200 } else { 201 }, object)
}
