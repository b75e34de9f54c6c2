//! Requests about a collection: list, watch, create, delete all.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::objects::done;
use super::{Api, Asked, answers, below, watches};
use crate::sandbox::access::review;
use crate::sandbox::answer::Answer;
use crate::sandbox::convert;
use crate::sandbox::decode::{self, Verb, WriteOptions};
use crate::sandbox::kind::Kind;
use crate::sandbox::read::{self, ListOptions, Listed};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::state::State;
use crate::sandbox::write::{self, DeleteOptions, Place};

pub(super) fn answer(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let Asked { call, target, kind, .. } = *asked;
    match call.method {
        http::Method::GET if kind.takes("list") => {
            let options = ListOptions::read(&call.query, kind, None)?;
            if options.watch || target.watch {
                return watches::answer(api, call, target.namespace.as_deref(), kind, &options);
            }
            let (listed, now) = {
                let state = api.state();
                (list(&state, kind, target.namespace.as_deref(), &options)?, state.clock.now())
            };
            answers::list_answer(call, kind, &listed, now)
        }
        http::Method::POST
            if !target.watch && kind.takes("create") && (!kind.namespaced || target.namespace.is_some()) =>
        {
            create(api, asked)
        }
        http::Method::DELETE
            if !target.watch && kind.takes("deletecollection") && (!kind.namespaced || target.namespace.is_some()) =>
        {
            delete_all(api, asked)
        }
        http::Method::POST | http::Method::DELETE
            if kind.custom.is_some() && kind.namespaced && target.namespace.is_none() =>
        {
            Ok(answers::no_page())
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// Lists objects, in the version that is asked for.
fn list(state: &State, kind: &Kind, namespace: Option<&str>, options: &ListOptions) -> Result<Listed, Refusal> {
    let mut listed = read::list(&state.store, state.stored_kind(kind), namespace, options)?;
    for object in &mut listed.objects {
        let changed = match convert::read(kind, object) {
            Cow::Owned(changed) => changed,
            Cow::Borrowed(_) => continue,
        };
        *object = Arc::new(changed);
    }
    Ok(listed)
}

fn create(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let Asked { call, target, kind, attributes } = *asked;
    let options = WriteOptions::from_query(call.query.pairs(), Verb::Create)?;
    let decoded = decode::body(kind, &call.body, call.content_type.as_deref(), options.field_validation)?;
    if !kind.verbs.contains(&"get") {
        // What is only posted is answered, and kept nowhere.
        let mut object = decoded.object;
        if let Some(namespace) = &target.namespace {
            object["metadata"]["namespace"] = Value::from(namespace.as_str());
        }
        if kind.is("", "Binding") {
            return below::bind_named(api, asked, &object, &options);
        }
        let answered = review(&*api.state(), &api.tokens, &kind.kind, object, &attributes.user)?;
        return Ok(answers::json(201, &answered));
    }
    let place = asked.place(&options);
    done(api, call, kind, &place, |state| write::create(state, &place, decoded, &options))
}

fn delete_all(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let Asked { call, target, kind, .. } = *asked;
    let options = ListOptions::read(&call.query, kind, None)?;
    let body = decode::delete_options(&call.body, call.content_type.as_deref())?;
    let how = DeleteOptions::read(body.as_ref(), &call.query)?;
    // What is answered is the list as it was found, whatever became of it.
    let mut warnings: Vec<String> = write::deletion_warning(kind, &how).into_iter().collect();
    let listed = api.with(|state| -> Result<_, Refusal> {
        let listed = list(state, kind, target.namespace.as_deref(), &options)?;
        for object in &listed.objects {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            let place = Place {
                kind: Arc::clone(kind),
                namespace: text("namespace"),
                name: text("name"),
                subresource: None,
                manager: String::new(),
                asked: None,
            };
            match write::delete(state, &place, &how) {
                Ok(done) => warnings.extend(done.warnings),
                Err(refusal) if refusal.code == 404 => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(listed)
    });
    let listed = listed.map_err(|refusal| refusal.after(&warnings))?;
    let now = api.state().clock.now();
    let mut answer = answers::list_answer(call, kind, &listed, now)?;
    answers::warn(&mut answer, &warnings);
    Ok(answer)
}
