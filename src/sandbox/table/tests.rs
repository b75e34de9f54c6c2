use serde_json::json;

use super::*;
use crate::sandbox::custom::kinds_of;
use crate::sandbox::kinds::Kinds;

const NOW: &str = "2026-11-22T12:00:00Z";

/// Returns the cells that an object has in a table. Its age is a minute.
fn row(api_version: &str, kind: &str, mut object: Value) -> Value {
    object["metadata"]["name"] = json!("x");
    object["metadata"]["creationTimestamp"] = json!("2026-11-22T11:59:00Z");
    let kinds = Kinds::new();
    let kind = kinds.of_object(api_version, kind).unwrap();
    let all = [Arc::new(object)];
    let now = NOW.parse().unwrap();
    let mut table = table(kind, &all, &json!({}), IncludeObject::None, now, true, TableVersion::V1);
    table["rows"][0].take()
}

fn cells(api_version: &str, kind: &str, object: Value) -> String {
    row(api_version, kind, object)["cells"].to_string()
}

#[test]
fn every_kind_with_columns_has_as_many_cells() {
    let kinds = Kinds::new();
    for kind in kinds.iter().filter(|kind| kind.verbs.contains(&"list")) {
        let all = [Arc::new(json!({"metadata": {"name": "x"}}))];
        let now = NOW.parse().unwrap();
        let table = table(kind, &all, &json!({}), IncludeObject::Metadata, now, true, TableVersion::V1);
        let columns = table["columnDefinitions"].as_array().unwrap().len();
        let cells = table["rows"][0]["cells"].as_array().unwrap().len();
        // The server has a cell too many for these.
        let more = usize::from(kind.kind == "IPAddress");
        assert_eq!(cells, columns + more, "{}", kind.kind);
    }
}

#[test]
fn a_pod_says_what_it_waits_for() {
    let sidecar = json!([{"name": "i", "image": "x"}, {"name": "s", "image": "x", "restartPolicy": "Always"}]);
    let containers = json!([{"name": "a", "image": "x"}, {"name": "b", "image": "x"}]);
    let waiting = json!({
        "metadata": {},
        "spec": {"containers": containers, "initContainers": sidecar, "readinessGates": [
            {"conditionType": "a.b/c"}, {"conditionType": "d.e/f"}]},
        "status": {"phase": "Pending", "conditions": [{"type": "a.b/c", "status": "True"}], "initContainerStatuses": [
            {"name": "i", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
             "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-22T11:31:00Z"}}}]}
    });
    assert_eq!(
        cells("v1", "Pod", waiting),
        r#"["x","0/3","Init:CrashLoopBackOff","2 (29m ago)","60s","<none>","<none>","<none>","1/2"]"#
    );
    let running = json!({
        "metadata": {},
        "spec": {"containers": containers, "initContainers": sidecar, "nodeName": "n"},
        "status": {"phase": "Running", "podIPs": [{"ip": "10.1.1.1"}], "conditions": [{"type": "Ready", "status": "True"}],
            "initContainerStatuses": [
                {"name": "i", "restartCount": 0, "state": {"terminated": {"exitCode": 0}}},
                {"name": "s", "restartCount": 3, "ready": true, "started": true, "state": {"running": {}},
                 "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-22T11:11:00Z"}}}],
            "containerStatuses": [
                {"name": "a", "restartCount": 1, "ready": true, "state": {"running": {}},
                 "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-22T11:01:00Z"}}},
                {"name": "b", "restartCount": 0, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}
    });
    assert_eq!(
        cells("v1", "Pod", running),
        r#"["x","2/3","Running","4 (49m ago)","60s","10.1.1.1","n","<none>","<none>"]"#
    );
    let gated = json!({"metadata": {}, "spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}});
    assert!(cells("v1", "Pod", gated).starts_with(r#"["x","0/1","SchedulingGated","0""#));
    let going = json!({"metadata": {"deletionTimestamp": NOW}, "spec": {"containers": [{"name": "a"}]},
        "status": {"phase": "Running"}});
    assert!(cells("v1", "Pod", going).starts_with(r#"["x","0/1","Terminating","0""#));
}

#[test]
fn a_pod_that_is_over_says_how_it_ended() {
    let pod = |phase: &str, statuses: Value| {
        let spec = json!({"containers": [{"name": "a"}, {"name": "b"}]});
        json!({"metadata": {}, "spec": spec, "status": {"phase": phase, "containerStatuses": statuses}})
    };
    let failed = row(
        "v1",
        "Pod",
        pod(
            "Failed",
            json!([
        {"name": "a", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
        {"name": "b", "state": {"terminated": {"exitCode": 3}}}]),
        ),
    );
    assert_eq!(failed["cells"][2], "ExitCode:3");
    insta::assert_snapshot!(failed["conditions"], @r#"[{"message":"The pod failed.","reason":"Failed","status":"True","type":"Completed"}]"#);
    let killed = pod("Succeeded", json!([{"name": "a", "state": {"terminated": {"exitCode": 137, "signal": 9}}}]));
    assert_eq!(row("v1", "Pod", killed)["cells"][2], "Signal:9");
}

#[test]
fn services_and_what_is_behind_them() {
    let balancer = json!({
        "metadata": {},
        "spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.79.114"], "externalIPs": ["1.2.3.4"],
            "selector": {"b": "c", "a": "d"}, "ports": [
                {"port": 80, "protocol": "TCP", "nodePort": 32024}, {"port": 81, "protocol": "UDP"}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": "z.y"}, {"ip": "9.9.9.9"}]}}
    });
    assert_eq!(
        cells("v1", "Service", balancer),
        r#"["x","LoadBalancer","10.96.79.114","9.9.9.9,z.y,1.2.3.4","80:32024/TCP,81/UDP","60s","a=d,b=c"]"#
    );
    let headless = json!({"metadata": {}, "spec": {"type": "ClusterIP", "clusterIPs": ["None"]}});
    assert_eq!(cells("v1", "Service", headless), r#"["x","ClusterIP","None","<none>","<none>","60s","<none>"]"#);
    let endpoints = json!({"metadata": {}, "subsets": [
        {"addresses": [{"ip": "1.2.3.4"}, {"ip": "1.2.3.5"}], "ports": [{"port": 80}, {"port": 81}]},
        {"addresses": [{"ip": "1.2.3.9"}]}]});
    assert_eq!(cells("v1", "Endpoints", endpoints), r#"["x","1.2.3.4:80,1.2.3.5:80,1.2.3.4:81 + 2 more...","60s"]"#);
    let slice = json!({"metadata": {}, "addressType": "IPv4", "ports": [{"name": "b"}, {"port": 81}], "endpoints": []});
    assert_eq!(cells("discovery.k8s.io/v1", "EndpointSlice", slice), r#"["x","IPv4","b,81","<unset>","60s"]"#);
    let hosts = ["a.b", "c.d", "e.f", "g.h", "i.j"].map(|host| json!({"host": host}));
    let ingress = json!({"metadata": {}, "spec": {"ingressClassName": "foo", "tls": [{}], "rules": hosts}});
    assert_eq!(
        cells("networking.k8s.io/v1", "Ingress", ingress),
        r#"["x","foo","a.b,c.d,e.f + 2 more...","","80, 443","60s"]"#
    );
    let policy = json!({"metadata": {}, "spec": {"podSelector": {"matchLabels": {"z": "yy"}, "matchExpressions": [
        {"key": "a", "operator": "In", "values": ["c", "b"]}, {"key": "b", "operator": "NotIn", "values": ["c"]},
        {"key": "d", "operator": "Exists"}, {"key": "e", "operator": "DoesNotExist"}]}}});
    assert_eq!(
        cells("networking.k8s.io/v1", "NetworkPolicy", policy),
        r#"["x","a in (b,c),b notin (c),d,!e,z=yy","60s"]"#
    );
}

#[test]
fn metrics_are_what_there_is_and_what_should_be() {
    let autoscaler = json!({
        "metadata": {},
        "spec": {"minReplicas": 1, "maxReplicas": 4, "scaleTargetRef": {"kind": "Deployment", "name": "foo"}, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 50}}},
            {"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "500Mi"}}},
            {"type": "External", "external": {"target": {"value": "30"}}}]},
        "status": {"currentReplicas": 2, "currentMetrics": [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}]}
    });
    assert_eq!(
        cells("autoscaling/v2", "HorizontalPodAutoscaler", autoscaler),
        r#"["x","Deployment/foo","cpu: 40%/50%, memory: <unknown>/500Mi + 1 more...","1",4,2,"60s"]"#
    );
    let autoscaler = json!({"metadata": {}, "spec": {"minReplicas": 2, "maxReplicas": 4, "scaleTargetRef": {
        "kind": "Deployment", "name": "foo"}, "metrics": [
            {"type": "Object", "object": {"target": {"value": "15"}}},
            {"type": "External", "external": {"target": {"averageValue": "30"}}}]}});
    assert_eq!(
        row("autoscaling/v2", "HorizontalPodAutoscaler", autoscaler)["cells"][2],
        "<unknown>/15, <unknown>/30 (avg)"
    );
}

#[test]
fn workloads_and_storage() {
    let template = json!({"spec": {"containers": [{"name": "a", "image": "b"}, {"name": "c", "image": "d"}]}});
    let deployment = json!({"metadata": {}, "spec": {"replicas": 3, "template": template, "selector": {"matchLabels": {
        "a": "b"}}}, "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}});
    assert_eq!(cells("apps/v1", "Deployment", deployment), r#"["x","1/3",2,1,"60s","a,c","b,d","a=b"]"#);
    let job = json!({"metadata": {}, "spec": {"parallelism": 3, "template": template},
        "status": {"conditions": [{"type": "Suspended", "status": "True"}]}});
    assert_eq!(cells("batch/v1", "Job", job), r#"["x","Suspended","0/1 of 3","","60s","a,c","b,d","<none>"]"#);
    let claim = json!({"metadata": {}, "spec": {"storageClassName": "s", "volumeName": "v", "volumeMode": "Filesystem"},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"]}});
    assert_eq!(
        cells("v1", "PersistentVolumeClaim", claim),
        r#"["x","Bound","v","1Gi","RWO,RWX","s","<unset>","60s","Filesystem"]"#
    );
    let quota = json!({"metadata": {}, "status": {"hard": {"requests.cpu": "100", "limits.cpu": "20", "pods": "50"},
        "used": {"pods": "3", "limits.cpu": "0", "requests.cpu": "0"}}});
    assert_eq!(
        cells("v1", "ResourceQuota", quota),
        r#"["x","pods: 3/50, requests.cpu: 0/100","limits.cpu: 0/20","60s"]"#
    );
}

#[test]
fn a_custom_kind_has_the_columns_of_its_definition() {
    let columns = [
        ("Size", "integer", ".spec.replicas"),
        ("When", "date", ".status.when"),
        ("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
        ("Map", "string", ".spec.map"),
        ("Number", "string", ".spec.number"),
        ("Wrong", "integer", ".spec.text"),
        ("Bad", "date", ".spec.text"),
        ("Flag", "boolean", ".spec.flag"),
    ]
    .map(|(name, kind, path)| json!({"name": name, "type": kind, "jsonPath": path}));
    let version = json!({"name": "v1", "served": true, "storage": true, "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": {"type": "object"}}});
    let plain = json!({"name": "v2", "served": true, "schema": {"openAPIV3Schema": {"type": "object"}}});
    let names = json!({"plural": "widgets", "kind": "Widget"});
    let spec = json!({"group": "example.com", "scope": "Cluster", "names": names, "versions": [version, plain]});
    let kinds = kinds_of(&json!({"spec": spec}));
    let widget = json!({
        "metadata": {"name": "one", "creationTimestamp": "2026-11-22T11:59:00Z"},
        "spec": {"replicas": 3, "number": 1.5, "text": "a", "flag": true, "map": {"a.b": "x", "c": "d"}},
        "status": {"when": "2026-11-22T10:12:00Z", "conditions": [{"type": "Ready", "status": "True"}]}
    });
    let table_of = |kind: &Kind| {
        let now = NOW.parse().unwrap();
        table(kind, &[Arc::new(widget.clone())], &json!({}), IncludeObject::None, now, true, TableVersion::V1)
    };
    let told = table_of(&kinds[0]);
    assert_eq!(
        told["rows"][0]["cells"].to_string(),
        r#"["one",3,"108m","True","{\"a.b\":\"x\",\"c\":\"d\"}","1.5",null,"<invalid>",true]"#
    );
    assert_eq!(
        told["columnDefinitions"][1]["description"],
        "Custom resource definition column (in JSONPath format): .spec.replicas"
    );
    assert_eq!(table_of(&kinds[1])["rows"][0]["cells"].to_string(), r#"["one","60s"]"#);
}

#[test]
fn the_frame_is_that_of_the_server() {
    let kinds = Kinds::new();
    let kind = kinds.of_object("v1", "ConfigMap").unwrap();
    let object = Arc::new(json!({"metadata": {"name": "a"}, "data": {"k": "v"}}));
    let metadata = json!({"resourceVersion": "7", "continue": "", "remainingItemCount": 2, "name": "a"});
    let table_of = |objects: &[Arc<Value>], include, head, version| {
        table(kind, objects, &metadata, include, NOW.parse().unwrap(), head, version)
    };
    let all = [Arc::clone(&object)];
    insta::assert_snapshot!(
        table_of(&all, IncludeObject::Metadata, false, TableVersion::V1Beta1),
        @r#"{"apiVersion":"meta.k8s.io/v1beta1","columnDefinitions":null,"kind":"Table","metadata":{"remainingItemCount":2,"resourceVersion":"7"},"rows":[{"cells":["a",1,"<unknown>"],"object":{"apiVersion":"meta.k8s.io/v1beta1","kind":"PartialObjectMetadata","metadata":{"name":"a"}}}]}"#
    );
    insta::assert_snapshot!(
        table_of(&all, IncludeObject::Object, false, TableVersion::V1)["rows"][0]["object"],
        @r#"{"apiVersion":"v1","data":{"k":"v"},"kind":"ConfigMap","metadata":{"name":"a"}}"#
    );
    assert_eq!(table_of(&[], IncludeObject::None, true, TableVersion::V1)["rows"], json!([]));
    let roles = kinds.of_object("rbac.authorization.k8s.io/v1", "Role").unwrap();
    let empty = table(roles, &[], &metadata, IncludeObject::None, NOW.parse().unwrap(), true, TableVersion::V1);
    assert_eq!(empty["rows"], Value::Null);
    assert_eq!(empty["columnDefinitions"][1]["name"], "Created At");
}
