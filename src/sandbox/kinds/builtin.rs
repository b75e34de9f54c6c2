//! Kubernetes' own kinds, as a table says how they are served.
//!
//! A line of `table.tsv` is `GROUP/VERSION⇥KIND⇥PLURAL⇥SINGULAR⇥SCOPE⇥VERBS⇥SHORT NAMES⇥CATEGORIES⇥SUBRESOURCES`, in the
//! order of discovery: groups by their priority, versions by theirs, resources by name. Verbs are letters (see [`VERBS`]).
//! A subresource is `NAME:VERBS[:KIND[:GROUP/VERSION]]`. The lines are what the discovery documents of Kubernetes 1.35
//! say with its default settings; shapes come from [`crate::ssa`].

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::Kind;
use crate::sandbox::kind::Subresource;
use crate::ssa::{self, Schema};

static BUILTIN: LazyLock<Vec<Arc<Kind>>> =
    LazyLock::new(|| include_str!("table.tsv").lines().filter_map(read).map(Arc::new).collect());

/// The same by kind and by plural; there are few of one name.
static BY_KIND: LazyLock<Named> = LazyLock::new(|| named(|kind| &kind.kind));
static BY_PLURAL: LazyLock<Named> = LazyLock::new(|| named(|kind| &kind.plural));

type Named = BTreeMap<&'static str, Vec<&'static Arc<Kind>>>;

fn named(name: fn(&'static Kind) -> &'static str) -> Named {
    let mut named = Named::new();
    for kind in shared() {
        named.entry(name(kind)).or_default().push(kind);
    }
    named
}

/// What each letter of the table stands for, in the order in which discovery tells them.
const VERBS: [(char, &str); 8] = [
    ('c', "create"),
    ('d', "delete"),
    ('D', "deletecollection"),
    ('g', "get"),
    ('l', "list"),
    ('p', "patch"),
    ('u', "update"),
    ('w', "watch"),
];

/// Kubernetes' own kinds in the order of discovery.
#[must_use]
pub fn builtin() -> Vec<Kind> {
    shared().iter().map(|kind| Kind::clone(kind)).collect()
}

/// The same, made once.
pub(super) fn shared() -> &'static [Arc<Kind>] {
    &BUILTIN
}

/// Those of a name, in the order of discovery.
pub(super) fn of_kind(kind: &str) -> &'static [&'static Arc<Kind>] {
    BY_KIND.get(kind).map_or(&[], Vec::as_slice)
}

/// Those of a plural name, in the order of discovery.
pub(super) fn of_plural(plural: &str) -> &'static [&'static Arc<Kind>] {
    BY_PLURAL.get(plural).map_or(&[], Vec::as_slice)
}

fn read(line: &str) -> Option<Kind> {
    let mut columns = line.split('\t');
    let mut column = || columns.next();
    let (group, version) = split_group_version(column()?);
    let (kind, plural, singular, scope) = (column()?, column()?, column()?, column()?);
    let (verbs, short_names, categories, subresources) = (column()?, column()?, column()?, column()?);
    Some(Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: singular.to_owned(),
        list_kind: format!("{kind}List"),
        short_names: names(short_names),
        categories: names(categories),
        namespaced: scope == "namespaced",
        verbs: verbs_of(verbs),
        subresources: subresources.split(' ').filter_map(|text| subresource(text, kind)).collect(),
        schema: ssa::builtin(group, version, kind)
            .or_else(|| super::posted::schema(group, version, kind))
            .unwrap_or_else(Schema::deduced),
        custom: None,
    })
}

fn subresource(text: &str, parent: &str) -> Option<Subresource> {
    let mut parts = text.splitn(4, ':');
    let name = parts.next().filter(|name| *name != "-")?;
    let verbs = verbs_of(parts.next()?);
    let kind = parts.next().unwrap_or(parent).to_owned();
    let group_version = parts.next().map(|text| {
        let (group, version) = split_group_version(text);
        (group.to_owned(), version.to_owned())
    });
    Some(Subresource { name: name.to_owned(), group_version, kind, verbs })
}

/// Splits what an `apiVersion` says.
pub(super) fn split_group_version(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or(("", text))
}

fn names(text: &str) -> Vec<String> {
    text.split(',').filter(|name| *name != "-").map(str::to_owned).collect()
}

fn verbs_of(letters: &str) -> Vec<&'static str> {
    VERBS.iter().filter(|(letter, _)| letters.contains(*letter)).map(|(_, verb)| *verb).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_a_kind_with_its_subresources() {
        let pod = builtin().into_iter().find(|kind| kind.is("", "Pod")).unwrap();
        assert_eq!((pod.plural.as_str(), pod.list_kind.as_str(), pod.namespaced), ("pods", "PodList", true));
        assert_eq!((pod.short_names, pod.categories), (vec!["po".to_owned()], vec!["all".to_owned()]));
        assert_eq!(pod.verbs, ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
        let eviction = pod.subresources.iter().find(|subresource| subresource.name == "eviction").unwrap();
        assert_eq!(eviction.group_version, Some(("policy".to_owned(), "v1".to_owned())));
        assert_eq!((eviction.kind.as_str(), &eviction.verbs), ("Eviction", &vec!["create"]));
        assert_eq!(pod.subresources.len(), 10);
    }

    #[test]
    fn every_line_can_be_read_and_its_shape_is_known() {
        assert_eq!(shared().len(), include_str!("table.tsv").lines().count());
        for kind in shared() {
            let known = kind.schema.type_name().is_some();
            assert!(known, "{} {}", kind.api_version(), kind.kind);
            assert!(kind.schema.is_builtin());
        }
    }

    #[test]
    fn the_scope_is_that_of_the_shapes() {
        for kind in shared() {
            if let Some(schema) = ssa::builtin(&kind.group, &kind.version, &kind.kind) {
                let served = schema.kind().unwrap();
                assert_eq!((served.plural.as_str(), served.namespaced), (kind.plural.as_str(), kind.namespaced));
                assert_eq!(served.has_status, kind.subresource("status").is_some(), "{}", kind.kind);
            }
        }
    }
}
