//! JSON in which nothing is unusual, read at once into the value that it is: no key stands twice, all numbers are whole. What
//! is unusual, or wrong, is for [`Node`](super::node::Node), which has the server's words for it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::node::DEEPEST;

/// Reads a map, if nothing in it is unusual. A merge key is, as it means something in YAML.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Plain { depth: 0 }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value).filter(Value::is_object)
}

#[derive(Clone, Copy)]
struct Plain {
    depth: usize,
}

impl Plain {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= DEEPEST { Err(E::custom("too deep")) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::from).map_err(E::custom)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(below)?;
            if key == "<<" || map.insert(key, value).is_some() {
                return Err(A::Error::custom("unusual"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::decode::node::Node;

    #[test]
    fn what_is_plain_reads_as_it_would_otherwise_and_what_is_not_is_left_alone() {
        for text in [r#"{"a": {"b": [1, -2, null, true, "é\n\ud83d\ude00/"], "c": {}}}"#, "{}", " {\"a\": 0}\n"] {
            assert_eq!(read(text.as_bytes()).unwrap(), Node::read(text.as_bytes()).unwrap().to_value(), "{text}");
        }
        let deep = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert!(read(deep(DEEPEST).as_bytes()).is_some() && Node::read(deep(DEEPEST).as_bytes()).is_ok());
        assert!(read(deep(DEEPEST + 1).as_bytes()).is_none() && Node::read(deep(DEEPEST + 1).as_bytes()).is_err());
        let unusual = [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1.0}"#,
            r#"{"a": -0}"#,
            r#"{"a": 9223372036854775808}"#,
            r#"{"a": "\ud83d"}"#,
            r#"{"<<": {}}"#,
            "{} x",
            "[]",
            "",
        ];
        for text in unusual {
            assert!(read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(read(b"{\"a\": \"\xff\"}").is_none());
    }
}
