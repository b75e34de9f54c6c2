//! The body of an apply patch: a map, decoded no further.

use serde_json::Value;

use super::node::Node;
use super::{FieldValidation, plain, yaml, yaml_errors};
use crate::sandbox::refusal::Refusal;

/// Reads the body of an apply patch, YAML or JSON; `Repeated` is judged once the apply itself went well.
///
/// # Errors
/// 400 with the words of the server, if it is no map or cannot be read.
pub fn yaml_or_json(bytes: &[u8]) -> Result<(Value, Repeated), Refusal> {
    if let Some(config) = plain::read(bytes) {
        return Ok((config, Repeated(Vec::new())));
    }
    let refuse = |mistake: String| Refusal::bad_request(format!("error decoding YAML: {mistake}"));
    let read = yaml::read(bytes).map_err(|mistake| refuse(format!("error converting YAML to JSON: {mistake}")))?;
    match read.node {
        Node::Map(_) => Ok((read.node.to_value(), Repeated(read.repeated))),
        Node::Null => Ok((Value::Object(serde_json::Map::new()), Repeated(Vec::new()))),
        other => {
            let what = other.describe();
            let go_type = "map[string]interface {}";
            Err(refuse(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {what} into Go value of type {go_type}"
            )))
        }
    }
}

/// Keys that stand more than once in the body of an apply patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated(Vec<String>);

impl Repeated {
    /// Returns what is to be warned of.
    ///
    /// # Errors
    /// 400 under [`FieldValidation::Strict`].
    pub fn judged(self, validation: FieldValidation) -> Result<Vec<String>, Refusal> {
        match validation {
            FieldValidation::Ignore => Ok(Vec::new()),
            FieldValidation::Strict if !self.0.is_empty() => Err(Refusal::bad_request(format!(
                "error strict decoding YAML: error converting YAML to JSON: {}",
                yaml_errors(&self.0)
            ))),
            _ => Ok(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_keys_are_judged_apart() {
        let (value, repeated) = yaml_or_json(b"data: {a: b, a: c}\n").unwrap();
        assert_eq!(value, json!({"data": {"a": "c"}}));
        let line = r#"line 1: key "a" already set in map"#;
        assert_eq!(repeated.clone().judged(FieldValidation::Warn), Ok(vec![line.to_owned()]));
        assert_eq!(repeated.clone().judged(FieldValidation::Ignore), Ok(Vec::new()));
        assert_eq!(
            repeated.judged(FieldValidation::Strict).unwrap_err().message,
            format!("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {line}")
        );
    }

    #[test]
    fn what_is_no_map_is_refused() {
        assert_eq!(
            yaml_or_json(b"- a").unwrap_err().message,
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"
        );
        assert_eq!(yaml_or_json(b"null").unwrap().0, json!({}));
    }
}
