//! YAML text as values, read as kubectl reads it (`0644` is octal, `<<` merges) but for equal keys, which are an error.
//! The only place that names the parser.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{DuplicateKeyPolicy, Location, Options, Spanned};

use super::simple::read_simple;
use super::{Entry, Node, NodeValue, Problem, Problems, Spot};

/// One document with positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its root.
    pub root: Node,
}

/// One document as plain JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainDocument {
    /// Its value.
    pub value: Value,
    /// The line on which it starts, from 1.
    pub line: usize,
}

/// Reads all documents of a text with the position of every key and value; empty ones are left out. After a syntax error
/// there are no documents; equal keys are reported, and the first of them counts.
#[must_use]
pub fn read(file: &str, text: &str) -> (Vec<Document>, Problems) {
    let mut problems = Problems::default();
    match serde_saphyr::from_multiple_with_options::<Spanned<Positioned>>(
        text,
        options(DuplicateKeyPolicy::PassThrough),
    ) {
        Ok(roots) => {
            let documents: Vec<_> = roots.into_iter().map(|root| Document { root: positioned(root) }).collect();
            documents.iter().for_each(|document| report_equal_keys(file, &document.root, &mut problems));
            (documents, problems)
        }
        Err(error) => {
            problems.push(syntax_problem(file, text, &error));
            (Vec::new(), problems)
        }
    }
}

/// Reads all documents of a text as plain JSON, several times faster than [`read`], with the same verdict.
#[must_use]
pub fn read_plain(file: &str, text: &str) -> (Vec<PlainDocument>, Problems) {
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        // Equal keys pass serde_json silently; the count of keys tells.
        if count_keys(&value) == count_json_keys(text) {
            let line = 1 + text
                .chars()
                .take_while(|character| *character != '{')
                .filter(|character| *character == '\n')
                .count();
            return (vec![PlainDocument { value, line }], Problems::default());
        }
    }
    if let Some(documents) = read_simple(text, &word) {
        return (documents, Problems::default());
    }
    match read_fully(text) {
        Ok(documents) => (documents, Problems::default()),
        // The slow way knows more to say, and what it can still read is read.
        Err(_) => {
            let (documents, problems) = read(file, text);
            let documents = documents
                .into_iter()
                .map(|document| PlainDocument { value: document.root.to_json(), line: document.root.at.line });
            (documents.collect(), problems)
        }
    }
}

/// Reads all documents, whatever they are made of.
pub(super) fn read_fully(text: &str) -> Result<Vec<PlainDocument>, Unread> {
    let roots = serde_saphyr::from_multiple_with_options::<Spanned<Value>>(text, options(DuplicateKeyPolicy::Error));
    let document = |root: Spanned<Value>| PlainDocument { line: spot(root.referenced).line, value: root.value };
    roots.map(|roots| roots.into_iter().map(document).collect()).map_err(|_| Unread)
}

/// What is wrong is said by [`read`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unread;

/// Reads one bare word: a text, a number, a boolean or nothing.
pub(super) fn word(text: &str) -> Option<Value> {
    serde_saphyr::from_str_with_options(text, options(DuplicateKeyPolicy::Error)).ok()
}

fn count_keys(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count_keys).sum(),
        Value::Object(map) => map.len() + map.values().map(count_keys).sum::<usize>(),
        _ => 0,
    }
}

/// Counts the colons outside of strings, which in valid JSON are the keys.
fn count_json_keys(text: &str) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b':' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: duplicate_keys,
        with_snippet: false,
        emit_comments: false,
        // Generated manifests are large and custom resource definitions deep; what could explode are aliases, and their
        // limits stay.
        budget: serde_saphyr::budget! {
            max_documents: 1_000_000,
            max_nodes: 50_000_000,
            max_events: 200_000_000,
            max_depth: 400,
        },
    }
}

fn spot(location: Location) -> Spot {
    let length = usize::try_from(location.span().len()).unwrap_or(1);
    Spot {
        line: usize::try_from(location.line()).unwrap_or(0),
        column: usize::try_from(location.column()).unwrap_or(0),
        length: length.max(1),
    }
}

fn syntax_problem(file: &str, text: &str, error: &serde_saphyr::Error) -> Problem {
    let at = error.location().map(spot).unwrap_or_default();
    let tabbed = |line: usize| {
        let indent: String =
            text.lines().nth(line.checked_sub(1)?)?.chars().take_while(|c| c.is_whitespace()).collect();
        indent.chars().position(|character| character == '\t').map(|index| Spot { line, column: index + 1, length: 1 })
    };
    if let Some(tab) = tabbed(at.line).or_else(|| tabbed(at.line + 1)) {
        return Problem::error(file, tab, "YAML is indented with spaces; this is a tab")
            .hint("replace the tab by spaces");
    }
    let message = error.to_string();
    // The parser repeats the place in its text; ours stands before the line.
    let message = message.split(" at line ").next().unwrap_or_default().trim_end_matches([',', ':', ' ']);
    let message = match message.strip_prefix("error: ").unwrap_or(message) {
        null if null.starts_with("cannot deserialize null into string") => "a key is empty or null",
        "expected string scalar" => "a key is a list or a map",
        cycle if cycle.starts_with("recursive references") => "an alias stands within what it stands for",
        other => other.strip_suffix(" rejected by the configured policy").unwrap_or(other),
    };
    Problem::error(file, at, format!("this is not YAML: {message}"))
}

fn report_equal_keys(file: &str, node: &Node, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for entry in node.entries() {
        if !seen.insert(entry.key.as_str()) {
            let first = node.entry(&entry.key).map_or(0, |entry| entry.key_at.line);
            let message = format!("the key `{}` stands twice in the same map", entry.key);
            problems
                .push(Problem::error(file, entry.key_at, message).hint(format!("it was first set on line {first}")));
        }
        report_equal_keys(file, &entry.value, problems);
    }
    node.items().iter().for_each(|item| report_equal_keys(file, item, problems));
}

/// Reads a node without its own place, which its parent knows.
struct Positioned(NodeValue);

fn positioned(spanned: Spanned<Positioned>) -> Node {
    Node { value: spanned.value.0, at: spot(spanned.referenced) }
}

impl<'de> Deserialize<'de> for Positioned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor).map(Positioned)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = NodeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeValue, E> {
        Ok(NodeValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<NodeValue, E> {
        Ok(NodeValue::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<NodeValue, E> {
        Ok(Number::from_f64(value).map_or(NodeValue::Null, NodeValue::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeValue, E> {
        Ok(NodeValue::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<NodeValue, E> {
        Ok(NodeValue::String(value))
    }

    fn visit_unit<E>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Null)
    }

    fn visit_none<E>(self) -> Result<NodeValue, E> {
        Ok(NodeValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<NodeValue, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<NodeValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element::<Spanned<Positioned>>()? {
            items.push(positioned(item));
        }
        Ok(NodeValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NodeValue, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Spanned<Positioned>>()? {
            entries.push(Entry { key: key.value, key_at: spot(key.referenced), value: positioned(value) });
        }
        Ok(NodeValue::Map(entries))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::yaml::to_yaml;

    fn one(text: &str) -> Node {
        let (mut documents, problems) = read("test.yaml", text);
        assert!(problems.is_empty(), "{problems:?}");
        documents.remove(0).root
    }

    #[test]
    fn every_key_and_value_knows_its_place() {
        let root = one("a: 1\nlist:\n  - x: hello # no\n  - \"über\"\n");
        let (node, key) = root.at_pointer("/list/0/x").unwrap();
        assert_eq!((node.at, key), (Spot { line: 3, column: 8, length: 5 }, Spot { line: 3, column: 5, length: 1 }));
        assert_eq!(root.at_pointer("/list/1").unwrap().0.at, Spot { line: 4, column: 5, length: 6 });
        assert_eq!(root.nearest_to_pointer("/list/0/missing/deep").0.at.line, 3);
    }

    #[test]
    fn numbers_and_booleans_are_what_kubectl_makes_of_them() {
        let text = "mode: 0644\nmodes: [0755, 010, 1_000, 0x1F]\nyes: yes\ntext: \"0644\"\nbase: &base {a: 1, b: 2}\nuse:\n  <<: *base\n  b: 3\n1: one\n";
        let expected = json!({
            "mode": 420, "modes": [493, 8, 1000, 31], "yes": true, "text": "0644", "base": {"a": 1, "b": 2},
            "use": {"a": 1, "b": 3}, "1": "one"
        });
        assert_eq!(one(text).to_json(), expected);
        assert_eq!(read_plain("x", text).0[0].value, expected);
    }

    #[test]
    fn documents_keep_their_lines_and_empty_ones_are_left_out() {
        let (documents, problems) = read_plain("x", "---\n# nothing\n---\na: 1\n---\n\nb: 2\n---\n");
        assert!(problems.is_empty());
        assert_eq!(documents.iter().map(|document| document.line).collect::<Vec<_>>(), [4, 7]);
    }

    #[test]
    fn equal_keys_are_all_reported_in_yaml_and_json() {
        for text in ["a: 1\nb: {x: 1, x: 2}\na: 3\n", "{\"a\": 1,\n\"b\": {\"x\": 1, \"x\": 2},\n\"a\": 3}"] {
            let (documents, problems) = read_plain("x", text);
            assert_eq!(problems.len(), 2, "{problems:?}");
            assert_eq!(documents[0].value["a"], 1);
        }
    }

    #[test]
    fn what_the_parser_says_of_its_caller_is_said_of_the_text() {
        for (text, expected) in [
            ("~: x\n", "a key is empty or null"),
            ("{{ .Values.name }}: x\n", "a key is a list or a map"),
            ("a: &x [*x]\n", "an alias stands within what it stands for"),
            ("a: .nan\n", "non-finite float `.nan`"),
            ("a: *x\n", "alias references unknown anchor"),
        ] {
            let (_, problems) = read("x", text);
            let message = &problems.iter().next().unwrap().message;
            assert_eq!(*message, format!("this is not YAML: {expected}"), "{text}");
        }
    }

    #[test]
    fn a_tab_is_named_as_such() {
        let (_, problems) = read("x", "a:\n\tb: 1\n");
        let problem = problems.iter().next().unwrap();
        assert_eq!(problem.message, "YAML is indented with spaces; this is a tab");
        assert_eq!(problem.at, Spot { line: 2, column: 1, length: 1 });
    }

    pub(in crate::yaml) fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~äß\n]{0,12}".prop_map(Value::from),
            prop_oneof!["0644", "yes", "~", "1e3", "0x1f", "- a", "a: b", "'", "\"", "null", "1_000"]
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_readers_give_back_what_was_written(value in any_json()) {
            let value = json!({"root": value});
            let yaml = to_yaml(&value);
            prop_assert_eq!(&read_plain("x", &yaml).0[0].value, &value, "{}", yaml);
            prop_assert_eq!(&read("x", &yaml).0[0].root.to_json(), &value, "{}", yaml);
            let json = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(&read_plain("x", &json).0[0].value, &value, "{}", json);
        }

        #[test]
        fn no_text_makes_a_reader_panic(text in "[ -~\n\t]{0,60}") {
            let _ = read("x", &text);
            let _ = read_plain("x", &text);
        }
    }
}
