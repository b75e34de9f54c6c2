//! The whole way of a write, against what kube-apiserver 1.35.4 answered to dry runs of the same requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{at, items, put, remove, text};
use super::*;
use crate::sandbox::admission::{admit_create, admit_update};
use crate::sandbox::kind::Kind;
use crate::sandbox::view::View;
use crate::ssa::{Schema, builtin, builtin_kinds, canonicalise, with_defaults};

/// What is stored, for tests.
#[derive(Default)]
pub(crate) struct Stored(BTreeMap<(String, String, String, String), Arc<Value>>);

impl Stored {
    pub(crate) fn add(&mut self, object: Value) {
        let (group, _) = text(&object, &["apiVersion"]).split_once('/').unwrap_or_default();
        let part = |path: &[&str]| text(&object, path).to_owned();
        let key = (group.to_owned(), part(&["kind"]), part(&["metadata", "namespace"]), part(&["metadata", "name"]));
        self.0.insert(key, Arc::new(object));
    }

    pub(crate) fn with(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut stored = Self::default();
        objects.into_iter().for_each(|object| stored.add(object));
        stored
    }
}

impl View for Stored {
    fn kinds(&self) -> Vec<(String, String, bool)> {
        Vec::new()
    }

    fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let key = (group.to_owned(), kind.to_owned(), namespace.to_owned(), name.to_owned());
        self.0.get(&key).cloned()
    }

    fn list(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let is_listed = |key: &(String, String, String, String)| {
            key.0 == group && key.1 == kind && namespace.is_none_or(|namespace| key.2 == namespace)
        };
        self.0.iter().filter(|(key, _)| is_listed(key)).map(|(_, object)| object.clone()).collect()
    }

    fn now(&self) -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }
}

pub(crate) fn kind(api_version: &str, kind: &str) -> Kind {
    let served = builtin_kinds().find(|served| served.api_version() == api_version && served.kind == kind);
    let served = served.unwrap_or_else(|| panic!("{api_version} {kind}"));
    Kind {
        schema: builtin(&served.group, &served.version, &served.kind).unwrap(),
        group: served.group,
        version: served.version,
        singular: served.kind.to_lowercase(),
        list_kind: format!("{}List", served.kind),
        kind: served.kind,
        plural: served.plural,
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced: served.namespaced,
        verbs: Vec::new(),
        subresources: Vec::new(),
        custom: None,
    }
}

pub(crate) fn decoded(schema: &Schema, object: &mut Value) {
    with_defaults(schema, object);
    canonicalise(schema, object);
}

/// Draws letters that are always the same.
pub(crate) fn letters(count: usize) -> String {
    "x7k2p".chars().cycle().take(count).collect()
}

fn cluster() -> Stored {
    Stored::with([
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "truth-a"}, "status": {"phase": "Active"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "truth-a"}}),
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {
            "name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}
        }}),
    ])
}

/// Does what the server does to a request, as far as it happens here; returns what is prepared, before defaults are
/// filled in once more.
fn prepared(operation: &str, sent: &Value, live: Option<&Value>, answer: &Value) -> Value {
    let kind = kind(text(answer, &["apiVersion"]), text(answer, &["kind"]));
    let view = cluster();
    let mut object = sent.clone();
    for field in ["apiVersion", "kind"] {
        put(&mut object, &[field], text(answer, &[field]));
    }
    let namespace = text(answer, &["metadata", "namespace"]);
    if !namespace.is_empty() {
        put(&mut object, &["metadata", "namespace"], namespace);
    }
    let follows = labels_follow_template(&kind, &object);
    decoded(&kind.schema, &mut object);
    let mut draw = |count| {
        let volumes = items(answer, &["spec", "volumes"]).iter().map(|volume| text(volume, &["name"]));
        let mut drawn = volumes.filter_map(|name| name.strip_prefix("kube-api-access-"));
        drawn.next().map_or_else(|| letters(count), str::to_owned)
    };
    match live {
        None => {
            admit_create(&view, &kind, None, &mut object, &mut draw).unwrap();
            if follows {
                remove(&mut object, &["metadata", "labels"]);
            }
            for field in ["uid", "creationTimestamp"] {
                put(&mut object, &["metadata", field], text(answer, &["metadata", field]));
            }
            allocate(&view, &kind, None, &mut object, true, &mut draw).unwrap();
            prepare_for_create(&kind, &mut object);
        }
        Some(live) => {
            let subresource = operation.strip_prefix("update ");
            admit_update(&view, &kind, subresource, live, &mut object).unwrap();
            if subresource.is_none() {
                allocate(&view, &kind, Some(live), &mut object, true, &mut draw).unwrap();
            }
            let time = text(answer, &["status", "lastPhaseTransitionTime"]).parse().unwrap_or_else(|_| view.now());
            prepare_for_update(&kind, subresource, live, &mut object, time);
        }
    }
    object
}

/// What defaults and spelling do not yet do as the server does; it happens before and after what is tested here.
const NOT_FILLED_IN: [&str; 12] = [
    "create Event .reportingComponent",
    "create Event .reportingInstance",
    "create Event .source",
    "create Event .deprecatedSource",
    "create CronJob .spec.jobTemplate.spec.template.metadata",
    "create HorizontalPodAutoscaler .spec.minReplicas",
    "create HorizontalPodAutoscaler .spec.targetCPUUtilizationPercentage",
    "create CSINode .spec.drivers",
    "create EndpointSlice .endpoints",
    "create APIService .spec.service.port",
    "create ResourceClaimTemplate .spec.metadata",
    "create ResourceClaimTemplate .spec.spec.devices",
];

#[test]
fn what_is_stored_is_what_the_server_answers() {
    let mut problems = Vec::new();
    for line in include_str!("truths.jsonl").lines() {
        let truth: Value = serde_json::from_str(line).unwrap();
        let (operation, mut answer) = (text(&truth, &["op"]), truth["answer"].clone());
        let mut object = prepared(operation, &truth["sent"], at(&truth, &["live"]), &answer);
        let kind = kind(text(&answer, &["apiVersion"]), text(&answer, &["kind"]));
        if operation == "create" && object.get("status") != answer.get("status") {
            problems.push(format!(
                "{} begins as {:?}, not {:?}",
                kind.kind,
                object.get("status"),
                answer.get("status")
            ));
        }
        decoded(&kind.schema, &mut object);
        for value in [&mut object, &mut answer] {
            // The version of the resource is the store's.
            remove(value, &["metadata", "resourceVersion"]);
        }
        canonicalise(&kind.schema, &mut answer);
        for value in [&mut object, &mut answer] {
            crate::ssa::tracking::as_read_back(&kind.schema, value);
        }
        for change in crate::ssa::changes(Some(&kind.schema), &object, &answer) {
            let problem = format!("{operation} {} {}", kind.kind, change.path);
            if !NOT_FILLED_IN.contains(&problem.as_str()) {
                problems.push(format!("{problem}: {:?} is not {:?}", change.before, change.after));
            }
        }
    }
    assert_eq!(problems, Vec::<String>::new(), "{}", problems.join("\n"));
}

#[test]
fn a_job_has_the_labels_of_its_template_only_if_it_has_none() {
    let job = kind("batch/v1", "Job");
    let make = |labels: Value| {
        let mut object = json!({"metadata": {"name": "x", "uid": "u", "labels": labels}, "spec": {
            "manualSelector": false, "template": {"metadata": {"labels": {"a": "b"}}}
        }});
        prepare_for_create(&job, &mut object);
        object
    };
    let generated = json!({
        "a": "b", "batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "x",
        "controller-uid": "u", "job-name": "x"
    });
    assert_eq!(make(json!(null))["metadata"]["labels"], generated);
    assert_eq!(make(json!({"q": "r"}))["metadata"]["labels"], json!({"q": "r"}));
    assert_eq!(make(json!({"q": "r"}))["spec"]["template"]["metadata"]["labels"], generated);
}

#[test]
fn services_lose_what_their_new_type_has_no_use_for() {
    let service = kind("v1", "Service");
    let live = json!({"metadata": {"name": "s"}, "spec": {
        "type": "LoadBalancer", "clusterIP": "10.96.1.1", "clusterIPs": ["10.96.1.1"], "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30321,
        "allocateLoadBalancerNodePorts": true, "ports": [{"port": 80, "nodePort": 32752}]
    }, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}});
    let mut object = live.clone();
    put(&mut object, &["spec", "type"], "ClusterIP");
    prepare_for_update(&service, None, &live, &mut object, Stored::default().now());
    let spec = json!({
        "type": "ClusterIP", "clusterIP": "10.96.1.1", "clusterIPs": ["10.96.1.1"], "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack", "ports": [{"port": 80}]
    });
    assert_eq!((&object["spec"], &object["status"]), (&spec, &json!({"loadBalancer": {}})));
    put(&mut object, &["spec", "type"], "ExternalName");
    prepare_for_update(&service, None, &live, &mut object, Stored::default().now());
    assert_eq!(object["spec"], json!({"type": "ExternalName", "ports": [{"port": 80}]}));
}

fn custom_kind(has_status: bool) -> Kind {
    let subresources = if has_status { json!({"status": {}}) } else { json!({}) };
    let custom = crate::sandbox::kind::Custom {
        structural: json!({}),
        version: json!({"name": "v1", "subresources": subresources}),
        storage_version: "v1".to_owned(),
        deprecation: None,
    };
    Kind { custom: Some(Arc::new(custom)), group: "x.io".to_owned(), kind: "Foo".to_owned(), ..kind("v1", "ConfigMap") }
}

#[test]
fn custom_resources_count_everything_but_metadata_and_a_status_of_its_own() {
    let now = Stored::default().now();
    let generation = |object: &Value| object["metadata"]["generation"].clone();
    for has_status in [true, false] {
        let kind = custom_kind(has_status);
        let mut live =
            json!({"apiVersion": "x.io/v1", "metadata": {"name": "a"}, "spec": {"a": 1}, "status": {"b": 1}});
        prepare_for_create(&kind, &mut live);
        assert_eq!((live.get("status").is_some(), generation(&live)), (!has_status, json!(1)));
        let mut object = live.clone();
        put(&mut object, &["metadata", "labels", "a"], "b");
        prepare_for_update(&kind, None, &live, &mut object, now);
        assert_eq!(generation(&object), 1);
        put(&mut object, &["status", "b"], 2);
        prepare_for_update(&kind, None, &live, &mut object, now);
        assert_eq!(generation(&object), if has_status { 1 } else { 2 });
        put(&mut object, &["spec", "a"], 2);
        prepare_for_update(&kind, None, &live, &mut object, now);
        assert_eq!(generation(&object), 2);
        // What is there and empty is another thing than none.
        for empty in [json!(null), json!([]), json!({})] {
            let mut object = live.clone();
            put(&mut object, &["spec", "b"], empty);
            prepare_for_update(&kind, None, &live, &mut object, now);
            assert_eq!(generation(&object), 2);
        }
    }
}

#[test]
fn a_write_of_a_custom_status_changes_nothing_else() {
    let live = json!({"metadata": {"name": "a", "generation": 3}, "spec": {"a": 1}});
    let mut object = json!({
        "metadata": {"name": "a", "labels": {"a": "b"}, "managedFields": [{}]}, "spec": {"a": 2}, "status": {"b": 1}
    });
    prepare_for_update(&custom_kind(true), Some("status"), &live, &mut object, Stored::default().now());
    let expected = json!({
        "metadata": {"name": "a", "generation": 3, "managedFields": [{}]}, "spec": {"a": 1}, "status": {"b": 1}
    });
    assert_eq!(object, expected);
}

#[test]
fn what_identifies_an_object_stays_and_a_change_cannot_undo_a_deletion() {
    let live = json!({"metadata": {
        "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-02T00:00:00Z",
        "deletionGracePeriodSeconds": 0, "generation": 5
    }});
    let mut object =
        json!({"metadata": {"generation": 9, "creationTimestamp": "2020-01-01T00:00:00Z"}, "data": {"a": "b"}});
    prepare_for_update(&kind("v1", "ConfigMap"), None, &live, &mut object, Stored::default().now());
    assert_eq!(object["metadata"], live["metadata"]);
}

#[test]
fn deletions_leave_the_finalizers_of_others_and_say_what_becomes_of_what_is_owned() {
    let object = |kind: &str, finalizers: &[&str]| {
        let api_version = if kind == "Job" { "batch/v1" } else { "v1" };
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"finalizers": finalizers}})
    };
    let left = |kind: &str, finalizers: &[&str], wish| finalizers_on_delete(&object(kind, finalizers), wish).join(" ");
    assert_eq!(left("ConfigMap", &["a.b/c"], None), "a.b/c");
    assert_eq!(left("ConfigMap", &["orphan", "a.b/c"], None), "a.b/c orphan");
    assert_eq!(left("ConfigMap", &["orphan", "a.b/c"], Some(Propagation::Foreground)), "a.b/c foregroundDeletion");
    assert_eq!(left("ConfigMap", &["foregroundDeletion"], Some(Propagation::Background)), "");
    assert_eq!(left("Job", &[], None), "orphan");
    assert_eq!(left("Job", &[], Some(Propagation::Background)), "");
    assert!(deletion_warning(&kind("batch/v1", "Job"), None).is_some());
}

#[test]
fn only_pods_on_a_node_are_given_time() {
    let pod = kind("v1", "Pod");
    let on_node =
        json!({"spec": {"nodeName": "n", "terminationGracePeriodSeconds": 30}, "status": {"phase": "Running"}});
    assert_eq!(grace_seconds(&pod, &on_node, None), 30);
    assert_eq!(grace_seconds(&pod, &on_node, Some(60)), 60);
    assert_eq!(grace_seconds(&pod, &on_node, Some(-5)), 1);
    assert_eq!(grace_seconds(&pod, &json!({"spec": {"terminationGracePeriodSeconds": 30}}), Some(60)), 0);
    let over = json!({"spec": {"nodeName": "n"}, "status": {"phase": "Succeeded"}});
    assert_eq!(grace_seconds(&pod, &over, Some(60)), 0);
    let mut deleting = on_node;
    put(
        &mut deleting,
        &["metadata"],
        json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 60}),
    );
    assert_eq!([None, Some(5), Some(90), Some(0)].map(|wish| grace_seconds(&pod, &deleting, wish)), [60, 5, 60, 0]);
    assert_eq!(grace_seconds(&kind("v1", "ConfigMap"), &deleting, Some(5)), 0);
}

#[test]
fn a_pod_that_goes_already_can_only_go_sooner_and_one_without_time_just_goes() {
    let pod = kind("v1", "Pod");
    let marked = |seconds: i64| json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": seconds}});
    let wishes = [None, Some(90), Some(5), Some(-1)];
    assert_eq!(wishes.map(|wish| goes_already(&pod, &marked(60), wish)), [true, true, false, false]);
    assert_eq!(wishes.map(|wish| goes_already(&pod, &marked(0), wish)), [false; 4]);
    assert!(!goes_already(&pod, &json!({}), None) && is_given_time(&pod, &json!({})));
    assert!(is_given_time(&pod, &marked(60)) && !is_given_time(&pod, &marked(0)));
    assert!(!is_given_time(&kind("v1", "ConfigMap"), &json!({})));
}

#[test]
fn a_new_pod_waits_behind_its_gates_and_its_selectors_are_completed() {
    let spec = json!({
        "schedulingGates": [{"name": "a.b/c"}],
        "containers": [{"name": "a", "resources": {
            "limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}
        }}],
        "topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"a": "b"}}, "matchLabelKeys": ["c", "q"]}],
        "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {}, "mismatchLabelKeys": ["c"]}
        ]}}
    });
    let mut pod = json!({"metadata": {
        "name": "x", "labels": {"a": "b", "c": "d"}, "creationTimestamp": "2026-11-22T12:11:47Z"
    }, "spec": spec});
    prepare_for_create(&kind("v1", "Pod"), &mut pod);
    let status = json!({"phase": "Pending", "qosClass": "Guaranteed", "conditions": [{
        "type": "PodScheduled", "status": "False", "lastProbeTime": null, "lastTransitionTime": "2026-11-22T12:11:47Z",
        "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"
    }]});
    assert_eq!((&pod["status"], &pod["metadata"]["generation"]), (&status, &json!(1)));
    let selector = |operator: &str| json!([{"key": "c", "operator": operator, "values": ["d"]}]);
    let spread = &pod["spec"]["topologySpreadConstraints"][0]["labelSelector"];
    assert_eq!(*spread, json!({"matchLabels": {"a": "b"}, "matchExpressions": selector("In")}));
    let terms = &pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(terms[0]["labelSelector"], json!({"matchExpressions": selector("NotIn")}));
}

#[test]
fn the_classes_of_service_of_pods() {
    let class =
        |resources: Value| pod::quality_of_service(&json!({"spec": {"containers": [{"resources": resources}]}}));
    assert_eq!(class(json!({})), "BestEffort");
    assert_eq!(class(json!({"requests": {"cpu": "0"}})), "BestEffort");
    assert_eq!(class(json!({"requests": {"cpu": "1"}})), "Burstable");
    assert_eq!(class(json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1000m"}})), "Burstable");
    let all = json!({"cpu": "1", "memory": "1Gi"});
    assert_eq!(class(json!({"requests": all, "limits": {"cpu": "1000m", "memory": "1024Mi"}})), "Guaranteed");
    assert_eq!(class(json!({"limits": all, "requests": {"cpu": "1", "memory": "1Mi"}})), "Burstable");
}

#[test]
fn subresources_of_a_pod_change_only_what_they_are_for() {
    let (pod, now) = (kind("v1", "Pod"), Stored::default().now());
    let live =
        json!({"metadata": {"name": "e", "generation": 1}, "spec": {"containers": [{"name": "a", "image": "i"}]}});
    let mut object = live.clone();
    put(&mut object, &["metadata", "labels"], json!({"z": "z"}));
    put(&mut object, &["spec", "ephemeralContainers"], json!([{"name": "dbg"}]));
    put(
        &mut object,
        &["spec", "containers"],
        json!([{"name": "a", "image": "j", "resources": {"limits": {"cpu": "2"}}}]),
    );
    let mut debugged = object.clone();
    prepare_for_update(&pod, Some("ephemeralcontainers"), &live, &mut debugged, now);
    assert_eq!(
        (&debugged["metadata"], debugged.get("status")),
        (&json!({"name": "e", "generation": 2}), Some(&json!({})))
    );
    assert_eq!(
        debugged["spec"],
        json!({"containers": [{"name": "a", "image": "i"}], "ephemeralContainers": [{"name": "dbg"}]})
    );
    prepare_for_update(&pod, Some("resize"), &live, &mut object, now);
    let containers = json!([{"name": "a", "image": "i", "resources": {"limits": {"cpu": "2"}}}]);
    assert_eq!((&object["spec"], &object["metadata"]["generation"]), (&json!({"containers": containers}), &json!(2)));
}

#[test]
fn claims_have_their_source_in_both_spellings() {
    let prepared = |spec: Value| {
        let mut claim = json!({"metadata": {"name": "x"}, "spec": spec});
        prepare_for_create(&kind("v1", "PersistentVolumeClaim"), &mut claim);
        claim["spec"].clone()
    };
    let claim = json!({"apiGroup": null, "kind": "PersistentVolumeClaim", "name": "q"});
    let given = json!({"kind": "PersistentVolumeClaim", "name": "q"});
    assert_eq!(prepared(json!({"dataSource": given}))["dataSourceRef"], claim);
    let foreign = json!({"apiGroup": "x.io", "kind": "Foo", "name": "q"});
    assert_eq!(prepared(json!({"dataSource": foreign})), json!({}));
    assert_eq!(prepared(json!({"dataSourceRef": foreign}))["dataSource"], foreign);
}

#[test]
fn approvals_and_the_status_of_a_request_keep_apart() {
    let (csr, now) = (kind("certificates.k8s.io/v1", "CertificateSigningRequest"), Stored::default().now());
    let live = json!({"metadata": {"name": "x"}, "spec": {"signerName": "a.b/c"}, "status": {"certificate": "YQ=="}});
    let approved = json!([{"type": "Approved", "status": "True"}]);
    let mut object = json!({"metadata": {"name": "x"}, "spec": {}, "status": {"conditions": approved}});
    prepare_for_update(&csr, Some("approval"), &live, &mut object, now);
    let condition = json!({
        "type": "Approved", "status": "True", "lastUpdateTime": "2026-11-22T12:00:00Z",
        "lastTransitionTime": "2026-11-22T12:00:00Z"
    });
    assert_eq!(object["status"], json!({"certificate": "YQ==", "conditions": [condition]}));
    assert_eq!(object["spec"], live["spec"]);
    let mut denied = live.clone();
    record_requester(&Requester { username: "admin".to_owned(), ..Requester::default() }, &mut denied);
    assert_eq!(denied["spec"], json!({"signerName": "a.b/c", "username": "admin"}));
}
