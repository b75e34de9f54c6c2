//! What the cluster answered.

use serde_json::Value;

/// The answer to a [`Question`](super::Question).
#[derive(Clone, PartialEq)]
pub enum Answer {
    /// To `Read`: the objects in the order they were asked for; `None` for one that does not exist.
    Objects(Vec<Option<Value>>),
    /// To `Endpoints`: the EndpointSlices.
    List(Vec<Value>),
    /// To `Exec`.
    Exec {
        /// Exit code.
        code: i32,
        /// Standard output.
        stdout: String,
        /// Standard error.
        stderr: String,
    },
    /// To `Access`.
    Access {
        /// Whether each review was allowed, in the order they were asked.
        allowed: Vec<bool>,
        /// The roles that exist.
        roles: Vec<Value>,
    },
    /// To `Restart`: what the volume held under the marker's name after the pod came back; `None`: nothing.
    Restart {
        /// What was written before.
        written: String,
        /// What was read after.
        read: Option<String>,
    },
    /// To `Restart`: the volume cannot be written to; why. Nothing was disturbed.
    NotWritable(String),
    /// To `Restart`: no pod took the place of the one that was deleted; why.
    NotBack(String),
    /// The workload has no ready pod that could be asked.
    NoReadyPod,
    /// The Secret or the key whose value was to be tried does not exist.
    NoSecretKey,
    /// It cannot be asked on this cluster (pods without containers, no exec); why.
    Unavailable(String),
    /// We have no right to ask; the server's words.
    Forbidden(String),
    /// Asking failed; why.
    Error(String),
}

impl std::fmt::Debug for Answer {
    /// Objects and output may hold data of the service: only their shape is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Objects(objects) => write!(f, "Objects({})", objects.len()),
            Self::List(items) => write!(f, "List({})", items.len()),
            Self::Exec { code, .. } => write!(f, "Exec(code {code})"),
            Self::Access { allowed, roles } => write!(f, "Access({} reviews, {} roles)", allowed.len(), roles.len()),
            Self::Restart { .. } => f.write_str("Restart"),
            Self::NotWritable(why) => write!(f, "NotWritable({why})"),
            Self::NotBack(why) => write!(f, "NotBack({why})"),
            Self::NoReadyPod => f.write_str("NoReadyPod"),
            Self::NoSecretKey => f.write_str("NoSecretKey"),
            Self::Unavailable(why) => write!(f, "Unavailable({why})"),
            Self::Forbidden(why) => write!(f, "Forbidden({why})"),
            Self::Error(why) => write!(f, "Error({why})"),
        }
    }
}
