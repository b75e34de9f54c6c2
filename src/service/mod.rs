//! Typed blocks of a stack: each file here turns one kind of block into plain objects and checks.

mod check;

pub use check::{AccessRule, Check, CheckKind};
