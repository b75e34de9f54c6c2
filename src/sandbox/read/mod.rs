//! Reading: single objects, lists with selectors and pages, watches, in the forms that clients ask for.

mod continue_token;
mod field_selector;
mod label_selector;
mod list;
mod options;
mod shown;
mod watch;

pub use self::field_selector::FieldSelector;
pub use self::label_selector::LabelSelector;
pub use self::list::{Listed, list, too_large};
pub use self::options::{ListOptions, RevisionMatch, revision_of};
pub use self::shown::{list_text, object_text, own_metadata, partial};
pub use self::watch::{WatchEvent, Watcher};

use serde_json::Value;

/// Which objects of a collection are wanted.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// By their labels.
    pub labels: LabelSelector,
    /// By their fields.
    pub fields: FieldSelector,
}

impl Selection {
    /// Tells whether an object is wanted.
    #[must_use]
    pub fn takes(&self, object: &Value) -> bool {
        self.labels.takes(object) && self.fields.takes(object)
    }

    /// Tells whether everything is wanted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}
