//! Walks an expression, and finds what does not fit.

use std::collections::BTreeMap;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr};

use super::Scope;
use super::overloads::{self, Called, is_declared, unify};
use super::sorts::{self, Sort};

const AUTHORIZER: Sort = Sort::Opaque("kubernetes.authorization.Authorizer");
const RESOURCE_CHECK: Sort = Sort::Opaque("kubernetes.authorization.ResourceCheck");

pub(super) struct Checker<'a> {
    scope: &'a Scope,
    /// The variables of comprehensions, the innermost last.
    locals: Vec<(String, Sort)>,
    /// What is wrong, by the number of the part.
    pub(super) errors: Vec<(u64, String)>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(scope: &'a Scope) -> Self {
        Self { scope, locals: Vec::new(), errors: Vec::new() }
    }

    fn error(&mut self, id: u64, message: String) -> Sort {
        self.errors.push((id, message));
        Sort::Unknown
    }

    pub(super) fn sort_of(&mut self, part: &IdedExpr) -> Sort {
        match &part.expr {
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Sort::Bool,
                LiteralValue::Bytes(_) => Sort::Bytes,
                LiteralValue::Double(_) => Sort::Double,
                LiteralValue::Int(_) => Sort::Int,
                LiteralValue::Null => Sort::Null,
                LiteralValue::String(_) => Sort::Text,
                LiteralValue::UInt(_) => Sort::Uint,
            },
            Expr::Ident(name) => match self.variable(name) {
                Some(sort) => sort,
                None => self.error(part.id, undeclared(name)),
            },
            Expr::Select(select) => self.of_select(part.id, select),
            Expr::Call(call) => self.of_call(part.id, call),
            Expr::List(list) => {
                let mut element = Sort::Free;
                for (index, item) in list.elements.iter().enumerate() {
                    let sort = self.sort_of(item);
                    let sort = if list.optional_indices.contains(&index) { Sort::Unknown } else { sort };
                    element = self.joined(item.id, element, sort);
                }
                Sort::list(element)
            }
            Expr::Map(map) => {
                let (mut keys, mut values) = (Sort::Free, Sort::Free);
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    let key = self.sort_of(&entry.key);
                    keys = self.joined(entry.key.id, keys, key);
                    let value = self.sort_of(&entry.value);
                    values = self.joined(entry.value.id, values, value);
                }
                Sort::Map(Box::new(keys), Box::new(values))
            }
            Expr::Comprehension(comprehension) => self.of_comprehension(comprehension),
            Expr::Struct(_) | Expr::Unspecified => Sort::Unknown,
        }
    }

    /// The sort of elements of which one more is met: all are of the first's.
    fn joined(&mut self, id: u64, all: Sort, one: Sort) -> Sort {
        if all.is_open() {
            return one;
        }
        if !unify(&all, &one, &mut BTreeMap::new()) {
            self.error(id, format!("expected type '{all}' but found '{one}'"));
        }
        all
    }

    fn variable(&self, name: &str) -> Option<Sort> {
        if let Some((_, sort)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Some(sort.clone());
        }
        let type_of = |sort: Sort| Some(Sort::TypeOf(Box::new(sort)));
        match name {
            "object" | "oldObject" => Some(Sort::Dyn),
            "request" => Some(Sort::Structure("kubernetes.AdmissionRequest")),
            "namespaceObject" => Some(Sort::Structure("kubernetes.Namespace")),
            "params" if self.scope.params => Some(Sort::Dyn),
            "authorizer" if self.scope.authorizer => Some(AUTHORIZER),
            "variables" if self.scope.variables.is_some() => Some(Sort::Variables),
            "bool" => type_of(Sort::Bool),
            "bytes" => type_of(Sort::Bytes),
            "double" => type_of(Sort::Double),
            "int" => type_of(Sort::Int),
            "list" => type_of(Sort::list(Sort::Dyn)),
            "map" => type_of(Sort::Map(Box::new(Sort::Dyn), Box::new(Sort::Dyn))),
            "null_type" => type_of(Sort::Null),
            "string" => type_of(Sort::Text),
            "type" => type_of(Sort::Dyn),
            "uint" => type_of(Sort::Uint),
            _ => None,
        }
    }

    fn of_select(&mut self, id: u64, select: &SelectExpr) -> Sort {
        if let Expr::Ident(name) = &select.operand.expr
            && self.variable(name).is_some_and(|sort| sort == AUTHORIZER)
            && select.field == "requestResource"
        {
            return RESOURCE_CHECK;
        }
        let field = &select.field;
        let sort = match self.sort_of(&select.operand) {
            sort if sort.is_any() => sort,
            Sort::Map(_, value) => *value,
            Sort::Variables => match self.scope.variables.as_ref().and_then(|variables| variables.get(field)) {
                Some(sort) => sort.clone(),
                None => self.error(id, format!("undefined field '{field}'")),
            },
            Sort::Structure(structure) => match sorts::field(structure, field) {
                Some(sort) => sort,
                None => self.error(id, format!("undefined field '{field}'")),
            },
            Sort::Opaque(name) => self.error(id, format!("unexpected failed resolution of '{name}'")),
            other => self.error(id, format!("type '{other}' does not support field selection")),
        };
        if select.test { Sort::Bool } else { sort }
    }

    fn of_call(&mut self, id: u64, call: &CallExpr) -> Sort {
        if matches!(call.func_name.as_str(), "_&&_" | "_||_") {
            for argument in &call.args {
                let sort = self.sort_of(argument);
                if sort != Sort::Bool && !sort.is_any() {
                    self.error(argument.id, format!("expected type 'bool' but found '{sort}'"));
                }
            }
            return Sort::Bool;
        }
        let name = call.func_name.as_str();
        // What looks like a member may be a function of a name with dots in it.
        let qualified = call.target.as_deref().and_then(path).map(|path| format!("{path}.{name}"));
        let qualified = qualified.filter(|name| is_declared(name));
        let target = call.target.as_deref().filter(|_| qualified.is_none());
        let mut sorts: Vec<Sort> = target.into_iter().map(|target| self.sort_of(target)).collect();
        let is_known = qualified.is_some() || is_declared(name);
        // An error about a function that is not there comes before those about its arguments in the text.
        sorts.extend(call.args.iter().map(|argument| self.sort_of(argument)).collect::<Vec<_>>());
        if !is_known {
            return self.error(id, undeclared(name));
        }
        match overloads::call(qualified.as_deref().unwrap_or(name), target.is_some(), &sorts) {
            Called::Undeclared => self.error(id, undeclared(name)),
            Called::Gives(sort) => sort,
            Called::Unfit => {
                let of = match (target.is_some(), sorts.split_first()) {
                    (true, Some((on, rest))) => format!("{on}.({})", listed(rest)),
                    _ => format!("({})", listed(&sorts)),
                };
                self.error(id, format!("found no matching overload for '{name}' applied to '{of}'"))
            }
        }
    }

    fn of_comprehension(&mut self, comprehension: &ComprehensionExpr) -> Sort {
        let range = self.sort_of(&comprehension.iter_range);
        let start = self.sort_of(&comprehension.accu_init);
        let (first, second) = match range {
            Sort::List(of) if comprehension.iter_var2.is_some() => (Sort::Int, *of),
            Sort::List(of) => (*of, Sort::Unknown),
            Sort::Map(key, value) => (*key, *value),
            sort if sort.is_any() => (sort.clone(), sort),
            other => {
                let message = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                (self.error(comprehension.iter_range.id, message), Sort::Unknown)
            }
        };
        let depth = self.locals.len();
        self.locals.push((comprehension.accu_var.clone(), start.clone()));
        self.locals.push((comprehension.iter_var.clone(), first));
        if let Some(name) = &comprehension.iter_var2 {
            self.locals.push((name.clone(), second));
        }
        self.sort_of(&comprehension.loop_cond);
        let step = self.sort_of(&comprehension.loop_step);
        self.locals.truncate(depth);
        self.locals.push((comprehension.accu_var.clone(), if start.is_open() { step } else { start }));
        let result = self.sort_of(&comprehension.result);
        self.locals.truncate(depth);
        result
    }
}

fn undeclared(name: &str) -> String {
    format!("undeclared reference to '{name}' (in container '')")
}

fn listed(sorts: &[Sort]) -> String {
    sorts.iter().map(Sort::to_string).collect::<Vec<_>>().join(", ")
}

/// The names of an expression that is nothing but names with dots between them.
fn path(part: &IdedExpr) -> Option<String> {
    match &part.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        _ => None,
    }
}
