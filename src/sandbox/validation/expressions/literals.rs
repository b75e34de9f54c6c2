//! Literals that their functions cannot read, which the server looks at before anything is evaluated.

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::{Context, Value};
use regex::Regex;

/// Tells of such literals anywhere in an expression.
pub(super) fn check(whole: &IdedExpr, errors: &mut Vec<(u64, String)>) {
    let mut left = vec![whole];
    while let Some(part) = left.pop() {
        parts(part, &mut |below| left.push(below));
        let Expr::Call(call) = &part.expr else { continue };
        let Some(argument) = call.args.first() else { continue };
        let Expr::Literal(literal) = &argument.expr else { continue };
        let is_readable = match (call.func_name.as_str(), literal) {
            ("duration" | "timestamp", _) => Value::resolve(part, &Context::default()).is_ok(),
            ("matches", LiteralValue::String(pattern)) => Regex::new(pattern.inner()).is_ok(),
            _ => true,
        };
        if !is_readable {
            errors.push((argument.id, format!("invalid {} argument", call.func_name)));
        }
    }
}

/// Calls for each part right below a part.
fn parts<'e>(part: &'e IdedExpr, each: &mut dyn FnMut(&'e IdedExpr)) {
    match &part.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).for_each(each),
        Expr::Select(select) => each(&select.operand),
        Expr::List(list) => list.elements.iter().for_each(each),
        Expr::Map(map) => map.entries.iter().for_each(|entry| entry_parts(&entry.expr, each)),
        Expr::Struct(structure) => structure.entries.iter().for_each(|entry| entry_parts(&entry.expr, each)),
        Expr::Comprehension(comprehension) => [
            &comprehension.iter_range,
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ]
        .into_iter()
        .for_each(each),
        Expr::Literal(_) | Expr::Ident(_) | Expr::Unspecified => {}
    }
}

fn entry_parts<'e>(entry: &'e EntryExpr, each: &mut dyn FnMut(&'e IdedExpr)) {
    match entry {
        EntryExpr::MapEntry(entry) => {
            each(&entry.key);
            each(&entry.value);
        }
        EntryExpr::StructField(field) => each(&field.value),
    }
}
