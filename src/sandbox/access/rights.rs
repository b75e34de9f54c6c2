//! What the stored roles and bindings say, read once: reviews ask of it again and again, and it seldom changes.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::{
    authorize::{NoRole, RBAC, role_rules},
    rule::Rule,
    user::{User, account_name},
};
use crate::sandbox::view::View;

/// All bindings of one moment: those of the cluster first, in the order in which they are asked.
#[derive(Debug)]
pub struct Rights {
    bindings: Vec<Binding>,
}

/// A binding, and the rules of its role once they were asked for.
#[derive(Debug)]
pub(super) struct Binding {
    /// Namespace of a role binding; empty for a binding of the cluster.
    pub(super) namespace: String,
    pub(super) object: Arc<Value>,
    subjects: Vec<Subject>,
    rules: OnceLock<Result<Vec<Rule>, NoRole>>,
}

#[derive(Debug)]
enum Subject {
    User(String),
    Group(String),
    /// It is nobody.
    Other,
}

impl Rights {
    /// Reads the bindings that are stored.
    pub fn of(view: &(impl View + ?Sized)) -> Self {
        let of_cluster = view.list(RBAC, "ClusterRoleBinding", None);
        let of_namespaces = view.list(RBAC, "RoleBinding", None);
        Self { bindings: of_cluster.into_iter().chain(of_namespaces).map(Binding::read).collect() }
    }

    /// Returns the bindings that apply to a user in a namespace, each with the first of its subjects that does.
    pub(super) fn grants(&self, user: &User, namespace: &str) -> impl Iterator<Item = (&Binding, usize)> {
        let here = move |binding: &&Binding| binding.namespace.is_empty() || binding.namespace == namespace;
        self.bindings.iter().filter(here).filter_map(move |binding| {
            let subject = binding.subjects.iter().position(|subject| subject.is(user))?;
            Some((binding, subject))
        })
    }
}

impl Binding {
    fn read(object: Arc<Value>) -> Self {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        let subjects = object["subjects"].as_array().into_iter().flatten();
        let subjects = subjects.map(|subject| Subject::read(subject, &namespace)).collect();
        Self { namespace, subjects, object, rules: OnceLock::new() }
    }

    /// Returns the rules of its role. The view must be of the same moment.
    pub(super) fn rules(&self, view: &impl View) -> Result<&[Rule], &NoRole> {
        let read = || {
            let rules = role_rules(view, &self.object["roleRef"], &self.namespace)?;
            Ok(rules.iter().map(Rule::read).collect())
        };
        self.rules.get_or_init(read).as_ref().map(Vec::as_slice)
    }
}

impl Subject {
    fn read(subject: &Value, namespace: &str) -> Self {
        let name = subject["name"].as_str().unwrap_or_default();
        match subject["kind"].as_str() {
            Some("User") => Self::User(name.to_owned()),
            Some("Group") => Self::Group(name.to_owned()),
            Some("ServiceAccount") => {
                match subject["namespace"].as_str().filter(|of| !of.is_empty()).unwrap_or(namespace) {
                    "" => Self::Other,
                    of => Self::User(account_name(of, name)),
                }
            }
            _ => Self::Other,
        }
    }

    fn is(&self, user: &User) -> bool {
        match self {
            Self::User(name) => user.name == *name,
            Self::Group(name) => user.groups.contains(name),
            Self::Other => false,
        }
    }
}
