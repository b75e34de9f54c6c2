//! The rules of `x-kubernetes-validations`: CEL over `self` and `oldSelf`.
//!
//! Costs are not counted and types are not checked beforehand. A rule that cannot be evaluated here refuses nothing; the
//! answer warns of it.
//!
//! Source: `apiextensions-apiserver/pkg/apiserver/schema/cel`.

mod functions;
mod program;
mod quantity;
mod url;
mod values;

use cel::{Context, Value as CelValue};
use serde_json::Value;

use self::program::{BROKEN_OFF, Failure, evaluate, root_context};
use self::values::{cel_value, optional};
use super::definition::field_path;
use super::prune::below;
use super::structural::{Under, flag, items, schemas, text, under};
use super::validate::{Pair, counterpart};
use crate::sandbox::refusal::{FieldProblem, ProblemSort};
use crate::sandbox::stack::on_deep_stack;

pub(super) use self::program::{syntax_error, uses_old_self};

/// A message of a rule may be this long.
const LONGEST_MESSAGE: usize = 5 << 10;

/// Checks the rules of a schema and of all below it.
pub(super) fn check_rules(
    schema: &Value,
    object: &Value,
    live: Option<&Value>,
    problems: &mut Vec<FieldProblem>,
    warnings: &mut Vec<String>,
) {
    if !has_rules(schema) {
        return;
    }
    let checked = on_deep_stack(|| {
        let Ok(context) = root_context() else { return };
        let pair = live.map(|old| Pair { new: object, old, schema });
        let mut check = Check { context: &context, problems, warnings };
        check.value(schema, object, live, Ratchet { own: pair, parent: None }, "", true);
    });
    if checked.is_none() {
        warnings.push(format!("the rules were not evaluated to the end: {BROKEN_OFF}"));
    }
}

/// Tells whether a schema, or one below it, has rules.
pub(super) fn has_rules(schema: &Value) -> bool {
    let below = |key: &str| schema.get(key).is_some_and(has_rules);
    schemas(schema, "x-kubernetes-validations").next().is_some()
        || below("items")
        || below("additionalProperties")
        || super::structural::properties(schema).any(|(_, property)| has_rules(property))
}

/// Where the stored value is that a broken rule may be forgiven for.
#[derive(Clone, Copy)]
struct Ratchet<'a> {
    own: Option<Pair<'a>>,
    parent: Option<Pair<'a>>,
}

impl<'a> Ratchet<'a> {
    fn forgives(self) -> bool {
        self.own.or(self.parent).is_some_and(Pair::is_unchanged)
    }

    fn step(self, to: impl Fn(Pair<'a>) -> Option<Pair<'a>>) -> Self {
        match self.own {
            Some(own) => Self { own: to(own), parent: Some(own) },
            None => self,
        }
    }
}

struct Check<'a> {
    context: &'a Context<'a, 'a>,
    problems: &'a mut Vec<FieldProblem>,
    warnings: &'a mut Vec<String>,
}

impl Check<'_> {
    fn value(
        &mut self,
        schema: &Value,
        value: &Value,
        old: Option<&Value>,
        ratchet: Ratchet<'_>,
        path: &str,
        root: bool,
    ) {
        if value.is_null() || !has_rules(schema) {
            return;
        }
        let old = old.filter(|old| !old.is_null());
        self.rules(schema, value, old, ratchet, path, root);
        match value {
            Value::Array(list) => {
                let Some(item_schema) = items(schema) else { return };
                for (index, item) in list.iter().enumerate() {
                    let old = old.and_then(|old| counterpart(schema, old, item));
                    let ratchet = ratchet.step(|pair| pair.index(index));
                    self.value(item_schema, item, old, ratchet, &format!("{path}[{index}]"), false);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    let (schema, path) = match under(schema, key) {
                        Under::Property(property) => (property, below(path, key)),
                        Under::Additional(Some(additional)) => (additional, format!("{path}[{key}]")),
                        Under::Additional(None) | Under::Undeclared => continue,
                    };
                    let ratchet = match root && matches!(key.as_str(), "apiVersion" | "kind") {
                        true => Ratchet { own: None, parent: None },
                        false => ratchet.step(|pair| pair.key(key)),
                    };
                    self.value(schema, value, old.and_then(|old| old.get(key)), ratchet, &path, false);
                }
            }
            _ => {}
        }
    }

    fn rules(
        &mut self,
        schema: &Value,
        value: &Value,
        old: Option<&Value>,
        ratchet: Ratchet<'_>,
        path: &str,
        root: bool,
    ) {
        for rule in schemas(schema, "x-kubernetes-validations") {
            let compares = uses_old_self(text(rule, "rule"));
            let is_optional = flag(rule, "optionalOldSelf");
            if compares && old.is_none() && !is_optional {
                continue;
            }
            let old_value = || old.map(|old| cel_value(schema, old, root));
            let mut scope = self.context.new_inner_scope();
            scope.add_variable_from_value("self", cel_value(schema, value, root));
            match is_optional {
                true => scope.add_variable_from_value("oldSelf", optional(old_value())),
                false => {
                    if let Some(old) = old_value() {
                        scope.add_variable_from_value("oldSelf", old);
                    }
                }
            }
            let said = said(rule);
            match evaluate(text(rule, "rule"), &scope) {
                Ok(CelValue::Bool(true)) => {}
                Ok(CelValue::Bool(false)) => {
                    let problem = problem(schema, rule, value, message(rule, &scope), path);
                    if !compares && ratchet.forgives() {
                        self.warnings.push(problem.text());
                    } else {
                        self.problems.push(problem);
                    }
                }
                Err(Failure::OfRule(why)) => {
                    let kind = Value::from(text(schema, "type"));
                    let detail = format!("{why} evaluating rule: {said}");
                    self.problems.push(FieldProblem::invalid(or_nil(path), &kind, detail));
                }
                Ok(_) => self.warn(path, said, "it is neither true nor false"),
                Err(Failure::Ours(why)) => self.warn(path, said, &why),
            }
        }
    }

    fn warn(&mut self, path: &str, rule: &str, why: &str) {
        let path = or_nil(path);
        self.warnings.push(format!("{path}: this rule was not evaluated, for {why}: {rule}"));
    }
}

fn or_nil(path: &str) -> String {
    if path.is_empty() { "<nil>".to_owned() } else { path.to_owned() }
}

/// How problems name a rule.
fn said(rule: &Value) -> &str {
    match text(rule, "message") {
        "" => text(rule, "rule").trim(),
        message => message.trim(),
    }
}

fn message(rule: &Value, scope: &Context<'_, '_>) -> String {
    let expression = text(rule, "messageExpression");
    if !expression.is_empty()
        && let Ok(CelValue::String(message)) = evaluate(expression, scope)
    {
        let message = message.trim();
        if !message.is_empty() && message.len() <= LONGEST_MESSAGE && !message.contains('\n') {
            return message.to_owned();
        }
    }
    match text(rule, "message") {
        "" => format!("failed rule: {}", said(rule)),
        message => message.trim().to_owned(),
    }
}

fn problem(schema: &Value, rule: &Value, value: &Value, detail: String, path: &str) -> FieldProblem {
    let subject = match field_path(text(rule, "fieldPath"), schema, true) {
        Ok((subject, _)) if !subject.is_empty() => below(path, &subject),
        _ => or_nil(path),
    };
    // Of structures the server shows nothing here.
    let shown = (!matches!(text(schema, "type"), "object" | "array")).then(|| value.to_string());
    let (sort, detail, value) = match text(rule, "reason") {
        "FieldValueForbidden" => (ProblemSort::Forbidden, detail, None),
        "FieldValueRequired" => (ProblemSort::Required, detail, None),
        "FieldValueDuplicate" => (ProblemSort::Duplicate, String::new(), shown),
        _ => (ProblemSort::Invalid, detail, shown),
    };
    FieldProblem { sort, field: subject, detail, value }
}
