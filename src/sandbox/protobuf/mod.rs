//! Reads bodies that clients send as protobuf: `kubectl` does for its own kinds (`auth can-i`, `create`), without being asked.
//!
//! What comes out is what the same client would have sent as JSON. Answers are always JSON, which such clients accept as
//! well. The table tells the messages: number, JSON name and type of each field; `!` marks fields that JSON shows even if
//! empty, a name of `.` those whose own fields belong to the message around them.

mod wire;

use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::wire::{Fields, Payload};
use super::refusal::Refusal;

/// The media type of such bodies.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

const MAGIC: &[u8] = b"k8s\0";

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("messages.txt")));

struct Table {
    /// The message of an API version and kind.
    kinds: BTreeMap<(&'static str, &'static str), &'static str>,
    messages: BTreeMap<&'static str, Vec<Field>>,
}

struct Field {
    number: u64,
    name: &'static str,
    /// Shown even if empty.
    always: bool,
    shape: Shape,
    of: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table = Self { kinds: BTreeMap::new(), messages: BTreeMap::new() };
        let mut message = "";
        for line in text.lines() {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["kind", version, kind, message] => drop(table.kinds.insert((*version, *kind), *message)),
                [name] => {
                    message = name;
                    table.messages.entry(message).or_default();
                }
                [number, name, of] => {
                    let (shape, of) = match (of.strip_prefix("[]"), of.strip_prefix("{}")) {
                        (Some(of), _) => (Shape::List, of),
                        (_, Some(of)) => (Shape::Map, of),
                        _ => (Shape::One, *of),
                    };
                    let always = name.ends_with('!');
                    let field = Field {
                        number: number.parse().unwrap_or_default(),
                        name: name.trim_end_matches('!'),
                        always,
                        shape,
                        of,
                    };
                    table.messages.entry(message).or_default().push(field);
                }
                _ => {}
            }
        }
        table
    }
}

/// Reads a body.
///
/// # Errors
/// If it is of a kind that is not known here, or damaged.
pub fn decode(body: &[u8]) -> Result<Value, Refusal> {
    let envelope = body.strip_prefix(MAGIC).ok_or_else(unknown_format)?;
    let (mut version, mut kind) = (String::new(), String::new());
    let (mut raw, mut content): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::of(envelope) {
        match field.map_err(|_| damaged())? {
            (1, Payload::Bytes(meta)) => {
                for field in Fields::of(meta) {
                    match field.map_err(|_| damaged())? {
                        (1, Payload::Bytes(text)) => version = String::from_utf8_lossy(text).into_owned(),
                        (2, Payload::Bytes(text)) => kind = String::from_utf8_lossy(text).into_owned(),
                        _ => {}
                    }
                }
            }
            (2, Payload::Bytes(bytes)) => raw = bytes,
            (4, Payload::Bytes(bytes)) => content = bytes,
            _ => {}
        }
    }
    let mut object = match content {
        b"application/json" => match serde_json::from_slice(raw) {
            Ok(Value::Object(object)) => object,
            _ => return Err(damaged()),
        },
        _ => {
            // Options to delete are sent in the version of what is deleted.
            let known = TABLE.kinds.get(&(version.as_str(), kind.as_str()));
            let known = known.or_else(|| TABLE.kinds.get(&("v1", kind.as_str())).filter(|_| kind == "DeleteOptions"));
            message(raw, known.ok_or_else(unknown_format)?).map_err(|_| damaged())?
        }
    };
    object.insert("apiVersion".to_owned(), Value::from(version));
    object.insert("kind".to_owned(), Value::from(kind));
    Ok(Value::Object(object))
}

/// The refusal of a body in a form that nobody knows.
pub(super) fn unknown_format() -> Refusal {
    Refusal::unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: application/json, \
         application/yaml, application/vnd.kubernetes.protobuf",
    )
}

fn damaged() -> Refusal {
    Refusal::bad_request("the body of the request is no object in protobuf")
}

/// The bytes are not what they should be.
struct Damaged;

fn message(bytes: &[u8], name: &str) -> Result<Map<String, Value>, Damaged> {
    let fields = TABLE.messages.get(name).ok_or(Damaged)?;
    let mut object = Map::new();
    for part in Fields::of(bytes) {
        let (number, payload) = part?;
        // A field that is not known here comes from a later version, and is left out as any unknown field.
        let Some(field) = fields.iter().find(|field| field.number == number) else { continue };
        match field.shape {
            Shape::One if field.name == "." => object.extend(message(payload.bytes()?, field.of)?),
            Shape::One => {
                let value = value(&payload, field.of)?;
                if !value.is_null() && (field.always || !is_empty(&value)) {
                    object.insert(field.name.to_owned(), value);
                }
            }
            Shape::List => {
                let value = value(&payload, field.of)?;
                if let Value::Array(items) = object.entry(field.name).or_insert_with(|| json!([])) {
                    items.push(value);
                }
            }
            Shape::Map => {
                let (key, value) = entry(payload.bytes()?, field.of)?;
                if let Value::Object(entries) = object.entry(field.name).or_insert_with(|| json!({})) {
                    entries.insert(key, value);
                }
            }
        }
    }
    Ok(object)
}

fn entry(bytes: &[u8], of: &str) -> Result<(String, Value), Damaged> {
    let mut key = String::new();
    let mut found = None;
    for part in Fields::of(bytes) {
        match part? {
            (1, payload) => key = text(payload.bytes()?)?,
            (2, payload) => found = Some(value(&payload, of)?),
            _ => {}
        }
    }
    let found = match found {
        Some(found) => found,
        None => value(&Payload::Bytes(&[]), of)?,
    };
    Ok((key, found))
}

fn value(payload: &Payload, of: &str) -> Result<Value, Damaged> {
    Ok(match of {
        "string" => Value::from(text(payload.bytes()?)?),
        "bytes" => Value::from(STANDARD.encode(payload.bytes()?)),
        "int" => Value::from(payload.number()?),
        "bool" => Value::from(payload.number()? != 0),
        "time" => time(payload.bytes()?, 0)?,
        "microtime" => time(payload.bytes()?, 6)?,
        "quantity" => match Fields::first(payload.bytes()?, 1)? {
            Some(quantity) => Value::from(text(quantity.bytes()?)?),
            None => Value::from("0"),
        },
        "intorstring" => {
            let bytes = payload.bytes()?;
            let is_text = Fields::first(bytes, 1)?.map_or(Ok(0), |sort| sort.number())? == 1;
            match Fields::first(bytes, if is_text { 3 } else { 2 })? {
                Some(found) if is_text => Value::from(text(found.bytes()?)?),
                Some(found) => Value::from(found.number()?),
                None if is_text => Value::from(""),
                None => Value::from(0),
            }
        }
        "raw" => match Fields::first(payload.bytes()?, 1)? {
            Some(raw) => serde_json::from_slice(raw.bytes()?).map_err(|_| Damaged)?,
            None => Value::Null,
        },
        "items" => {
            let items = Fields::of(payload.bytes()?).map(|item| text(item?.1.bytes()?).map(Value::from));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        name => Value::Object(message(payload.bytes()?, name)?),
    })
}

fn text(bytes: &[u8]) -> Result<String, Damaged> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Damaged)
}

fn time(bytes: &[u8], decimals: usize) -> Result<Value, Damaged> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let number = |field| Fields::first(bytes, field)?.map_or(Ok(0), |payload| payload.number());
    let nanoseconds = if decimals == 0 { 0 } else { i32::try_from(number(2)?).map_err(|_| Damaged)? };
    let moment = Timestamp::new(number(1)?, nanoseconds).map_err(|_| Damaged)?;
    Ok(Value::from(match decimals {
        0 => moment.to_string(),
        decimals => format!("{moment:.decimals$}"),
    }))
}

/// What Go leaves out of JSON where a field may be left out. A structure never is.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the Kubernetes client library writes for the same objects: as protobuf and as JSON, without its nulls.
    const SAME: [(&str, &str); 3] = [
        (
            "azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPAoQCgASABoAIgAqADIAOABC\
             ABIeChwKB2RlZmF1bHQSA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=",
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","metadata":{},"spec":{"resourceAttributes":{"namespace":"default","resource":"pods","verb":"get"}},"status":{"allowed":false}}"#,
        ),
        (
            "azhzAAoMCgJ2MRIGU2VjcmV0EicKEQoBcxIAGgAiACoAMgA4AEIAEgoKAWESBWhlbGxvGgZPcGFxdWUaACIA",
            r#"{"apiVersion":"v1","data":{"a":"aGVsbG8="},"kind":"Secret","metadata":{"name":"s"},"type":"Opaque"}"#,
        ),
        (
            "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EugBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViErYBCAASDAoKCgNh\
             cHASA3dlYhqbAQocCgASABoAIgAqADIAOABCAFoKCgNhcHASA3dlYhJ7El0KA3dlYhIFbmdpbngqADIKCgAQABhQIgAqAEIPCg0K\
             A2NwdRIGCgQxMDBtWiAKFBISCgASCggBEAAaBGh0dHAaACIAEAAYACAAKAAwAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABg\
             AGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=",
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"labels":{"app":"web"},"name":"web"},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"web"}},"strategy":{},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"image":"nginx","name":"web","ports":[{"containerPort":80}],"readinessProbe":{"httpGet":{"port":"http"}},"resources":{"limits":{"cpu":"100m"}}}]}}},"status":{}}"#,
        ),
    ];

    #[test]
    fn a_body_says_the_same_as_protobuf_and_as_json() {
        for (protobuf, json) in SAME {
            let decoded = decode(&STANDARD.decode(protobuf).unwrap()).unwrap();
            assert_eq!(decoded.to_string(), json);
        }
    }

    #[test]
    fn every_message_of_the_table_is_there() {
        let plain = ["string", "bytes", "int", "bool", "time", "microtime", "quantity", "intorstring", "raw", "items"];
        let known = |name: &str| plain.contains(&name) || TABLE.messages.contains_key(name);
        assert!(TABLE.kinds.len() > 40 && TABLE.kinds.values().all(|message| known(message)));
        for (message, fields) in &TABLE.messages {
            for field in fields {
                assert!(field.number > 0 && known(field.of), "{message}.{}: {}", field.name, field.of);
            }
        }
    }

    #[test]
    fn a_damaged_body_is_refused() {
        for (protobuf, _) in SAME {
            let body = STANDARD.decode(protobuf).unwrap();
            for length in 0..body.len() {
                let _ = decode(&body[..length]);
                let mut changed = body.clone();
                changed[length] ^= 0x55;
                let _ = decode(&changed);
            }
            assert_eq!(decode(&body[..body.len() / 2]).unwrap_err().code, 400);
        }
        assert_eq!(decode(b"{}").unwrap_err().code, 415);
    }
}
