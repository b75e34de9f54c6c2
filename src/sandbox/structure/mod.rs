//! The structures that the API server holds its own kinds in, as far as its answers show them: which fields there are and
//! in which order, of which Go type, what is left out when it is empty, how a strategic merge patch treats them.
//!
//! OpenAPI tells neither the Go types, which error messages name, nor what an empty field looks like; both come from the
//! table that is checked in, made from the Go sources. A line is `PACKAGE.TYPE⇥FIELDS`, sorted; a field is
//! `NAME:TYPE`, followed by `?` (left out when empty), `!` (left out when zero) and `~STRATEGIES/MERGE_KEY`. In a
//! type, `.X` is `X` of the same package; before a name, `X.` is the embedded structure that the field belongs to. What is no structure is `PACKAGE.TYPE⇥=TYPE`. Lines are read when first used.
//!
//! This table is about how bodies are read and patched, at every Go type of the served kinds. Its smaller sister in
//! [`crate::ssa::tracking`], `written.tsv`, is about what managed fields compare, and knows only the fields that are always
//! written and the pointers, by the names of OpenAPI: that library stands alone and knows no Go types.

#[cfg(test)]
mod source;

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::{LazyLock, OnceLock};

use serde_json::Value;

/// A Go type where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GoType {
    /// `*T`
    Pointer(Box<GoType>),
    /// `[]T`
    List(Box<GoType>),
    /// `[]byte`
    Bytes,
    /// `map[K]T`; keys are always texts.
    Map(Box<GoType>, Box<GoType>),
    /// `string`, `int32`, …
    Basic(&'static str),
    /// A name, such as `core.v1.Container`.
    Named(GoName),
}

/// The name of a type, with its line of the table: what it stands for is asked for each value that is read.
#[derive(Clone)]
pub(crate) struct GoName {
    text: Cow<'static, str>,
    line: Option<&'static Line>,
}

/// A field of a structure.
#[derive(Debug)]
pub(crate) struct GoField {
    pub(crate) name: &'static str,
    /// The embedded structure that it belongs to, if it does: `VolumeSource`.
    pub(crate) embedded: Option<&'static str>,
    pub(crate) go_type: GoType,
    pub(crate) omit_empty: bool,
    pub(crate) omit_zero: bool,
    /// `merge`, `replace`, `retainKeys`.
    pub(crate) patch_strategies: Vec<&'static str>,
    pub(crate) merge_key: &'static str,
    /// What Go writes of it when nothing was read into it; nothing where it leaves it out.
    pub(crate) unread: OnceLock<Option<Value>>,
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Declaration {
    /// A structure with its fields in order, those of embedded structures among them.
    Structure(Vec<GoField>),
    /// Another type.
    Other(GoType),
}

struct Line {
    name: &'static str,
    text: &'static str,
    read: OnceLock<Declaration>,
}

static TABLE: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let lines = include_str!("table.tsv").lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(name, text)| Line { name, text, read: OnceLock::new() }).collect()
});

impl GoName {
    fn new(text: Cow<'static, str>) -> Self {
        let table: &'static Vec<Line> = &TABLE;
        let index = table.binary_search_by(|line| line.name.cmp(&text)).ok();
        Self { text, line: index.and_then(|index| table.get(index)) }
    }

    /// Returns what the name stands for; `None` for types with a JSON of their own, such as quantities.
    fn declaration(&self) -> Option<&'static Declaration> {
        let line = self.line?;
        Some(line.read.get_or_init(|| Declaration::read(line.name, line.text)))
    }
}

impl Deref for GoName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for GoName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for GoName {}

impl std::fmt::Debug for GoName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns the fields of a structure.
pub(crate) fn fields_of(name: &GoName) -> Option<&'static [GoField]> {
    match name.declaration()? {
        Declaration::Structure(fields) => Some(fields),
        Declaration::Other(_) => None,
    }
}

/// Returns the structure of a kind of Kubernetes' own.
pub(crate) fn of_kind(group: &str, version: &str, kind: &str) -> Option<GoType> {
    let name = GoName::new([package_of_group(group), ".", version, ".", kind].concat().into());
    fields_of(&name).map(|_| GoType::Named(name))
}

/// Returns the Go package of an API group.
pub(crate) fn package_of_group(group: &str) -> &str {
    match group {
        "" => "core",
        "internal.apiserver.k8s.io" => "apiserverinternal",
        "meta.k8s.io" => "meta",
        group => group.split('.').next().unwrap_or_default(),
    }
}

impl Declaration {
    fn read(name: &str, text: &'static str) -> Self {
        let package = name.rsplit_once('.').map_or("", |(package, _)| package);
        match text.strip_prefix('=') {
            Some(other) => Self::Other(GoType::read(other, package)),
            None => Self::Structure(text.split(' ').filter_map(|field| GoField::read(field, package)).collect()),
        }
    }
}

impl GoField {
    fn read(text: &'static str, package: &str) -> Option<Self> {
        let (name, rest) = text.split_once(':')?;
        let (embedded, name) = name.rsplit_once('.').map_or((None, name), |(embedded, name)| (Some(embedded), name));
        let (rest, patch) = rest.split_once('~').unwrap_or((rest, ""));
        let (strategies, merge_key) = patch.split_once('/').unwrap_or_default();
        let go_type = rest.trim_end_matches(['?', '!']);
        Some(Self {
            name,
            embedded,
            go_type: GoType::read(go_type, package),
            omit_empty: rest.contains('?'),
            omit_zero: rest.contains('!'),
            patch_strategies: strategies.split(',').filter(|strategy| !strategy.is_empty()).collect(),
            merge_key,
            unread: OnceLock::new(),
        })
    }
}

impl GoType {
    /// Returns the type of a name.
    pub(crate) fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Named(GoName::new(name.into()))
    }

    fn read(text: &'static str, package: &str) -> Self {
        if let Some(rest) = text.strip_prefix('*') {
            return Self::Pointer(Box::new(Self::read(rest, package)));
        }
        if text == "[]uint8" {
            return Self::Bytes;
        }
        if let Some(rest) = text.strip_prefix("[]") {
            return Self::List(Box::new(Self::read(rest, package)));
        }
        if let Some((key, rest)) = text.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
            return Self::Map(Box::new(Self::read(key, package)), Box::new(Self::read(rest, package)));
        }
        match text.strip_prefix('.') {
            Some(near) => Self::named(format!("{package}.{near}")),
            None if text.contains('.') => Self::named(text),
            None => Self::Basic(text),
        }
    }

    /// Writes the type as Go does: `[]v1.Container`.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Pointer(inner) => format!("*{}", inner.text()),
            Self::List(inner) => format!("[]{}", inner.text()),
            Self::Bytes => "[]uint8".to_owned(),
            Self::Map(key, inner) => format!("map[{}]{}", key.text(), inner.text()),
            Self::Basic(name) => (*name).to_owned(),
            Self::Named(name) => match name.matches('.').count() {
                2 => name.split_once('.').map_or_else(String::new, |(_, rest)| rest.to_owned()),
                _ => name.to_string(),
            },
        }
    }

    /// Returns what a pointer points to, or the type itself.
    pub(crate) fn pointed(&self) -> &Self {
        match self {
            Self::Pointer(inner) => inner,
            other => other,
        }
    }

    /// Returns the type that a name stands for in the end, where that is no structure.
    pub(crate) fn underlying(&self) -> &Self {
        match self {
            Self::Named(name) => match name.declaration() {
                Some(Declaration::Other(other)) => other.underlying(),
                _ => self,
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssa::builtin_kinds;

    #[test]
    #[ignore = "needs the Kubernetes modules in the Go module cache (tests/testbed/testbed build)"]
    fn table_is_what_the_go_sources_give() -> anyhow::Result<()> {
        let fresh = source::table()?;
        let path = std::path::Path::new(file!()).with_file_name("table.tsv");
        if std::env::var_os("MATHISON_UPDATE_TABLE").is_some() {
            std::fs::write(&path, &fresh)?;
        }
        let stored = std::fs::read_to_string(&path)?;
        assert!(stored == fresh, "table.tsv is out of date: run this test with MATHISON_UPDATE_TABLE=1");
        Ok(())
    }

    #[test]
    fn every_kind_has_a_structure_with_the_fields_that_openapi_tells() {
        for kind in builtin_kinds() {
            let go_type = of_kind(&kind.group, &kind.version, &kind.kind).unwrap_or_else(|| panic!("{kind:?}"));
            let GoType::Named(name) = go_type else { panic!("{go_type:?}") };
            let schema = crate::ssa::builtin(&kind.group, &kind.version, &kind.kind).unwrap();
            let mut fields: Vec<&str> = fields_of(&name).unwrap().iter().map(|field| field.name).collect();
            fields.sort_unstable();
            assert_eq!(fields, schema.field_names(), "{name:?}");
        }
    }

    #[test]
    fn every_name_in_the_table_is_known_or_has_a_json_of_its_own() {
        fn names(go_type: &GoType, found: &mut std::collections::BTreeSet<String>) {
            match go_type {
                GoType::Pointer(inner) | GoType::List(inner) => names(inner, found),
                GoType::Map(key, inner) => {
                    names(key, found);
                    names(inner, found);
                }
                GoType::Named(name) if name.declaration().is_none() => {
                    found.insert(name.to_string());
                }
                _ => {}
            }
        }
        let mut found = std::collections::BTreeSet::new();
        for line in TABLE.iter() {
            match GoName::new(line.name.into()).declaration().unwrap() {
                Declaration::Structure(fields) => {
                    fields.iter().for_each(|field| names(&field.go_type, &mut found));
                }
                Declaration::Other(other) => names(other, &mut found),
            }
        }
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(
            found,
            [
                "apiextensions.v1.JSON",
                "apiextensions.v1.JSONSchemaPropsOrArray",
                "apiextensions.v1.JSONSchemaPropsOrBool",
                "apiextensions.v1.JSONSchemaPropsOrStringArray",
                "intstr.IntOrString",
                "meta.v1.FieldsV1",
                "meta.v1.MicroTime",
                "meta.v1.Time",
                "resource.Quantity",
                "runtime.RawExtension",
            ]
        );
    }

    #[test]
    fn types_read_as_go_writes_them() {
        let container = fields_of(&GoName::new("core.v1.Container".into())).unwrap();
        let field = |name: &str| container.iter().find(|field| field.name == name).unwrap();
        assert_eq!(field("ports").go_type.text(), "[]v1.ContainerPort");
        assert_eq!(
            (field("ports").patch_strategies.as_slice(), field("ports").merge_key),
            (&["merge"][..], "containerPort")
        );
        assert_eq!(field("imagePullPolicy").go_type.text(), "v1.PullPolicy");
        assert_eq!(field("imagePullPolicy").go_type.underlying(), &GoType::Basic("string"));
        assert!(!field("name").omit_empty && field("image").omit_empty);
    }
}
