//! Lists: the objects of a collection at one revision, page by page.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::continue_token::Continue;
use super::{ListOptions, RevisionMatch};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::store::{Key, Store, Stored, prefix_of};

/// A page of a list.
#[derive(Debug)]
pub struct Listed {
    /// The objects, in the order of their keys.
    pub objects: Vec<Arc<Value>>,
    /// The list's metadata.
    pub metadata: Value,
}

/// Lists objects of a kind, in one namespace or in all.
///
/// # Errors
/// 400, 410 and 504, as the server answers.
pub fn list(store: &Store, kind: &Kind, namespace: Option<&str>, options: &ListOptions) -> Result<Listed, Refusal> {
    let prefix = prefix_of(kind, namespace);
    let now = store.revision();
    if let Some(token) = &options.token {
        let token = Continue::read(token, &prefix)
            .map_err(|problem| Refusal::bad_request(format!("invalid continue token: {problem}")))?;
        if options.revision_beside_token {
            return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
        }
        let Some(revision) = token.revision else {
            return Ok(page(store.range(&prefix, Some(&token.after)), options, &prefix, now));
        };
        let objects = store.range_at(&prefix, revision).map_err(|_| expired(&token, &prefix))?;
        let rest = objects.range((std::ops::Bound::Excluded(token.after), std::ops::Bound::Unbounded));
        return Ok(page(rest, options, &prefix, revision));
    }
    if let Some(revision) = options.revision.filter(|revision| *revision > now) {
        return Err(too_large(revision, now));
    }
    // With a limit, "at least" reads as "exactly" for the server.
    let exact = options.revision.filter(|revision| {
        *revision > 0
            && (options.revision_match == Some(RevisionMatch::Exact)
                || (options.limit.is_some() && options.revision_match.is_none()))
    });
    match exact {
        Some(revision) => {
            let objects: BTreeMap<Key, Stored> = store
                .range_at(&prefix, revision)
                .map_err(|_| Refusal::expired("The resourceVersion for the provided list is too old."))?;
            Ok(page(objects.iter(), options, &prefix, revision))
        }
        None => Ok(page(store.range(&prefix, None), options, &prefix, now)),
    }
}

fn page<'a>(
    objects: impl Iterator<Item = (&'a Key, &'a Stored)>,
    options: &ListOptions,
    prefix: &str,
    revision: u64,
) -> Listed {
    let mut objects = objects.peekable();
    let mut taken = Vec::new();
    let mut last = None;
    let full = |taken: &Vec<_>| options.limit.is_some_and(|limit| taken.len() >= limit);
    while !full(&taken) {
        let Some((key, stored)) = objects.next() else { break };
        // Labels are the same in the copy, which need not be made to see that it is not wanted.
        if stored.original().is_some_and(|original| !options.selection.labels.takes(original)) {
            continue;
        }
        let object = stored.look();
        if options.selection.takes(&object) {
            taken.push(object);
            last = Some(key);
        }
    }
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    // The server looks whether there is anything more at all, selected or not.
    if let Some(after) = last.filter(|_| full(&taken) && objects.peek().is_some()) {
        let token = Continue { revision: Some(revision), after: after.clone() };
        metadata["continue"] = Value::from(token.written(prefix));
        if options.selection.is_everything() {
            metadata["remainingItemCount"] = Value::from(objects.count());
        }
    }
    Listed { objects: taken, metadata }
}

/// 504 for a revision that is still to come.
#[must_use]
pub fn too_large(revision: u64, now: u64) -> Refusal {
    let message = format!("Too large resource version: {revision}, current: {now}");
    let mut refusal = Refusal::new(504, "Timeout", format!("Timeout: {message}"));
    let details = json!({
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1
    });
    refusal.details = details.as_object().cloned();
    refusal
}

fn expired(token: &Continue, prefix: &str) -> Refusal {
    let next = Continue { revision: None, after: token.after.clone() }.written(prefix);
    let mut refusal = Refusal::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without \
         the continue parameter, or use the continue token in this response to retrieve the remainder of the results. \
         Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
         deleted between the time the first chunk was returned and now may show up in the list.",
    );
    refusal.continue_with = Some(next.into());
    refusal
}
