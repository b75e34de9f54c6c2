//! Checks a value against a structural schema, as kube-openapi's validator does.

use serde_json::Value;

use super::formats::{Format, format_of};
use super::numbers::check_number;
use super::patterns::matches;
use super::problems::{At, Outcome, go_number};
use super::ratchet::Pair;
use crate::sandbox::custom::structural::{flag, is_int_or_string, items, properties, schemas, text, texts};

/// Checks a value; its problems are dropped if it is what it was before.
pub(super) fn check(schema: &Value, value: &Value, pair: Option<Pair<'_>>, path: &str) -> Outcome {
    let outcome = check_anew(schema, value, pair, path);
    let unchanged = !outcome.is_valid() && pair.is_some_and(Pair::is_unchanged);
    if unchanged { outcome.forgiven() } else { outcome }
}

/// Checks a value, changed or not; what lies in it may be forgiven.
fn check_anew(schema: &Value, value: &Value, pair: Option<Pair<'_>>, path: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let at = At(path);
    let kinds: Vec<&str> = match text(schema, "type") {
        _ if is_int_or_string(schema) => vec!["integer", "string"],
        "" => Vec::new(),
        kind => vec![kind],
    };
    let format = format_of(schema);
    if value.is_null() {
        if !kinds.is_empty() && !flag(schema, "nullable") {
            at.mistyped(&mut outcome, &kinds.join(","), "null");
        }
        check_enum(schema, value, at, &mut outcome);
        return outcome;
    }
    if !kinds.is_empty() || format.is_some() {
        check_type(&kinds, format, value, at, &mut outcome);
        outcome.looked_at += 1;
    }
    outcome.merge(check_combinations(schema, value, pair, path));
    outcome.looked_at += 1;
    match value {
        Value::String(value) => {
            check_text(schema, value, at, &mut outcome);
            outcome.looked_at += 1;
            if let Some(format) = format {
                if !format.holds(value) {
                    at.mistyped(&mut outcome, format.name, value);
                }
                outcome.looked_at += 1;
            }
        }
        Value::Number(number) => {
            check_number(schema, number, at, &mut outcome);
            outcome.looked_at += 2;
        }
        Value::Array(list) => {
            check_list(schema, list, pair, path, &mut outcome);
            outcome.looked_at += 2;
        }
        _ => {}
    }
    check_enum(schema, value, at, &mut outcome);
    outcome.looked_at += 1;
    if let Value::Object(map) = value {
        check_map(schema, map, pair, path, &mut outcome);
        outcome.looked_at += 1;
    }
    outcome.looked_at += 1;
    outcome
}

/// What the validator calls the type of a value, and the format that goes with it.
fn type_of(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::Number(number) if number.is_i64() => ("integer", "int64"),
        Value::Number(_) => ("number", "float64"),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
    }
}

fn check_type(kinds: &[&str], format: Option<Format<'_>>, value: &Value, at: At<'_>, outcome: &mut Outcome) {
    let (kind, own_format) = type_of(value);
    let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let fits = kinds.contains(&kind)
        || (kind == "number" && whole && kinds.contains(&"integer"))
        || (kind == "integer" && kinds.contains(&"number"));
    let is_sequence = matches!(value, Value::String(_) | Value::Array(_));
    if let Some(format) = format {
        if !is_sequence && !fits {
            return at.mistyped(outcome, format.name, own_format);
        }
        if is_sequence && !kinds.contains(&"number") && !kinds.contains(&"integer") {
            outcome.looked_at += 1;
            return;
        }
    }
    if fits {
        outcome.looked_at += 1;
    } else {
        at.mistyped(outcome, &kinds.join(","), kind);
    }
}

fn check_enum(schema: &Value, value: &Value, at: At<'_>, outcome: &mut Outcome) {
    let Some(supported) = schema.get("enum").and_then(Value::as_array).filter(|supported| !supported.is_empty()) else {
        return;
    };
    let equal = |known: &Value| match (known.as_f64(), value.as_f64()) {
        (Some(known), Some(value)) => known == value,
        _ => known == value,
    };
    if value.is_null() || !supported.iter().any(equal) {
        at.not_one_of(outcome, value, supported);
    }
}

fn limit(schema: &Value, key: &str) -> Option<i64> {
    schema.get(key).and_then(Value::as_i64)
}

fn exceeds(actual: usize, most: i64) -> bool {
    i64::try_from(actual).is_ok_and(|actual| actual > most)
}

fn falls_short(actual: usize, least: i64) -> bool {
    i64::try_from(actual).is_ok_and(|actual| actual < least)
}

/// One problem at most: the first of length and pattern.
fn check_text(schema: &Value, value: &str, at: At<'_>, outcome: &mut Outcome) {
    let length = value.chars().count();
    if let Some(most) = limit(schema, "maxLength").filter(|most| exceeds(length, *most)) {
        return at.too_long(outcome, most);
    }
    if let Some(least) = limit(schema, "minLength").filter(|least| falls_short(length, *least)) {
        return at.wrong(outcome, format!("{value:?}"), &format!("should be at least {least} chars long"));
    }
    let pattern = text(schema, "pattern");
    // A pattern that cannot be read here is told when the definition is written.
    if !pattern.is_empty() && matches(pattern, value) == Some(false) {
        at.wrong(outcome, format!("{value:?}"), &format!("should match '{pattern}'"));
    }
}

fn check_list(schema: &Value, list: &[Value], pair: Option<Pair<'_>>, path: &str, outcome: &mut Outcome) {
    if let Some(item_schema) = items(schema) {
        for (index, item) in list.iter().enumerate() {
            let pair = pair.and_then(|pair| pair.index(index));
            outcome.merge(check(item_schema, item, pair, &format!("{path}[{index}]")));
        }
    }
    let at = At(path);
    if let Some(least) = limit(schema, "minItems").filter(|least| falls_short(list.len(), *least)) {
        at.wrong(outcome, list.len().to_string(), &format!("should have at least {least} items"));
    }
    if let Some(most) = limit(schema, "maxItems").filter(|most| exceeds(list.len(), *most)) {
        at.too_many(outcome, "items", list.len(), most);
    }
    let repeats = || list.iter().enumerate().any(|(index, item)| list.iter().take(index).any(|other| other == item));
    if flag(schema, "uniqueItems") && repeats() {
        at.wrong(outcome, "\"\"".to_owned(), "shouldn't contain duplicates");
    }
}

fn check_map(
    schema: &Value,
    map: &serde_json::Map<String, Value>,
    pair: Option<Pair<'_>>,
    path: &str,
    outcome: &mut Outcome,
) {
    let at = At(path);
    if let Some(least) = limit(schema, "minProperties").filter(|least| falls_short(map.len(), *least)) {
        at.wrong(outcome, map.len().to_string(), &format!("should have at least {least} properties"));
    }
    if let Some(most) = limit(schema, "maxProperties").filter(|most| exceeds(map.len(), *most)) {
        at.too_many(outcome, "properties", map.len(), most);
    }
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    // The type of the object itself is never forgiven.
    let pair_of = |key: &str| {
        pair.filter(|_| !path.is_empty() || !matches!(key, "kind" | "apiVersion")).and_then(|pair| pair.key(key))
    };
    let declared = |key: &str| schema.get("properties").is_some_and(|properties| properties.get(key).is_some());
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => {
            for key in map.keys().filter(|key| !declared(key)) {
                let detail = format!("{path}.{key} in body is a forbidden property");
                at.says(outcome, format!("{key:?}"), detail);
            }
        }
        Some(additional @ Value::Object(_)) => {
            for (key, value) in map.iter().filter(|(key, _)| !declared(key)) {
                outcome.merge(check(additional, value, pair_of(key), &format!("{path}.{key}")));
            }
        }
        _ => {}
    }
    for (name, property) in properties(schema) {
        if let Some(value) = map.get(name) {
            outcome.merge(check(property, value, pair_of(name), &below(name)));
        }
    }
    for name in texts(schema, "required") {
        if !map.contains_key(name) {
            at.missing(outcome, name);
        }
    }
}

fn check_combinations(schema: &Value, value: &Value, pair: Option<Pair<'_>>, path: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let at = At(path);
    let tried =
        |key: &str| -> Vec<Outcome> { schemas(schema, key).map(|one| check_anew(one, value, pair, path)).collect() };

    let mut any = tried("anyOf");
    if !any.is_empty() {
        match any.iter().position(Outcome::is_valid) {
            Some(first) => outcome.merge(any.swap_remove(first)),
            None => {
                at.combination(&mut outcome, "must validate at least one schema (anyOf)");
                outcome.merge(best(any));
            }
        }
    }
    let mut one = tried("oneOf");
    if !one.is_empty() {
        let valid = one.iter().filter(|outcome| outcome.is_valid()).count();
        match (valid, one.iter().position(Outcome::is_valid)) {
            (1, Some(first)) => outcome.merge(one.swap_remove(first)),
            (0, _) => {
                at.combination(&mut outcome, "must validate one and only one schema (oneOf). Found none valid");
                outcome.merge(best(one));
            }
            _ => {
                let says = format!("must validate one and only one schema (oneOf). Found {valid} valid alternatives");
                at.combination(&mut outcome, &says);
            }
        }
    }
    let all = tried("allOf");
    if !all.is_empty() {
        let (count, valid) = (all.len(), all.iter().filter(|outcome| outcome.is_valid()).count());
        for one in all {
            outcome.merge(one);
        }
        if valid != count {
            let none = if valid == 0 { ". None validated" } else { "" };
            at.combination(&mut outcome, &format!("must validate all the schemas (allOf){none}"));
        }
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object())
        && check_anew(not, value, pair, path).is_valid()
    {
        at.combination(&mut outcome, "must not validate the schema (not)");
    }
    outcome.looked_at += 1;
    outcome
}

/// The failed alternative of which most was looked at, the first of equal ones.
fn best(outcomes: Vec<Outcome>) -> Outcome {
    let better = |best: Outcome, next: Outcome| if next.looked_at > best.looked_at { next } else { best };
    outcomes.into_iter().reduce(better).unwrap_or_default()
}

/// A number as the server shows it in a problem.
pub(super) fn shown(number: &serde_json::Number) -> String {
    number.as_i64().map_or_else(|| go_number(number.as_f64().unwrap_or_default()), |whole| whole.to_string())
}
