//! A request, and what it was answered with.

use serde_json::Value;

/// A request as both servers get it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// The path, with its query.
    pub path: String,
    pub content: String,
    pub accept: String,
    pub body: String,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Self {
        let (method, accept) = ("GET".to_owned(), "application/json".to_owned());
        Self { method, path: path.into(), content: String::new(), accept, body: String::new() }
    }

    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        let content = "application/json".to_owned();
        Self { method: "POST".to_owned(), content, body: body.to_string(), ..Self::get(path) }
    }
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

    /// Reads a watch up to an event, or to its end.
    fn watch(&self, request: &Request, is_last: &dyn Fn(&Value) -> bool) -> Vec<Value>;
}

/// Who both think is asking.
pub const AGENT: &str = "differential/1.0";

pub fn body_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
