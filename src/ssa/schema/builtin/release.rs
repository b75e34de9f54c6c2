//! The releases of Kubernetes whose kinds are built in.
//!
//! The newest has its tables whole. Of the others only the lines are kept that differ from them: a line that is another, or
//! a name alone for what the release does not have.

use std::borrow::Cow;
use std::fmt;

/// A minor release of Kubernetes whose kinds are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 1.33.
    V1_33,
    /// 1.34.
    V1_34,
    /// 1.35.
    V1_35,
}

/// What is kept of a release.
struct Texts {
    kinds: &'static str,
    types: &'static str,
    documents: &'static str,
}

const V1_33: Texts = Texts {
    kinds: include_str!("../table/1.33/kinds.tsv"),
    types: include_str!("../table/1.33/types.tsv"),
    documents: include_str!("../table/1.33/documents.tsv"),
};
const V1_34: Texts = Texts {
    kinds: include_str!("../table/1.34/kinds.tsv"),
    types: include_str!("../table/1.34/types.tsv"),
    documents: include_str!("../table/1.34/documents.tsv"),
};
const V1_35: Texts = Texts {
    kinds: include_str!("../table/1.35/kinds.tsv"),
    types: include_str!("../table/1.35/types.tsv"),
    documents: include_str!("../table/1.35/documents.tsv"),
};

impl Release {
    /// All of them, the oldest first.
    pub const ALL: [Self; 3] = [Self::V1_33, Self::V1_34, Self::V1_35];

    /// The one whose kinds are meant where nothing is known of a server.
    pub const NEWEST: Self = Self::V1_35;

    fn texts(self) -> &'static Texts {
        match self {
            Self::V1_33 => &V1_33,
            Self::V1_34 => &V1_34,
            Self::V1_35 => &V1_35,
        }
    }

    /// Returns the lines of its kinds.
    pub(super) fn kinds(self) -> Cow<'static, str> {
        self.whole(|texts| texts.kinds)
    }

    /// Returns the lines of its types.
    pub(super) fn types(self) -> Cow<'static, str> {
        self.whole(|texts| texts.types)
    }

    fn whole(self, text: impl Fn(&'static Texts) -> &'static str) -> Cow<'static, str> {
        let newest = text(Self::NEWEST.texts());
        if self == Self::NEWEST { Cow::Borrowed(newest) } else { Cow::Owned(laid_over(newest, text(self.texts()))) }
    }

    /// Returns the hash under which a server of this release lists the document of an API version (`apps/v1`).
    #[must_use]
    pub fn document(self, api_version: &str) -> Option<&'static str> {
        let mut lines = self.texts().documents.lines().filter_map(|line| line.split_once('\t'));
        lines.find(|(known, _)| *known == api_version).map(|(_, hash)| hash)
    }

    /// Returns the release whose servers list the document of an API version under this hash. `None` is another release, or
    /// a server that has other fields.
    #[must_use]
    pub fn of_document(api_version: &str, hash: &str) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|release| release.document(api_version) == Some(hash))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_33 => "1.33",
            Self::V1_34 => "1.34",
            Self::V1_35 => "1.35",
        })
    }
}

fn name_of(line: &str) -> &str {
    line.split('\t').next().unwrap_or(line)
}

/// Returns the lines of an older table, of which `changes` says what differs from `newest`; both are sorted by name.
fn laid_over(newest: &str, changes: &str) -> String {
    let mut whole = String::with_capacity(newest.len() + changes.len());
    let mut push = |line: &str| {
        if line.contains('\t') {
            whole.push_str(line);
            whole.push('\n');
        }
    };
    let mut changes = changes.lines().peekable();
    for line in newest.lines() {
        while let Some(before) = changes.next_if(|changed| name_of(changed) < name_of(line)) {
            push(before);
        }
        push(changes.next_if(|changed| name_of(changed) == name_of(line)).unwrap_or(line));
    }
    changes.for_each(push);
    whole
}

/// Returns what [`laid_over`] makes `older` of, given `newest`.
#[cfg(test)]
pub(super) fn changes(newest: &str, older: &str) -> String {
    use std::collections::BTreeMap;

    fn by_name(text: &str) -> BTreeMap<&str, &str> {
        text.lines().map(|line| (name_of(line), line)).collect()
    }

    let (newest, older) = (by_name(newest), by_name(older));
    let mut changes: BTreeMap<&str, &str> = newest.keys().map(|name| (*name, *name)).collect();
    changes.extend(&older);
    changes.retain(|name, line| newest.get(name) != Some(line));
    changes.values().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_table_is_the_newest_and_what_differs() {
        let newest = "b\t1\nc\t1\nd\t1\nf\t1\n";
        for older in
            ["", "a\t1\nb\t1\nc\t2\ne\t1\ng\t1\n", newest, "f\t1\n", "z\t1\n", "a\t1\nb\t2\nc\t2\nd\t2\nf\t2\n"]
        {
            assert_eq!(laid_over(newest, &changes(newest, older)), older);
        }
        assert_eq!(changes(newest, "a\t1\nb\t1\nc\t2\nf\t1\n"), "a\t1\nc\t2\nd\n");
    }

    #[test]
    fn a_document_tells_its_release() {
        for release in Release::ALL {
            for api_version in ["v1", "apps/v1", "batch/v1", "networking.k8s.io/v1"] {
                let hash = release.document(api_version).unwrap();
                assert_eq!(
                    (hash.len(), Release::of_document(api_version, hash)),
                    (128, Some(release)),
                    "{api_version}"
                );
                assert_eq!(Release::of_document("policy/v1", hash), None);
            }
            assert_eq!(release.document("x.io/v1"), None);
        }
        assert_eq!(Release::of_document("v1", ""), None);
    }
}
