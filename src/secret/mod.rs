//! Secret values: where they come from, how they are made, and keyed digests of them. The only place that holds one on
//! purpose, and it forgets it.
//!
//! A value is a [`SecretValue`] from the moment it is read or drawn; [`fill()`] decides which value each key has, and
//! [`HmacKey`] turns values into what may be recorded. Nothing here reads a file, the environment or a cluster: those are
//! handed in as functions.

mod clear_text;
mod fill;
mod generate;
mod keyed;
mod placeholder;
mod spec;
mod template;
mod value;

pub use clear_text::clear_text_secret;
pub use fill::{Fate, Filled, SecretError, SecretProblem, Sources, fill};
pub use generate::{EntropyError, LONGEST, Random, generate};
pub use keyed::{HmacKey, KEY_SECRET_KEY, KeyError, LAST_APPLIED, key_secret_manifest, key_secret_name};
pub use placeholder::{placeholder, placeholder_comment};
pub use spec::{Entropy, SecretSpec, Source, TemplatePart, secret_and_key};
pub use template::TemplateError;
pub use value::SecretValue;
