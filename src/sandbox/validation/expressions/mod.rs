//! Expressions in CEL, as admission policies and webhooks have them: whether they can be read, and what they come to.
//!
//! Of functions that are not CEL's own only the names are known, so that what they return fits everywhere. Costs are not
//! counted.
//!
//! Source: `apiserver/pkg/admission/plugin/cel/compile.go` and cel-go's checker.

mod check;
mod overloads;
mod sorts;

use std::collections::BTreeMap;

use cel::parser::Parser;

use self::check::Checker;
pub(super) use self::sorts::Sort;

/// What an expression may speak of, beside the object, the one before and the request.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Whether there are parameters.
    pub(super) params: bool,
    /// Whether it may ask what users may do.
    pub(super) authorizer: bool,
    /// The variables that were defined before, where there can be some.
    pub(super) variables: Option<BTreeMap<String, Sort>>,
}

/// Reads an expression, and tells to what it comes.
///
/// # Errors
/// With the server's words for what is wrong with it.
pub(super) fn compile(expression: &str, scope: &Scope) -> Result<Sort, String> {
    let read = Parser::new().enable_optional_syntax(true).parse_with_source_info(expression);
    let (parsed, source) = match read {
        Ok(read) => read,
        Err(errors) => {
            let told = errors.errors.into_iter().map(|error| {
                let place = |number: isize| usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(1);
                told(expression, (place(error.pos.0), place(error.pos.1)), &expecting_the_end(&error.msg))
            });
            return Err(failed(told));
        }
    };
    let mut checker = Checker::new(scope);
    let sort = checker.sort_of(&parsed);
    let mut errors = checker.errors;
    if errors.is_empty() {
        return Ok(sort);
    }
    let place = |id: u64| {
        let start = source.offset_for(id).map_or(0, |(start, _)| start as usize);
        let before: Vec<char> = expression.chars().take(start).collect();
        let line = before.iter().filter(|letter| **letter == '\n').count();
        (line + 1, before.iter().rev().take_while(|letter| **letter != '\n').count() + 1)
    };
    errors.sort_by_key(|(id, _)| place(*id));
    Err(failed(errors.iter().map(|(id, message)| told(expression, place(*id), message))))
}

/// The same for an expression that must come to one of some sorts.
///
/// # Errors
/// With the server's words for what is wrong with it.
pub(super) fn compile_to(expected: &[Sort], expression: &str, scope: &Scope) -> Result<(), String> {
    let sort = compile(expression, scope)?;
    if sort == Sort::Unknown || expected.contains(&sort) {
        return Ok(());
    }
    let words: Vec<String> = expected.iter().map(Sort::to_string).collect();
    Err(match words.as_slice() {
        [only] => format!("must evaluate to {only} but got {sort}"),
        several => format!("must evaluate to one of [{}] but got {sort}", several.join(" ")),
    })
}

/// Where an expression might end, the server's parser expects nothing else.
fn expecting_the_end(message: &str) -> String {
    match message.split_once(" expecting {<EOF>") {
        Some((before, _)) => format!("{before} expecting <EOF>"),
        None => message.to_owned(),
    }
}

fn failed(errors: impl Iterator<Item = String>) -> String {
    format!("compilation failed: {}", errors.collect::<Vec<_>>().join("\n"))
}

/// An error with the line that it is in, and a mark below the place.
fn told(expression: &str, (line, column): (usize, usize), message: &str) -> String {
    let shown = expression.split('\n').nth(line - 1).unwrap_or_default();
    let dots = ".".repeat(column - 1);
    format!("ERROR: <input>:{line}:{column}: {message}\n | {shown}\n | {dots}^")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(expression: &str) -> String {
        let variables = Some(BTreeMap::from([("a".to_owned(), Sort::Bool)]));
        let scope = Scope { params: true, authorizer: true, variables };
        match compile_to(&[Sort::Bool], expression, &scope) {
            Ok(()) => "fine".to_owned(),
            Err(error) => error.lines().filter(|line| !line.starts_with(" |")).collect::<Vec<_>>().join("; "),
        }
    }

    fn check(table: &[(&str, &str)]) {
        for (expression, expected) in table {
            let expected = expected
                .replace("E:", "ERROR: <input>:")
                .replace("U:", "undeclared reference to ")
                .replace("N:", "found no matching overload for ");
            let expected =
                if expected.starts_with("ERROR") { format!("compilation failed: {expected}") } else { expected };
            assert_eq!(told_of(expression), expected, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        check(&[
            ("10Mi", "E:1:3: Syntax error: extraneous input 'Mi' expecting <EOF>"),
            ("with space", "E:1:6: Syntax error: extraneous input 'space' expecting <EOF>"),
            ("Bad_Name!", "E:1:9: Syntax error: extraneous input '!' expecting <EOF>"),
            ("100m == 1", "E:1:4: Syntax error: mismatched input 'm' expecting <EOF>"),
        ]);
        assert_eq!(
            compile("true\n&& x", &Scope::default()).unwrap_err(),
            "compilation failed: ERROR: <input>:2:4: undeclared reference to 'x' (in container '')\n | && x\n | ...^"
        );
    }

    #[test]
    fn names_must_be_declared() {
        check(&[
            ("a", "E:1:1: U:'a' (in container '')"),
            ("x-y", "E:1:1: U:'x' (in container ''); E:1:3: U:'y' (in container '')"),
            (
                "a.b.c(d)",
                "E:1:1: U:'a' (in container ''); E:1:6: U:'c' (in container ''); E:1:7: U:'d' (in container '')",
            ),
            ("foo(1)", "E:1:4: U:'foo' (in container '')"),
            ("[1].all(x, y > 0)", "E:1:12: U:'y' (in container '')"),
            ("has(a.b)", "E:1:5: U:'a' (in container '')"),
            ("request.nme", "E:1:8: undefined field 'nme'"),
            ("variables.b", "E:1:10: undefined field 'b'"),
            ("variables.a", "fine"),
            ("has(object.x) && params.x == 1", "fine"),
        ]);
    }

    #[test]
    fn an_expression_comes_to_something() {
        check(&[
            ("1", "must evaluate to bool but got int"),
            ("{'a':1}", "must evaluate to bool but got map(string, int)"),
            ("null", "must evaluate to bool but got null_type"),
            ("object.x", "must evaluate to bool but got dyn"),
            ("object + object", "must evaluate to bool but got dyn"),
            ("1 + object", "must evaluate to bool but got int"),
            ("type(1)", "must evaluate to bool but got type(int)"),
            ("[1].map(x, x)", "must evaluate to bool but got list(int)"),
            ("[1].filter(x, x > 0)", "must evaluate to bool but got list(int)"),
            ("request.userInfo.groups", "must evaluate to bool but got list(string)"),
            ("authorizer", "must evaluate to bool but got kubernetes.authorization.Authorizer"),
            ("1 < 1.5", "fine"),
            ("type(1) == int", "fine"),
            ("[1].all(x, x > 0)", "fine"),
        ]);
    }

    #[test]
    fn operands_must_fit() {
        check(&[
            ("!1", "E:1:1: N:'!_' applied to '(int)'"),
            ("1 + 'a'", "E:1:3: N:'_+_' applied to '(int, string)'"),
            ("'a' in [1]", "E:1:5: N:'@in' applied to '(string, list(int))'"),
            ("[1]['a']", "E:1:4: N:'_[_]' applied to '(list(int), string)'"),
            ("true ? 1 : 'a'", "E:1:6: N:'_?_:_' applied to '(bool, int, string)'"),
            ("true && 1", "E:1:9: expected type 'bool' but found 'int'"),
            ("[1].all(x,x)", "E:1:11: expected type 'bool' but found 'int'"),
            ("[1,'a']", "E:1:4: expected type 'int' but found 'string'"),
            ("{1:2,'a':3}", "E:1:6: expected type 'int' but found 'string'"),
            ("1.size()", "E:1:7: N:'size' applied to 'int.()'"),
            ("'a'.x", "E:1:4: type 'string' does not support field selection"),
        ]);
    }
}
