//! The sorts of values that there are.

use std::fmt;

/// To what an expression comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox::validation) enum Sort {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Null,
    Timestamp,
    Duration,
    /// Anything; what it is turns out later.
    Dyn,
    /// What an error was told about.
    Wrong,
    /// What is not known yet: of an empty list, or in a declaration that fits several sorts.
    Open(usize),
    List(Box<Sort>),
    Map(Box<Sort>, Box<Sort>),
    /// What may be missing.
    Optional(Box<Sort>),
    TypeOf(Box<Sort>),
    /// A structure, of which some have fields.
    Structure(&'static str),
    /// Something that has only functions.
    Opaque(&'static str),
    /// The variables that are defined before.
    Variables,
}

impl Sort {
    pub(super) fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    pub(super) fn map(key: Self, value: Self) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    pub(super) fn optional(of: Self) -> Self {
        Self::Optional(Box::new(of))
    }

    pub(super) fn type_of(of: Self) -> Self {
        Self::TypeOf(Box::new(of))
    }

    /// Tells whether it fits everywhere.
    pub(super) fn is_any(&self) -> bool {
        matches!(self, Self::Dyn | Self::Wrong)
    }

    /// The sort of a variable of a policy that comes to this: the server keeps only some.
    pub(in crate::sandbox::validation) fn of_variable(self) -> Self {
        match self {
            Self::List(of) => Self::list(of.of_variable()),
            Self::Map(key, value) => Self::map(key.of_variable(), value.of_variable()),
            Self::Open(_)
            | Self::Wrong
            | Self::Optional(_)
            | Self::TypeOf(_)
            | Self::Structure(_)
            | Self::Opaque(_)
            | Self::Variables => Self::Dyn,
            plain => plain,
        }
    }

    /// The sort in the words of the checker, which calls some of them otherwise.
    pub(super) fn checked(&self) -> Checked<'_> {
        Checked(self)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, is_checked: bool) -> fmt::Result {
        let name = match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Null if is_checked => "null",
            Self::Null => "null_type",
            Self::Timestamp if is_checked => "timestamp",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration if is_checked => "duration",
            Self::Duration => "google.protobuf.Duration",
            Self::Dyn => "dyn",
            Self::Wrong => "!error!",
            Self::Structure(name) | Self::Opaque(name) => name,
            Self::Variables => "kubernetes.variables",
            Self::Open(number) => return write!(f, "_var{number}"),
            Self::List(of) => return of.write_within(f, "list", None, is_checked),
            Self::Optional(of) => return of.write_within(f, "optional_type", None, is_checked),
            Self::TypeOf(of) => return of.write_within(f, "type", None, is_checked),
            Self::Map(key, value) => return key.write_within(f, "map", Some(value), is_checked),
        };
        f.write_str(name)
    }

    fn write_within(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        second: Option<&Self>,
        is_checked: bool,
    ) -> fmt::Result {
        write!(f, "{name}(")?;
        self.write(f, is_checked)?;
        if let Some(second) = second {
            f.write_str(", ")?;
            second.write(f, is_checked)?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

/// A sort as the checker's messages have it.
pub(super) struct Checked<'s>(&'s Sort);

impl fmt::Display for Checked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, true)
    }
}

/// The fields of the structures that admission knows: a name before the colon, a sort after it, written as in the
/// declarations of functions.
const FIELDS: [(&str, &str); 9] = [
    (
        "kubernetes.AdmissionRequest",
        "kind:<kubernetes.GroupVersionKind> resource:<kubernetes.GroupVersionResource> subResource:s \
         requestKind:<kubernetes.GroupVersionKind> requestResource:<kubernetes.GroupVersionResource> \
         requestSubResource:s name:s namespace:s operation:s userInfo:<kubernetes.UserInfo> dryRun:b options:*",
    ),
    ("kubernetes.GroupVersionKind", "group:s version:s kind:s"),
    ("kubernetes.GroupVersionResource", "group:s version:s resource:s"),
    ("kubernetes.UserInfo", "username:s uid:s groups:[s extra:{s[s"),
    (
        "kubernetes.Namespace",
        "metadata:<kubernetes.NamespaceMetadata> spec:<kubernetes.NamespaceSpec> status:<kubernetes.NamespaceStatus>",
    ),
    (
        "kubernetes.NamespaceMetadata",
        "name:s generateName:s namespace:s labels:{ss annotations:{ss UID:s creationTimestamp:t \
         deletionGracePeriodSeconds:i deletionTimestamp:t generation:i resourceVersion:s finalizers:[s",
    ),
    ("kubernetes.NamespaceSpec", "finalizers:[s"),
    ("kubernetes.NamespaceStatus", "conditions:[<kubernetes.NamespaceCondition> phase:s"),
    ("kubernetes.NamespaceCondition", "status:s type:s lastTransitionTime:t message:s reason:s"),
];

/// Returns the sort of a field of a structure; none is known of a structure without fields, not even that it has none.
pub(super) fn field(structure: &str, name: &str) -> Result<Option<Sort>, ()> {
    let (_, fields) = FIELDS.iter().find(|(known, _)| *known == structure).ok_or(())?;
    let field = fields.split(' ').filter_map(|field| field.split_once(':')).find(|(field, _)| *field == name);
    Ok(field.and_then(|(_, sort)| written(sort)).map(|(sort, _)| sort))
}

/// Reads a sort from the beginning of a text, and returns the rest of it: `b` truth value, `i` int, `u` uint, `f` double,
/// `s` text, `y` bytes, `t` timestamp, `d` duration, `*` anything, `[` list of, `{` map of the next two, `?` what may be
/// missing, `T` the type of, `<name>` a structure, `(name)` something that has only functions, `A` to `C` the same
/// wherever they stand.
pub(super) fn written(text: &'static str) -> Option<(Sort, &'static str)> {
    let mut letters = text.chars();
    let letter = letters.next()?;
    let rest = letters.as_str();
    let within = |wrapped: fn(Sort) -> Sort| written(rest).map(|(sort, rest)| (wrapped(sort), rest));
    let sort = match letter {
        'b' => Sort::Bool,
        'i' => Sort::Int,
        'u' => Sort::Uint,
        'f' => Sort::Double,
        's' => Sort::Text,
        'y' => Sort::Bytes,
        't' => Sort::Timestamp,
        'd' => Sort::Duration,
        '*' => Sort::Dyn,
        'A'..='C' => Sort::Open(letter as usize - 'A' as usize),
        '[' => return within(Sort::list),
        '?' => return within(Sort::optional),
        'T' => return within(Sort::type_of),
        '{' => {
            let (key, rest) = written(rest)?;
            let (value, rest) = written(rest)?;
            return Some((Sort::map(key, value), rest));
        }
        '<' => return rest.split_once('>').map(|(name, rest)| (Sort::Structure(name), rest)),
        '(' => return rest.split_once(')').map(|(name, rest)| (Sort::Opaque(name), rest)),
        _ => return None,
    };
    Some((sort, rest))
}
