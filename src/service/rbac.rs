//! `rbac`: what the application may do in the cluster: ServiceAccount, ClusterRole, ClusterRoleBinding.
//!
//! The table of rights stands here and nowhere else; role and check are both made from it. There is no wildcard in it,
//! and none can be added.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::block::{below, manifests};
use super::labels::{labels, metadata, name_problem};
use super::{AccessRule, Check, CheckKind, Expansion, Remark, ServiceContext};
use crate::resource::ObjectRef;

const RBAC: &str = "rbac.authorization.k8s.io";

/// What the application may do: group, resources, verbs.
const TABLE: &[(&str, &[&str], &[&str])] = &[
    ("", &["namespaces"], &["create", "get", "list", "delete"]),
    ("", &["services", "secrets", "configmaps", "resourcequotas"], MANAGE),
    ("apps", &["deployments", "statefulsets", "daemonsets"], MANAGE),
    ("networking.k8s.io", &["ingresses", "networkpolicies"], MANAGE),
    ("", &["persistentvolumeclaims"], &["get", "list", "create", "delete"]),
    ("", &["pods"], &["get", "list", "watch"]),
    ("", &["pods/log"], &["get"]),
    ("", &["pods/exec"], &["create"]),
    ("", &["nodes"], &["get", "list"]),
];
const MANAGE: &[&str] = &["get", "list", "create", "patch", "delete"];

/// The application's identity and rights in the cluster.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RbacBlock {
    /// Name of the ServiceAccount, of the ClusterRole and of its binding; by default the stack's name.
    service_account: Option<String>,
    /// Makes two ServiceAccounts of it, `NAME-web` and `NAME-worker`, with the same rights.
    split: bool,
    /// Rights beside the built-in ones. Wildcards are refused.
    rules: Vec<Rule>,
}

/// A rule as RBAC writes it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rule {
    /// API groups; `""` is the core group.
    api_groups: Vec<String>,
    /// Resources, such as `pods`, or `pods/log` for a subresource.
    resources: Vec<String>,
    /// Verbs, such as `get`.
    verbs: Vec<String>,
}

pub(super) fn expand(block: RbacBlock, context: ServiceContext<'_>) -> Result<Expansion, Vec<Remark>> {
    let name = block.service_account.as_deref().unwrap_or(context.stack);
    let remarks = problems(&block, name);
    if !remarks.is_empty() {
        return Err(remarks);
    }
    let accounts: Vec<String> =
        if block.split { vec![format!("{name}-web"), format!("{name}-worker")] } else { vec![name.to_owned()] };
    let rules = all_rules(&block.rules);
    let labels = labels(context, name, "access");
    let account_objects = accounts.iter().map(|account| {
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(context, account, &labels),
        })
    });
    let role = json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": labels},
        "rules": rules,
    });
    let subjects: Vec<Value> = accounts
        .iter()
        .map(|account| json!({"kind": "ServiceAccount", "name": account, "namespace": context.namespace}))
        .collect();
    let binding = json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": labels},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        "subjects": subjects,
    });
    let checks = accounts.iter().map(|account| access_check(context, account, name, &rules)).collect();
    Ok(Expansion { manifests: manifests(account_objects.chain([role, binding]))?, checks, ..Expansion::default() })
}

fn problems(block: &RbacBlock, name: &str) -> Vec<Remark> {
    let mut remarks = Vec::from_iter(name_problem(name, "/serviceAccount"));
    for (index, rule) in block.rules.iter().enumerate() {
        let pointer = below("/rules", &index.to_string());
        let lists = [("apiGroups", &rule.api_groups), ("resources", &rule.resources), ("verbs", &rule.verbs)];
        for (key, words) in lists {
            let pointer = below(&pointer, key);
            if words.is_empty() {
                remarks.push(Remark::new(&pointer, format!("`{key}` is empty, so the rule allows nothing")));
            }
            if words.iter().any(|word| word.contains('*')) {
                remarks.push(Remark::new(&pointer, "a wildcard is refused").hinted("name each one that is needed"));
            }
        }
    }
    remarks
}

fn all_rules(extra: &[Rule]) -> Vec<Value> {
    let built_in = TABLE
        .iter()
        .map(|(group, resources, verbs)| json!({"apiGroups": [group], "resources": resources, "verbs": verbs}));
    let extra = extra
        .iter()
        .map(|rule| json!({"apiGroups": rule.api_groups, "resources": rule.resources, "verbs": rule.verbs}));
    built_in.chain(extra).collect()
}

fn access_check(context: ServiceContext<'_>, account: &str, role: &str, rules: &[Value]) -> Check {
    let account_ref = ObjectRef::new("", "ServiceAccount", Some(context.namespace), account);
    let words = |rule: &Value, key: &str| -> Vec<String> {
        rule[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let allowed = rules
        .iter()
        .flat_map(|rule| {
            let (groups, resources, verbs) = (words(rule, "apiGroups"), words(rule, "resources"), words(rule, "verbs"));
            groups.into_iter().flat_map(move |group| {
                let verbs = verbs.clone();
                resources.clone().into_iter().map(move |resource| AccessRule {
                    group: group.clone(),
                    resource,
                    verbs: verbs.clone(),
                })
            })
        })
        .collect();
    Check {
        name: format!("{account} may do what it needs and no more"),
        kind: CheckKind::Access { account: account_ref.clone(), allowed },
        about: vec![
            account_ref,
            ObjectRef::new(RBAC, "ClusterRole", None, role),
            ObjectRef::new(RBAC, "ClusterRoleBinding", None, role),
        ],
        disruptive: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::expand;
    use super::super::tests::yaml;
    use super::*;

    const CONTEXT: ServiceContext<'_> =
        ServiceContext { stack: "mathison", namespace: "mathison-system", name: "access" };

    fn text(block: &Value) -> String {
        yaml(&expand("rbac", block, &CONTEXT).unwrap().manifests)
    }

    #[test]
    fn account_role_and_binding_are_made() {
        insta::assert_snapshot!(text(&json!({})), @"
        apiVersion: v1
        kind: ServiceAccount
        metadata:
          labels:
            app.kubernetes.io/component: access
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: mathison
            app.kubernetes.io/part-of: mathison
          name: mathison
          namespace: mathison-system
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata:
          labels:
            app.kubernetes.io/component: access
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: mathison
            app.kubernetes.io/part-of: mathison
          name: mathison
        rules:
        - apiGroups:
          - ''
          resources:
          - namespaces
          verbs:
          - create
          - get
          - list
          - delete
        - apiGroups:
          - ''
          resources:
          - services
          - secrets
          - configmaps
          - resourcequotas
          verbs:
          - get
          - list
          - create
          - patch
          - delete
        - apiGroups:
          - apps
          resources:
          - deployments
          - statefulsets
          - daemonsets
          verbs:
          - get
          - list
          - create
          - patch
          - delete
        - apiGroups:
          - networking.k8s.io
          resources:
          - ingresses
          - networkpolicies
          verbs:
          - get
          - list
          - create
          - patch
          - delete
        - apiGroups:
          - ''
          resources:
          - persistentvolumeclaims
          verbs:
          - get
          - list
          - create
          - delete
        - apiGroups:
          - ''
          resources:
          - pods
          verbs:
          - get
          - list
          - watch
        - apiGroups:
          - ''
          resources:
          - pods/log
          verbs:
          - get
        - apiGroups:
          - ''
          resources:
          - pods/exec
          verbs:
          - create
        - apiGroups:
          - ''
          resources:
          - nodes
          verbs:
          - get
          - list
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata:
          labels:
            app.kubernetes.io/component: access
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: mathison
            app.kubernetes.io/part-of: mathison
          name: mathison
        roleRef:
          apiGroup: rbac.authorization.k8s.io
          kind: ClusterRole
          name: mathison
        subjects:
        - kind: ServiceAccount
          name: mathison
          namespace: mathison-system
        ");
    }

    #[test]
    fn no_right_holds_a_wildcard() {
        let text = text(&json!({}));
        assert!(!text.contains('*'), "{text}");
        let wild = json!({"rules": [{"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get", "*"]}]});
        let pointers: Vec<_> =
            expand("rbac", &wild, &CONTEXT).unwrap_err().into_iter().map(|remark| remark.pointer).collect();
        assert_eq!(pointers, ["/rules/0/apiGroups", "/rules/0/verbs"]);
    }

    #[test]
    fn split_makes_two_accounts_with_one_role() {
        let expansion = expand("rbac", &json!({"split": true, "serviceAccount": "mathison"}), &CONTEXT).unwrap();
        let names: Vec<_> =
            expansion.manifests.iter().map(|manifest| format!("{}/{}", manifest.kind(), manifest.name())).collect();
        assert_eq!(
            names,
            [
                "ServiceAccount/mathison-web",
                "ServiceAccount/mathison-worker",
                "ClusterRole/mathison",
                "ClusterRoleBinding/mathison"
            ]
        );
        assert_eq!(expansion.manifests[3].object()["subjects"].as_array().unwrap().len(), 2);
        assert_eq!(expansion.checks.len(), 2);
    }

    #[test]
    fn the_check_asks_for_exactly_the_table_and_the_extra_rules() {
        let block = json!({"rules": [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]}]});
        let expansion = expand("rbac", &block, &CONTEXT).unwrap();
        let CheckKind::Access { allowed, .. } = &expansion.checks[0].kind else { panic!("an access check") };
        let lines: String =
            allowed.iter().map(|rule| format!("{} {} {}\n", rule.group, rule.resource, rule.verbs.join(" "))).collect();
        insta::assert_snapshot!(lines, @"
         namespaces create get list delete
         services get list create patch delete
         secrets get list create patch delete
         configmaps get list create patch delete
         resourcequotas get list create patch delete
        apps deployments get list create patch delete
        apps statefulsets get list create patch delete
        apps daemonsets get list create patch delete
        networking.k8s.io ingresses get list create patch delete
        networking.k8s.io networkpolicies get list create patch delete
         persistentvolumeclaims get list create delete
         pods get list watch
         pods/log get
         pods/exec create
         nodes get list
        batch jobs get
        ");
    }
}
