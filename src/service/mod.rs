//! Typed blocks of a stack: each turns into plain objects and checks.
//!
//! One file (or folder) a type: the block as it is written, with its defaults, and the objects that come of it. A block
//! knows nothing of other blocks, of the cluster or of secret values: it is given its own text and where it stands, and
//! the same text always gives the same objects. A type is chosen by name through [`expand`].

mod block;
mod catalogue;
mod check;
mod checksum;
mod compute;
mod config;
mod database;
mod labels;
mod network;
mod postgres;
mod rbac;
mod redis;
mod secret_key;

pub use block::{Endpoint, Expansion, Remark, ServiceContext};
pub use catalogue::{TYPES, block_schema, endpoint, expand};
pub use check::{AccessRule, Check, CheckKind};
pub use checksum::CONFIG_CHECKSUM_ANNOTATION;
pub use labels::{PART_OF, PART_OF_LABEL};

#[cfg(test)]
mod tests;
