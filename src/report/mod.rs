//! What people and programs see of a run: plans, drift, checks and progress, as text and as JSON.
//!
//! Everything here turns a value into text and is handed what it needs: the width, whether colours are wanted, where to
//! write. It reads no clock and no environment, asks no cluster and decides nothing. The JSON forms have types of their
//! own, so that a change of the engine's does not change what scripts read.

mod confirm;
mod drift_counts;
mod drift_json;
mod drift_text;
mod field_text;
mod header;
mod json;
mod line;
mod plan_json;
mod plan_text;
mod progress;
#[cfg(test)]
mod samples;
mod sandbox;
mod step;
mod style;
mod value_text;
mod verify_json;
mod verify_text;
mod words;

pub use confirm::{is_yes, prompt};
pub use drift_json::drift_json;
pub use drift_text::drift_text;
pub use header::{Header, header_text};
pub use line::{counted, message};
pub use plan_json::{plan_digest, plan_json};
pub use plan_text::plan_text;
pub use progress::{Reporter, Summary};
pub use sandbox::{SandboxFacts, SandboxGreeting, SandboxServing, sandbox_greeting, sandbox_json, sandbox_text};
pub use style::{Options, Palette};
pub use verify_json::verify_json;
pub use verify_text::verify_text;
pub use words::refusal;
