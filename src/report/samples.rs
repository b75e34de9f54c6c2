//! Plans made by hand, and plans made at random, for the tests of this folder.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::diff::{Attribution, FieldChange, Shown};
use crate::graph::NodeId;
use crate::live::ClusterIdentity;
use crate::plan::{Action, Base, Certainty, Change, Conflict, Consequence, Plan, Precondition, Reason};
use crate::resource::{Address, Digest, Manifest, ObjectRef};
use crate::state::{Lineage, Serial};

const NAMESPACE: &str = "mathison-system";

pub(super) fn base() -> Base {
    Base {
        stack: "mathison".to_owned(),
        namespace: NAMESPACE.to_owned(),
        stack_digest: Digest::from_bytes([7; 32]),
        cluster: ClusterIdentity("0a1b2c3d-1111-2222-3333-444455556666".to_owned()),
        lineage: Some(Lineage("quiet-river".to_owned())),
        serial: Serial(3),
    }
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        base: base(),
        destroy: false,
        changes,
        checks: BTreeMap::new(),
        with_extra_manifests: false,
        warnings: Vec::new(),
    }
}

pub(super) fn change(service: &str, kind: &str, name: &str, action: Action, reason: Reason) -> Change {
    let group = match kind {
        "StatefulSet" | "Deployment" => "apps",
        "ClusterRole" => "rbac.authorization.k8s.io",
        "Widget" => "example.com",
        _ => "",
    };
    let namespace = (!matches!(kind, "ClusterRole" | "Namespace")).then_some(NAMESPACE);
    let object = ObjectRef::new(group, kind, namespace, name);
    Change {
        address: Address::of(service, &object, NAMESPACE),
        api_version: if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") },
        object,
        action,
        reason,
        diff: Vec::new(),
        forced: Vec::new(),
        consequences: Vec::new(),
        certainty: Certainty::Proved,
        precondition: Precondition::default(),
        manifest: None,
        depends_on: Vec::new(),
        depends_on_objects: Vec::new(),
        desired: None,
        protect: false,
    }
}

fn created(service: &str, kind: &str, name: &str) -> Change {
    let mut change = change(service, kind, name, Action::Create, Reason::Missing);
    change.certainty = Certainty::AfterApply("defaults".to_owned());
    change
}

pub(super) fn field(path: &str, before: Value, after: Value) -> FieldChange {
    let shown = |value: Value| (!value.is_null()).then_some(Shown::Plain(value));
    FieldChange { path: path.to_owned(), before: shown(before), after: shown(after), by: None }
}

pub(super) fn by(manager: &str, subresource: Option<&str>) -> Attribution {
    Attribution {
        manager: manager.to_owned(),
        operation: "Update".to_owned(),
        subresource: subresource.map(str::to_owned),
        time: Some("2026-11-20T08:15:00Z".to_owned()),
    }
}

pub(super) fn first() -> Plan {
    let mut config = created("config", "ConfigMap", "mathison-config");
    config.diff = vec![
        field(".data.DATABASE_HOST", json!(null), json!("postgres")),
        field(".data[\"init.sql\"]", json!(null), json!("CREATE EXTENSION vector;\nSELECT 1;\n")),
    ];
    let mut database = created("postgres", "StatefulSet", "postgres");
    database.depends_on = vec![NodeId::Resource(config.address.clone())];
    let mut plan = plan(vec![
        change("namespace", "Namespace", NAMESPACE, Action::NoChange, Reason::UsedNamespace),
        created("access", "ServiceAccount", "mathison"),
        config,
        database,
    ]);
    let database = plan.changes[3].address.clone();
    plan.checks.insert("postgres answers".to_owned(), vec![NodeId::Resource(database)]);
    plan.checks.insert("redis answers".to_owned(), vec![]);
    plan
}

pub(super) fn take_back() -> Plan {
    let mut change = change("postgres", "StatefulSet", "postgres", Action::Update, Reason::TakeBack);
    change.diff =
        vec![FieldChange { by: Some(by("kubectl-edit", None)), ..field(".spec.replicas", json!(2), json!(1)) }];
    change.forced = vec![Conflict { field: ".spec.replicas".to_owned(), by: by("kubectl-edit", None) }];
    change.consequences = vec![Consequence::PodsRestart { replicas: 1 }];
    change.precondition.uid = Some("uid-1".to_owned());
    let mut plan = plan(vec![change]);
    plan.checks.insert("postgres answers".to_owned(), vec![]);
    plan
}

pub(super) fn updates() -> Plan {
    let mut database = take_back().changes.remove(0);
    database.reason = Reason::DesiredChangedAndTakeBack;
    database.certainty = Certainty::Server;
    database.diff.push(field(
        ".spec.template.spec.containers[name=\"postgres\"].image",
        json!("registry.example.com/team/pgvector/pgvector:pg16-bookworm"),
        json!("registry.example.com/team/pgvector/pgvector@sha256:2f0e1d3c4b5a69788796a5b4c3d2e1f02f0e1d3c4b5a6978"),
    ));
    database.forced.push(Conflict { field: ".metadata.labels.team".to_owned(), by: by("kubectl-label", None) });
    database.consequences.push(Consequence::VolumeKept { claim: "data-postgres-0".to_owned() });
    let mut config = change("config", "ConfigMap", "init", Action::Update, Reason::DesiredChanged);
    config.diff = vec![
        field(
            ".data[\"init.sh\"]",
            json!("set -e\necho one\necho two\necho three\n"),
            json!("set -e\necho one\necho 2\necho three\n"),
        ),
        field(".metadata.labels.team", json!("a"), json!(null)),
    ];
    config.consequences = vec![Consequence::PodsDoNotRestart { workload: database.address.clone() }];
    let mut secret = change("secrets", "Secret", "mathison-secrets", Action::Update, Reason::DesiredChanged);
    secret.diff = vec![FieldChange {
        path: ".data.DATABASE_URL".to_owned(),
        before: Some(Shown::Sensitive),
        after: Some(Shown::Sensitive),
        by: None,
    }];
    let mut service = change("redis", "Service", "redis", Action::Adopt, Reason::OursByLabel);
    service.diff =
        vec![FieldChange { path: ".spec.clusterIP".to_owned(), before: None, after: Some(Shown::Unknown), by: None }];
    let mut plan = plan(vec![
        config,
        secret,
        database,
        service,
        change("redis", "StatefulSet", "redis", Action::NoChange, Reason::UpToDate),
        change("manifest", "ConfigMap", "motd", Action::Delete, Reason::LeftTheFile),
        change("manifest", "ConfigMap", "gone", Action::Forget, Reason::Vanished),
    ]);
    plan.warnings.push("`allkeys-lru` may evict job keys.".to_owned());
    plan
}

pub(super) fn refusals() -> Plan {
    let conflicts = vec![Conflict { field: ".spec.replicas".to_owned(), by: by("hpa-controller", Some("scale")) }];
    plan(vec![
        change("manifest", "Deployment", "web", Action::Refuse, Reason::Conflict(conflicts)),
        change(
            "manifest",
            "ConfigMap",
            "motd",
            Action::Refuse,
            Reason::TakenByOthers { owner: "the stack `other.team-b`".to_owned() },
        ),
        change(
            "redis",
            "StatefulSet",
            "redis",
            Action::Refuse,
            Reason::Rejected("admission webhook \"quota\" denied the request:\n\u{1b}[31mlimits too high".to_owned()),
        ),
        change("manifest", "Widget", "w1", Action::Refuse, Reason::UnknownKind),
    ])
}

pub(super) fn destroy() -> Plan {
    let mut database = change("postgres", "StatefulSet", "postgres", Action::Delete, Reason::Destroy);
    database.consequences = vec![Consequence::VolumeKept { claim: "data-postgres-0".to_owned() }];
    let mut plan = plan(vec![
        database,
        change("config", "ConfigMap", "mathison-config", Action::Delete, Reason::Destroy),
        change("postgres", "PersistentVolumeClaim", "backup", Action::Keep, Reason::HoldsData),
        change("namespace", "Namespace", NAMESPACE, Action::Keep, Reason::UsedNamespace),
    ]);
    plan.destroy = true;
    plan
}

pub(super) fn unchanged() -> Plan {
    plan(vec![
        change("redis", "Service", "redis", Action::NoChange, Reason::UpToDate),
        change("redis", "StatefulSet", "redis", Action::NoChange, Reason::UpToDate),
    ])
}

/// Returns text without the escapes that set colours, by a way of its own.
pub(super) fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

/// Returns a Secret whose only value is `value`.
pub(super) fn secret_manifest(value: &str) -> Manifest {
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": value}});
    Manifest::new(object).unwrap()
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![any::<String>().prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_shown() -> impl Strategy<Value = Option<Shown>> {
    prop_oneof![
        Just(None),
        Just(Some(Shown::Sensitive)),
        Just(Some(Shown::Unknown)),
        any_value().prop_map(|value| Some(Shown::Plain(value))),
    ]
}

fn any_attribution() -> impl Strategy<Value = Attribution> {
    (any::<String>(), any::<String>(), any::<Option<String>>(), any::<Option<String>>())
        .prop_map(|(manager, operation, subresource, time)| Attribution { manager, operation, subresource, time })
}

fn any_reason() -> impl Strategy<Value = Reason> {
    let conflict = (any::<String>(), any_attribution()).prop_map(|(field, by)| Conflict { field, by });
    prop_oneof![
        Just(Reason::Missing),
        Just(Reason::TakeBack),
        Just(Reason::HoldsData),
        Just(Reason::UnknownKind),
        any::<String>().prop_map(|owner| Reason::TakenByOthers { owner }),
        any::<String>().prop_map(Reason::Rejected),
        any::<String>().prop_map(Reason::Unreadable),
        prop::collection::vec(conflict, 1..3).prop_map(Reason::Conflict),
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    let actions = [Action::NoChange, Action::Create, Action::Update, Action::Delete, Action::Keep, Action::Refuse];
    let diff = (any::<String>(), any_shown(), any_shown(), prop::option::of(any_attribution()))
        .prop_map(|(path, before, after, by)| FieldChange { path, before, after, by });
    (
        any::<String>(),
        prop::sample::select(actions.to_vec()),
        any_reason(),
        prop::collection::vec(diff, 0..3),
        any::<String>(),
    )
        .prop_map(|(text, action, reason, diff, note)| Change {
            address: Address::from_text(text.clone()),
            diff,
            certainty: Certainty::AfterApply(note.clone()),
            forced: vec![Conflict { field: text.clone(), by: by(&note, Some(&text)) }],
            consequences: vec![Consequence::Note(note)],
            ..change("any", "Widget", &text, action, reason)
        })
}

pub(super) fn any_plan() -> impl Strategy<Value = Plan> {
    (prop::collection::vec(any_change(), 0..4), any::<String>(), any::<bool>()).prop_map(|(changes, text, destroy)| {
        Plan {
            destroy,
            checks: BTreeMap::from([(text.clone(), vec![NodeId::Check(text.clone())])]),
            warnings: vec![text],
            ..plan(changes)
        }
    })
}
