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
    /// Something of which nothing is known here.
    Unknown,
    /// The element of what is empty: it becomes what it meets.
    Free,
    /// What stands for a sort in a declaration.
    Open(char),
    List(Box<Sort>),
    Map(Box<Sort>, Box<Sort>),
    TypeOf(Box<Sort>),
    /// A structure with fields.
    Structure(&'static str),
    /// Something that has only functions.
    Opaque(&'static str),
    /// The variables that are defined before.
    Variables,
}

impl Sort {
    pub(super) fn list(of: Sort) -> Self {
        Self::List(Box::new(of))
    }

    /// Tells whether it fits everywhere.
    pub(super) fn is_any(&self) -> bool {
        matches!(self, Self::Dyn | Self::Unknown | Self::Free)
    }

    /// Tells whether some of it is still open.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Free => true,
            Self::List(of) | Self::TypeOf(of) => of.is_open(),
            Self::Map(key, value) => key.is_open() || value.is_open(),
            _ => false,
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::Text => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Null => f.write_str("null_type"),
            Self::Timestamp => f.write_str("google.protobuf.Timestamp"),
            Self::Duration => f.write_str("google.protobuf.Duration"),
            Self::Dyn | Self::Unknown | Self::Free => f.write_str("dyn"),
            Self::Open(name) => write!(f, "{name}"),
            Self::List(of) => write!(f, "list({of})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::TypeOf(of) => write!(f, "type({of})"),
            Self::Structure(name) | Self::Opaque(name) => f.write_str(name),
            Self::Variables => f.write_str("kubernetes.variables"),
        }
    }
}

/// The fields of the structures that admission knows; a name before the colon, a sort after it.
const FIELDS: [(&str, &str); 9] = [
    (
        "kubernetes.AdmissionRequest",
        "kind:GroupVersionKind resource:GroupVersionResource subResource:s requestKind:GroupVersionKind \
         requestResource:GroupVersionResource requestSubResource:s name:s namespace:s operation:s userInfo:UserInfo \
         dryRun:b options:d",
    ),
    ("kubernetes.GroupVersionKind", "group:s version:s kind:s"),
    ("kubernetes.GroupVersionResource", "group:s version:s resource:s"),
    ("kubernetes.UserInfo", "username:s uid:s groups:[s extra:{[s"),
    ("kubernetes.Namespace", "metadata:NamespaceMetadata spec:NamespaceSpec status:NamespaceStatus"),
    (
        "kubernetes.NamespaceMetadata",
        "name:s generateName:s namespace:s labels:{s annotations:{s UID:s creationTimestamp:t deletionGracePeriodSeconds:i \
         deletionTimestamp:t generation:i resourceVersion:s finalizers:[s",
    ),
    ("kubernetes.NamespaceSpec", "finalizers:[s"),
    ("kubernetes.NamespaceStatus", "conditions:[NamespaceCondition phase:s"),
    ("kubernetes.NamespaceCondition", "status:s type:s lastTransitionTime:t message:s reason:s"),
];

/// Returns the sort of a field of a structure.
pub(super) fn field(structure: &str, name: &str) -> Option<Sort> {
    let (_, fields) = FIELDS.iter().find(|(known, _)| *known == structure)?;
    let (_, sort) =
        fields.split_whitespace().filter_map(|field| field.split_once(':')).find(|(field, _)| *field == name)?;
    written(sort)
}

fn written(sort: &str) -> Option<Sort> {
    if let Some(of) = sort.strip_prefix('[') {
        return written(of).map(Sort::list);
    }
    if let Some(of) = sort.strip_prefix('{') {
        return Some(Sort::Map(Box::new(Sort::Text), Box::new(written(of)?)));
    }
    Some(match sort {
        "s" => Sort::Text,
        "b" => Sort::Bool,
        "i" => Sort::Int,
        "t" => Sort::Timestamp,
        "d" => Sort::Dyn,
        name => {
            let (known, _) = FIELDS.iter().find(|(known, _)| known.strip_prefix("kubernetes.") == Some(name))?;
            Sort::Structure(known)
        }
    })
}
