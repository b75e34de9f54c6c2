//! Expressions in CEL, as admission policies and webhooks have them: whether they can be read, and what they come to.
//!
//! Costs are not counted.
//!
//! Source: `apiserver/pkg/admission/plugin/cel/compile.go` and cel-go's parser and checker.

mod bindings;
mod check;
mod depth;
mod literals;
mod macros;
mod overloads;
mod sorts;

use std::collections::BTreeMap;

use cel::common::ast::SourceInfo;

use self::check::Checker;
use self::depth::Depth;
pub(super) use self::sorts::Sort;
use crate::sandbox::stack::on_deep_stack;

/// Words of CEL, which name nothing else (`apiserver/pkg/cel/escaping.go`).
pub(in crate::sandbox) const RESERVED_WORDS: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];
/// How many characters an expression may have.
const LONGEST: usize = 100_000;
/// How deep it may be.
const DEEPEST: usize = 250;
/// How many errors are told.
const MOST_ERRORS: usize = 100;
/// Bytes of a line up to which it is shown.
const LONGEST_LINE: usize = 16_384;
/// How deep an expression may be that is read on the stack of who asks.
const SHALLOW: usize = 16;

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
    if let Some(error) = beyond_limits(expression) {
        return Err(format!("compilation failed: {error}"));
    }
    if Depth::of(expression).all <= SHALLOW {
        return read(expression, scope);
    }
    on_deep_stack(|| read(expression, scope)).unwrap_or_else(|| {
        Err(format!("compilation failed: {}", nowhere("there is no room to read so deep an expression")))
    })
}

/// Says whether an expression is longer or deeper than the server reads one. It is not to be read then.
pub(in crate::sandbox) fn beyond_limits(expression: &str) -> Option<String> {
    let length = expression.chars().count();
    if length > LONGEST {
        let limits = format!("size: {length}, limit {LONGEST}");
        return Some(nowhere(&format!("expression code point size exceeds limit: {limits}")));
    }
    let depth = Depth::of(expression);
    if depth.all <= DEEPEST {
        return None;
    }
    Some(if depth.nested * 2 < depth.all {
        nowhere("max recursion depth exceeded")
    } else {
        nowhere(&format!("expression recursion limit exceeded: {DEEPEST}"))
    })
}

fn read(expression: &str, scope: &Scope) -> Result<Sort, String> {
    let limit = u16::try_from(DEEPEST).unwrap_or(u16::MAX);
    let (parsed, source) = match macros::parser().max_recursion_depth(limit).parse_with_source_info(expression) {
        Ok(read) => read,
        Err(errors) => {
            let place = |number: isize| usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(1);
            let errors = errors.errors.into_iter().filter(|error| !is_of_the_parser(&error.msg));
            let told = errors.map(|error| ((place(error.pos.0), place(error.pos.1)), expecting_the_rest(&error.msg)));
            return Err(failed(expression, told.collect()));
        }
    };
    let mut checker = Checker::new(scope);
    let sort = checker.settled_sort_of(&parsed);
    let mut errors = checker.errors;
    if errors.is_empty() {
        literals::check(&parsed, &mut errors);
    }
    if errors.is_empty() {
        return Ok(sort);
    }
    let places = Places::of(expression);
    Err(failed(expression, errors.into_iter().map(|(id, message)| (places.of_part(id, &source), message)).collect()))
}

/// The same for an expression that must come to one of some sorts.
///
/// # Errors
/// With the server's words for what is wrong with it.
pub(super) fn compile_to(expected: &[Sort], expression: &str, scope: &Scope) -> Result<(), String> {
    let sort = compile(expression, scope)?;
    if expected.contains(&sort) {
        return Ok(());
    }
    let words: Vec<String> = expected.iter().map(Sort::to_string).collect();
    Err(match words.as_slice() {
        [only] => format!("must evaluate to {only} but got {sort}"),
        several => format!("must evaluate to one of [{}] but got {sort}", several.join(" ")),
    })
}

/// The parser's own words for what is missing after an error that it told.
fn is_of_the_parser(message: &str) -> bool {
    message.starts_with("Incomplete `") || message.starts_with("No `")
}

/// Where an expression might go on, the server's parser expects what comes after it.
fn expecting_the_rest(message: &str) -> String {
    const GOES_ON: [&str; 17] = [
        "'=='", "'!='", "'in'", "'<'", "'<='", "'>='", "'>'", "'&&'", "'||'", "'['", "'.'", "'-'", "'?'", "'+'", "'*'",
        "'/'", "'%'",
    ];
    let Some((before, expected)) = message.split_once(" expecting {") else { return message.to_owned() };
    let expected: Vec<&str> = expected.trim_end_matches('}').split(", ").collect();
    let left: Vec<&str> = expected.iter().copied().filter(|token| !GOES_ON.contains(token)).collect();
    match left.as_slice() {
        [only] if expected.len() >= GOES_ON.len() => format!("{before} expecting {only}"),
        _ => message.to_owned(),
    }
}

/// Where the lines of an expression begin, counted in bytes.
struct Places<'e> {
    expression: &'e str,
    lines: Vec<usize>,
}

impl<'e> Places<'e> {
    fn of(expression: &'e str) -> Self {
        let ends = expression.match_indices('\n').map(|(index, _)| index + 1);
        Self { expression, lines: std::iter::once(0).chain(ends).collect() }
    }

    /// The line and column of a part.
    fn of_part(&self, id: u64, source: &SourceInfo) -> (usize, usize) {
        let start = source.offset_for(id).map_or(0, |(start, _)| start as usize);
        let line = self.lines.partition_point(|begins| *begins <= start);
        let begins = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or_default();
        (line, self.expression.get(begins..start).map_or(0, |before| before.chars().count()) + 1)
    }
}

/// What is wrong with an expression, in the order of the places; the first so many are told.
fn failed(expression: &str, mut errors: Vec<((usize, usize), String)>) -> String {
    let more = errors.len().saturating_sub(MOST_ERRORS);
    errors.truncate(MOST_ERRORS);
    errors.sort_by_key(|(place, _)| *place);
    let lines: Vec<&str> = expression.split('\n').collect();
    let mut told: Vec<String> = errors.iter().map(|(place, message)| told(&lines, *place, message)).collect();
    if more > 0 {
        told.push(format!("{more} more errors were truncated"));
    }
    format!("compilation failed: {}", told.join("\n"))
}

/// An error with the line that it is in, and a mark below the place.
fn told(lines: &[&str], (line, column): (usize, usize), message: &str) -> String {
    let error = format!("ERROR: <input>:{line}:{column}: {message}");
    let Some(shown) = lines.get(line - 1).filter(|shown| shown.len() <= LONGEST_LINE) else { return error };
    let mut letters = shown.chars();
    let dots: String =
        letters.by_ref().take(column - 1).map(|letter| if letter.is_ascii() { '.' } else { '\u{ff0e}' }).collect();
    let mark = if letters.next().is_none_or(|letter| letter.is_ascii()) { '^' } else { '\u{ff3e}' };
    format!("{error}\n | {}\n | {dots}{mark}", shown.replace('\t', " "))
}

/// An error that is at no place.
fn nowhere(message: &str) -> String {
    format!("ERROR: <input>:-1:0: {message}")
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

    #[test]
    fn functions_and_macros_of_kubernetes_are_known() {
        check(&[
            ("[3,1].sortBy(x, x) == [1,3]", "fine"),
            ("[1].transformList(i, v, i > 0, v) == [1]", "fine"),
            ("[1].transformList(i, v, v + 'a')", "E:1:27: N:'_+_' applied to '(int, string)'"),
            ("{'a':1}.transformMapEntry(k, v, {v: k}) == {1: 'a'}", "fine"),
            ("[1].exists(i, v, v)", "E:1:18: expected type 'bool' but found 'int'"),
            ("[1].all(i, i, true)", "E:1:12: duplicate variable name: i"),
            ("optional.of(1).optMap(x, x + 1)", "must evaluate to bool but got optional_type(int)"),
            ("object.spec.?x.orValue(1) == 1", "fine"),
            ("format.dns1123Label().validate('x').hasValue()", "fine"),
            ("quantity('1').isGreaterThan(2)", "E:1:28: N:'isGreaterThan' applied to 'kubernetes.Quantity.(int)'"),
            ("authorizer.requestResource.check('get').allowed()", "fine"),
            ("authorizer.foo", "E:1:11: unexpected failed resolution of 'kubernetes.authorization.Authorizer'"),
            ("lists.range(3)", "must evaluate to bool but got list(int)"),
        ]);
    }

    #[test]
    fn literals_that_cannot_be_read_are_told() {
        check(&[
            ("duration('x') == duration('1s')", "E:1:10: invalid duration argument"),
            ("timestamp('x') == timestamp('2020-01-01T00:00:00Z')", "E:1:11: invalid timestamp argument"),
            ("'a'.matches('[')", "E:1:13: invalid matches argument"),
            ("null + 1", "E:1:6: N:'_+_' applied to '(null, int)'"),
            ("null", "must evaluate to bool but got null_type"),
        ]);
    }

    #[test]
    fn places_are_counted_in_characters() {
        assert_eq!(
            compile("'é' +\t1", &Scope::default()).unwrap_err(),
            "compilation failed: ERROR: <input>:1:5: found no matching overload for '_+_' applied to '(string, int)'\n | \
             'é' + 1\n | .\u{ff0e}..^"
        );
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_refused_and_what_is_not_is_read() {
        let nowhere = |message: &str| format!("compilation failed: ERROR: <input>:-1:0: {message}");
        let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
        let told = |expression: &str| compile_to(&[Sort::Bool], expression, &Scope::default());
        assert_eq!(told(&nested(240)), Ok(()));
        assert_eq!(told(&nested(260)), Err(nowhere("expression recursion limit exceeded: 250")));
        assert_eq!(told(&"(".repeat(90_000)), Err(nowhere("expression recursion limit exceeded: 250")));
        assert_eq!(told(&format!("{} == 1", vec!["1"; 240].join(" + "))), Ok(()));
        assert_eq!(told(&vec!["1"; 25_000].join(" + ")), Err(nowhere("max recursion depth exceeded")));
        let long = "1".repeat(100_001);
        assert_eq!(told(&long), Err(nowhere("expression code point size exceeds limit: size: 100001, limit 100000")));
        assert_eq!(told(&vec!["true"; 1000].join(" && ")), Ok(()));
        let wrong = vec!["x"; 150].join(" && ");
        assert!(told(&wrong).unwrap_err().ends_with("^\n50 more errors were truncated"));
    }
}
