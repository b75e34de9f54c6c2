use serde_json::{Value, json};

use super::*;
use crate::sandbox::strategy::fields::put;
use crate::sandbox::strategy::tests::{Stored, decoded, kind, letters};

fn namespace(phase: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}, "status": {"phase": phase}})
}

fn account() -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "n"},
        "imagePullSecrets": [{"name": "pull"}]})
}

fn cluster(others: impl IntoIterator<Item = Value>) -> Stored {
    Stored::with([namespace("Active"), account()].into_iter().chain(others))
}

fn pod(spec: Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "n"}, "spec": {
        "containers": [{"name": "a", "image": "i"}]
    }});
    if let (Some(all), Value::Object(more)) = (pod["spec"].as_object_mut(), spec) {
        all.extend(more);
    }
    decoded(&kind("v1", "Pod").schema, &mut pod);
    pod
}

/// Admits an object and judges it; returns it or the message of the refusal.
fn admitted(view: &Stored, mut object: Value) -> Result<Value, String> {
    let kind = kind(text(&object, &["apiVersion"]), text(&object, &["kind"]));
    let mut all = || {
        admit_create(view, &kind, None, &mut object, &mut letters)?;
        review(view, &kind, None, Operation::Create, &object).map(|_| object.clone())
    };
    all().map_err(|refusal| format!("{} {}", refusal.code, refusal.message))
}

fn refused(view: &Stored, object: Value) -> String {
    admitted(view, object).unwrap_err()
}

#[test]
fn namespaces_are_to_be_there_and_to_stay() {
    let map = || json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "n"}});
    assert_eq!(refused(&Stored::default(), map()), "404 namespaces \"n\" not found");
    let ending = Stored::with([namespace("Terminating")]);
    let refusal = admit_create(&ending, &kind("v1", "ConfigMap"), None, &mut map(), &mut letters).unwrap_err().status();
    assert_eq!(
        refusal["message"],
        "configmaps \"x\" is forbidden: unable to create new content in namespace n because it is being terminated"
    );
    assert_eq!(
        refusal["details"],
        json!({"name": "x", "kind": "configmaps", "causes": [{
            "reason": "NamespaceTerminating", "message": "namespace n is being terminated", "field": "metadata.namespace"
        }]})
    );
    assert!(admit_update(&ending, &kind("v1", "ConfigMap"), None, &map(), &mut map()).is_ok());
}

#[test]
fn three_namespaces_cannot_be_deleted() {
    let view = Stored::default();
    let delete = |name: &str| {
        let object = json!({"metadata": {"name": name}});
        admit_delete(&view, &kind("v1", "Namespace"), &object).map_err(|refusal| refusal.message)
    };
    assert_eq!(
        delete("default").unwrap_err(),
        "namespaces \"default\" is forbidden: this namespace may not be deleted"
    );
    assert!(delete("kube-public").is_err() && delete("kube-node-lease").is_ok());
}

#[test]
fn a_pod_gets_its_account_token_tolerations_and_priority() {
    let pod = admitted(&cluster([]), pod(json!({}))).unwrap();
    let spec = &pod["spec"];
    assert_eq!((&spec["serviceAccountName"], &spec["serviceAccount"]), (&json!("default"), &json!("default")));
    assert_eq!(spec["volumes"][0]["name"], "kube-api-access-x7k2p");
    assert_eq!(
        spec["containers"][0]["volumeMounts"],
        json!([{"name": "kube-api-access-x7k2p", "readOnly": true,
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}])
    );
    assert_eq!(spec["imagePullSecrets"], json!([{"name": "pull"}]));
    assert_eq!((&spec["priority"], &spec["preemptionPolicy"]), (&json!(0), &json!("PreemptLowerPriority")));
    assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(2));
    let quiet = admitted(&cluster([]), super::tests::pod(json!({"automountServiceAccountToken": false}))).unwrap();
    assert_eq!(quiet["spec"].get("volumes"), None);
}

#[test]
fn accounts_and_classes_of_a_pod_are_to_be_there() {
    let view =
        cluster([json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"},
        "value": 7, "preemptionPolicy": "PreemptLowerPriority"})]);
    let why = |spec: Value| refused(&view, pod(spec));
    let mut generated = pod(json!({"serviceAccountName": "nope"}));
    put(&mut generated, &["metadata"], json!({"generateName": "gen-", "namespace": "n"}));
    insta::assert_snapshot!(refused(&view, generated), @r#"403 pods "gen-" is forbidden: error looking up service account n/nope: serviceaccount "nope" not found"#);
    insta::assert_snapshot!(why(json!({"priorityClassName": "nope"})), @r#"403 pods "x" is forbidden: no PriorityClass with name nope was found"#);
    insta::assert_snapshot!(why(json!({"priority": 3})), @r#"403 pods "x" is forbidden: the integer value of priority (3) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name"#);
    insta::assert_snapshot!(why(json!({"priorityClassName": "high", "preemptionPolicy": "Never"})), @r#"403 pods "x" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name"#);
    insta::assert_snapshot!(why(json!({"runtimeClassName": "nope"})), @r#"403 pods "x" is forbidden: pod rejected: RuntimeClass "nope" not found"#);
    insta::assert_snapshot!(why(json!({"overhead": {"cpu": "1"}})), @r#"403 pods "x" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"#);
}

#[test]
fn limit_ranges_fill_in_and_refuse() {
    let view =
        cluster([json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "lr", "namespace": "n"},
        "spec": {"limits": [
            {"type": "Container", "default": {"cpu": "500m", "memory": "64Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "64Mi"}, "max": {"cpu": "2"}, "min": {"cpu": "50m"},
                "maxLimitRequestRatio": {"cpu": "10"}},
            {"type": "Pod", "max": {"cpu": "3", "memory": "1Gi"}},
            {"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}, "min": {"storage": "1Gi"}}
        ]}})]);
    let filled = admitted(&view, pod(json!({"initContainers": [{"name": "z", "image": "i"}]}))).unwrap();
    assert_eq!(
        filled["metadata"]["annotations"]["kubernetes.io/limit-ranger"],
        "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a; cpu, memory \
         request for init container z; cpu, memory limit for init container z"
    );
    assert_eq!(
        filled["spec"]["initContainers"][0]["resources"],
        json!({"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}})
    );
    let greedy = pod(json!({"containers": [
        {"name": "a", "image": "i", "resources": {"requests": {"cpu": "10m"}, "limits": {"cpu": "4"}}}
    ]}));
    insta::assert_snapshot!(refused(&view, greedy), @r#"403 pods "x" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, maximum cpu usage per Container is 2, but limit is 4, cpu max limit to request ratio per Container is 10, but provided ratio is 400.000000, maximum cpu usage per Pod is 3, but limit is 4]"#);
    let claim = |size: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "x", "namespace": "n"},
            "spec": {"resources": {"requests": {"storage": size}}}})
    };
    insta::assert_snapshot!(refused(&view, claim("3Gi")), @r#"403 persistentvolumeclaims "x" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"#);
    insta::assert_snapshot!(refused(&view, claim("100Mi")), @r#"403 persistentvolumeclaims "x" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 100Mi"#);
}

fn quota(hard: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "n"},
        "spec": {"hard": hard}})
}

#[test]
fn quotas_refuse_what_is_too_much() {
    let root =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": "n"}});
    let hard = json!({"pods": "1", "requests.cpu": "1", "limits.memory": "1Gi", "count/deployments.apps": "0",
        "configmaps": "1", "services.nodeports": "1"});
    let view = cluster([root, quota(hard)]);
    insta::assert_snapshot!(refused(&view, pod(json!({}))), @r#"403 pods "x" is forbidden: failed quota: q: must specify limits.memory for: a; requests.cpu for: a"#);
    let greedy = pod(json!({"containers": [
        {"name": "a", "image": "i", "resources": {"requests": {"cpu": "1500m"}, "limits": {"memory": "1.5Gi"}}}
    ]}));
    insta::assert_snapshot!(refused(&view, greedy), @r#"403 pods "x" is forbidden: exceeded quota: q, requested: limits.memory=1536Mi,requests.cpu=1500m, used: limits.memory=0,requests.cpu=0, limited: limits.memory=1Gi,requests.cpu=1"#);
    let object = |api_version: &str, kind: &str, spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec});
    insta::assert_snapshot!(refused(&view, object("apps/v1", "Deployment", json!({}))), @r#"403 deployments.apps "x" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=0, limited: count/deployments.apps=0"#);
    insta::assert_snapshot!(refused(&view, object("v1", "ConfigMap", json!({}))), @r#"403 configmaps "x" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1"#);
    let ports = json!({"type": "NodePort", "ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]});
    insta::assert_snapshot!(refused(&view, object("v1", "Service", ports)), @r#"403 services "x" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1"#);
    assert!(admitted(&view, object("v1", "Secret", json!({}))).is_ok());
}

#[test]
fn the_status_of_a_quota_counts_what_is_there() {
    let quota = quota(json!({"pods": "3", "requests.cpu": "1", "configmaps": "1", "secrets": "5"}));
    let small = pod(json!({"containers": [{"name": "a", "image": "i", "resources": {"requests": {"cpu": "250m"}}}]}));
    let mut second = small.clone();
    put(&mut second, &["metadata", "name"], "y");
    let view = cluster([quota.clone(), small, second]);
    let kinds = [kind("v1", "Pod"), kind("v1", "ConfigMap"), kind("v1", "Secret")];
    assert_eq!(
        quota_status(&view, &kinds, &quota),
        json!({"hard": quota["spec"]["hard"],
            "used": {"pods": "2", "requests.cpu": "500m", "configmaps": "0", "secrets": "0"}})
    );
}

#[test]
fn claims_grow_only_where_their_class_allows_it() {
    let class = |allows: bool| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "c"},
            "allowVolumeExpansion": allows})
    };
    let claim = |size: &str, phase: &str| {
        json!({"metadata": {"name": "x", "namespace": "n"}, "status": {"phase": phase},
            "spec": {"storageClassName": "c", "resources": {"requests": {"storage": size}}}})
    };
    let grow = |allows: bool, phase: &str| {
        let (view, live) = (cluster([class(allows)]), claim("1Gi", phase));
        let kind = kind("v1", "PersistentVolumeClaim");
        let result = review(&view, &kind, None, Operation::Update(&live), &claim("2Gi", phase));
        result.map_err(|refusal| refusal.message)
    };
    assert!(grow(true, "Bound").is_ok());
    insta::assert_snapshot!(grow(true, "Pending").unwrap_err(), @r#"persistentvolumeclaims "x" is forbidden: Only bound persistent volume claims can be expanded"#);
    insta::assert_snapshot!(grow(false, "Bound").unwrap_err(), @r#"persistentvolumeclaims "x" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"#);
}

#[test]
fn a_runtime_class_brings_overhead_and_a_place() {
    let class = json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "r"}, "handler": "h",
        "overhead": {"podFixed": {"cpu": "250m"}},
        "scheduling": {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}]}});
    let view = cluster([class]);
    let pod_of = |spec: Value| super::tests::pod(spec);
    let pod = admitted(&view, pod_of(json!({"runtimeClassName": "r"}))).unwrap();
    assert_eq!((&pod["spec"]["overhead"], &pod["spec"]["nodeSelector"]), (&json!({"cpu": "250m"}), &json!({"a": "b"})));
    assert_eq!(pod["spec"]["tolerations"].as_array().map(Vec::len), Some(3));
    let other = pod_of(json!({"runtimeClassName": "r", "nodeSelector": {"a": "c"}}));
    insta::assert_snapshot!(refused(&view, other), @r#"403 pods "x" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c"#);
}

fn labelled(level: &str) -> Stored {
    let mut namespace = namespace("Active");
    let labels = json!({"pod-security.kubernetes.io/enforce": level, "pod-security.kubernetes.io/warn": "restricted"});
    put(&mut namespace, &["metadata", "labels"], labels);
    Stored::with([namespace, account()])
}

/// A pod that does all that is forbidden.
fn reckless() -> Value {
    pod(json!({
        "hostPID": true, "hostNetwork": true, "automountServiceAccountToken": false,
        "volumes": [{"name": "h", "hostPath": {"path": "/"}}, {"name": "n", "nfs": {"path": "/", "server": "s"}}],
        "securityContext": {
            "runAsUser": 0, "runAsNonRoot": false, "seccompProfile": {"type": "Unconfined"},
            "sysctls": [{"name": "kernel.msgmax", "value": "1"}], "seLinuxOptions": {"user": "u", "type": "t"}
        },
        "containers": [
            {"name": "a", "image": "i", "ports": [{"containerPort": 80, "hostPort": 80}], "securityContext": {
                "privileged": true, "capabilities": {"add": ["SYS_ADMIN", "CHOWN"]},
                "appArmorProfile": {"type": "Unconfined"}
            }, "livenessProbe": {"httpGet": {"port": 1, "host": "h"}}},
            {"name": "b", "image": "i", "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}, "runAsUser": 0,
                "seccompProfile": {"type": "Unconfined"}
            }}
        ]
    }))
}

#[test]
fn namespaces_hold_pods_to_a_standard() {
    insta::assert_snapshot!(refused(&labelled("restricted"), reckless()), @r#"403 pods "x" is forbidden: violates PodSecurity "restricted:latest": forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined"), host namespaces (hostNetwork=true, hostPID=true), hostPort (container "a" uses hostPort 80), probe or lifecycle host (container "a" uses probe or lifecycle host "h"), privileged (container "a" must not set securityContext.privileged=true), seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "t"; user may not be set), forbidden sysctls (kernel.msgmax), allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; containers "a", "b" must not include "CHOWN", "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add), restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs"), runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod and container "b" must not set runAsUser=0), seccompProfile (pod and container "b" must not set securityContext.seccompProfile.type to "Unconfined")"#);
    insta::assert_snapshot!(refused(&labelled("baseline"), reckless()), @r#"403 pods "x" is forbidden: violates PodSecurity "baseline:latest": forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined"), non-default capabilities (containers "a", "b" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add), host namespaces (hostNetwork=true, hostPID=true), hostPath volumes (volume "h"), hostPort (container "a" uses hostPort 80), probe or lifecycle host (container "a" uses probe or lifecycle host "h"), privileged (container "a" must not set securityContext.privileged=true), seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "t"; user may not be set), seccompProfile (pod and container "b" must not set securityContext.seccompProfile.type to "Unconfined"), forbidden sysctls (kernel.msgmax)"#);
}

#[test]
fn what_makes_pods_is_only_warned_of() {
    let deployment = json!({"metadata": {"name": "x", "namespace": "n"}, "spec": {"template": {"spec": {
        "containers": [{"name": "a", "image": "i"}]
    }}}});
    let kind = kind("apps/v1", "Deployment");
    let warnings = review(&labelled("restricted"), &kind, None, Operation::Create, &deployment).unwrap();
    insta::assert_snapshot!(warnings.join("|"), @r#"would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"#);
}

#[test]
fn labels_that_name_no_standard_are_refused() {
    let labels = json!({"pod-security.kubernetes.io/enforce": "nope", "pod-security.kubernetes.io/warn-version": "x"});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "q", "labels": labels}});
    insta::assert_snapshot!(refused(&Stored::default(), namespace), @r#"422 Namespace "q" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "nope": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "x": must be "latest" or "v1.x"]"#);
}
