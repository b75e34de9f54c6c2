//! Walks an expression, and finds what does not fit (cel-go's `checker/checker.go`).

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr, StructExpr};

use super::Scope;
use super::bindings::{Bindings, is_less_specific};
use super::overloads::{self, is_declared};
use super::sorts::{self, Sort};

const AUTHORIZER: Sort = Sort::Structure("kubernetes.authorization.Authorizer");
const RESOURCE_CHECK: Sort = Sort::Structure("kubernetes.authorization.ResourceCheck");

pub(super) struct Checker<'a> {
    scope: &'a Scope,
    bindings: Bindings,
    /// The variables of comprehensions, the innermost last.
    locals: Vec<(String, Sort)>,
    /// What is wrong, by the number of the part.
    pub(super) errors: Vec<(u64, String)>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(scope: &'a Scope) -> Self {
        Self { scope, bindings: Bindings::default(), locals: Vec::new(), errors: Vec::new() }
    }

    /// To what a whole expression comes.
    pub(super) fn settled_sort_of(&mut self, whole: &IdedExpr) -> Sort {
        let sort = self.sort_of(whole);
        self.bindings.settled(&sort)
    }

    fn error(&mut self, id: u64, message: String) -> Sort {
        self.errors.push((id, message));
        Sort::Wrong
    }

    fn mismatch(&mut self, id: u64, expected: &Sort, found: &Sort) -> Sort {
        self.error(id, format!("expected type '{}' but found '{}'", expected.checked(), found.checked()))
    }

    fn is_assignable(&mut self, given: &Sort, taken: &Sort) -> bool {
        self.bindings.are_assignable([(given, taken)])
    }

    fn sort_of(&mut self, part: &IdedExpr) -> Sort {
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
            Expr::Select(select) => self.of_select(part, select),
            Expr::Call(call) => self.of_call(part.id, call),
            Expr::List(list) => {
                let mut all = None;
                for (index, item) in list.elements.iter().enumerate() {
                    let sort = self.element(item, list.optional_indices.contains(&index));
                    all = Some(self.joined(item.id, all, sort));
                }
                Sort::list(all.unwrap_or_else(|| self.bindings.open()))
            }
            Expr::Map(map) => {
                let (mut keys, mut values) = (None, None);
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
                    let key = self.sort_of(&entry.key);
                    keys = Some(self.joined(entry.key.id, keys, key));
                    let value = self.element(&entry.value, entry.optional);
                    values = Some(self.joined(entry.value.id, values, value));
                }
                let keys = keys.unwrap_or_else(|| self.bindings.open());
                Sort::map(keys, values.unwrap_or_else(|| self.bindings.open()))
            }
            Expr::Comprehension(comprehension) => self.of_comprehension(comprehension),
            Expr::Struct(structure) => self.of_structure(part.id, structure),
            Expr::Unspecified => Sort::Wrong,
        }
    }

    /// The sort of an element, which may be one that is only there if it has a value.
    fn element(&mut self, item: &IdedExpr, is_optional: bool) -> Sort {
        let sort = self.sort_of(item);
        match sort {
            Sort::Optional(of) if is_optional => *of,
            sort => {
                if is_optional && sort != Sort::Dyn {
                    self.mismatch(item.id, &Sort::optional(sort.clone()), &sort);
                }
                sort
            }
        }
    }

    /// The sort of elements of which one more is met.
    fn joined(&mut self, id: u64, all: Option<Sort>, one: Sort) -> Sort {
        let Some(all) = all else { return one };
        if !self.is_assignable(&all, &one) {
            return self.mismatch(id, &all, &one);
        }
        let general = if is_less_specific(&all, &one) { all } else { one };
        self.bindings.filled(&general)
    }

    fn variable(&self, name: &str) -> Option<Sort> {
        if let Some((_, sort)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Some(sort.clone());
        }
        Some(match name {
            "object" | "oldObject" => Sort::Dyn,
            "request" => Sort::Structure("kubernetes.AdmissionRequest"),
            "namespaceObject" => Sort::Structure("kubernetes.Namespace"),
            "params" if self.scope.params => Sort::Dyn,
            "authorizer" if self.scope.authorizer => AUTHORIZER,
            "authorizer.requestResource" if self.scope.authorizer => RESOURCE_CHECK,
            "variables" if self.scope.variables.is_some() => Sort::Variables,
            "bool" => Sort::type_of(Sort::Bool),
            "bytes" => Sort::type_of(Sort::Bytes),
            "double" => Sort::type_of(Sort::Double),
            "int" => Sort::type_of(Sort::Int),
            "list" => Sort::type_of(Sort::list(Sort::Dyn)),
            "map" => Sort::type_of(Sort::map(Sort::Dyn, Sort::Dyn)),
            "null_type" => Sort::type_of(Sort::Null),
            "string" => Sort::type_of(Sort::Text),
            "type" => Sort::type_of(Sort::Opaque("type")),
            "uint" => Sort::type_of(Sort::Uint),
            "google.protobuf.Duration" => Sort::type_of(Sort::Duration),
            "google.protobuf.Timestamp" => Sort::type_of(Sort::Timestamp),
            "net.CIDR" => Sort::type_of(Sort::Opaque("net.CIDR")),
            "net.IP" => Sort::type_of(Sort::Opaque("net.IP")),
            "optional_type" => Sort::type_of(Sort::Opaque("optional_type")),
            _ => return None,
        })
    }

    fn of_select(&mut self, part: &IdedExpr, select: &SelectExpr) -> Sort {
        if let Some(sort) = path(part).and_then(|path| self.variable(&path)) {
            return sort;
        }
        let sort = self.of_field(part.id, &select.operand, &select.field, false);
        if select.test { Sort::Bool } else { sort }
    }

    fn of_field(&mut self, id: u64, operand: &IdedExpr, field: &str, is_optional: bool) -> Sort {
        let sort = self.sort_of(operand);
        let (sort, was_optional) = match self.bindings.filled(&sort) {
            Sort::Optional(of) => (*of, true),
            sort => (sort, false),
        };
        let sort = match sort {
            sort if sort.is_any() => Sort::Dyn,
            Sort::Map(_, value) => *value,
            Sort::Open(_) => {
                self.is_assignable(&Sort::Dyn, &sort);
                Sort::Dyn
            }
            Sort::Variables => match self.scope.variables.as_ref().and_then(|variables| variables.get(field)) {
                Some(sort) => sort.clone(),
                None => self.error(id, format!("undefined field '{field}'")),
            },
            Sort::Structure(structure) => match sorts::field(structure, field) {
                Ok(Some(sort)) => sort,
                Ok(None) => self.error(id, format!("undefined field '{field}'")),
                Err(()) => self.error(id, format!("unexpected failed resolution of '{structure}'")),
            },
            other => {
                self.error(id, format!("type '{}' does not support field selection", other.checked()));
                Sort::Dyn
            }
        };
        if is_optional || was_optional { Sort::optional(sort) } else { sort }
    }

    fn of_call(&mut self, id: u64, call: &CallExpr) -> Sort {
        let name = call.func_name.as_str();
        if let ("_?._", [operand, field]) = (name, call.args.as_slice())
            && let Expr::Literal(LiteralValue::String(field)) = &field.expr
        {
            return self.of_field(id, operand, field.inner(), true);
        }
        let arguments: Vec<Sort> = call.args.iter().map(|argument| self.sort_of(argument)).collect();
        if matches!(name, "_&&_" | "_||_") {
            let mut sort = Sort::Bool;
            for (argument, given) in call.args.iter().zip(&arguments) {
                if !self.is_assignable(given, &Sort::Bool) {
                    sort = self.mismatch(argument.id, &Sort::Bool, given);
                }
            }
            return sort;
        }
        // What looks like a member may be a function of a name with dots in it.
        let qualified = call.target.as_deref().and_then(path).map(|path| format!("{path}.{name}"));
        if let Some(qualified) = qualified.filter(|name| is_declared(name)) {
            return self.chosen(id, &qualified, false, arguments);
        }
        let on = call.target.as_deref().map(|target| self.sort_of(target));
        if !is_declared(name) {
            return self.error(id, undeclared(name));
        }
        let is_member = on.is_some();
        self.chosen(id, name, is_member, on.into_iter().chain(arguments).collect())
    }

    fn chosen(&mut self, id: u64, name: &str, is_member: bool, arguments: Vec<Sort>) -> Sort {
        if let Some(sort) = overloads::call(name, is_member, &arguments, &mut self.bindings) {
            return sort;
        }
        let shown: Vec<String> =
            arguments.iter().map(|sort| self.bindings.settled(sort).checked().to_string()).collect();
        let of = match (is_member, shown.split_first()) {
            (true, Some((on, rest))) => format!("{on}.({})", rest.join(", ")),
            _ => format!("({})", shown.join(", ")),
        };
        self.error(id, format!("found no matching overload for '{name}' applied to '{of}'"))
    }

    /// Only messages that come with CEL can be made, and those are of no use in policies.
    fn of_structure(&mut self, id: u64, structure: &StructExpr) -> Sort {
        if structure.type_name.starts_with("google.protobuf.") {
            return Sort::Dyn;
        }
        self.error(id, undeclared(&structure.type_name))
    }

    fn of_comprehension(&mut self, comprehension: &ComprehensionExpr) -> Sort {
        let range = self.sort_of(&comprehension.iter_range);
        let start = self.sort_of(&comprehension.accu_init);
        let range = self.bindings.filled(&range);
        let has_two = comprehension.iter_var2.is_some();
        let (first, second) = match range {
            Sort::List(of) if has_two => (Sort::Int, *of),
            Sort::List(of) => (*of, Sort::Dyn),
            Sort::Map(key, value) => (*key, *value),
            Sort::Dyn | Sort::Wrong | Sort::Open(_) => {
                self.is_assignable(&Sort::Dyn, &range);
                (Sort::Dyn, Sort::Dyn)
            }
            other => {
                let message = format!(
                    "expression of type '{}' cannot be range of a comprehension (must be list, map, or dynamic)",
                    other.checked()
                );
                (self.error(comprehension.iter_range.id, message), Sort::Wrong)
            }
        };
        let depth = self.locals.len();
        self.locals.push((comprehension.accu_var.clone(), start.clone()));
        self.locals.push((comprehension.iter_var.clone(), first));
        if let Some(name) = &comprehension.iter_var2 {
            self.locals.push((name.clone(), second));
        }
        for (part, expected) in [(&comprehension.loop_cond, &Sort::Bool), (&comprehension.loop_step, &start)] {
            let sort = self.sort_of(part);
            if !self.is_assignable(expected, &sort) {
                self.mismatch(part.id, expected, &sort);
            }
        }
        self.locals.truncate(depth + 1);
        let result = self.sort_of(&comprehension.result);
        self.locals.truncate(depth);
        self.bindings.filled(&result)
    }
}

fn undeclared(name: &str) -> String {
    format!("undeclared reference to '{name}' (in container '')")
}

/// The names of an expression that is nothing but names with dots between them.
fn path(part: &IdedExpr) -> Option<String> {
    match &part.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        _ => None,
    }
}
