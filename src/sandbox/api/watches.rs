//! Watches as streams.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Api, answers};
use crate::sandbox::answer::Answer;
use crate::sandbox::convert;
use crate::sandbox::kind::Kind;
use crate::sandbox::read::{self, ListOptions, WatchEvent, Watcher};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::request::{Call, Form, form_of, wants_yaml};
use crate::sandbox::state::State;
use crate::sandbox::table::{IncludeObject, table};

/// How often who asked for bookmarks gets one.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// How long a watch lasts that does not say. The API server draws a time between half an hour and an hour.
const LASTS: Duration = Duration::from_secs(45 * 60);

/// One client's watch, with all that is needed to go on with it.
struct Watch {
    watcher: Watcher,
    state: Arc<std::sync::Mutex<State>>,
    changes: tokio::sync::watch::Receiver<u64>,
    kind: Arc<Kind>,
    form: Form,
    include: IncludeObject,
    ends: Instant,
    bookmark_at: Instant,
    over: bool,
    /// Column definitions are sent with the first event of a table only.
    headed: bool,
}

pub(super) fn answer(
    api: &Api,
    call: &Call,
    namespace: Option<&str>,
    kind: &Arc<Kind>,
    options: &ListOptions,
) -> Result<Answer, Refusal> {
    let form = form_of(&call.accept, true)?;
    if wants_yaml(&call.accept) {
        let message = "only the following media types are accepted: application/json;stream=watch, \
                       application/vnd.kubernetes.protobuf;stream=watch";
        return Err(Refusal::new(406, "NotAcceptable", message));
    }
    let changes = api.changes();
    let watcher = {
        let state = api.state();
        Watcher::new(&state.store, state.stored_kind(kind), namespace, options)?
    };
    let lasts = options.timeout_seconds.map_or(LASTS, Duration::from_secs);
    let watch = Watch {
        watcher,
        state: Arc::clone(&api.state),
        changes,
        kind: Arc::clone(kind),
        form,
        include: answers::include_object(call)?,
        ends: Instant::now() + lasts,
        bookmark_at: Instant::now() + BOOKMARK_EVERY,
        over: false,
        headed: false,
    };
    let body = stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((bytes, watch))
    });
    let mut parts = http::Response::new(()).into_parts().0;
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(Answer::Stream(parts, body.boxed()))
}

impl Watch {
    /// Returns the next events, one a line; `None` when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.over {
                return None;
            }
            // Whatever is written from here on wakes this up again.
            self.changes.borrow_and_update();
            let (events, now) = {
                let state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                (self.watcher.events(&state.store), state.clock.now())
            };
            if !events.is_empty() {
                return Some(self.written(&events, now));
            }
            let bookmark = async {
                match self.watcher.bookmarks {
                    true => tokio::time::sleep_until(self.bookmark_at).await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                }
                () = tokio::time::sleep_until(self.ends) => return None,
                () = bookmark => {
                    self.bookmark_at = Instant::now() + BOOKMARK_EVERY;
                    let event = WatchEvent::Bookmark(self.watcher.told(), false);
                    return Some(self.written(&[event], jiff::Timestamp::UNIX_EPOCH));
                }
            }
        }
    }

    fn written(&mut self, events: &[WatchEvent], now: jiff::Timestamp) -> Bytes {
        let mut bytes = BytesMut::new();
        for event in events {
            self.over |= matches!(event, WatchEvent::Error(_));
            let headed = self.headed;
            let mut written = event.written(&self.kind, |object| self.shown(object, now, headed));
            if matches!(event, WatchEvent::Bookmark(..)) && self.form != Form::Plain {
                let shown = self.shown(&written["object"], now, headed);
                written["object"] = shown;
            }
            self.headed = true;
            // Some clients look for the type where the server writes it: first.
            bytes.put(&b"{\"type\":"[..]);
            bytes.put(read::object_text(&written["type"]));
            bytes.put(&b",\"object\":"[..]);
            bytes.put(read::object_text(&written["object"]));
            bytes.put(&b"}\n"[..]);
        }
        bytes.freeze()
    }

    fn shown(&self, object: &Value, now: jiff::Timestamp, headed: bool) -> Value {
        let object = convert::read(&self.kind, object);
        match self.form {
            Form::Plain => object.into_owned(),
            Form::Metadata | Form::MetadataList => read::partial(&convert::held(&self.kind, &object)),
            Form::Table(version) => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let rows = [Arc::new(object.into_owned())];
                table(&self.kind, &rows, &metadata, self.include, now, !headed, version)
            }
        }
    }
}
