//! The API: what a request asks is found, allowed, done and answered.

mod answers;
mod below;
mod collections;
mod documents;
mod objects;
mod watches;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

pub(super) use self::answers::refused;
use super::access::{Attributes, Tokens, User, authorize, forbidden, impersonate};
use super::answer::{Answer, Handler};
use super::decode::WriteOptions;
use super::kind::Kind;
use super::read::FieldSelector;
use super::refusal::Refusal;
use super::request::{Call, Target, target_of};
use super::state::State;
use super::write::{self, Place};

/// The API over one state.
pub struct Api {
    state: Arc<Mutex<State>>,
    tokens: Tokens,
    /// The revision of the last write: who watches waits for it to move.
    revision: watch::Sender<u64>,
}

impl Api {
    /// Makes the API over a state.
    #[must_use]
    pub fn new(state: State, tokens: Tokens) -> Self {
        let revision = watch::Sender::new(state.store.revision());
        Self { state: Arc::new(Mutex::new(state)), tokens, revision }
    }

    /// Gives the state, alone. A panic of another request leaves it as it was: every write is one step.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells when something was written.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Does something with the state, and tells who waits if it wrote.
    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let before = state.store.revision();
        let result = act(&mut state);
        // What was asked is done; what follows from it is tried again with the next write if it fails.
        let _ = write::settle(&mut state);
        let after = state.store.revision();
        drop(state);
        if after != before {
            self.revision.send_replace(after);
        }
        result
    }

    fn answered(&self, request: &http::Request<Bytes>) -> Result<Answer, Refusal> {
        let user = self.user(request)?;
        let call = Call::read(request)?;
        let Some(target) = target_of(&call.path) else {
            let verb = verb_of_path(&call).to_owned();
            self.allow(&Attributes { user, verb, path: Some(call.path.clone()), ..Attributes::default() })?;
            return documents::answer(self, &call);
        };
        let verb = verb_of(&call, &target).ok_or_else(Refusal::method_not_allowed)?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let is_namespace = target.group.is_empty() && target.plural == "namespaces";
        let attributes = Attributes {
            user,
            verb: verb.to_owned(),
            group: target.group.clone(),
            version: target.version.clone(),
            resource: target.plural.clone(),
            subresource: text(&target.subresource),
            // A namespace is asked for in itself.
            namespace: text(if is_namespace { &target.name } else { &target.namespace }),
            name: target.name.clone().or_else(|| only_name(&call, verb)).unwrap_or_default(),
            path: None,
        };
        // Who may not ask does not learn either whether there is something to ask for.
        self.allow(&attributes)?;
        let Some(kind) = self.kind(&target) else {
            let is_known = documents::is_built_in(&target.group, &self.state().kinds);
            return if is_known { Err(Refusal::no_such_path()) } else { Ok(answers::no_page()) };
        };
        if target.namespace.is_some() && !kind.namespaced {
            return Err(Refusal::no_such_path());
        }
        let asked = Asked { call: &call, target: &target, kind: &kind, attributes: &attributes };
        let answer = match (&target.name, &target.subresource) {
            (None, _) => collections::answer(self, &asked),
            (Some(_), None) => objects::answer(self, &asked),
            (Some(_), Some(_)) => below::answer(self, &asked),
        };
        let Some(warning) = deprecation(&kind) else { return answer };
        // What Kubernetes' own kinds do not serve is nobody's to warn of.
        if kind.custom.is_none() && answer.as_ref().is_err_and(Refusal::is_of_no_handler) {
            return answer;
        }
        let mut answer = answer.unwrap_or_else(|refusal| refused(&refusal));
        answers::warn_first(&mut answer, warning);
        Ok(answer)
    }

    fn user(&self, request: &http::Request<Bytes>) -> Result<User, Refusal> {
        let authorization = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let state = self.state();
        let user = self.tokens.authenticate(&*state, authorization)?;
        impersonate(&*state, user, request.headers())
    }

    fn allow(&self, attributes: &Attributes) -> Result<(), Refusal> {
        let decision = authorize(&*self.state(), attributes);
        if decision.allowed { Ok(()) } else { Err(forbidden(attributes, &decision.reason)) }
    }

    fn kind(&self, target: &Target) -> Option<Arc<Kind>> {
        self.state().kinds.by_plural(&target.group, &target.version, &target.plural).cloned()
    }
}

/// A request about what is served, allowed already.
struct Asked<'a> {
    call: &'a Call,
    target: &'a Target,
    kind: &'a Arc<Kind>,
    attributes: &'a Attributes,
}

impl Asked<'_> {
    fn namespace(&self) -> String {
        self.target.namespace.clone().unwrap_or_default()
    }

    fn name(&self) -> String {
        self.target.name.clone().unwrap_or_default()
    }

    /// Where a write goes, and whose it is.
    fn place(&self, options: &WriteOptions) -> Place {
        Place {
            kind: Arc::clone(self.kind),
            namespace: self.namespace(),
            name: self.name(),
            subresource: self.target.subresource.as_deref().and_then(|path| path.split('/').next()).map(str::to_owned),
            manager: options.field_manager.clone().unwrap_or_else(|| self.call.default_manager()),
            asked: Some(self.attributes.clone()),
        }
    }
}

/// What is said to all who use a version that is going to be served no more.
fn deprecation(kind: &Kind) -> Option<&str> {
    if let Some(custom) = &kind.custom {
        return custom.deprecation.as_deref();
    }
    match (kind.group.as_str(), kind.version.as_str(), kind.kind.as_str()) {
        ("", "v1", "Endpoints") => Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
        ("", "v1", "ComponentStatus") => Some("v1 ComponentStatus is deprecated in v1.19+"),
        _ => None,
    }
}

/// The verb of a path that leads to no object: its method, in lower case.
fn verb_of_path(call: &Call) -> &'static str {
    match call.method {
        http::Method::POST => "post",
        http::Method::PUT => "put",
        http::Method::PATCH => "patch",
        http::Method::DELETE => "delete",
        http::Method::HEAD => "head",
        _ => "get",
    }
}

/// The name that the field selector of a list or a watch asks for alone: rights to that object are enough
/// (`apiserver/pkg/endpoints/request/requestinfo.go`).
fn only_name(call: &Call, verb: &str) -> Option<String> {
    let selector = call.query.get("fieldSelector").filter(|_| matches!(verb, "list" | "watch"))?;
    let selector = FieldSelector::read(selector).ok()?;
    let name = selector.name().filter(|name| !matches!(*name, "." | "..") && !name.contains(['/', '%']))?;
    Some(name.to_owned())
}

/// The verb that rights are about.
fn verb_of(call: &Call, target: &Target) -> Option<&'static str> {
    let of_one = target.name.is_some();
    Some(match call.method {
        http::Method::GET | http::Method::HEAD if target.watch || (!of_one && call.query.is_on("watch")) => "watch",
        http::Method::GET | http::Method::HEAD if of_one => "get",
        http::Method::GET | http::Method::HEAD => "list",
        http::Method::POST => "create",
        http::Method::PUT => "update",
        http::Method::PATCH => "patch",
        http::Method::DELETE if of_one => "delete",
        http::Method::DELETE => "deletecollection",
        _ => return None,
    })
}

impl Handler for Api {
    fn answer(&self, request: http::Request<Bytes>) -> Answer {
        let answer = self.answered(&request).unwrap_or_else(|refusal| refused(&refusal));
        answers::formed(&request, answer)
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api")
    }
}

#[cfg(test)]
mod tests;
