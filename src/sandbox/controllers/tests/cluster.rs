use serde_json::json;

use super::*;
use crate::sandbox::controllers::deed::Key;
use crate::sandbox::controllers::fields::{set, text};
use crate::sandbox::controllers::trouble::READY_AFTER;
use crate::sandbox::controllers::world::World;
use crate::sandbox::view::View;

fn service(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
}

#[test]
fn a_namespace_has_its_account_and_certificate_and_goes_with_all_in_it() {
    let mut world = World::new();
    assert_eq!(world.read("", "ConfigMap", "kube-root-ca.crt")["data"], json!({"ca.crt": "CA"}));
    world.delete("", "ServiceAccount", "default");
    world.change("", "ConfigMap", "kube-root-ca.crt", |map| set(map, &["data"], json!({"ca.crt": "other"})));
    world.settle();
    assert!(!world.read("", "ServiceAccount", "default").is_null());
    assert_eq!(world.read("", "ConfigMap", "kube-root-ca.crt")["data"], json!({"ca.crt": "CA"}));
    world.create(deployment(2));
    world.create(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["a.b/c"]}}),
    );
    world.settle();
    world.delete("", "Namespace", "d");
    world.settle();
    let leaving = world.read("", "Namespace", "d");
    assert_eq!(
        condition(&leaving, "NamespaceContentRemaining"),
        ("True", "SomeResourcesRemain", "Some resources are remaining: configmaps. has 1 resource instances")
    );
    assert_eq!(
        condition(&leaving, "NamespaceFinalizersRemaining").2,
        "Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances"
    );
    world.assert_settled();
    world.change("", "ConfigMap", "held", |map| set(map, &["metadata", "finalizers"], json!([])));
    world.settle();
    assert!(world.read("", "Namespace", "d").is_null());
    for (group, kind, _) in world.kinds() {
        assert!(world.all(&group, &kind).is_empty(), "{kind}");
    }
}

#[test]
fn a_service_has_the_addresses_of_its_ready_pods() {
    let mut world = World::new();
    let mut web = deployment(2);
    let ports = json!([{"name": "c", "image": "nginx", "ports": [{"containerPort": 8080, "name": "http"}]}]);
    set(&mut web, &["spec", "template", "spec", "containers"], ports);
    ask(&mut web, &[], READY_AFTER, "1s");
    world.create(web);
    let ports = json!([{"port": 80, "targetPort": "http", "name": "http", "protocol": "TCP"}]);
    world.create(service(json!({"clusterIP": "10.96.0.9", "selector": {"app": "web"}, "ports": ports})));
    world.settle();
    let endpoints = world.read("", "Endpoints", "web");
    assert_eq!(endpoints["subsets"][0]["notReadyAddresses"].as_array().map(Vec::len), Some(2));
    assert!(endpoints["subsets"][0].get("addresses").is_none());
    world.pass(1);
    let endpoints = world.read("", "Endpoints", "web");
    assert_eq!(endpoints["subsets"][0]["addresses"].as_array().map(Vec::len), Some(2));
    assert_eq!(endpoints["subsets"][0]["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
    let slices = world.all("discovery.k8s.io", "EndpointSlice");
    assert_eq!(slices.len(), 1);
    assert_eq!(slices[0]["endpoints"][0]["conditions"], json!({"ready": true, "serving": true, "terminating": false}));
    assert_eq!(slices[0]["endpoints"][0]["nodeName"], "sandbox");
    world.assert_settled();
    world.change("apps", "Deployment", "web", |web| set(web, &["spec", "replicas"], json!(0)));
    world.settle();
    assert!(world.read("", "Endpoints", "web").get("subsets").is_none());
    world.assert_settled();
    world.delete("", "Service", "web");
    world.settle();
    assert!(world.read("", "Endpoints", "web").is_null());
    assert!(world.all("discovery.k8s.io", "EndpointSlice").is_empty());
}

#[test]
fn a_headless_service_without_pods_has_an_empty_slice() {
    let mut world = World::new();
    world.create(service(json!({"clusterIP": "None", "selector": {"app": "none"}, "ports": [{"port": 5432}]})));
    world.settle();
    let slices = world.all("discovery.k8s.io", "EndpointSlice");
    assert_eq!((&slices[0]["endpoints"], &slices[0]["ports"]), (&Value::Null, &Value::Null));
    assert_eq!(slices[0]["metadata"]["labels"]["service.kubernetes.io/headless"], "");
    world.assert_settled();
}

#[test]
fn a_budget_a_scaler_and_a_quota_tell_the_truth() {
    let mut world = World::new();
    world.create(json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    }));
    world.create(json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
        "spec": {"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu"}}]}
    }));
    world.create(json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
        "spec": {"hard": {
            "pods": "20", "count/deployments.apps": "4", "requests.storage": "10Gi", "limits.cpu": "2",
            "services.nodeports": "3", "count/graphs.example.com": "2", "count/nothing.example.com": "2"
        }}
    }));
    world.create(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "graphs.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "graphs", "kind": "Graph"},
            "versions": [{"name": "v1", "served": true, "storage": true}]
        }
    }));
    world.create(json!({"apiVersion": "example.com/v1", "kind": "Graph", "metadata": {"name": "g"}}));
    world.create(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
        "spec": {
            "type": "LoadBalancer", "allocateLoadBalancerNodePorts": false,
            "ports": [{"port": 1, "nodePort": 30001}, {"port": 2}]
        }
    }));
    let mut web = deployment(3);
    let limits = json!({"limits": {"cpu": "500m"}});
    set(
        &mut web,
        &["spec", "template", "spec", "initContainers"],
        json!([{"name": "i", "image": "i", "resources": limits}]),
    );
    world.create(web);
    world.settle();
    world.assert_settled();
    let budget = world.read("policy", "PodDisruptionBudget", "b");
    assert_eq!(
        budget["status"],
        json!({
            "conditions": [{
                "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "", "observedGeneration": 1, "reason": "SufficientPods",
                "status": "True", "type": "DisruptionAllowed"
            }],
            "currentHealthy": 3, "desiredHealthy": 2, "disruptionsAllowed": 1, "expectedPods": 3, "observedGeneration": 1
        })
    );
    let scaler = world.read("autoscaling", "HorizontalPodAutoscaler", "h");
    assert_eq!(condition(&scaler, "AbleToScale").1, "SucceededGetScale");
    let message = "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for \
                   resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested \
                   resource (get pods.metrics.k8s.io)";
    assert_eq!(condition(&scaler, "ScalingActive"), ("False", "FailedGetResourceMetric", message));
    let quota = world.read("", "ResourceQuota", "q");
    assert_eq!(
        quota["status"]["used"],
        json!({
            "count/deployments.apps": "1", "count/graphs.example.com": "1", "limits.cpu": "1500m", "pods": "3",
            "requests.storage": "0", "services.nodeports": "1"
        })
    );
}

#[test]
fn a_daemon_runs_on_the_node_and_is_replaced_by_its_update() {
    for (strategy, replaced) in [
        (json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}), true),
        (json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}), true),
        (json!({"type": "OnDelete"}), false),
    ] {
        let mut world = World::new();
        world.create(json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "ds"},
            "spec": {"selector": {"matchLabels": {"app": "ds"}}, "template": template("ds"), "updateStrategy": strategy}
        }));
        world.settle();
        let daemon = world.read("apps", "DaemonSet", "ds");
        assert_ready(&daemon);
        assert_eq!(daemon["status"]["desiredNumberScheduled"], 1);
        world.assert_settled();
        let first = text(&world.all("", "Pod")[0], "/metadata/uid").to_owned();
        world.change("apps", "DaemonSet", "ds", |ds| {
            set(ds, &["spec", "template", "metadata", "labels", "v"], json!("2"))
        });
        world.settle();
        let pods = world.all("", "Pod");
        assert_eq!(pods.len(), 1);
        assert_eq!(text(&pods[0], "/metadata/uid") != first, replaced);
        assert_ready(&world.read("apps", "DaemonSet", "ds"));
        world.assert_settled();
        world.change("apps", "DaemonSet", "ds", |ds| {
            set(ds, &["spec", "template", "spec", "nodeSelector"], json!({"a": "b"}))
        });
        world.settle();
        assert!(world.all("", "Pod").is_empty());
        assert_eq!(world.read("apps", "DaemonSet", "ds")["status"]["desiredNumberScheduled"], 0);
    }
}

#[test]
fn a_replication_controller_keeps_its_pods() {
    let mut world = World::new();
    world.create(json!({
        "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc"},
        "spec": {"replicas": 2, "selector": {"app": "rc"}, "template": template("rc")}
    }));
    world.settle();
    assert_ready(&world.read("", "ReplicationController", "rc"));
    world.assert_settled();
}

#[test]
fn garbage_is_what_has_no_owner_left() {
    let mut world = World::new();
    let map = |name: &str, owners: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "ownerReferences": owners}});
    world.create(map("one", json!([])));
    world.create(map("two", json!([])));
    let owner = |world: &World, name: &str| {
        let object = world.read("", "ConfigMap", name);
        json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": object["metadata"]["uid"], "blockOwnerDeletion": true})
    };
    let both = json!([owner(&world, "one"), owner(&world, "two")]);
    world.create(map("both", both));
    world.create(map("foreign", json!([{"apiVersion": "x.io/v1", "kind": "Gone", "name": "one", "uid": "other"}])));
    world.create(map("stray", json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "uid": "other"}])));
    world.settle();
    assert!(world.read("", "ConfigMap", "stray").is_null());
    assert!(!world.read("", "ConfigMap", "foreign").is_null(), "nobody knows what became of its owner");
    world.delete("", "ConfigMap", "one");
    world.settle();
    assert_eq!(world.read("", "ConfigMap", "both")["metadata"]["ownerReferences"].as_array().map(Vec::len), Some(1));
    world.delete_as("", "ConfigMap", "two", "foregroundDeletion");
    world.settle();
    assert!(world.read("", "ConfigMap", "both").is_null());
    assert!(world.read("", "ConfigMap", "two").is_null());
    world.assert_settled();
}

#[test]
fn events_are_counted_and_forgotten() {
    let mut world = World::new();
    let about = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d", "uid": "u"}});
    let notice = crate::sandbox::controllers::Notice {
        about,
        sort: crate::sandbox::controllers::EventSort::Warning,
        reason: "BackOff".to_owned(),
        message: "again".to_owned(),
        component: "kubelet",
    };
    for _ in 0..3 {
        world.tell(notice.clone());
    }
    let events = world.all("", "Event");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["count"], 3);
    assert_eq!(events[0]["source"], json!({"component": "kubelet", "host": "sandbox"}));
    assert!(text(&events[0], "/metadata/name").starts_with("p."));
    world.pass(3600);
    assert!(world.all("", "Event").is_empty());
}

#[test]
fn a_change_is_noticed_where_it_matters() {
    let mut world = World::new();
    world.create(deployment(1));
    world.create(service(json!({"clusterIP": "10.96.0.9", "selector": {"app": "web"}, "ports": [{"port": 80}]})));
    world.settle();
    let pod = &world.all("", "Pod")[0];
    let keys = crate::sandbox::controllers::affected(&world, pod);
    assert!(keys.contains(&Key::of(pod)));
    assert!(keys.contains(&Key::of(&world.all("apps", "ReplicaSet")[0])));
    assert!(keys.contains(&Key::new("", "Service", "d", "web")));
}

#[test]
fn a_world_settles_the_same_from_every_half_done_state() {
    // Whatever is done first, the end is the same: only names and times of what was made may differ.
    let shape = |world: &World| -> Vec<String> {
        let shown = |object: &Value| format!("{} {:?}", text(object, "/kind"), readiness(object, None));
        let mut all: Vec<String> = world
            .kinds()
            .iter()
            .filter(|(_, kind, _)| kind != "Event")
            .flat_map(|(group, kind, _)| world.all(group, kind))
            .map(|object| shown(&object))
            .collect();
        all.sort();
        all
    };
    let build = |limit: Option<usize>| {
        let mut world = World::new();
        world.create(deployment(3));
        world.create(super::stateful_sets::stateful(2));
        world.create(super::batch::job("j", json!({"completions": 3, "parallelism": 2, "backoffLimit": 6})));
        world.create(service(json!({"clusterIP": "10.96.0.9", "selector": {"app": "web"}, "ports": [{"port": 80}]})));
        if let Some(limit) = limit {
            world.work(limit);
            // Whoever did this is gone, with all that it had in mind.
            world.forget();
        }
        world.settle();
        world.assert_settled();
        shape(&world)
    };
    let whole = build(None);
    for limit in (1..160).step_by(6) {
        assert_eq!(build(Some(limit)), whole, "stopped after {limit} deeds");
    }
}

#[test]
fn pods_are_available_only_after_their_time() {
    let mut world = World::new();
    let mut web = deployment(2);
    set(&mut web, &["spec", "minReadySeconds"], json!(10));
    world.create(web);
    world.settle();
    let web = world.read("apps", "Deployment", "web");
    assert_eq!((&web["status"]["readyReplicas"], &web["status"]["availableReplicas"]), (&json!(2), &json!(0)));
    assert_eq!(condition(&web, "Available").1, "MinimumReplicasUnavailable");
    world.pass(10);
    assert_ready(&world.read("apps", "Deployment", "web"));
    world.assert_settled();
}

#[test]
fn a_cordoned_node_takes_no_pods_until_it_is_open_again() {
    let mut world = World::new();
    world.change("", "Node", "sandbox", |node| set(node, &["spec", "unschedulable"], json!(true)));
    world.create(deployment(1));
    world.settle();
    let message = "0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes \
                   are available: 1 Preemption is not helpful for scheduling.";
    assert_eq!(condition(&world.all("", "Pod")[0], "PodScheduled").2, message);
    world.change("", "Node", "sandbox", |node| set(node, &["spec", "unschedulable"], json!(false)));
    world.settle();
    assert_ready(&world.read("apps", "Deployment", "web"));
}
