//! A request, and what it was answered with.

use serde_json::Value;

/// A request as both servers get it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: &'static str,
    /// The path, with its query.
    pub path: String,
    pub content: &'static str,
    pub accept: &'static str,
    pub body: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub code: u16,
    pub warnings: Vec<String>,
    pub body: Value,
}

/// Whoever answers.
pub trait Answerer: Sync {
    fn answer(&self, request: &Request) -> Reply;
}

/// Who both think is asking.
pub const AGENT: &str = "differential/1.0";

pub fn body_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
