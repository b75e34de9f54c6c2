//! The paths by which rules and selectable fields name a field of a schema.

use serde_json::Value;

use crate::sandbox::custom::structural::{Under, under};

/// Returns the path as problems write it and the schema at its end, or why it leads nowhere.
pub(in crate::sandbox::custom) fn field_path<'a>(
    path: &str,
    schema: &'a Value,
    brackets: bool,
) -> Result<(String, &'a Value), String> {
    let (mut rest, mut schema, mut written) = (path, schema, String::new());
    while !rest.is_empty() {
        let name = if let Some(after) = rest.strip_prefix('[') {
            if !brackets {
                return Err("array notation is not allowed".to_owned());
            }
            let Some(quoted) = after.strip_prefix('\'') else {
                let token = after.split(['.', '[', ']']).next().unwrap_or_default();
                return Err(match token {
                    "" => "unexpected end of JSON path".to_owned(),
                    token => format!("expected single quoted string but got {token}"),
                });
            };
            let Some((inside, behind)) = quoted.split_once('\'') else {
                return Err("unexpected end of JSON path".to_owned());
            };
            let Some(behind) = behind.strip_prefix(']') else {
                return Err(if behind.is_empty() {
                    "unexpected end of JSON path".to_owned()
                } else {
                    format!("expected ] but got {behind}")
                });
            };
            rest = behind;
            inside
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ']']).unwrap_or(after.len());
            let (step, behind) = after.split_at(end);
            if step.is_empty() {
                return Err("unexpected end of JSON path".to_owned());
            }
            rest = behind;
            step
        } else {
            let token = rest.split(['.', '[', ']']).next().unwrap_or_default();
            return Err(format!("expected [ or . but got: {token}"));
        };
        let nowhere = || "does not refer to a valid field".to_owned();
        match under(schema, name) {
            Under::Property(property) => {
                if !written.is_empty() {
                    written.push('.');
                }
                written.push_str(name);
                schema = property;
            }
            Under::Additional(Some(additional)) => {
                written.push_str(&format!("[{name}]"));
                schema = additional;
            }
            Under::Additional(None) | Under::Undeclared => return Err(nowhere()),
        }
    }
    Ok((written, schema))
}
