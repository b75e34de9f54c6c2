//! Reads JSONPath.

use serde_json::Value;

use super::{Comparison, End, JsonPath, Step};

/// What ends a field's name.
const TERMINATORS: [char; 12] = [' ', '\t', '\r', '\n', '.', ',', '[', ']', '$', '@', '{', '}'];

pub(super) fn parse(text: &str) -> Option<JsonPath> {
    let mut steps = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("[?(") {
            rest = filter(after, &mut steps)?;
        } else if let Some(after) = rest.strip_prefix("..") {
            if steps.last() == Some(&Step::Descend) {
                return None;
            }
            steps.push(Step::Descend);
            let named = after.chars().next().is_some_and(|next| next == '_' || next.is_alphanumeric());
            rest = if named { field(after, &mut steps) } else { after };
        } else {
            let after = rest.get(next.len_utf8()..)?;
            rest = match next {
                ' ' | '@' | '$' => after,
                '[' => array(after, &mut steps)?,
                '"' | '\'' => quoted(after, next, &mut steps)?,
                '.' => field(after, &mut steps),
                '+' | '-' | '0'..='9' => number(rest, &mut steps)?,
                _ => word(rest, &mut steps)?,
            };
        }
    }
    Some(JsonPath { steps })
}

/// Reads a field's name. A backslash takes away the meaning of what follows it.
fn field<'t>(text: &'t str, steps: &mut Vec<Step>) -> &'t str {
    let mut escaped = false;
    let end = text
        .find(|character: char| {
            let ends = !escaped && TERMINATORS.contains(&character);
            escaped = !escaped && character == '\\';
            ends
        })
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    steps.push(if name == "*" { Step::Wildcard } else { Step::Field(name.replace('\\', "")) });
    rest
}

/// Reads what stands between brackets.
fn array<'t>(text: &'t str, steps: &mut Vec<Step>) -> Option<&'t str> {
    let (inside, rest) = text.split_once(']')?;
    let inside = if inside == "*" { ":" } else { inside };
    if inside.contains(',') {
        let paths = inside.split(',').map(|part| parse(&format!("[{}]", part.trim_matches(' '))));
        steps.push(Step::Union(paths.collect::<Option<_>>()?));
    } else if let Some(key) = inside.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')) {
        // A key is read as a path of its own, so that an unescaped dot goes one level down.
        steps.extend(parse(&format!(".{key}"))?.steps);
    } else {
        steps.push(slice(inside)?);
    }
    Some(rest)
}

fn slice(text: &str) -> Option<Step> {
    let mut parts = text.split(':');
    let number = |part: &str| if part.is_empty() { Some(None) } else { part.parse::<i64>().ok().map(Some) };
    let start = number(parts.next()?)?;
    let end = match parts.next() {
        None => {
            start?;
            End::Single
        }
        Some(part) => number(part)?.map_or(End::Open, End::Before),
    };
    let step = parts.next().map_or(Some(None), number)?;
    parts.next().is_none().then_some(Step::Slice { start, end, step })
}

/// Reads a filter after its `[?(`.
fn filter<'t>(text: &'t str, steps: &mut Vec<Step>) -> Option<&'t str> {
    let mut quote = None;
    let mut before = ' ';
    let end = text.find(|character: char| {
        match quote {
            None if matches!(character, '"' | '\'') => quote = Some(character),
            Some(open) if open == character && before != '\\' => quote = None,
            _ => {}
        }
        before = character;
        quote.is_none() && character == ')'
    })?;
    let (inside, rest) = text.split_at(end);
    let rest = rest.strip_prefix(")]")?;
    let operators = ['!', '<', '>', '='];
    let condition = inside.find(operators).filter(|start| *start > 0).and_then(|start| {
        let (left, after) = inside.split_at(start);
        let length = after.find(|character: char| !operators.contains(&character))?;
        let (operator, right) = after.split_at(length);
        Some((left, operator, right))
    });
    steps.push(match condition {
        None => Step::Filter { left: parse(inside)?, condition: None },
        Some((left, operator, right)) => {
            let comparison = match operator {
                "==" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                _ => return None,
            };
            Step::Filter { left: parse(left)?, condition: Some((comparison, parse(right)?)) }
        }
    });
    Some(rest)
}

/// Reads a text after its opening quote.
fn quoted<'t>(text: &'t str, quote: char, steps: &mut Vec<Step>) -> Option<&'t str> {
    let mut before = ' ';
    let end = text.find(|character: char| {
        let ends = character == quote && before != '\\';
        before = character;
        ends
    })?;
    let (inside, rest) = text.split_at(end);
    let plain = inside.replace(&format!("\\{quote}"), &quote.to_string()).replace("\\\\", "\\");
    steps.push(Step::Literal(Value::from(plain)));
    rest.get(1..)
}

fn number<'t>(text: &'t str, steps: &mut Vec<Step>) -> Option<&'t str> {
    let signed = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = text.len() - signed.len();
    let end = signed.find(|character: char| character != '.' && !character.is_ascii_digit()).unwrap_or(signed.len());
    let (number, rest) = text.split_at(sign + end);
    let whole = number.parse::<i64>().ok().map(Value::from);
    let literal = whole.or_else(|| number.parse::<f64>().ok().map(Value::from))?;
    steps.push(Step::Literal(literal));
    Some(rest)
}

/// Reads the only words that a path may hold.
fn word<'t>(text: &'t str, steps: &mut Vec<Step>) -> Option<&'t str> {
    let (word, rest) = text.split_at(text.find(TERMINATORS).unwrap_or(text.len()));
    steps.push(Step::Literal(Value::from(match word {
        "true" => true,
        "false" => false,
        _ => return None,
    })));
    Some(rest)
}
