//! Rules compiled once, and why one has no answer.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use cel::{Context, DeclarationError, Env, ExecutionError, Program, Value as CelValue};

use super::functions::declare;
use crate::sandbox::stack::on_deep_stack;
use crate::sandbox::validation::beyond_limits;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    // It only fails for a name that is there already.
    let _ = cel::extensions::strings(&mut environment);
    Arc::new(environment)
});

/// An expression, or why it cannot be read.
type Compiled = Result<Arc<Program>, String>;

static PROGRAMS: LazyLock<Mutex<BTreeMap<String, Compiled>>> = LazyLock::new(Mutex::default);

/// More are only there where definitions come and go all the time.
const MOST_KEPT: usize = 4096;

/// What is said of rules whose reading or evaluation broke off.
pub(super) const BROKEN_OFF: &str = "it broke off";

/// Why an expression has no value.
pub(super) enum Failure {
    /// Its evaluation fails, on the server too.
    OfRule(String),
    /// It cannot be evaluated here.
    Ours(String),
}

/// Returns a context with all functions and no variables.
pub(super) fn root_context<'v>() -> Result<Context<'static, 'v>, DeclarationError> {
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    declare(&mut context)?;
    Ok(context)
}

fn program(expression: &str) -> Compiled {
    let Ok(mut known) = PROGRAMS.lock() else { return compile(expression) };
    if let Some(program) = known.get(expression) {
        return program.clone();
    }
    let program = compile(expression);
    if known.len() >= MOST_KEPT {
        known.clear();
    }
    known.insert(expression.to_owned(), program.clone());
    program
}

fn compile(expression: &str) -> Compiled {
    if let Some(error) = beyond_limits(expression) {
        return Err(error);
    }
    let compile = || ENVIRONMENT.compile(expression).map(Arc::new).map_err(|error| error.to_string());
    on_deep_stack(compile).unwrap_or_else(|| Err(BROKEN_OFF.to_owned()))
}

/// Says why an expression cannot be read.
pub(in crate::sandbox::custom) fn syntax_error(expression: &str) -> Option<String> {
    program(expression).err()
}

/// Tells whether an expression speaks of the value before.
pub(in crate::sandbox::custom) fn uses_old_self(expression: &str) -> bool {
    program(expression).is_ok_and(|program| program.references().has_variable("oldSelf"))
}

pub(super) fn evaluate(expression: &str, scope: &Context<'_, '_>) -> Result<CelValue, Failure> {
    let program = program(expression).map_err(Failure::Ours)?;
    program.execute(scope).map_err(|error| match error {
        ExecutionError::NoSuchKey(key) => Failure::OfRule(format!("no such key: {key}")),
        ExecutionError::DivisionByZero(_) => Failure::OfRule("division by zero".to_owned()),
        ExecutionError::RemainderByZero(_) => Failure::OfRule("modulus by zero".to_owned()),
        ExecutionError::Overflow(..) => Failure::OfRule("integer overflow".to_owned()),
        ExecutionError::IndexOutOfBounds(CelValue::Int(index)) => {
            Failure::OfRule(format!("index out of bounds: {index}"))
        }
        ExecutionError::FunctionError { function, message } if function.is_empty() => Failure::OfRule(message),
        other => Failure::Ours(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_is_too_deep_is_refused() {
        let chain = vec!["1"; 20_000].join(" + ");
        assert_eq!(syntax_error(&chain).unwrap(), "ERROR: <input>:-1:0: max recursion depth exceeded");
        assert!(syntax_error("1 + 1 == 2").is_none());
    }
}
