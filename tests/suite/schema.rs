//! The published JSON Schema, held against a JSON Schema library.
