//! Secret values: where they come from, how they are made, and keyed digests of them. The only place that holds one on
//! purpose, and it forgets it.

mod clear_text;
mod spec;

pub use clear_text::clear_text_secret;
pub use spec::{Entropy, SecretSpec, Source, TemplatePart};
