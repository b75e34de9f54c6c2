//! Label selectors, in the text form of queries (`k8s.io/apimachinery/pkg/labels`).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sandbox::validation::{label_value, qualified};

/// Requirements that all must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Above(i64),
    Below(i64),
}

/// What a key's value is compared with others by.
#[derive(Debug, Clone, Copy)]
enum Operator {
    In,
    NotIn,
    Above,
    Below,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(&'static str),
    End,
}

impl Requirement {
    /// Values must be such as labels can have, and numbers where they are compared.
    fn of_values(key: String, operator: Operator, values: BTreeSet<String>) -> Result<Self, String> {
        let mut problems = Vec::new();
        if matches!(operator, Operator::Above | Operator::Below) {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            let wrong = values.iter().enumerate().filter(|(_, value)| value.parse::<i64>().is_err());
            problems.extend(wrong.map(|(index, value)| format!("values[{index}]: Invalid value: {value:?}: {why}")));
        }
        for (index, value) in values.iter().enumerate() {
            let why = label_value(value);
            if !why.is_empty() {
                problems.push(format!("values[{index}][{key}]: Invalid value: {value:?}: {}", why.join("; ")));
            }
        }
        match problems.as_slice() {
            [] => {}
            [only] => return Err(only.clone()),
            several => return Err(format!("[{}]", several.join(", "))),
        }
        let bound = || values.first().and_then(|value| value.parse().ok()).unwrap_or_default();
        let test = match operator {
            Operator::Above => Test::Above(bound()),
            Operator::Below => Test::Below(bound()),
            Operator::In => Test::In(values),
            Operator::NotIn => Test::NotIn(values),
        };
        Ok(Self { key, test })
    }
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Sign(sign) => sign,
            Self::End => "",
        }
    }
}

impl LabelSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What is wrong, in the server's words.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader { tokens: tokens(text), at: 0 };
        let mut requirements = Vec::new();
        if *reader.peek() == Token::End {
            return Ok(Self::default());
        }
        if !matches!(reader.peek(), Token::Word(_) | Token::Sign("!")) {
            return Err(format!("found '{}', expected: !, identifier, or 'end of string'", reader.peek().text()));
        }
        loop {
            requirements
                .push(reader.requirement().map_err(|problem| format!("unable to parse requirement: {problem}"))?);
            match reader.next() {
                Token::End => break,
                Token::Sign(",") => {
                    if !matches!(reader.peek(), Token::Word(_) | Token::Sign("!")) {
                        let found = reader.peek().text().to_owned();
                        return Err(format!("found '{found}', expected: identifier after ','"));
                    }
                }
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.text())),
            }
        }
        Ok(Self(requirements))
    }

    /// Tells whether everything is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether an object is taken.
    #[must_use]
    pub fn takes(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        let value = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.0.iter().all(|requirement| {
            let value = value(&requirement.key);
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Missing => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Test::Above(bound) => {
                    value.and_then(|value| value.parse::<i64>().ok()).is_some_and(|value| value > *bound)
                }
                Test::Below(bound) => {
                    value.and_then(|value| value.parse::<i64>().ok()).is_some_and(|value| value < *bound)
                }
            }
        })
    }
}

fn tokens(text: &str) -> Vec<Token> {
    const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
    let mut tokens = Vec::new();
    let is_space = |found: char| matches!(found, ' ' | '\t' | '\r' | '\n');
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let end = rest.find(|found: char| is_space(found) || "=!(),><".contains(found)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start_matches(is_space);
    }
    tokens
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let negated = *self.peek() == Token::Sign("!");
        if negated {
            self.at += 1;
        }
        let key = match self.next() {
            Token::Word(word) => word,
            other => return Err(format!("found '{}', expected: identifier", other.text())),
        };
        let problems = qualified(&key);
        if !problems.is_empty() {
            return Err(format!("<nil>: Invalid value: {key:?}: {}", problems.join("; ")));
        }
        if negated {
            return Ok(Requirement { key, test: Test::Missing });
        }
        let operator = match self.peek() {
            Token::End | Token::Sign(",") => return Ok(Requirement { key, test: Test::Exists }),
            Token::Sign("=" | "==") => Operator::In,
            Token::Sign("!=") => Operator::NotIn,
            Token::Sign(">") => Operator::Above,
            Token::Sign("<") => Operator::Below,
            Token::Word(word) if word == "in" => Operator::In,
            Token::Word(word) if word == "notin" => Operator::NotIn,
            other => {
                return Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.text()));
            }
        };
        let values = match self.next() {
            Token::Word(_) => self.values()?,
            _ => BTreeSet::from([self.value()?]),
        };
        Requirement::of_values(key, operator, values)
    }

    fn value(&mut self) -> Result<String, String> {
        match self.peek().clone() {
            Token::Word(word) => {
                self.at += 1;
                Ok(word)
            }
            Token::End | Token::Sign(",") => Ok(String::new()),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }

    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        match self.next() {
            Token::Sign("(") => {}
            other => return Err(format!("found '{}' expected: '('", other.text())),
        }
        let mut values = BTreeSet::new();
        loop {
            match self.next() {
                Token::Word(word) => values.insert(word),
                Token::Sign(",") => {
                    values.insert(String::new());
                    continue;
                }
                Token::Sign(")") => {
                    values.insert(String::new());
                    return Ok(values);
                }
                other if values.is_empty() => {
                    return Err(format!("found '{}', expected: ',', ')' or identifier", other.text()));
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.text())),
            };
            match self.next() {
                Token::Sign(",") => {}
                Token::Sign(")") => return Ok(values),
                other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn takes(selector: &str) -> bool {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "n": "5", "example.com/x": ""}}});
        LabelSelector::read(selector).unwrap().takes(&object)
    }

    #[test]
    fn all_requirements_must_hold() {
        for selector in [
            "",
            "app",
            "app=web",
            "app==web,tier!=back",
            "app in (a, web)",
            "tier notin (a,b),!z",
            "n>4,n<6",
            "z!=1",
            "example.com/x=",
            "example.com/x",
        ] {
            assert!(takes(selector), "{selector}");
        }
        for selector in ["z", "!app", "app=we", "app notin (web)", "n>5", "app>1", "app=web,tier=x"] {
            assert!(!takes(selector), "{selector}");
        }
    }

    #[test]
    fn mistakes_read_as_the_servers() {
        let error = |text: &str| LabelSelector::read(text).unwrap_err();
        assert_eq!(error("=a"), "found '=', expected: !, identifier, or 'end of string'");
        assert_eq!(error("a=b c"), "found 'c', expected: ',' or 'end of string'");
        assert_eq!(error("a in"), "unable to parse requirement: found '' expected: '('");
        let long = "a".repeat(64);
        let too_long = format!(": Invalid value: {long:?}: must be no more than 63 bytes");
        assert_eq!(error(&format!("t={long}")), format!("unable to parse requirement: values[0][t]{too_long}"));
        assert_eq!(
            error(&long),
            format!(
                "unable to parse requirement: <nil>: Invalid value: {long:?}: name part must be no more than 63 bytes"
            )
        );
        assert_eq!(error("a b"), "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
        assert_eq!(error("a,"), "found '', expected: identifier after ','");
        assert_eq!(error("a in (b,="), "unable to parse requirement: found '=', expected: ',', or identifier");
    }

    #[test]
    fn all_values_that_no_label_can_have_are_told() {
        let error = |text: &str| LabelSelector::read(text).unwrap_err();
        let label = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
                     start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
                     for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
        let number = "for 'Gt', 'Lt' operators, the value must be an integer";
        let start = "unable to parse requirement:";
        assert_eq!(error("n>-5"), format!("{start} values[0][n]: Invalid value: \"-5\": {label}"));
        assert_eq!(error("n>x"), format!("{start} values[0]: Invalid value: \"x\": {number}"));
        assert_eq!(
            error("n<-x"),
            format!(
                "{start} [values[0]: Invalid value: \"-x\": {number}, values[0][n]: Invalid value: \"-x\": {label}]"
            )
        );
        assert_eq!(
            error("n in (-b,-a,-b)"),
            format!(
                "{start} [values[0][n]: Invalid value: \"-a\": {label}, values[1][n]: Invalid value: \"-b\": {label}]"
            )
        );
    }
}
