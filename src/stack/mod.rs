//! The stack file: read with positions, inputs resolved, checked as a whole, and turned into a [`Stack`].
//!
//! The way of a file: [`load()`] reads it, resolves `inputs`, puts them in (`substitute`), checks the `shape` against the
//! JSON Schema made from `file`, cuts away what does not fit (`prune`) so that the rest is looked at too, and hands over to
//! `assemble`, which expands `services`, reads `manifests` and `secrets`, checks `objects` and their `references`, and adds
//! `checks` and `rules`. Every stage adds to one collection of problems. Nothing here asks a cluster, knows the time, or
//! sees the value of a secret.

mod assemble;
mod checks;
mod fields;
mod file;
mod found;
mod inputs;
mod kinds;
mod load;
mod manifests;
mod nearest;
mod objects;
mod origin;
mod prune;
mod references;
mod rules;
mod schema;
mod secret_text;
mod secrets;
mod services;
mod settings;
mod shape;
mod substitute;
mod targets;
mod trail;
mod value;

pub use load::{LoadError, Loaded, load, load_text};
pub use manifests::manifest_files;
pub use nearest::{did_you_mean, nearest};
pub use schema::json_schema;
pub use settings::Settings;
pub use value::{Dependency, Desired, Grant, Mute, OutputSource, Stack};

pub use crate::yaml::Position;
