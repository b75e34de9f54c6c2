//! The macros that Kubernetes has beside those that are known to the parser: loops over two variables.

use std::sync::LazyLock;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr};
use cel::parser::{Macro, MacroExprHelper, ParseError, Parser};
use cel::{Env, extensions};

const RESULT: &str = "@result";

type Expanded = Result<Option<IdedExpr>, ParseError>;

static ENVIRONMENT: LazyLock<Env> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    // These only fail for what is there already.
    let _ = extensions::lists(&mut environment);
    for (name, arguments) in [
        ("all", 3),
        ("exists", 3),
        ("existsOne", 3),
        ("exists_one", 3),
        ("transformList", 3),
        ("transformList", 4),
        ("transformMap", 3),
        ("transformMap", 4),
        ("transformMapEntry", 3),
        ("transformMapEntry", 4),
    ] {
        let _ = environment.add_macro(Macro::receiver(name, arguments, move |helper, target, args| {
            over_two(&mut Make(helper), name, std::mem::take(target), std::mem::take(args))
        }));
    }
    environment
});

/// A parser that knows them.
pub(super) fn parser() -> Parser {
    ENVIRONMENT.parser()
}

/// Makes the parts of what a macro becomes.
struct Make<'a, 'h>(&'a mut MacroExprHelper<'h>);

impl Make<'_, '_> {
    fn name(&mut self, name: &str) -> IdedExpr {
        self.0.next_expr(Expr::Ident(name.to_owned()))
    }

    fn truth(&mut self, value: bool) -> IdedExpr {
        self.0.next_expr(Expr::Literal(LiteralValue::Boolean(value.into())))
    }

    fn number(&mut self, value: i64) -> IdedExpr {
        self.0.next_expr(Expr::Literal(LiteralValue::Int(value.into())))
    }

    fn list(&mut self, elements: Vec<IdedExpr>) -> IdedExpr {
        self.0.next_expr(Expr::List(ListExpr::new(elements)))
    }

    fn call(&mut self, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
        self.0.next_expr(Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }))
    }

    fn variable(&self, part: &IdedExpr) -> Result<String, ParseError> {
        match &part.expr {
            Expr::Ident(name) => Ok(name.clone()),
            _ => Err(self.0.new_error(part.id, "argument must be a simple name")),
        }
    }
}

/// A loop over indices and elements, or over keys and values.
fn over_two(make: &mut Make<'_, '_>, called: &str, target: Option<IdedExpr>, args: Vec<IdedExpr>) -> Expanded {
    let Some(iter_range) = target else { return Ok(None) };
    let mut args = args.into_iter();
    let (Some(first), Some(second), Some(mut value)) = (args.next(), args.next(), args.next()) else {
        return Ok(None);
    };
    let filter = args.next().map(|last| std::mem::replace(&mut value, last));
    let iter_var = make.variable(&first)?;
    let other = make.variable(&second)?;
    if iter_var == other {
        return Err(make.0.new_error(second.id, format!("duplicate variable name: {iter_var}")));
    }
    for (name, id) in [(&iter_var, first.id), (&other, second.id)] {
        if name == "__result__" {
            return Err(make.0.new_error(id, "iteration variable overwrites accumulator variable"));
        }
    }
    let before = make.name(RESULT);
    let (accu_init, loop_cond, mut loop_step, result);
    match called {
        "all" | "exists" => {
            let is_all = called == "all";
            accu_init = make.truth(is_all);
            let so_far = make.name(RESULT);
            let goes_on = if is_all { so_far } else { make.call("!_", vec![so_far]) };
            loop_cond = make.call("@not_strictly_false", vec![goes_on]);
            loop_step = make.call(if is_all { "_&&_" } else { "_||_" }, vec![before, value]);
            result = make.name(RESULT);
        }
        "existsOne" | "exists_one" => {
            accu_init = make.number(0);
            loop_cond = make.truth(true);
            let (so_far, one) = (make.name(RESULT), make.number(1));
            let more = make.call("_+_", vec![so_far, one]);
            loop_step = make.call("_?_:_", vec![value, more, before]);
            let (so_far, one) = (make.name(RESULT), make.number(1));
            result = make.call("_==_", vec![so_far, one]);
        }
        _ => {
            let is_list = called == "transformList";
            accu_init = if is_list { make.list(Vec::new()) } else { make.0.next_expr(Expr::Map(MapExpr::default())) };
            loop_cond = make.truth(true);
            loop_step = match called {
                "transformList" => {
                    let one = make.list(vec![value]);
                    make.call("_+_", vec![before, one])
                }
                "transformMap" => {
                    let key = make.name(&iter_var);
                    make.call("cel.@mapInsert", vec![before, key, value])
                }
                _ => make.call("cel.@mapInsert", vec![before, value]),
            };
            if let Some(filter) = filter {
                let so_far = make.name(RESULT);
                loop_step = make.call("_?_:_", vec![filter, loop_step, so_far]);
            }
            result = make.name(RESULT);
        }
    }
    let (iter_var2, accu_var) = (Some(other), RESULT.to_owned());
    let comprehension =
        ComprehensionExpr { iter_range, iter_var, iter_var2, accu_var, accu_init, loop_cond, loop_step, result };
    Ok(Some(make.0.next_expr(Expr::Comprehension(Box::new(comprehension)))))
}
