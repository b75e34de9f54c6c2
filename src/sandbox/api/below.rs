//! Requests about what lies below an object: its status, its scale, and what is done to it by posting something.

use std::sync::Arc;

use serde_json::{Value, json};

use super::objects::{done, patch, patch_sort, put};
use super::{Api, Asked, answers};
use crate::sandbox::access::token_request;
use crate::sandbox::answer::Answer;
use crate::sandbox::convert;
use crate::sandbox::decode::{self, Verb, WriteOptions};
use crate::sandbox::kind::{Kind, Subresource};
use crate::sandbox::kinds::Kinds;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::view::View as _;
use crate::sandbox::write::{self, DeleteOptions, Place};

/// What needs a container to answer.
const OF_CONTAINERS: [&str; 5] = ["log", "exec", "attach", "portforward", "proxy"];

pub(super) fn answer(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let Asked { call, target, kind, .. } = *asked;
    let path = target.subresource.as_deref().unwrap_or_default();
    let first = path.split('/').next().unwrap_or_default();
    let (namespace, name) = (asked.namespace(), asked.name());
    let subresource = kind.subresource(first).ok_or_else(|| match kind.custom {
        Some(_) => Refusal::not_found(kind, &name),
        None => Refusal::no_such_path(),
    })?;
    // Only what is passed on to somebody else may have more steps.
    let is_too_long = path.contains('/') && first != "proxy";
    if is_too_long || (kind.namespaced && namespace.is_empty()) {
        return Err(Refusal::no_such_path());
    }
    if OF_CONTAINERS.contains(&first) {
        if !subresource.verbs.contains(&asked.attributes.verb.as_str()) {
            return Err(Refusal::method_not_allowed());
        }
        exists(api, kind, &namespace, &name)?;
        return Err(Refusal::new(501, "NotImplemented", "the sandbox runs no containers".to_owned()));
    }
    let allowed =
        |verb: &str| if subresource.verbs.contains(&verb) { Ok(()) } else { Err(Refusal::method_not_allowed()) };
    match (&call.method, first) {
        (&http::Method::GET, "scale") => {
            allowed("get")?;
            let state = api.state();
            let scale = write::get_scale(&state, &asked.place(&WriteOptions::default()))?;
            let now = state.clock.now();
            drop(state);
            let kind = posted(api, kind, subresource)?;
            answers::object_answer(call, &kind, &Arc::new(scale), 200, now)
        }
        (&http::Method::GET, _) => {
            allowed("get")?;
            let object = exists(api, kind, &namespace, &name)?;
            let now = api.state().clock.now();
            answers::object_answer(call, kind, &Arc::new(convert::to(kind, &object).into_owned()), 200, now)
        }
        (&http::Method::PUT, "scale") => {
            allowed("update")?;
            let options = WriteOptions::from_query(call.query.pairs(), Verb::Update)?;
            let scale = posted(api, kind, subresource)?;
            let decoded = decode::body(&scale, &call.body, call.content_type.as_deref(), options.field_validation);
            // Where custom resources are served, errors about a scale are themselves an error.
            let decoded = decoded.map_err(|refusal| match kind.custom {
                Some(_) if refusal.code == 400 => {
                    let message = "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"";
                    Refusal::bad_request(message)
                }
                _ => refusal,
            })?;
            let place = asked.place(&options);
            done(api, call, &scale, &place, |state| write::put_scale(state, &place, decoded, &options))
        }
        (&http::Method::PATCH, "scale") => {
            allowed("patch")?;
            let scale = posted(api, kind, subresource)?;
            let sort = patch_sort(call, kind)?;
            let verb = if sort.is_none() { Verb::Apply } else { Verb::Patch };
            let options = WriteOptions::from_query(call.query.pairs(), verb)?;
            let place = asked.place(&options);
            done(api, call, &scale, &place, |state| {
                write::patch_scale(state, &place, &scale, sort, &call.body, &options)
            })
        }
        (&http::Method::PUT, _) => {
            allowed("update")?;
            put(api, asked)
        }
        (&http::Method::PATCH, _) => {
            allowed("patch")?;
            patch(api, asked)
        }
        (&http::Method::POST, "token") => {
            allowed("create")?;
            let posted = posted(api, kind, subresource)?;
            let options = WriteOptions::from_query(call.query.pairs(), Verb::Create)?;
            let decoded = decode::body(&posted, &call.body, call.content_type.as_deref(), options.field_validation)?;
            let mut state = api.state();
            let id = state.random.uid();
            let answered = token_request(&*state, &api.tokens, (&namespace, &name), &decoded.object, id)?;
            Ok(answers::json(201, &answered))
        }
        (&http::Method::POST, "eviction") => {
            allowed("create")?;
            evict(api, asked, subresource)
        }
        (&http::Method::POST, "binding") => {
            allowed("create")?;
            bind(api, asked, subresource)
        }
        _ if kind.custom.is_some() => {
            let verb = asked.attributes.verb.as_str();
            let message = format!("{verb} is not supported on resources of kind {:?}", kind.qualified());
            let mut refusal = Refusal::new(405, "MethodNotAllowed", message);
            refusal.details = json!({"group": kind.group, "kind": kind.plural}).as_object().cloned();
            Err(refusal)
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn exists(api: &Api, kind: &Kind, namespace: &str, name: &str) -> Result<Arc<Value>, Refusal> {
    let state = api.state();
    let key = state.key(kind, namespace, name);
    state.store.get(&key).map(|stored| Arc::clone(stored.object())).ok_or_else(|| Refusal::not_found(kind, name))
}

/// The kind of what a subresource takes.
fn posted(api: &Api, kind: &Kind, subresource: &Subresource) -> Result<Arc<Kind>, Refusal> {
    let (group, version) = match &subresource.group_version {
        Some((group, version)) => (group.as_str(), version.as_str()),
        None => (kind.group.as_str(), kind.version.as_str()),
    };
    if let Some(below) = Kinds::below(group, version, &subresource.kind) {
        return Ok(Arc::clone(below));
    }
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let state = api.state();
    state.kinds.of_object(&api_version, &subresource.kind).cloned().ok_or_else(Refusal::no_such_path)
}

fn success() -> Answer {
    answers::json(201, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}))
}

/// Deletes a pod if the budgets that it counts for can spare it.
fn evict(api: &Api, asked: &Asked<'_>, subresource: &Subresource) -> Result<Answer, Refusal> {
    let Asked { call, kind, .. } = *asked;
    let (namespace, name) = (asked.namespace(), asked.name());
    let (namespace, name) = (namespace.as_str(), name.as_str());
    let eviction = posted(api, kind, subresource)?;
    let options = WriteOptions::from_query(call.query.pairs(), Verb::Create)?;
    let decoded = decode::body(&eviction, &call.body, call.content_type.as_deref(), options.field_validation)?;
    if decoded.object.pointer("/metadata/name").and_then(Value::as_str) != Some(name) {
        return Err(Refusal::bad_request("name in URL does not match name in Eviction object"));
    }
    let how = decoded.object.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
    let mut how = DeleteOptions::read(Some(&how), &call.query)?;
    how.dry_run |= options.dry_run;
    let place = Place { subresource: None, ..asked.place(&options) };
    api.with(|state| -> Result<(), Refusal> {
        let key = state.key(kind, namespace, name);
        let pod = state.store.get(&key).map(|stored| Arc::clone(stored.object()));
        let pod = pod.ok_or_else(|| Refusal::not_found(kind, name))?;
        let budgets: Vec<Arc<Value>> = state
            .list("policy", "PodDisruptionBudget", Some(namespace))
            .into_iter()
            .filter(|budget| budget.pointer("/spec/selector").is_some_and(|selector| selects(selector, &pod)))
            .collect();
        if let Some(budget) = budgets
            .iter()
            .find(|budget| budget.pointer("/status/disruptionsAllowed").and_then(Value::as_i64).unwrap_or(0) < 1)
        {
            let number = |pointer: &str| budget.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
            let message = "Cannot evict pod as it would violate the pod's disruption budget.";
            let why = format!(
                "The disruption budget {} needs {} healthy pods and has {} currently",
                budget["metadata"]["name"].as_str().unwrap_or_default(),
                number("/status/desiredHealthy"),
                number("/status/currentHealthy")
            );
            let mut refusal = Refusal::new(429, "TooManyRequests", message);
            refusal.details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]}).as_object().cloned();
            return Err(refusal);
        }
        write::delete(state, &place, &how).map(|_| ())
    })?;
    Ok(success())
}

/// Puts a pod on a node.
fn bind(api: &Api, asked: &Asked<'_>, subresource: &Subresource) -> Result<Answer, Refusal> {
    let Asked { call, kind, .. } = *asked;
    let binding = posted(api, kind, subresource)?;
    let options = WriteOptions::from_query(call.query.pairs(), Verb::Create)?;
    let decoded = decode::body(&binding, &call.body, call.content_type.as_deref(), options.field_validation)?;
    let name = decoded.object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    if name != asked.name() {
        return Err(Refusal::bad_request("name in URL does not match name in Binding object"));
    }
    let node = bound_to(&decoded.object)?;
    let place = asked.place(&options);
    api.with(|state| write::bind(state, &place, &node, options.dry_run))?;
    Ok(success())
}

/// Puts the pod that a binding names on a node.
pub(super) fn bind_named(
    api: &Api,
    asked: &Asked<'_>,
    binding: &Value,
    options: &WriteOptions,
) -> Result<Answer, Refusal> {
    let pod = api.state().kinds.by_kind("", "Pod").cloned().ok_or_else(Refusal::no_such_path)?;
    let name = binding.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let node = bound_to(binding)?;
    let place = Place { kind: pod, name, ..asked.place(options) };
    api.with(|state| write::bind(state, &place, &node, options.dry_run))?;
    Ok(success())
}

/// Returns the node that a binding names. What is wrong with it is told as no error of the API's.
fn bound_to(binding: &Value) -> Result<String, Refusal> {
    let text = |pointer: &str| binding.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut problems = Vec::new();
    let kind = text("/target/kind");
    if !matches!(kind, "" | "Node") {
        problems.push(format!("target.kind: Unsupported value: {kind:?}: supported values: \"Node\", \"<empty>\""));
    }
    if text("/target/name").is_empty() {
        problems.push("target.name: Required value".to_owned());
    }
    match problems.as_slice() {
        [] => Ok(text("/target/name").to_owned()),
        [only] => Err(Refusal::plain(only.as_str())),
        several => Err(Refusal::plain(format!("[{}]", several.join(", ")))),
    }
}

/// Tells whether a selector of a budget takes a pod: an empty one takes all.
fn selects(selector: &Value, pod: &Value) -> bool {
    crate::sandbox::controllers::matches(Some(selector), pod)
}
