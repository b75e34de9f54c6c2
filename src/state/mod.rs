//! State: a snapshot with its own checksum, a write-ahead journal, and a lock, kept in a store.

mod value;

pub use value::{Entry, Lineage, Serial, State};
