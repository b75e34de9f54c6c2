//! What becomes of a definition once it is stored: its status says whether its names are taken, and its kinds are served.

use std::sync::Arc;

use serde_json::Value;

use super::{Place, metadata, update};
use crate::sandbox::custom;
use crate::sandbox::decode::{Empties, WriteOptions};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::state::State;
use crate::sandbox::view::View as _;

const GROUP: &str = "apiextensions.k8s.io";
const KIND: &str = "CustomResourceDefinition";

/// Writes the status of the definitions that changed, as the API server does by itself, and takes those away whose last
/// object is gone.
///
/// # Errors
/// 500 if it cannot be kept.
pub fn settle(state: &mut State) -> Result<(), Refusal> {
    while let Some(name) = state.unsettled.pop_first() {
        let Some(definition) = state.get(GROUP, KIND, "", &name) else { continue };
        let others: Vec<Arc<Value>> =
            state.list(GROUP, KIND, None).into_iter().filter(|other| metadata::text(other, "name") != name).collect();
        let Some(kind) = state.kinds.by_kind(GROUP, KIND).cloned() else { return Ok(()) };
        let place = |subresource: Option<&str>| Place {
            kind: Arc::clone(&kind),
            namespace: String::new(),
            name: name.clone(),
            subresource: subresource.map(str::to_owned),
            manager: "kube-apiserver".to_owned(),
            asked: None,
        };
        if let Some(status) = custom::conditions(&definition, &others, state.now()) {
            let mut object = (*definition).clone();
            object["status"] = status;
            update::from_body(
                state,
                &place(Some("status")),
                &definition,
                object,
                &Empties::default(),
                &WriteOptions::default(),
            )?;
        } else if !metadata::text(&definition, "deletionTimestamp").is_empty() {
            finalize(state, &place(None), &definition)?;
        }
    }
    Ok(())
}

/// Deletes the objects of a definition that is being deleted, and then lets go of it.
fn finalize(state: &mut State, place: &Place, definition: &Value) -> Result<(), Refusal> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (group, kind_name) = (text("/spec/group"), text("/spec/names/kind"));
    let objects = state.list(&group, &kind_name, None);
    if let Some(kind) = state.kinds.by_kind(&group, &kind_name).cloned() {
        for object in &objects {
            if metadata::text(object, "deletionTimestamp").is_empty() {
                let place = Place {
                    kind: Arc::clone(&kind),
                    namespace: metadata::text(object, "namespace").to_owned(),
                    name: metadata::text(object, "name").to_owned(),
                    subresource: None,
                    manager: String::new(),
                    asked: None,
                };
                super::delete(state, &place, &super::DeleteOptions::default())?;
            }
        }
    }
    if !state.list(&group, &kind_name, None).is_empty() {
        // Some wait for finalizers of their own; the last of them brings this back.
        return Ok(());
    }
    let mut object = definition.clone();
    if let Some(finalizers) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
        finalizers.retain(|finalizer| finalizer != custom::CLEANUP_FINALIZER);
    }
    update::from_body(state, place, definition, object, &Empties::default(), &WriteOptions::default()).map(|_| ())
}
