//! JSONPath as the server evaluates it for printer columns: fields, indexes, slices, wildcards, unions, filters and
//! descent into everything.

mod parse;

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

/// A path that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JsonPath {
    steps: Vec<Step>,
}

/// One step from values to values.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    /// All fields of a map, all items of a list.
    Wildcard,
    /// The value itself and all that is in it, but for scalars.
    Descend,
    Slice {
        start: Option<i64>,
        end: End,
        step: Option<i64>,
    },
    Union(Vec<JsonPath>),
    Filter {
        left: JsonPath,
        condition: Option<(Comparison, JsonPath)>,
    },
    /// A literal, which takes the place of what it is applied to.
    Literal(Value),
}

/// Where a slice ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the list.
    Open,
    /// Before this index.
    Before(i64),
    /// After the one item at its start.
    Single,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An evaluation that fails leaves its cell empty, whatever it failed of.
struct Failed;

/// A column shows one value. A path that finds this many on its way descends again and again, and would never end.
const MOST: usize = 100_000;

type Values<'v> = Vec<Cow<'v, Value>>;

impl JsonPath {
    /// Reads a path; `None` if it makes no sense.
    pub(super) fn parse(text: &str) -> Option<Self> {
        parse::parse(text)
    }

    /// Returns the first value at the path.
    pub(super) fn first<'v>(&self, value: &'v Value) -> Option<Cow<'v, Value>> {
        self.walk(vec![Cow::Borrowed(value)]).ok()?.into_iter().next()
    }

    fn walk<'v>(&self, values: Values<'v>) -> Result<Values<'v>, Failed> {
        self.steps.iter().try_fold(values, |values, step| step.walk(&values))
    }
}

/// Steps into a value that is borrowed from the object; nothing can be in a literal.
fn borrowed<'v>(value: &Cow<'v, Value>) -> Option<&'v Value> {
    match value {
        Cow::Borrowed(value) if !value.is_null() => Some(value),
        _ => None,
    }
}

impl Step {
    fn walk<'v>(&self, values: &[Cow<'v, Value>]) -> Result<Values<'v>, Failed> {
        let mut found = Vec::new();
        match self {
            Self::Union(paths) => {
                for path in paths {
                    found.extend(path.walk(values.to_vec())?);
                }
            }
            Self::Literal(literal) => found.push(Cow::Owned(literal.clone())),
            _ => {
                for value in values {
                    // A filter does not pass over null as the other steps do.
                    match (borrowed(value), self) {
                        (Some(value), _) => self.walk_one(value, &mut found)?,
                        (None, Self::Filter { .. }) => return Err(Failed),
                        (None, _) => {}
                    }
                    if found.len() > MOST {
                        return Err(Failed);
                    }
                }
            }
        }
        Ok(found)
    }

    fn walk_one<'v>(&self, value: &'v Value, found: &mut Values<'v>) -> Result<(), Failed> {
        match self {
            Self::Field(name) => found.extend(value.as_object().and_then(|map| map.get(name)).map(Cow::Borrowed)),
            Self::Wildcard => found.extend(inside(value).into_iter().map(Cow::Borrowed)),
            Self::Descend => descend(value, found),
            Self::Slice { start, end, step } => {
                let items = value.as_array().ok_or(Failed)?;
                found.extend(slice(items, *start, *end, *step)?.map(Cow::Borrowed));
            }
            Self::Filter { left, condition } => {
                for item in value.as_array().ok_or(Failed)? {
                    if passes(item, left, condition.as_ref())? {
                        found.push(Cow::Borrowed(item));
                    }
                }
            }
            Self::Union(_) | Self::Literal(_) => {}
        }
        Ok(())
    }
}

fn inside(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}

fn descend<'v>(value: &'v Value, found: &mut Values<'v>) {
    let inner = inside(value);
    if !inner.is_empty() {
        found.push(Cow::Borrowed(value));
        for value in inner {
            descend(value, found);
        }
    }
}

fn slice(
    items: &[Value],
    start: Option<i64>,
    end: End,
    step: Option<i64>,
) -> Result<impl Iterator<Item = &Value>, Failed> {
    let length = i64::try_from(items.len()).map_err(|_| Failed)?;
    let from_end = |index: i64| if index < 0 { index + length } else { index };
    let first = from_end(start.unwrap_or(0));
    let last = match end {
        End::Open => length,
        End::Before(index) => from_end(index),
        End::Single => first.saturating_add(1),
    };
    let step = usize::try_from(step.unwrap_or(1)).ok().filter(|step| *step > 0).ok_or(Failed)?;
    let range = match (usize::try_from(first), usize::try_from(last)) {
        _ if first == last => 0..0,
        (Ok(first), Ok(last)) => first..last,
        _ => return Err(Failed),
    };
    items.get(range).map(|items| items.iter().step_by(step)).ok_or(Failed)
}

fn passes(item: &Value, left: &JsonPath, condition: Option<&(Comparison, JsonPath)>) -> Result<bool, Failed> {
    let lefts = left.walk(vec![Cow::Borrowed(item)]);
    let Some((comparison, right)) = condition else { return Ok(lefts.is_ok_and(|lefts| !lefts.is_empty())) };
    let (lefts, rights) = (lefts?, right.walk(vec![Cow::Borrowed(item)])?);
    match (lefts.as_slice(), rights.as_slice()) {
        ([], _) | (_, []) => Ok(false),
        ([left], [right]) => comparison.holds(left, right),
        _ => Err(Failed),
    }
}

impl Comparison {
    /// Only values of one type can be compared, integers and other numbers being two.
    fn holds(self, left: &Value, right: &Value) -> Result<bool, Failed> {
        let order = match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => match self {
                Self::Equal => return Ok(left == right),
                Self::NotEqual => return Ok(left != right),
                _ => return Err(Failed),
            },
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                (None, None) => left.as_f64().partial_cmp(&right.as_f64()),
                _ => return Err(Failed),
            },
            _ => return Err(Failed),
        };
        Ok(match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(path: &str) -> Option<Value> {
        let object = json!({
            "spec": {"replicas": 3, "list": [{"name": "x", "v": 1}, {"name": "y", "v": 2}], "map": {"a.b": "c"}, "none": null},
            "status": {"conditions": [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}]}
        });
        JsonPath::parse(path)?.first(&object).map(Cow::into_owned)
    }

    #[test]
    fn paths_lead_where_the_server_goes() {
        let cases = [
            (".spec.replicas", json!(3)),
            ("$.spec.replicas", json!(3)),
            (".spec.list[0].name", json!("x")),
            (".spec.list[-1].name", json!("y")),
            (".spec.list[*].name", json!("x")),
            (".spec.list[1:].name", json!("y")),
            (".spec.list[0:2:2].v", json!(1)),
            (".spec['replicas']", json!(3)),
            (".spec.map.a\\.b", json!("c")),
            (".spec.map", json!({"a.b": "c"})),
            (".spec.map.*", json!("c")),
            (".status.conditions[?(@.type==\"Ready\")].status", json!("True")),
            (".status.conditions[?(@.type=='Ready')].status", json!("True")),
            (".status.conditions[?(@.type!=\"A\")].type", json!("Ready")),
            (".spec.list[?(@.v>1)].name", json!("y")),
            (".spec.list[?(@.v)].name", json!("x")),
            ("..name", json!("x")),
            (".spec.list[0,1].name", json!("x")),
        ];
        for (path, expected) in cases {
            assert_eq!(find(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_no_value() {
        let paths = [".spec.nothing", ".spec.replicas.x", ".spec.list[7]", ".spec.replicas[0]", ".spec.none.x"];
        for path in paths.into_iter().chain([".spec.map['a.b']", ".spec.list[?(@.v==\"1\")]", ".spec.none[?(@.x)]"]) {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_path() {
        for path in [".a[", ".a[x]", ".a[?(@.b==1]", ".a b\"", ".a.....b", "%"] {
            assert_eq!(JsonPath::parse(path), None, "{path}");
        }
    }
}
