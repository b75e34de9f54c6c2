//! Sequences of requests about one kind of object, made up from a number.

use serde_json::{Value, json};

use super::bases::{Base, Place};
use super::dice::Dice;
use super::mutation::{Edit, edited, edits, json_patch, merge_patch, sparse};
use super::queries;
use super::script::Source;
use super::step::{Body, Seen, Step};

const JSON: &str = "application/json";
const APPLY: &str = "application/apply-patch+yaml";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PARTIAL: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
const PARTIAL_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
/// Requests of a sequence.
const REQUESTS: usize = 10;
pub const MANAGERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// A sequence that is being made up as it runs.
pub struct Sequence<'a> {
    dice: Dice,
    bases: Vec<&'a Base>,
    pub namespace: String,
    names: [String; 2],
    begun: bool,
    left: usize,
}

#[derive(Clone, Copy)]
enum Deed {
    Create,
    Put,
    Merge,
    Strategic,
    Json,
    Apply,
    Status,
    Scale,
    Get,
    List,
    Delete,
    DeleteAll,
    Generate,
}

impl Source for Sequence<'_> {
    fn kind(&self) -> String {
        format!("{}/{}", self.place().group, self.place().kind)
    }

    fn collection(&self) -> String {
        self.place().collection(&self.namespace)
    }

    fn next(&mut self, seen: &Seen) -> Option<Step> {
        self.left = self.left.checked_sub(1)?;
        Some(self.made_up(seen))
    }
}

impl<'a> Sequence<'a> {
    pub fn new(seed: u64, label: &str, bases: &'a [Base]) -> Self {
        let mut dice = Dice::new(seed);
        // Kinds come about equally often, however many objects there are of each.
        let mut kinds: Vec<&str> = bases.iter().map(|base| base.kind.kind.as_str()).collect();
        kinds.dedup();
        let kind = *dice.pick(&kinds);
        let bases = bases.iter().filter(|base| base.kind.kind == kind).collect();
        // Some names are domain names.
        let names = [format!("{label}.a"), format!("{label}.b")];
        let names = if kind == "Service" { names.map(|name| name.replace('.', "-")) } else { names };
        Self { dice, bases, namespace: label.to_owned(), names, begun: false, left: REQUESTS }
    }

    pub fn place(&self) -> &Place {
        &self.bases[0].kind
    }

    fn placed(&self, object: &Value) -> Value {
        let text = object.to_string().replace("@namespace@", &self.namespace);
        serde_json::from_str(&text).expect("it was just written")
    }

    fn made_up(&mut self, seen: &Seen) -> Step {
        let name = self.names[usize::from(self.dice.percent(15))].clone();
        let base = *self.dice.pick(&self.bases);
        let current = seen.objects.get(&name).cloned();
        let (kind, absent) = (base.kind.clone(), current.is_none());
        let deed = if !self.begun {
            self.begun = true;
            self.dice.weighted(&[(70, Deed::Create), (27, Deed::Apply), (3, Deed::Put)])
        } else {
            self.dice.weighted(&[
                (if absent { 60 } else { 5 }, Deed::Create),
                (14, Deed::Put),
                (12, Deed::Merge),
                (12, Deed::Strategic),
                (10, Deed::Json),
                (20, Deed::Apply),
                (if kind.has("status") { 12 } else { 1 }, Deed::Status),
                (if kind.has("scale") { 10 } else { 0 }, Deed::Scale),
                (6, Deed::Get),
                (8, Deed::List),
                (8, Deed::Delete),
                (1, Deed::DeleteAll),
                (2, Deed::Generate),
            ])
        };
        let mut fresh = self.placed(&base.object);
        fresh["metadata"]["name"] = json!(name);
        let shown = current.unwrap_or_else(|| fresh.clone());
        let collection = kind.collection(&self.namespace);
        let path = format!("{collection}/{name}");
        let (query, is_idle) = queries::of_write(&mut self.dice);
        let step = |method: &str, path: String, content: &str, body| Step {
            method: method.to_owned(),
            path,
            content: content.to_owned(),
            accept: JSON.to_owned(),
            body,
            about: Some(name.clone()),
            is_idle,
        };
        match deed {
            Deed::Create => {
                let object =
                    if self.dice.percent(30) { edited(fresh.clone(), &edits(&fresh, &mut self.dice)) } else { fresh };
                step("POST", format!("{collection}?{query}"), JSON, Body::Text(object.to_string()))
            }
            Deed::Generate => {
                let mut object = fresh;
                object["metadata"] = json!({"generateName": "made-"});
                let mut step = step("POST", format!("{collection}?{query}"), JSON, Body::Text(object.to_string()));
                step.about = None;
                step
            }
            Deed::Put => {
                let mut changes = edits(&shown, &mut self.dice);
                match self.dice.below(10) {
                    0 => changes.push(Edit::Set(vec!["metadata".into(), "resourceVersion".into()], json!("1"))),
                    1 | 2 => changes.push(Edit::Remove(vec!["metadata".into(), "resourceVersion".into()])),
                    3 => changes.push(Edit::Remove(vec!["metadata".into(), "managedFields".into()])),
                    4 => changes.push(Edit::Set(vec!["metadata".into(), "managedFields".into()], json!([]))),
                    _ => {}
                }
                let body = if absent || self.dice.percent(10) {
                    Body::Text(edited(fresh, &changes).to_string())
                } else {
                    Body::Current(changes)
                };
                step("PUT", format!("{path}?{query}"), JSON, body)
            }
            Deed::Merge | Deed::Strategic => {
                let after = edited(shown.clone(), &edits(&shown, &mut self.dice));
                let mut patch = merge_patch(&shown, &after);
                let is_strategic = matches!(deed, Deed::Strategic);
                if is_strategic {
                    self.make_strategic(&mut patch);
                }
                if self.dice.percent(5) {
                    patch["metadata"]["resourceVersion"] = json!(*self.dice.pick(&["@stale@", "@version@"]));
                }
                let content = if is_strategic {
                    "application/strategic-merge-patch+json"
                } else {
                    "application/merge-patch+json"
                };
                step("PATCH", format!("{path}?{query}"), content, Body::Text(patch.to_string()))
            }
            Deed::Json => {
                let changes = edits(&shown, &mut self.dice);
                let patch = json_patch(&changes, &shown, &mut self.dice);
                step("PATCH", format!("{path}?{query}"), "application/json-patch+json", Body::Text(patch.to_string()))
            }
            Deed::Apply => {
                let mut config = sparse(&fresh, &mut self.dice);
                if self.dice.percent(50) {
                    config = edited(config.clone(), &edits(&config, &mut self.dice));
                }
                let query = queries::of_apply(&mut self.dice, &query);
                step("PATCH", format!("{path}?{query}"), APPLY, Body::Text(config.to_string()))
            }
            Deed::Status => self.status(&path, &query, &shown, &kind, step),
            Deed::Scale => {
                let count = self.dice.pick(&[json!(0), json!(1), json!(5), json!(-1), json!("x")]).clone();
                let mut step = match self.dice.below(4) {
                    0 => step("GET", format!("{path}/scale"), "", Body::Text(String::new())),
                    1 => step(
                        "PATCH",
                        format!("{path}/scale?{query}"),
                        "application/merge-patch+json",
                        Body::Text(json!({"spec": {"replicas": count}}).to_string()),
                    ),
                    2 => {
                        let mut scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name, "namespace": self.namespace}, "spec": {"replicas": count}});
                        if self.dice.percent(30) {
                            scale["metadata"]["resourceVersion"] = json!("@stale@");
                        }
                        step("PUT", format!("{path}/scale?{query}"), JSON, Body::Text(scale.to_string()))
                    }
                    _ => {
                        let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name}, "spec": {"replicas": count}});
                        let query = queries::of_apply(&mut self.dice, &query);
                        step("PATCH", format!("{path}/scale?{query}"), APPLY, Body::Text(scale.to_string()))
                    }
                };
                step.is_idle = true;
                step
            }
            Deed::Get => {
                let mut step = step("GET", path, "", Body::Text(String::new()));
                let (accept, is_idle) =
                    self.dice.weighted(&[(60, (JSON, false)), (20, (TABLE, true)), (20, (PARTIAL, true))]);
                (step.accept, step.is_idle) = (accept.to_owned(), is_idle);
                step
            }
            Deed::List => {
                let mut step = step(
                    "GET",
                    queries::of_list(&mut self.dice, &collection, &name, &kind, &self.namespace),
                    "",
                    Body::Text(String::new()),
                );
                step.accept = self.dice.weighted(&[(50, JSON), (30, TABLE), (20, PARTIAL_LIST)]).to_owned();
                step.about = None;
                step
            }
            Deed::Delete => {
                let query = if is_idle { "dryRun=All" } else { "" };
                step("DELETE", format!("{path}?{query}"), JSON, Body::Text(queries::delete_options(&mut self.dice)))
            }
            Deed::DeleteAll => {
                // Other sequences have objects of the same cluster.
                let selector = if kind.namespaced {
                    "labelSelector=app%3D1".to_owned()
                } else {
                    format!("fieldSelector=metadata.name%3D{name}")
                };
                let mut step = step("DELETE", format!("{collection}?{selector}"), JSON, Body::Text(String::new()));
                step.about = None;
                step
            }
        }
    }

    /// Makes what only strategic merge patches have of a merge patch.
    fn make_strategic(&mut self, patch: &mut Value) {
        let Some(fields) = patch.as_object_mut() else { return };
        if self.dice.percent(6) {
            let directive = *self.dice.pick(&["replace", "delete", "merge", "nonsense"]);
            let keys: Vec<String> = fields.keys().cloned().collect();
            if let Some(key) = keys.first()
                && let Some(inner) = fields[key].as_object_mut()
            {
                inner.insert("$patch".to_owned(), json!(directive));
            }
        }
        // Whether what is added at the same time goes too is chance: the server walks the patch as a Go map.
        let adds = fields.get("metadata").is_some_and(|metadata| metadata.get("finalizers").is_some());
        if self.dice.percent(6) && !adds {
            fields.entry("metadata").or_insert_with(|| json!({}))["$deleteFromPrimitiveList/finalizers"] =
                json!(["example.com/hold"]);
        }
        if self.dice.percent(3) {
            fields.entry("metadata").or_insert_with(|| json!({}))["$setElementOrder/finalizers"] =
                json!(["example.com/more", "example.com/hold"]);
        }
    }

    fn status(
        &mut self,
        path: &str,
        query: &str,
        shown: &Value,
        kind: &Place,
        step: impl Fn(&str, String, &str, Body) -> Step,
    ) -> Step {
        let condition = json!({"type": "Ready", "status": "True", "lastTransitionTime": "2024-01-01T00:00:00Z", "reason": "Fine", "message": ""});
        let status = match self.dice.below(8) {
            0 => json!({}),
            1 => json!({"unknown": 1}),
            2 => json!({"conditions": [condition, condition]}),
            3 => json!({"replicas": 2, "readyReplicas": 1, "observedGeneration": 1}),
            4 => json!({"replicas": -1}),
            5 => json!("text"),
            6 => json!({"phase": "Running", "loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}),
            _ => json!({"conditions": [condition]}),
        };
        let path = format!("{path}/status?{query}");
        match self.dice.below(5) {
            0 => step("GET", path, "", Body::Text(String::new())),
            1 => {
                let mut config = json!({"apiVersion": shown["apiVersion"], "kind": kind.kind, "metadata": {"name": shown["metadata"]["name"]}, "status": status});
                if self.dice.percent(20) {
                    config["metadata"]["labels"] = json!({"app": "status"});
                }
                let path = format!(
                    "{}?{}",
                    path.split('?').next().unwrap_or_default(),
                    queries::of_apply(&mut self.dice, query)
                );
                step("PATCH", path, APPLY, Body::Text(config.to_string()))
            }
            2 | 3 => {
                let content = if self.dice.percent(50) {
                    "application/merge-patch+json"
                } else {
                    "application/strategic-merge-patch+json"
                };
                let mut patch = json!({"status": status});
                if self.dice.percent(20) {
                    patch["metadata"] = json!({"labels": {"app": "status"}});
                }
                if self.dice.percent(10) {
                    patch["spec"] = json!({"replicas": 9});
                }
                step("PATCH", path, content, Body::Text(patch.to_string()))
            }
            _ => {
                let mut changes = vec![Edit::Set(vec!["status".to_owned()], status)];
                if self.dice.percent(30) {
                    changes.extend(edits(shown, &mut self.dice));
                }
                step("PUT", path, JSON, Body::Current(changes))
            }
        }
    }
}
