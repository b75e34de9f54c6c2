//! Rules compiled once, and why one has no answer.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use cel::{Context, DeclarationError, Env, ExecutionError, Program, Value as CelValue};

use super::functions::declare;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    // It only fails for a name that is there already.
    let _ = cel::extensions::strings(&mut environment);
    Arc::new(environment)
});

/// An expression, or why it cannot be read.
type Compiled = Result<Arc<Program>, String>;

static PROGRAMS: LazyLock<Mutex<HashMap<String, Compiled>>> = LazyLock::new(Mutex::default);

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
    let compile = || ENVIRONMENT.compile(expression).map(Arc::new).map_err(|error| error.to_string());
    let Ok(mut known) = PROGRAMS.lock() else { return compile() };
    if let Some(program) = known.get(expression) {
        return program.clone();
    }
    let program = compile();
    known.insert(expression.to_owned(), program.clone());
    program
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
