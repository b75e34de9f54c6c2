//! Is one object ready? One rule a kind, pure.

/// The answer for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It does what it should.
    Ready,
    /// Not yet; the reason is a fragment such as `0/1 replicas ready`.
    Waiting(String),
    /// It will not become ready by waiting.
    Failed(String),
}
