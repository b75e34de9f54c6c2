//! Where an object was declared, and how to find a field of it in the text.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::secret_text::says_secret;
use crate::yaml::{Document, Node, Position, Problem, Severity, Sources, Spot, read};

/// Where an object was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The file.
    pub file: String,
    /// Which of its documents; `None` for the stack file itself.
    pub document: Option<usize>,
    /// JSON pointer to the object within the document, or to the block it was made from.
    pub pointer: String,
    /// The line on which the document starts.
    pub line: usize,
    /// True if the fields of the object stand in the text: not for what a service makes.
    pub literal: bool,
    /// True if it came through `--manifests`.
    pub external: bool,
}

/// Finds the places of fields. Files that were read the fast way are read again, once, when a place is asked for.
pub(super) struct Locator<'a> {
    file: &'a str,
    root: &'a Node,
    positioned: RefCell<BTreeMap<String, Vec<Document>>>,
}

impl<'a> Locator<'a> {
    /// Makes a locator for a stack file and whatever it reads.
    pub(super) fn new(file: &'a str, root: &'a Node) -> Self {
        Self { file, root, positioned: RefCell::default() }
    }

    /// Returns the stack file's root.
    pub(super) fn root(&self) -> &'a Node {
        self.root
    }

    /// Returns the place of a value in the stack file, or of what is nearest above it.
    pub(super) fn value(&self, pointer: &str) -> Spot {
        self.root.nearest_to_pointer(pointer).0.at
    }

    /// Returns the place of a key in the stack file, or of what is nearest above it.
    pub(super) fn key(&self, pointer: &str) -> Spot {
        self.root.nearest_to_pointer(pointer).1
    }

    /// Makes an error about a value of the stack file.
    pub(super) fn error(&self, pointer: &str, message: impl Into<String>) -> Problem {
        Problem::error(self.file, self.value(pointer), message)
    }

    /// Makes an error about a key of the stack file.
    pub(super) fn key_error(&self, pointer: &str, message: impl Into<String>) -> Problem {
        Problem::error(self.file, self.key(pointer), message)
    }

    /// Makes a problem about a field of an object: at the field where it stands in the text, else at its block. `by_key`
    /// points at the key rather than at the value.
    pub(super) fn about(
        &self,
        severity: Severity,
        origin: &Origin,
        pointer: &str,
        by_key: bool,
        message: impl Into<String>,
        sources: &Sources,
    ) -> Problem {
        let at = self.place(origin, pointer, by_key, sources);
        // JSON in one line shows all its objects at once.
        let secret = origin.document.is_some() && sources.line(&origin.file, at.line).is_some_and(says_secret);
        Problem { severity, ..Problem::error(&origin.file, at, message) }.conceal(secret)
    }

    fn place(&self, origin: &Origin, pointer: &str, by_key: bool, sources: &Sources) -> Spot {
        let whole = if origin.literal { format!("{}{pointer}", origin.pointer) } else { origin.pointer.clone() };
        let of = |root: &Node| {
            let (node, key_at) = root.nearest_to_pointer(&whole);
            if by_key || !origin.literal { key_at } else { node.at }
        };
        let Some(index) = origin.document else { return of(self.root) };
        let mut positioned = self.positioned.borrow_mut();
        let documents = positioned
            .entry(origin.file.clone())
            .or_insert_with(|| sources.text(&origin.file).map(|text| read(&origin.file, text).0).unwrap_or_default());
        let line = Spot { line: origin.line, column: 1, length: 1 };
        documents.get(index).map_or(line, |document| of(&document.root))
    }

    /// Returns where an object starts.
    pub(super) fn position(&self, origin: &Origin) -> Position {
        if origin.document.is_some() {
            return Position { file: origin.file.clone(), line: origin.line, column: 1 };
        }
        let at = self.key(&origin.pointer);
        Position { file: origin.file.clone(), line: at.line, column: at.column }
    }
}
