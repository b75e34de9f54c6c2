//! The status of one container: running, waiting or ended, and since when.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::sandbox::controllers::fields::{after, at, items, name, namespace, number, set, stamp, text, time, uid};

/// The kubelet's first wait before it restarts a container, in seconds; each next one is twice as long.
const FIRST_BACK_OFF: i64 = 10;
/// Its longest wait.
const LAST_BACK_OFF: i64 = 300;

/// What a container does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Does {
    /// It runs, and may be ready.
    Run {
        /// Ready this long after its start; `None` is never.
        ready_after: Option<SignedDuration>,
    },
    /// It is not there yet.
    Wait { reason: &'static str, message: String },
    /// It ends with this code, and is started again and again.
    Loop { exit_code: i64, reason: &'static str },
    /// It has ended for good.
    End { exit_code: i64, reason: &'static str },
}

/// The status of a container, and when it will be another.
pub(super) struct Told {
    pub(super) status: Value,
    pub(super) is_ready: bool,
    /// It waits for something, and has never run.
    pub(super) is_pending: bool,
    /// It has just been started once more.
    pub(super) is_restarted: bool,
    pub(super) again_at: Option<Timestamp>,
}

/// Tells the status of a container, given what it was.
pub(super) fn tell(pod: &Value, list: &str, container: &Value, does: &Does, now: Timestamp) -> Told {
    let container_name = text(container, "/name");
    let statuses = items(pod, &format!("/status/{list}"));
    let before = statuses.iter().find(|status| text(status, "/name") == container_name);
    let restarts = before.and_then(|before| number(before, "/restartCount")).unwrap_or(0);
    let last = before.and_then(|before| before.get("lastState")).filter(|last| last.is_object()).cloned();
    let running_since = before.and_then(|before| time(before, "/state/running/startedAt"));
    let mut told = Told {
        status: json!({
            "name": container_name, "image": text(container, "/image"), "imageID": "", "restartCount": restarts,
            "lastState": last.unwrap_or_else(|| json!({})), "ready": false, "started": false
        }),
        is_ready: false,
        is_pending: false,
        is_restarted: false,
        again_at: None,
    };
    match does {
        Does::Run { ready_after } => {
            let since = running_since.unwrap_or(now);
            let ready_at = ready_after.and_then(|ready_after| since.checked_add(ready_after).ok());
            told.is_ready = ready_at.is_some_and(|ready_at| ready_at <= now);
            told.again_at = ready_at.filter(|_| !told.is_ready);
            told.put("state", json!({"running": {"startedAt": stamp(since)}}));
            told.put("started", Value::from(true));
            told.put("ready", Value::from(told.is_ready));
        }
        Does::Wait { reason, message } => {
            told.is_pending = restarts == 0;
            let mut waiting = json!({"reason": reason});
            if !message.is_empty() {
                set(&mut waiting, &["message"], Value::from(message.as_str()));
            }
            told.put("state", json!({"waiting": waiting}));
        }
        Does::Loop { exit_code, reason } => told.restart(pod, container, before, *exit_code, reason, now),
        Does::End { exit_code, reason } => {
            let ended = before.and_then(|before| at(before, "/state/terminated")).filter(|ended| ended.is_object());
            let ended =
                ended.cloned().unwrap_or_else(|| terminated(*exit_code, reason, running_since.unwrap_or(now), now));
            told.is_ready = *exit_code == 0 && list == "initContainerStatuses";
            told.put("ready", Value::from(told.is_ready));
            told.put("state", json!({"terminated": ended}));
        }
    }
    told
}

impl Told {
    fn put(&mut self, field: &str, value: Value) {
        set(&mut self.status, &[field], value);
    }

    /// The container has ended; it waits longer each time before it is started again, and then ends at once.
    fn restart(
        &mut self,
        pod: &Value,
        container: &Value,
        before: Option<&Value>,
        exit_code: i64,
        reason: &str,
        now: Timestamp,
    ) {
        let before_restarts = before.and_then(|before| number(before, "/restartCount")).unwrap_or(0);
        let looping = before.filter(|before| text(before, "/state/waiting/reason") == "CrashLoopBackOff");
        let ended_at = looping.and_then(|before| time(before, "/lastState/terminated/finishedAt"));
        let due = ended_at.map(|ended_at| after(ended_at, back_off(before_restarts)));
        let (restarts, ended_at) = match (due, ended_at) {
            (Some(due), Some(ended_at)) if due > now => (before_restarts, ended_at),
            _ => {
                self.is_restarted = true;
                (before_restarts + 1, now)
            }
        };
        let wait = back_off(restarts);
        self.again_at = Some(after(ended_at, wait));
        let message = format!(
            "back-off {} restarting failed container={} pod={}_{}({})",
            shown(wait),
            text(container, "/name"),
            name(pod),
            namespace(pod),
            uid(pod)
        );
        self.put("restartCount", Value::from(restarts));
        self.put("lastState", json!({"terminated": terminated(exit_code, reason, ended_at, ended_at)}));
        self.put("state", json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}}));
    }
}

fn terminated(exit_code: i64, reason: &str, since: Timestamp, until: Timestamp) -> Value {
    let mut ended = Map::new();
    ended.insert("exitCode".to_owned(), Value::from(exit_code));
    ended.insert("reason".to_owned(), Value::from(reason));
    ended.insert("startedAt".to_owned(), stamp(since));
    ended.insert("finishedAt".to_owned(), stamp(until));
    Value::Object(ended)
}

fn back_off(restarts: i64) -> i64 {
    let doublings = u32::try_from((restarts - 1).clamp(0, 10)).unwrap_or(10);
    FIRST_BACK_OFF.saturating_mul(2_i64.saturating_pow(doublings)).min(LAST_BACK_OFF)
}

/// As Go writes durations.
fn shown(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}
