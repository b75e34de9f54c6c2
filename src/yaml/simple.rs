//! A quick reader for YAML as almost all manifests are written.
//!
//! Reading a thousand manifests was a third of a plan that changes nothing. What kubectl, helm and people write is mostly
//! block maps and lists with values on one line, which needs no general parser. This one knows nothing else: at whatever it
//! is not sure of (anchors, tags, escapes, texts over several lines, tabs, equal keys, mistakes …) it gives up, and the
//! general reader says what the text means or what is wrong with it. What it does read it reads to the same value; a test
//! holds it to that. Which bare words are numbers, booleans or nothing is not decided here but for the plainest of them.

use serde_json::{Map, Value};

use super::read::PlainDocument;

/// Deeper than any manifest, and shallow enough for every stack.
const DEEPEST: usize = 64;

/// YAML allows a key that needs no mark 1,024 characters.
const LONGEST_KEY: usize = 1000;

/// Words that some reader takes for something else than a text.
const WORDS: [&str; 12] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];

/// Returns the documents of a text, or `None` if it holds anything that is not simple. `full` reads one bare scalar.
pub(super) fn read_simple(text: &str, full: &dyn Fn(&str) -> Option<Value>) -> Option<Vec<PlainDocument>> {
    let is_simple = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
    // Looking at every byte, whatever the others are, is what compilers make fast.
    if !text.ends_with('\n') || !text.bytes().fold(true, |simple, byte| simple & is_simple(byte)) {
        return None;
    }
    Reader { lines: text.split('\n').collect(), at: 0, depth: 0, full }.documents()
}

struct Reader<'t> {
    lines: Vec<&'t str>,
    at: usize,
    depth: usize,
    full: &'t dyn Fn(&str) -> Option<Value>,
}

/// A line that holds something, without its indentation.
#[derive(Clone, Copy)]
struct Line<'t> {
    indent: usize,
    text: &'t str,
}

impl Line<'_> {
    fn is_marker(self) -> bool {
        self.indent == 0 && matches!(self.text.as_bytes(), [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..])
    }

    fn is_item(self) -> bool {
        is_item(self.text)
    }
}

fn is_item(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-'] | [b'-', b' ', ..])
}

impl<'t> Reader<'t> {
    /// Goes to the next line that holds something.
    fn peek(&mut self) -> Option<Line<'t>> {
        while let Some(line) = self.lines.get(self.at) {
            let text = line.trim_start_matches(' ');
            if !is_blank(text) {
                return Some(Line { indent: line.len() - text.len(), text: text.trim_end_matches(' ') });
            }
            self.at += 1;
        }
        None
    }

    /// The same, within the document.
    fn peek_content(&mut self) -> Option<Line<'t>> {
        self.peek().filter(|line| !line.is_marker())
    }

    fn documents(mut self) -> Option<Vec<PlainDocument>> {
        let mut documents = Vec::new();
        let mut separated = true;
        while let Some(line) = self.peek() {
            if line.is_marker() {
                if self.lines[self.at] != "---" {
                    return None;
                }
                separated = true;
                self.at += 1;
            } else if line.indent == 0 && separated {
                separated = false;
                let line = self.at + 1;
                documents.push(PlainDocument { value: self.map(0, None)?, line });
            } else {
                return None;
            }
        }
        Some(documents)
    }

    /// Reads a map whose keys stand at `indent`. `first` is what is left of the line on which an item of a list begins it.
    fn map(&mut self, indent: usize, mut first: Option<&'t str>) -> Option<Value> {
        self.enter()?;
        let mut map = Map::new();
        loop {
            let text = match (first.take(), self.peek_content()) {
                (Some(text), _) => text,
                (None, Some(line)) if line.indent == indent => line.text,
                (None, Some(line)) if line.indent > indent => return None,
                (None, _) => break,
            };
            let (key, rest) = key(text)?;
            self.at += 1;
            let value = match self.nested(rest, indent)? {
                Some(value) => value,
                None => self.value(rest, indent)?,
            };
            if map.insert(key, value).is_some() {
                return None;
            }
        }
        self.depth -= 1;
        Some(Value::Object(map))
    }

    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }

    /// Reads what stands below a key whose own line holds no value: `Some(None)` if it does.
    fn nested(&mut self, rest: &str, indent: usize) -> Option<Option<Value>> {
        if !is_blank(rest) {
            return Some(None);
        }
        let value = match self.peek_content() {
            Some(line) if line.is_item() && line.indent >= indent => self.list(line.indent)?,
            Some(line) if line.indent > indent => self.map(line.indent, None)?,
            _ => Value::Null,
        };
        Some(Some(value))
    }

    fn list(&mut self, indent: usize) -> Option<Value> {
        self.enter()?;
        let mut items = Vec::new();
        while let Some(line) = self.peek_content().filter(|line| line.indent >= indent) {
            if line.indent > indent {
                return None;
            }
            if !line.is_item() {
                break;
            }
            let content = line.text[1..].trim_start_matches(' ');
            if is_blank(content) || is_item(content) {
                return None;
            }
            if key(content).is_some() {
                items.push(self.map(indent + line.text.len() - content.len(), Some(content))?);
            } else {
                self.at += 1;
                items.push(self.value(content, indent)?);
            }
        }
        self.depth -= 1;
        Some(Value::Array(items))
    }

    /// Reads a value that begins on the line of its key or dash, which stands at `indent`.
    fn value(&mut self, text: &'t str, indent: usize) -> Option<Value> {
        let value = match text.as_bytes().first()? {
            b'|' | b'>' => return self.block_text(text, indent),
            b'"' | b'\'' => {
                let (text, rest) = quoted(text)?;
                ends(rest).then_some(Value::String(text))?
            }
            b'[' | b'{' => {
                let (value, rest) = self.flow(text)?;
                ends(rest).then_some(value)?
            }
            _ => {
                let text = bare(text)?;
                self.scalar(text)?
            }
        };
        // What is indented further would go on with this text.
        if self.peek_content().is_some_and(|line| line.indent > indent) { None } else { Some(value) }
    }

    /// Reads a text of several lines.
    fn block_text(&mut self, header: &str, indent: usize) -> Option<Value> {
        let (folded, ending) = match header {
            "|" => (false, "\n"),
            "|-" => (false, ""),
            ">" => (true, "\n"),
            ">-" => (true, ""),
            _ => return None,
        };
        let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let inner = self.lines.get(self.at).map(|line| spaces(line))?;
        let mut lines: Vec<&str> = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            let is_blank = line.trim_start_matches(' ').is_empty();
            if is_blank && line.len() > inner {
                return None;
            }
            if !is_blank && spaces(line) < inner {
                break;
            }
            lines.push(if is_blank { "" } else { &line[inner..] });
            self.at += 1;
        }
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        // Blank lines and further indented ones are folded by rules of their own.
        let is_odd = |line: &&str| line.is_empty() || line.starts_with(' ');
        if inner <= indent || lines.first().is_none_or(|line| line.is_empty()) || (folded && lines.iter().any(is_odd)) {
            return None;
        }
        if self.peek_content().is_some_and(|line| line.indent > indent) {
            return None;
        }
        Some(Value::String(lines.join(if folded { " " } else { "\n" }) + ending))
    }

    /// Reads a list or map in brackets; it ends on its line.
    fn flow(&mut self, text: &'t str) -> Option<(Value, &'t str)> {
        self.enter()?;
        let is_map = text.starts_with('{');
        let end = if is_map { '}' } else { ']' };
        let mut rest = text[1..].trim_start_matches(' ');
        let (mut map, mut items) = (Map::new(), Vec::new());
        let mut more = !rest.starts_with(end);
        while more {
            let mut name = None;
            if is_map {
                let (key, after) = key(rest)?;
                name = Some(key);
                rest = after;
            }
            let value;
            (value, rest) = self.flow_value(rest)?;
            match name {
                Some(name) => map.insert(name, value).is_none().then_some(())?,
                None => items.push(value),
            }
            rest = rest.trim_start_matches(' ');
            more = rest.starts_with(',');
            if more {
                rest = rest[1..].trim_start_matches(' ');
            }
        }
        self.depth -= 1;
        let rest = rest.strip_prefix(end)?;
        Some((if is_map { Value::Object(map) } else { Value::Array(items) }, rest))
    }

    fn flow_value(&mut self, text: &'t str) -> Option<(Value, &'t str)> {
        match text.as_bytes().first()? {
            b'"' | b'\'' => quoted(text).map(|(text, rest)| (Value::String(text), rest)),
            b'[' | b'{' => self.flow(text),
            _ => {
                let bytes = text.as_bytes();
                let belongs = |at: usize| match bytes[at] {
                    b':' => bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'/'),
                    byte => byte.is_ascii_alphanumeric() || b"-_./+@=%".contains(&byte),
                };
                let end = (0..bytes.len()).find(|at| !belongs(*at))?;
                let (text, rest) = text.split_at(end);
                Some((self.scalar(text)?, rest))
            }
        }
    }

    /// Reads a bare word.
    fn scalar(&self, text: &str) -> Option<Value> {
        let bytes = text.as_bytes();
        let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        let is_text = match bytes.first()? {
            b'/' | b'$' | b'(' => true,
            b'a'..=b'z' | b'A'..=b'Z' => !is_word(text),
            b'1'..=b'9' if bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit) => {
                return text.parse::<u64>().ok().map(Value::from);
            }
            // Only an exponent has a letter, where there is no prefix.
            b'1'..=b'9' => bytes.iter().any(|byte| byte.is_ascii_alphabetic() && !b"eE".contains(byte)),
            b'-' if bytes.get(1) == Some(&b'-') => letter(2).then_some(true)?,
            b'-' if letter(1) => !is_word(&text[1..]),
            b'-' => bytes.get(1)?.is_ascii_digit().then_some(false)?,
            // Alone, this would be the end of a document.
            b'.' if text.starts_with("..") => return None,
            b'0' | b'.' | b'+' | b'~' | b'_' => false,
            _ => return None,
        };
        match text {
            _ if is_text => Some(Value::from(text)),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => (self.full)(text),
        }
    }
}

fn is_word(text: &str) -> bool {
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Tells whether there is nothing but perhaps a comment.
fn is_blank(text: &str) -> bool {
    matches!(text.as_bytes(), [] | [b'#', ..])
}

/// Tells whether nothing but a comment follows a value.
fn ends(rest: &str) -> bool {
    rest.is_empty() || (rest.starts_with(' ') && is_blank(rest.trim_start_matches(' ')))
}

/// Returns a bare text without the comment behind it; `None` if a colon in it would mean something.
fn bare(text: &str) -> Option<&str> {
    for (at, pair) in text.as_bytes().windows(2).enumerate() {
        match pair {
            b" #" => return bare_end(&text[..at]),
            b": " => return None,
            _ => {}
        }
    }
    bare_end(text)
}

fn bare_end(text: &str) -> Option<&str> {
    let text = text.trim_end_matches(' ');
    (!text.ends_with(':')).then_some(text)
}

/// Reads a key and returns what follows its colon.
fn key(text: &str) -> Option<(String, &str)> {
    let (key, rest) = match text.as_bytes().first()? {
        b'"' | b'\'' => quoted(text)?,
        b'a'..=b'z' | b'A'..=b'Z' => {
            let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
            let (key, rest) = text.split_at(text.bytes().position(|byte| !belongs(byte))?);
            (!is_word(key)).then(|| (key.to_owned(), rest))?
        }
        _ => return None,
    };
    let rest = rest.strip_prefix(':')?;
    let is_key = key.len() <= LONGEST_KEY && matches!(rest.as_bytes(), [] | [b' ', ..]);
    is_key.then(|| (key, rest.trim_start_matches(' ')))
}

/// Reads a text in quotes and returns what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = if text.starts_with('"') { '"' } else { '\'' };
    let (content, rest) = text[1..].split_once(quote)?;
    // An escape, and a quote that stands for itself, are left to the general reader.
    let is_odd = rest.starts_with(quote) || (quote == '"' && content.contains('\\'));
    (!is_odd).then(|| (content.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::yaml::read::{read_fully, word};
    use crate::yaml::to_yaml;

    fn simple(text: &str) -> Option<Vec<PlainDocument>> {
        read_simple(text, &word)
    }

    #[test]
    fn a_manifest_as_people_write_it_is_simple() {
        let text = "# An example\napiVersion: apps/v1\nkind: Deployment # the kind\nmetadata:\n  name: web\n  labels: { app: web, \"tier\": 'front' }\n  annotations:\n    example.com/note: >-\n      two lines\n      of text\nspec:\n  replicas: 3\n  paused: yes\n  template:\n    spec:\n      containers:\n      - name: main\n        image: \"registry:5000/web:1.0\"\n        args: [--listen=:8080, -v, http://a/b]\n        resources:\n          limits: { cpu: 100m, memory: 1.5Gi }\n          requests: {}\n        mode: 0444\n        command:\n\n          - sh\n          - -c\n          - |\n            set -e\n\n              echo $HOME # no comment\n      volumes:\n---\n# nothing\n---\na: ~\n";
        let documents = simple(text).unwrap();
        let container = json!({"name": "main", "image": "registry:5000/web:1.0", "mode": 292,
            "args": ["--listen=:8080", "-v", "http://a/b"], "resources": {"limits": {"cpu": "100m", "memory": "1.5Gi"}, "requests": {}},
            "command": ["sh", "-c", "set -e\n\n  echo $HOME # no comment\n"]});
        let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web", "tier": "front"}, "annotations": {"example.com/note": "two lines of text"}},
            "spec": {"replicas": 3, "paused": true, "template": {"spec": {"containers": [container], "volumes": null}}}});
        assert_eq!(
            documents,
            [PlainDocument { value: expected, line: 2 }, PlainDocument { value: json!({"a": null}), line: 36 },]
        );
        assert_eq!(Ok(documents), read_fully(text));
    }

    #[test]
    fn what_is_not_simple_is_left_alone() {
        for text in [
            "a: &x 1\n",
            "a: *x\n",
            "a: !!str 1\n",
            "a: \"\\n\"\n",
            "a: 'it''s'\n",
            "a: b\n  c\n",
            "a: 1\na: 2\n",
            "a:\tb\n",
            "<<: {}\n",
            "? a\n",
            "a: b: c\n",
            "a: 1",
            "a: |2\n   b\n",
            "a: >\n  b\n\n  c\n",
            "- a\n",
            "a: [b,\n  c]\n",
            "a: ü\n",
            "a: ...\n",
            "--- a\n",
            "a: 1\n...\n",
            "yes: 1\n",
            "  a: 1\n",
            "a: {b}\n",
            "a:\n  - b\n  c: d\n",
            "%YAML 1.2\n",
        ] {
            assert_eq!(simple(text), None, "{text}");
        }
    }

    /// Lines that mean something to YAML, more or less well put together.
    fn any_yaml() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            Just("a"),
            Just("b"),
            Just("yes"),
            Just("1"),
            Just("0644"),
            Just("1e3"),
            Just("1.5"),
            Just("-1"),
            Just("-x"),
            Just("--x"),
            Just("100m"),
            Just("1_0"),
            Just("0x1F"),
            Just("~"),
            Just("null"),
            Just("a b"),
            Just("a#b"),
            Just("a #b"),
            Just("\"a: b\""),
            Just("'a #b'"),
            Just("\"\""),
            Just("[a, 1]"),
            Just("[]"),
            Just("{a: 1, b: [c]}"),
            Just("{ }"),
            Just("{a: }"),
            Just("a:b"),
            Just("a:"),
            Just("/x"),
            Just("|"),
            Just("|-"),
            Just(">-"),
            Just(">"),
            Just("# c"),
            Just(""),
            Just("- a"),
            Just("-"),
            Just("*a"),
            Just("&a b"),
            Just("!a b"),
            Just("http://x:80/y"),
            Just("{{ x }}"),
            Just("$(x)"),
            Just("a, b"),
            Just("..."),
            Just("+1"),
            Just(".5"),
            Just("_1"),
            Just("1:2:3"),
            Just("2026-01-01"),
            Just("a: b"),
            Just("[a: b]"),
            Just("[-, b]"),
            Just("[a b]"),
            Just("{a: 1,}"),
            Just("\"a\" b"),
            Just("-.inf"),
            Just(".NaN"),
            Just("@a"),
            Just("%a"),
            Just("12345678901234567890"),
        ];
        let key = prop_oneof![
            10 => Just(""), 30 => prop_oneof![Just("a: "), Just("b: "), Just("c: "), Just("d: "), Just("e: ")],
            10 => prop_oneof![Just("a:"), Just("b:"), Just("c:  ")], 8 => Just("- "), 6 => Just("- a: "), 4 => Just("-   b: "),
            2 => Just("- - "), 2 => Just("\"a\": "), 1 => Just("yes: "), 1 => Just("1: "), 1 => Just("a.b/c-d: "), 1 => Just("a b: "),
        ];
        let line = prop_oneof![
            40 => (0..4_usize, key, word).prop_map(|(deep, key, word)| format!("{}{key}{word}", "  ".repeat(deep))),
            2 => Just("---".to_owned()), 1 => Just("--- ".to_owned()), 3 => Just(String::new()), 1 => Just("   ".to_owned()),
            2 => Just("   odd: 1".to_owned()), 1 => Just("...".to_owned()), 2 => Just("    # c".to_owned()), 1 => Just("a: b ".to_owned()),
        ];
        prop::collection::vec(line, 0..9).prop_map(|lines| lines.join("\n") + "\n")
    }

    fn agrees(text: &str) -> Result<(), TestCaseError> {
        if let Some(documents) = simple(text) {
            prop_assert_eq!(Ok(documents), read_fully(text), "{}", text);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_simple_is_read_as_the_general_reader_reads_it(text in any_yaml()) {
            agrees(&text)?;
        }

        #[test]
        fn so_is_any_other_text(text in "([ \\-a:\\[\\]{},'\"#|>~.&*!?%0-9x]|\n| \n|: |- ){0,40}\n") {
            agrees(&text)?;
        }

        #[test]
        fn and_whatever_the_writer_writes(value in crate::yaml::read::tests::any_json()) {
            agrees(&to_yaml(&json!({"root": value})))?;
        }
    }
}
