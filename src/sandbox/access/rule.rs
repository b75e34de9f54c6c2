//! One rule of a role: what it matches, what it covers, how it is written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{authorize::Attributes, wording::quoted_list};

/// Texts of a list in a stored rule.
fn texts<'a>(rule: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    rule.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn matches_resource(rule: &str, attributes: &Attributes) -> bool {
    if rule == "*" {
        return true;
    }
    match attributes.subresource.as_str() {
        "" => rule == attributes.resource,
        subresource => rule
            .strip_suffix(subresource)
            .and_then(|rest| rest.strip_suffix('/'))
            .is_some_and(|resource| resource == "*" || resource == attributes.resource),
    }
}

fn url_covers(rule: &str, url: &str) -> bool {
    rule == url || (rule.ends_with('*') && url.starts_with(rule.trim_end_matches('*')))
}

/// A rule on its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rule {
    verbs: Vec<String>,
    groups: Vec<String>,
    resources: Vec<String>,
    names: Vec<String>,
    urls: Vec<String>,
}

impl Rule {
    /// Everything on every resource.
    pub(super) fn all_resources() -> Self {
        let all = || vec!["*".to_owned()];
        Self { verbs: all(), groups: all(), resources: all(), ..Self::default() }
    }

    /// Everything on every path.
    pub(super) fn all_urls() -> Self {
        Self { verbs: vec!["*".to_owned()], urls: vec!["*".to_owned()], ..Self::default() }
    }

    pub(super) fn read(rule: &Value) -> Self {
        let list = |field: &str| texts(rule, field).map(str::to_owned).collect();
        Self {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            urls: list("nonResourceURLs"),
        }
    }

    /// Tells whether it allows a request.
    pub(super) fn allows(&self, attributes: &Attributes) -> bool {
        let has = |list: &[String], text: &str| list.iter().any(|own| own == "*" || own == text);
        if !has(&self.verbs, &attributes.verb) {
            return false;
        }
        if let Some(path) = &attributes.path {
            return self.urls.iter().any(|url| url == "*" || url_covers(url, path));
        }
        has(&self.groups, &attributes.group)
            && self.resources.iter().any(|resource| matches_resource(resource, attributes))
            && (self.names.is_empty() || self.names.contains(&attributes.name))
    }

    /// The same rights as rules that have one verb and one thing each.
    fn atoms(&self) -> Vec<Self> {
        let one = |text: &String| vec![text.clone()];
        let mut atoms = Vec::new();
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let atom =
                        Self { verbs: one(verb), groups: one(group), resources: one(resource), ..Self::default() };
                    if self.names.is_empty() {
                        atoms.push(atom);
                    } else {
                        atoms.extend(self.names.iter().map(|name| Self { names: one(name), ..atom.clone() }));
                    }
                }
            }
        }
        for url in &self.urls {
            atoms.extend(self.verbs.iter().map(|verb| Self { verbs: one(verb), urls: one(url), ..Self::default() }));
        }
        atoms
    }

    fn covers(&self, atom: &Self) -> bool {
        let all = |own: &[String], wanted: &[String]| wanted.iter().all(|text| own.contains(text));
        let star = |own: &[String]| own.iter().any(|text| text == "*");
        (star(&self.verbs) || all(&self.verbs, &atom.verbs))
            && (star(&self.groups) || all(&self.groups, &atom.groups))
            && (star(&self.resources) || atom.resources.iter().all(|resource| self.covers_resource(resource)))
            && (self.names.is_empty() || (!atom.names.is_empty() && all(&self.names, &atom.names)))
            && atom.urls.iter().all(|url| self.urls.iter().any(|own| url_covers(own, url)))
    }

    fn covers_resource(&self, resource: &str) -> bool {
        self.resources.iter().any(|own| own == resource)
            || resource.split_once('/').is_some_and(|(_, subresource)| {
                self.resources.iter().any(|own| own.strip_prefix("*/") == Some(subresource))
            })
    }

    /// As the message about an escalation writes it.
    fn text(&self) -> String {
        let parts = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.urls),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(name, list)| format!("{name}:{}", quoted_list(list)))
            .collect();
        format!("{{{}}}", parts.join(", "))
    }
}

/// Returns the rights that are wanted and not owned, each as it is written, ordered; empty if all are owned.
pub(super) fn missing(owned: &[Rule], wanted: &[Rule]) -> Vec<String> {
    let missing = wanted.iter().flat_map(Rule::atoms).filter(|atom| !owned.iter().any(|rule| rule.covers(atom)));
    // Those that differ in their verb only are one; paths are never joined.
    let mut joined: BTreeMap<[Vec<String>; 3], Vec<String>> = BTreeMap::new();
    let mut texts = Vec::new();
    for Rule { verbs, groups, resources, names, urls } in missing {
        if urls.is_empty() {
            joined.entry([groups, resources, names]).or_default().extend(verbs);
        } else {
            texts.push(Rule { verbs, urls, ..Rule::default() }.text());
        }
    }
    for ([groups, resources, names], verbs) in joined {
        texts.push(Rule { verbs, groups, resources, names, ..Rule::default() }.text());
    }
    texts.sort();
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asks(verb: &str, group: &str, resource: &str, subresource: &str, name: &str) -> Attributes {
        Attributes {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name: name.to_owned(),
            ..Attributes::default()
        }
    }

    #[test]
    fn a_rule_matches_resources_subresources_and_names() {
        let rule =
            Rule::read(&json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "*/log", "nodes/status"]}));
        for (allowed, resource, subresource) in [
            (true, "pods", ""),
            (false, "pods", "status"),
            (true, "pods", "log"),
            (true, "deployments", "log"),
            (false, "nodes", ""),
            (true, "nodes", "status"),
            (false, "log", ""),
        ] {
            assert_eq!(rule.allows(&asks("get", "", resource, subresource, "")), allowed, "{resource}/{subresource}");
        }
        assert!(!rule.allows(&asks("list", "", "pods", "", "")));
        assert!(!rule.allows(&asks("get", "apps", "pods", "", "")));
        let named =
            Rule::read(&json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["a"]}));
        assert!(named.allows(&asks("get", "apps", "pods", "x", "a")));
        assert!(!named.allows(&asks("list", "apps", "pods", "", "")));
    }

    #[test]
    fn a_rule_matches_paths_by_their_beginning() {
        let rule = Rule::read(&json!({"verbs": ["get"], "nonResourceURLs": ["/api", "/apis/*"]}));
        for (allowed, path) in [(true, "/api"), (false, "/api/v1"), (true, "/apis/apps"), (false, "/apis")] {
            let attributes =
                Attributes { verb: "get".to_owned(), path: Some(path.to_owned()), ..Attributes::default() };
            assert_eq!(rule.allows(&attributes), allowed, "{path}");
        }
        assert!(!rule.allows(&asks("get", "", "/api", "", "")));
    }

    #[test]
    fn what_is_wanted_but_not_owned_is_told_by_thing_and_verb() {
        let owned = Rule::read(&json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "*/log"]}));
        let wanted = Rule::read(&json!({
            "verbs": ["get", "delete"], "apiGroups": ["", "apps"], "resources": ["pods", "secrets", "pods/log"]
        }));
        let urls = Rule::read(&json!({"verbs": ["get", "post"], "nonResourceURLs": ["/a"]}));
        assert_eq!(
            missing(&[owned], &[wanted, urls]),
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}"#,
                r#"{APIGroups:[""], Resources:["pods/log"], Verbs:["delete"]}"#,
                r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}"#,
                r#"{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "delete"]}"#,
                r#"{APIGroups:["apps"], Resources:["pods/log"], Verbs:["get" "delete"]}"#,
                r#"{APIGroups:["apps"], Resources:["secrets"], Verbs:["get" "delete"]}"#,
                r#"{NonResourceURLs:["/a"], Verbs:["get"]}"#,
                r#"{NonResourceURLs:["/a"], Verbs:["post"]}"#,
            ]
        );
        assert_eq!(missing(&[Rule::all_urls()], &[Rule::all_resources()]).len(), 1);
    }
}
