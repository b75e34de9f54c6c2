//! Makes the compact table from OpenAPI v3 documents: for the built-in kinds once, for a CRD's document when it is read.
//!
//! The rules are those of kube-openapi's `schemaconv`, which the server itself makes its types with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::kinds::{ServedKind, served_kinds};

/// The two parts of a compiled table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The kinds, one a line, sorted: see `kinds`.
    pub kinds: String,
    /// The types, one a line, sorted: see `table`.
    pub types: String,
}

/// Compiles OpenAPI v3 documents. Types that no served kind uses are left out.
pub fn compile<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Compiled {
    let mut schemas: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut kinds: BTreeSet<ServedKind> = BTreeSet::new();
    let mut names: BTreeMap<(String, String, String), &str> = BTreeMap::new();
    for document in documents {
        for (name, schema) in object(document.pointer("/components/schemas")) {
            schemas.insert(name, schema);
            for identity in
                schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array).into_iter().flatten()
            {
                let part = |key| identity.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                names.insert((part("group"), part("version"), part("kind")), name);
            }
        }
        kinds.extend(served_kinds(document));
    }
    let mut lines: BTreeSet<String> = BTreeSet::new();
    let mut wanted: Vec<String> = Vec::new();
    for kind in &kinds {
        let identity = (kind.group.clone(), kind.version.clone(), kind.kind.clone());
        if let Some(name) = names.get(&identity) {
            lines.insert(kind.line(name));
            wanted.push((*name).to_owned());
        }
    }
    let mut types: BTreeMap<String, Value> = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        if types.contains_key(&name) {
            continue;
        }
        let mut reader = Reader { schemas: &schemas, preserves_unknown: false, used: Vec::new() };
        let compiled = schemas.get(name.as_str()).map_or(Value::from("d"), |schema| reader.definition(schema));
        wanted.append(&mut reader.used);
        types.insert(name, compiled);
    }
    let types = types.iter().map(|(name, compiled)| format!("{name}\t{compiled}\n")).collect();
    Compiled { kinds: lines.iter().map(|line| format!("{line}\n")).collect(), types }
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// Reads one definition; what it refers to is noted.
struct Reader<'a> {
    schemas: &'a BTreeMap<&'a str, &'a Value>,
    /// Set once an enclosing schema says `x-kubernetes-preserve-unknown-fields`.
    preserves_unknown: bool,
    used: Vec<String>,
}

impl Reader<'_> {
    /// Compiles the schema itself, its own reference not being looked at.
    fn definition(&mut self, schema: &Value) -> Value {
        if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
            self.preserves_unknown = true;
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("object") => self.map(schema),
            Some("array") => self.list(schema),
            Some(primitive) => Value::from(scalar(primitive, schema.get("format").and_then(Value::as_str))),
            None if is_int_or_string(schema) => Value::from("i"),
            None => json!({"any": [self.list(schema), self.map(schema)]}),
        }
    }

    /// Compiles a schema where it is used: a name, or its definition.
    fn used(&mut self, schema: &Value) -> Value {
        let Some(name) = referred(schema) else {
            let outer = self.preserves_unknown;
            let compiled = self.definition(schema);
            self.preserves_unknown = outer;
            return compiled;
        };
        if let Some(letter) = self.letter(name) {
            return Value::from(letter);
        }
        self.used.push(name.to_owned());
        match schema.get("x-kubernetes-map-type").and_then(Value::as_str) {
            Some(kind) => json!({"@": name, "a": kind == "atomic"}),
            None => Value::from(format!("@{name}")),
        }
    }

    /// Returns the letter of a definition that is no more than a scalar, so that it needs no line.
    fn letter(&self, name: &str) -> Option<&'static str> {
        match name.strip_prefix("io.k8s.apimachinery.pkg.") {
            Some("api.resource.Quantity") => return Some("q"),
            Some("runtime.RawExtension") => return Some("*"),
            Some("apis.meta.v1.Time") => return Some("t"),
            Some("apis.meta.v1.MicroTime") => return Some("T"),
            Some("util.intstr.IntOrString") => return Some("i"),
            _ => {}
        }
        let schema = self.schemas.get(name)?;
        let primitive =
            schema.get("type").and_then(Value::as_str).filter(|kind| !matches!(*kind, "object" | "array"))?;
        Some(scalar(primitive, schema.get("format").and_then(Value::as_str)))
    }

    fn map(&mut self, schema: &Value) -> Value {
        let mut compiled = Map::new();
        let (mut fields, mut defaults) = (Map::new(), Map::new());
        for (name, field) in object(schema.get("properties")) {
            fields.insert(name.clone(), self.used(field));
            if let Some(default) = field.get("default").filter(|default| !default.is_null()) {
                defaults.insert(name.clone(), default.clone());
            }
        }
        let element = match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => Some(Value::from("d")),
            Some(Value::Bool(false)) => None,
            Some(additional) => Some(self.used(additional)),
            None => (self.preserves_unknown || fields.is_empty()).then(|| Value::from("d")),
        };
        compiled.insert("f".to_owned(), Value::Object(fields));
        if !defaults.is_empty() {
            compiled.insert("d".to_owned(), Value::Object(defaults));
        }
        if let Some(required) = schema.get("required").filter(|required| required.is_array()) {
            compiled.insert("r".to_owned(), required.clone());
        }
        if let Some(element) = element {
            compiled.insert("e".to_owned(), element);
        }
        if schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic") {
            compiled.insert("a".to_owned(), Value::from(1));
        }
        Value::Object(compiled)
    }

    fn list(&mut self, schema: &Value) -> Value {
        let element = schema.get("items").map_or(Value::from("*"), |items| self.used(items));
        json!({"l": list_kind(schema), "e": element})
    }
}

/// Returns the name of the definition that a schema refers to, alone or within an `allOf` of one.
fn referred(schema: &Value) -> Option<&str> {
    let reference = schema.get("$ref").or_else(|| match schema.get("allOf")?.as_array()?.as_slice() {
        [only] => only.get("$ref"),
        _ => None,
    });
    reference.and_then(Value::as_str)?.rsplit('/').next()
}

fn is_int_or_string(schema: &Value) -> bool {
    schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true))
        || schema.get("format").and_then(Value::as_str) == Some("int-or-string")
}

fn scalar(primitive: &str, format: Option<&str>) -> &'static str {
    match (primitive, format) {
        ("integer" | "number", _) => "n",
        ("boolean", _) => "b",
        ("string", None | Some("" | "byte")) => "s",
        _ => "u",
    }
}

fn list_kind(schema: &Value) -> Value {
    let text = |key| schema.get(key).and_then(Value::as_str);
    match text("x-kubernetes-list-type") {
        Some("set") => Value::from("s"),
        Some("map") => match schema.get("x-kubernetes-list-map-keys") {
            Some(keys @ Value::Array(_)) => keys.clone(),
            _ => Value::from("a"),
        },
        Some(_) => Value::from("a"),
        None => match text("x-kubernetes-patch-strategy") {
            Some("merge" | "merge,retainKeys") => match text("x-kubernetes-patch-merge-key") {
                Some(key) => json!([key]),
                None => Value::from("s"),
            },
            _ => Value::from("a"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "paths": {
                "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}": {
                    "get": {"x-kubernetes-group-version-kind": {"group": "example.com", "kind": "Widget", "version": "v1"}}
                },
                "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}/status": {
                    "get": {"x-kubernetes-group-version-kind": {"group": "example.com", "kind": "Widget", "version": "v1"}}
                }
            },
            "components": {"schemas": {
                "com.example.v1.Widget": {
                    "type": "object",
                    "x-kubernetes-group-version-kind": [{"group": "example.com", "kind": "Widget", "version": "v1"}],
                    "properties": {
                        "metadata": {"allOf": [{"$ref": "#/components/schemas/Meta"}]},
                        "spec": {
                            "type": "object", "required": ["size"],
                            "properties": {
                                "size": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity"},
                                "port": {"x-kubernetes-int-or-string": true},
                                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                                         "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}}},
                                "list": {"type": "array", "items": {"type": "object", "properties": {
                                            "k": {"type": "string", "default": "x"}}},
                                         "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]},
                                "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                                "either": {"oneOf": [{"type": "string"}, {"type": "integer"}], "format": "int-or-string"},
                                "since": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
                                "when": {"type": "string", "format": "date-time"}
                            }
                        }
                    }
                },
                "Meta": {"type": "object", "properties": {"name": {"type": "string"}}},
                "Unused": {"type": "object"}
            }}
        })
    }

    #[test]
    fn a_document_becomes_a_table() {
        let compiled = compile([&document()]);
        insta::assert_snapshot!(compiled.kinds, @"example.com/v1/Widget	widgets	namespaced	status	com.example.v1.Widget");
        insta::assert_snapshot!(compiled.types, @r#"
        Meta	{"f":{"name":"s"}}
        com.example.v1.Widget	{"f":{"metadata":"@Meta","spec":{"f":{"either":"i","free":{"e":"d","f":{"a":{"e":"d","f":{"b":"s"}}}},"list":{"e":{"d":{"k":"x"},"f":{"k":"s"}},"l":["k"]},"port":"i","set":{"e":"s","l":"s"},"since":"t","size":"q","when":"u"},"r":["size"]}}}
        "#);
    }
}
