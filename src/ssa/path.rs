//! Where in an object a field is, in the notation of managed fields: `.spec.containers[name="a"].image`.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

use serde_json::Value;
use thiserror::Error;

use super::json;
use super::key::Key;
use super::text;

/// One step from a value to a value inside it.
#[derive(Debug, Clone)]
pub enum PathElement {
    /// A field of a map.
    Field(String),
    /// The list item with these values in its key fields.
    Key(Key),
    /// The list item that is this scalar.
    Value(Value),
    /// The list item at this place.
    Index(usize),
}

impl PathElement {
    /// Makes a step into a field.
    pub fn field(name: impl Into<String>) -> Self {
        Self::Field(name.into())
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for PathElement {}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PathElement {
    /// Fields, then keyed items, set items, places; within each by name and value.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) => text::order(left, right),
            (Self::Key(left), Self::Key(right)) => json::order_of_fields(left.iter(), right.iter()),
            (Self::Value(left), Self::Value(right)) => json::order(left, right),
            (Self::Index(left), Self::Index(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                f.write_str("[")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{name}={}", as_told(value))?;
                }
                f.write_str("]")
            }
            Self::Value(value) => write!(f, "[={}]", as_told(value)),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Writes a value as the server does in a path. Maps are in no key that it would accept, but in those it complains of.
fn as_told(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(as_told).collect::<Vec<_>>().join(",")),
        Value::Object(map) => map.iter().map(|(name, value)| format!("{name}={}", as_told(value))).collect(),
        scalar => scalar.to_string(),
    }
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no field path: {problem} at character {position}")]
pub struct PathError {
    /// The text.
    pub text: String,
    /// Where reading stopped, counted in characters from 0.
    pub position: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

/// The steps from the root of an object to a field; the empty path is the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<PathElement>);

/// Maps whose keys may hold dots, so that a path through them ends in one key, however many dots it has.
const MAPS_OF_NAMES: [&str; 5] = ["labels", "annotations", "matchLabels", "nodeSelector", "hard"];
/// The same, at the root of an object only.
const ROOT_MAPS_OF_NAMES: [&str; 3] = ["data", "stringData", "binaryData"];
/// The same, below `resources` only.
const MAPS_OF_RESOURCES: [&str; 2] = ["limits", "requests"];

impl Path {
    /// Makes a path through fields only.
    #[must_use]
    pub fn of_fields(names: &[&str]) -> Self {
        Self(names.iter().map(|name| PathElement::field(*name)).collect())
    }

    /// Reads what [`Display`](fmt::Display) wrote; the first dot may be left out.
    ///
    /// The notation does not quote field names, so a dot within one is ambiguous. It is taken for part of the name below
    /// the maps that are known to have such names (labels, annotations, selectors, amounts of resources, the data of
    /// ConfigMaps and Secrets), and for a step everywhere else.
    ///
    /// # Errors
    /// See [`PathError`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut path = Self::default();
        let mut position = 0;
        let fail = |position: usize, problem| {
            let position = text[..position].chars().count();
            PathError { text: text.to_owned(), position, problem }
        };
        while position < text.len() {
            let rest = &text[position..];
            if let Some(inside) = rest.strip_prefix('[') {
                let length = bracket_length(inside).ok_or_else(|| fail(position, "a bracket is not closed"))?;
                let element = parse_item(&inside[..length])
                    .ok_or_else(|| fail(position, "expected `[0]`, `[=VALUE]` or `[NAME=VALUE,…]`"))?;
                path.0.push(element);
                position += length + 2;
                continue;
            }
            let name = match rest.strip_prefix('.') {
                Some(name) => name,
                None if position == 0 => rest,
                None => return Err(fail(position, "expected a dot or a bracket")),
            };
            let length =
                if path.ends_in_map_of_names() { name.len() } else { name.find(['.', '[']).unwrap_or(name.len()) };
            if length == 0 {
                return Err(fail(position, "a field name is missing"));
            }
            path.0.push(PathElement::field(&name[..length]));
            position += rest.len() - name.len() + length;
        }
        Ok(path)
    }

    fn ends_in_map_of_names(&self) -> bool {
        match self.0.as_slice() {
            [PathElement::Field(name)] => ROOT_MAPS_OF_NAMES.contains(&name.as_str()),
            [.., parent, PathElement::Field(name)] => {
                let name = name.as_str();
                MAPS_OF_NAMES.contains(&name)
                    || MAPS_OF_RESOURCES.contains(&name)
                        && matches!(parent, PathElement::Field(parent) if parent == "resources")
            }
            _ => false,
        }
    }

    /// Tells whether this path is `prefix` or lies below it.
    #[must_use]
    pub fn starts_with(&self, prefix: &[PathElement]) -> bool {
        self.0.starts_with(prefix)
    }

    /// Returns this path with one more step.
    #[must_use]
    pub fn join(&self, element: PathElement) -> Self {
        let mut elements = Vec::with_capacity(self.0.len() + 1);
        elements.extend_from_slice(&self.0);
        elements.push(element);
        Self(elements)
    }

    /// Returns the path of what holds this field; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, parent)| Self(parent.to_vec()))
    }
}

impl Deref for Path {
    type Target = [PathElement];

    fn deref(&self) -> &[PathElement] {
        &self.0
    }
}

impl From<Vec<PathElement>> for Path {
    fn from(elements: Vec<PathElement>) -> Self {
        Self(elements)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| fmt::Display::fmt(element, f))
    }
}

/// Returns how long the text within a bracket is, strings being passed over.
fn bracket_length(inside: &str) -> Option<usize> {
    let (mut in_string, mut escaped, mut depth) = (false, false, 0_usize);
    for (position, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' => depth += 1,
            b']' if depth == 0 => return Some(position),
            b']' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn parse_item(inside: &str) -> Option<PathElement> {
    if let Some(value) = inside.strip_prefix('=') {
        return serde_json::from_str(value).ok().map(PathElement::Value);
    }
    if let Ok(index) = inside.parse() {
        return Some(PathElement::Index(index));
    }
    let mut fields = Vec::new();
    let mut rest = inside;
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let after = &after[values.byte_offset()..];
        fields.push((name.to_owned(), value));
        rest = match after.strip_prefix(',') {
            Some(next) if !next.is_empty() => next,
            None if after.is_empty() => after,
            _ => return None,
        };
    }
    (!fields.is_empty()).then(|| PathElement::Key(fields.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_read_as_they_are_written() {
        for text in [
            ".spec.template.spec.containers[name=\"a\"].image",
            ".spec.ports[containerPort=80,protocol=\"TCP\"].name",
            ".metadata.finalizers[=\"example.com/x\"]",
            ".spec.rules[0].host",
            ".metadata.annotations.app.kubernetes.io/name",
            ".data.nginx.conf",
            ".spec.env[name=\"odd ] \\\" name\"].value",
            "",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Path::parse("spec.replicas").unwrap(), Path::of_fields(&["spec", "replicas"]));
        assert_eq!(Path::parse(".data.nginx.conf").unwrap(), Path::of_fields(&["data", "nginx.conf"]));
        let limit = [".spec.containers[name=\"a\"].resources.limits", ".spec.hard"];
        for map in limit {
            let path = Path::parse(&format!("{map}.requests.nvidia.com/gpu")).unwrap();
            assert_eq!(path.last(), Some(&PathElement::field("requests.nvidia.com/gpu")), "{path}");
        }
        assert_eq!(Path::parse(".spec.limits.cpu.max").unwrap(), Path::of_fields(&["spec", "limits", "cpu", "max"]));
        assert_eq!(Path::parse(".metadata.labels.a.b/c").unwrap(), Path::of_fields(&["metadata", "labels", "a.b/c"]));
    }

    #[test]
    fn what_is_no_path_says_where_it_goes_wrong() {
        insta::assert_snapshot!(Path::parse(".a..b").unwrap_err(), @"`.a..b` is no field path: a field name is missing at character 2");
        insta::assert_snapshot!(Path::parse(".a[x").unwrap_err(), @"`.a[x` is no field path: a bracket is not closed at character 2");
        insta::assert_snapshot!(Path::parse(".a[x=]").unwrap_err(), @"`.a[x=]` is no field path: expected `[0]`, `[=VALUE]` or `[NAME=VALUE,…]` at character 2");
    }

    #[test]
    fn only_the_first_dot_may_be_left_out_and_only_commas_stand_between_keys() {
        for text in [".a[0]b", ".a[x=1,]", ".a[x=1 y=2]"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
        let nested = Path::parse(".a[x=[1,[2]]].b").unwrap();
        assert_eq!(nested.to_string(), ".a[x=[1,[2]]].b");
        assert_eq!(nested.parent(), Some(Path::parse(".a[x=[1,[2]]]").unwrap()));
        assert_eq!(nested.parent().unwrap().join(PathElement::field("b")), nested);
    }

    #[test]
    fn fields_come_before_keys_before_values_before_places() {
        let key = |value: Value| PathElement::Key([("name".to_owned(), value)].into());
        let sorted = [
            PathElement::field("a"),
            PathElement::field("b"),
            key(json!(2)),
            key(json!(10)),
            key(json!("a")),
            PathElement::Value(json!("x")),
            PathElement::Index(0),
        ];
        assert!(sorted.is_sorted());
        assert_eq!(key(json!(1)), key(json!(1.0)));
    }
}
