//! Requests about one object: get, replace, patch, apply, delete.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::{Api, Asked, answers, watches};
use crate::sandbox::answer::Answer;
use crate::sandbox::convert;
use crate::sandbox::decode::{self, Verb, WriteOptions};
use crate::sandbox::kind::Kind;
use crate::sandbox::patch::{PatchKind, unsupported};
use crate::sandbox::read::{self, ListOptions};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::request::Call;
use crate::sandbox::write::{self, DeleteOptions, Place, Written};

/// Which way of patching a body asks for; `None` is an apply.
pub(super) fn patch_sort(call: &Call, kind: &Kind) -> Result<Option<PatchKind>, Refusal> {
    let content_type = call.content_type.as_deref().unwrap_or_default();
    match PatchKind::of_media_type(content_type) {
        Some(PatchKind::Strategic) if kind.custom.is_some() => Err(unsupported(kind)),
        Some(sort) => Ok(Some(sort)),
        None if content_type.split(';').next().unwrap_or_default().trim() == "application/apply-patch+yaml" => Ok(None),
        None => Err(unsupported(kind)),
    }
}

pub(super) fn answer(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let Asked { call, target, kind, .. } = *asked;
    let (namespace, name) = (asked.namespace(), asked.name());
    if kind.namespaced && namespace.is_empty() {
        return Err(Refusal::no_such_path());
    }
    let allowed = |verb: &str| if kind.takes(verb) { Ok(()) } else { Err(Refusal::method_not_allowed()) };
    if target.watch && call.method != http::Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    match call.method {
        http::Method::GET => {
            allowed("get")?;
            // Only the old paths watch one object: whoever asks for one by its name gets it.
            if target.watch {
                let options = ListOptions::read(&call.query, kind, Some(&name))?;
                return watches::answer(api, call, target.namespace.as_deref(), kind, &options);
            }
            let revision = read::revision_of(&call.query)?;
            let state = api.state();
            let latest = state.store.revision();
            if let Some(revision) = revision.filter(|revision| *revision > latest) {
                return Err(read::too_large(revision, latest));
            }
            let stored = state.store.get(&state.key(kind, &namespace, &name)).map(|stored| Arc::clone(stored.object()));
            let now = state.clock.now();
            drop(state);
            let object = stored.ok_or_else(|| Refusal::not_found(kind, &name))?;
            let object = changed(convert::read(kind, &object)).map_or(object, Arc::new);
            answers::object_answer(call, kind, &object, 200, now)
        }
        http::Method::PUT => {
            allowed("update")?;
            put(api, asked)
        }
        http::Method::PATCH => {
            allowed("patch")?;
            patch(api, asked)
        }
        http::Method::DELETE => {
            allowed("delete")?;
            let body = decode::delete_options(&call.body, call.content_type.as_deref())?;
            let options = DeleteOptions::read(body.as_ref(), &call.query)?;
            let place = asked.place(&WriteOptions::default());
            let deleted = api.with(|state| write::delete(state, &place, &options))?;
            // It may be no object, but tell that there is none any more.
            let is_object = deleted.body.get("kind").is_some_and(|name| *name == kind.kind);
            let body = match is_object && !deleted.stays {
                true => convert::read(kind, &deleted.body),
                false => Cow::Borrowed(&deleted.body),
            };
            let mut answer = answers::json(deleted.code, &body);
            answers::warn(&mut answer, &deleted.warnings);
            Ok(answer)
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// Replaces an object, or what a subresource has of it.
pub(super) fn put(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let Asked { call, kind, .. } = *asked;
    let options = WriteOptions::from_query(call.query.pairs(), Verb::Update)?;
    let decoded = decode::body(kind, &call.body, call.content_type.as_deref(), options.field_validation)?;
    let place = asked.place(&options);
    done(api, call, kind, &place, |state| write::update(state, &place, decoded, &options))
}

/// Patches an object, or what a subresource has of it, or applies to it.
pub(super) fn patch(api: &Api, asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let Asked { call, kind, .. } = *asked;
    let sort = patch_sort(call, kind)?;
    let verb = if sort.is_none() { Verb::Apply } else { Verb::Patch };
    let options = WriteOptions::from_query(call.query.pairs(), verb)?;
    let place = asked.place(&options);
    done(api, call, kind, &place, |state| match sort {
        Some(sort) => write::patch(state, &place, sort, &call.body, &options),
        None => write::apply(state, &place, &call.body, &options),
    })
}

/// Does a write and answers with what was written.
pub(super) fn done(
    api: &Api,
    call: &Call,
    kind: &Kind,
    place: &Place,
    act: impl FnOnce(&mut crate::sandbox::state::State) -> Result<Written, Refusal>,
) -> Result<Answer, Refusal> {
    let (mut written, now) = api.with(|state| act(state).map(|written| (written, state.clock.now())))?;
    if place.subresource.is_none() {
        let shown = changed(convert::read(kind, &written.object));
        written.object = shown.map_or(written.object, Arc::new);
    }
    answers::written(call, kind, &written, now)
}

/// Returns what is not what it was made of: objects are large, and most are.
fn changed(object: Cow<'_, Value>) -> Option<Value> {
    match object {
        Cow::Owned(changed) => Some(changed),
        Cow::Borrowed(_) => None,
    }
}
