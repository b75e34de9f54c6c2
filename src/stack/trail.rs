//! The way from an object down to one of its fields.
//!
//! Every field of every object is looked at, and hardly ever is one of them told about. So a walk keeps the way it came
//! on its own stack, and the text of a JSON pointer is made only for a field that somebody has to hear of.

use crate::yaml::escape_pointer;

/// A place in an object, by the steps that lead there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trail<'a> {
    /// The object itself.
    Object,
    /// A field of the map above.
    Field(&'a Trail<'a>, &'a str),
    /// An item of the list above.
    Item(&'a Trail<'a>, usize),
}

impl<'a> Trail<'a> {
    fn above(&self) -> Option<&'a Self> {
        match self {
            Self::Object => None,
            Self::Field(above, _) | Self::Item(above, _) => Some(above),
        }
    }

    /// Returns the JSON pointer.
    pub(super) fn pointer(&self) -> String {
        match self {
            Self::Object => String::new(),
            Self::Field(above, name) => format!("{}/{}", above.pointer(), escape_pointer(name)),
            Self::Item(above, index) => format!("{}/{index}", above.pointer()),
        }
    }

    /// Tells whether this is a field of the object itself with one of these names.
    pub(super) fn is_top_field(&self, names: &[&str]) -> bool {
        matches!(self, Self::Field(Self::Object, name) if names.contains(name))
    }

    /// Tells whether a field of this name lies above.
    pub(super) fn is_below(&self, name: &str) -> bool {
        std::iter::successors(self.above(), |trail| trail.above())
            .any(|trail| matches!(trail, Self::Field(_, field) if *field == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_tells_its_pointer_and_what_it_passed() {
        let spec = Trail::Field(&Trail::Object, "spec");
        let list = Trail::Field(&spec, "a/b");
        let item = Trail::Item(&list, 2);
        let name = Trail::Field(&item, "name");
        assert_eq!(name.pointer(), "/spec/a~1b/2/name");
        assert!(name.is_below("spec") && name.is_below("a/b"));
        assert!(!name.is_below("name") && !spec.is_below("spec"));
        assert!(spec.is_top_field(&["data", "spec"]) && !list.is_top_field(&["a/b"]));
    }
}
