//! The functions that there are: those of CEL with what they take and give, the others by name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::sorts::Sort;

/// What a function takes and gives; the first argument of a member is what it is called on.
pub(super) struct Overload {
    is_member: bool,
    takes: Vec<Sort>,
    gives: Sort,
}

/// A line for each function: its name, then what it takes and gives. A dot before it: it is a member. `b` truth value,
/// `i` int, `u` uint, `f` double, `s` text, `y` bytes, `n` null, `t` timestamp, `d` duration, `*` anything, `A` and `B`
/// the same wherever they stand, `[` list of, `{` map of the next two, `T` the type of.
const DECLARED: &str = "
_+_ ii:i uu:u ff:f ss:s yy:y [A[A:[A td:t dt:t dd:d
_-_ ii:i uu:u ff:f tt:d td:t dd:d
_*_ ii:i uu:u ff:f
_/_ ii:i uu:u ff:f
_%_ ii:i uu:u
-_ i:i f:f
!_ b:b
_==_ AA:b
_!=_ AA:b
_<_ bb:b ii:b uu:b ff:b if:b iu:b ui:b uf:b fi:b fu:b ss:b yy:b tt:b dd:b
_<=_ bb:b ii:b uu:b ff:b if:b iu:b ui:b uf:b fi:b fu:b ss:b yy:b tt:b dd:b
_>_ bb:b ii:b uu:b ff:b if:b iu:b ui:b uf:b fi:b fu:b ss:b yy:b tt:b dd:b
_>=_ bb:b ii:b uu:b ff:b if:b iu:b ui:b uf:b fi:b fu:b ss:b yy:b tt:b dd:b
_?_:_ bAA:A
_[_] [Ai:A {ABA:B
@in A[A:b A{AB:b
@not_strictly_false b:b
size s:i y:i [A:i {AB:i .s:i .y:i .[A:i .{AB:i
contains .ss:b
startsWith .ss:b
endsWith .ss:b
matches ss:b .ss:b
type A:TA
dyn A:*
bool b:b s:b
int i:i u:i f:i s:i t:i d:i
uint u:u i:u f:u s:u
double f:f i:f u:f s:f
string s:s b:s i:s u:s f:s y:s t:s d:s
bytes y:y s:y
duration d:d s:d i:d
timestamp t:t s:t i:t
getFullYear .t:i .ts:i
getMonth .t:i .ts:i
getDayOfYear .t:i .ts:i
getDayOfMonth .t:i .ts:i
getDate .t:i .ts:i
getDayOfWeek .t:i .ts:i
getHours .t:i .ts:i .d:i
getMinutes .t:i .ts:i .d:i
getSeconds .t:i .ts:i .d:i
getMilliseconds .t:i .ts:i .d:i
charAt .si:s
indexOf .ss:i .ssi:i .[AA:i
lastIndexOf .ss:i .ssi:i .[AA:i
lowerAscii .s:s
upperAscii .s:s
replace .sss:s .sssi:s
split .ss:[s .ssi:[s
substring .si:s .sii:s
trim .s:s
join .[s:s .[ss:s
";

/// Functions of which only the names are known here.
const NAMES: &str = "_[?_] _?._ add allocate asApproximateFloat asInteger authorizer cidr cidr.mask cleanQuantity compareTo \
    containsCIDR containsIP distinct duration errored error family find findAll first flatten format format.named \
    fieldSelector greaterThan group ip ip.isCanonical isCIDR isCanonical isGlobalUnicast isGreaterThan isInteger isIP \
    isLessThan isLinkLocalMulticast isLinkLocalUnicast isLoopback isQuantity isSemver isSorted isURL isUnspecified key \
    labelSelector last lists.range lowerAscii major masked max min minor name namespace none optional.none optional.of \
    optional.ofNonZeroValue optMap optFlatMap hasValue orValue or path patch prefixLength quantity quote range reason \
    resource reverse semver serviceAccount sets.contains sets.equivalent sets.intersects sign slice sort sub subresource \
    sum strings.quote unwrapOpt url getScheme getHost getHostname getPort getEscapedPath getQuery validate value check \
    allowed base64.decode base64.encode zip jsonpatch.escapeKey cel.@block cel.@mapInsert @mapInsert math.@max math.@min";

static FUNCTIONS: LazyLock<BTreeMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let declared = DECLARED.lines().filter(|line| !line.is_empty()).filter_map(|line| {
        let (name, overloads) = line.split_once(' ')?;
        Some((name, overloads.split(' ').filter_map(overload).collect()))
    });
    let named = NAMES.split_whitespace().map(|name| (name, Vec::new()));
    named.chain(declared).collect()
});

fn overload(text: &str) -> Option<Overload> {
    let (takes, gives) = text.split_once(':')?;
    let (is_member, takes) = takes.strip_prefix('.').map_or((false, takes), |rest| (true, rest));
    let mut letters = takes.chars();
    let takes = std::iter::from_fn(|| written(&mut letters)).collect();
    Some(Overload { is_member, takes, gives: written(&mut gives.chars())? })
}

fn written(letters: &mut impl Iterator<Item = char>) -> Option<Sort> {
    Some(match letters.next()? {
        'b' => Sort::Bool,
        'i' => Sort::Int,
        'u' => Sort::Uint,
        'f' => Sort::Double,
        's' => Sort::Text,
        'y' => Sort::Bytes,
        'n' => Sort::Null,
        't' => Sort::Timestamp,
        'd' => Sort::Duration,
        '*' => Sort::Dyn,
        '[' => Sort::list(written(letters)?),
        '{' => Sort::Map(Box::new(written(letters)?), Box::new(written(letters)?)),
        'T' => Sort::TypeOf(Box::new(written(letters)?)),
        other => Sort::Open(other),
    })
}

/// What a call comes to.
pub(super) enum Called {
    /// There is no such function.
    Undeclared,
    /// The function does not take this.
    Unfit,
    /// What it gives.
    Gives(Sort),
}

/// Tells whether there is a function of the name.
pub(super) fn is_declared(name: &str) -> bool {
    FUNCTIONS.contains_key(name)
}

/// Looks what a function gives for some arguments.
pub(super) fn call(name: &str, is_member: bool, arguments: &[Sort]) -> Called {
    let Some(overloads) = FUNCTIONS.get(name) else { return Called::Undeclared };
    if overloads.is_empty() {
        return Called::Gives(Sort::Unknown);
    }
    let mut gives: Option<Sort> = None;
    for overload in overloads.iter().filter(|overload| overload.is_member == is_member) {
        let mut bound = BTreeMap::new();
        let fits = overload.takes.len() == arguments.len()
            && overload.takes.iter().zip(arguments).all(|(taken, given)| unify(taken, given, &mut bound));
        if !fits {
            continue;
        }
        let sort = filled_in(&overload.gives, &bound);
        gives = Some(match gives {
            Some(before) if before != sort => Sort::Dyn,
            _ => sort,
        });
    }
    // What nothing is known of may be something that extensions take.
    match gives {
        Some(_) if arguments.contains(&Sort::Unknown) => Called::Gives(Sort::Unknown),
        None if arguments.iter().any(|given| matches!(given, Sort::Unknown | Sort::Opaque(_))) => {
            Called::Gives(Sort::Unknown)
        }
        Some(sort) => Called::Gives(sort),
        None => Called::Unfit,
    }
}

/// Tells whether a sort can be taken for another, and notes what stands for what.
pub(super) fn unify(taken: &Sort, given: &Sort, bound: &mut BTreeMap<char, Sort>) -> bool {
    match (taken, given) {
        (Sort::Open(name), given) => match bound.get(name).cloned() {
            None => {
                bound.insert(*name, given.clone());
                true
            }
            Some(before) => {
                let fits = unify(&before, given, bound) || unify(given, &before, bound);
                // What is less certain gives way.
                if fits && before.is_open() {
                    bound.insert(*name, given.clone());
                }
                fits
            }
        },
        (taken, given) if taken.is_any() || given.is_any() => true,
        // What may be missing may be null.
        (Sort::Timestamp | Sort::Duration | Sort::Structure(_) | Sort::Opaque(_), Sort::Null) => true,
        (Sort::List(taken), Sort::List(given)) => unify(taken, given, bound),
        (Sort::TypeOf(_), Sort::TypeOf(_)) => true,
        (Sort::Map(key, value), Sort::Map(given_key, given_value)) => {
            unify(key, given_key, bound) && unify(value, given_value, bound)
        }
        (taken, given) => taken == given,
    }
}

fn filled_in(sort: &Sort, bound: &BTreeMap<char, Sort>) -> Sort {
    let inner = |of: &Sort| Box::new(filled_in(of, bound));
    match sort {
        Sort::Open(name) => bound.get(name).cloned().unwrap_or(Sort::Dyn),
        Sort::List(of) => Sort::List(inner(of)),
        Sort::Map(key, value) => Sort::Map(inner(key), inner(value)),
        Sort::TypeOf(of) => Sort::TypeOf(inner(of)),
        other => other.clone(),
    }
}
