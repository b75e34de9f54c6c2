use serde_json::{Value, json};

use crate::graph::NodeId;
use crate::graph::sample::{Sample, resource};
use crate::resource::ObjectRef;

/// Shows the edges of a stack that also has the namespace, without those to it.
fn edges(sample: Sample) -> String {
    let all = sample.plain("v1", "Namespace", None, "n").edges();
    all.lines().filter(|line| !line.contains("m.Namespace/n:")).collect::<Vec<_>>().join("\n")
}

fn container() -> Value {
    json!([{"name": "c"}])
}

#[test]
fn every_object_comes_after_its_namespace() {
    let sample = Sample::default()
        .plain("v1", "Namespace", None, "n")
        .plain("v1", "ConfigMap", Some("n"), "a")
        .plain("v1", "ConfigMap", Some("elsewhere"), "b")
        .plain("v1", "ConfigMap", Some("default"), "c")
        .pods("web", json!({"containers": container()}));
    insta::assert_snapshot!(sample.edges(), @"
    m.ConfigMap/a -> m.Namespace/n: is in namespace n
    m.Deployment/web -> m.Namespace/n: runs in namespace n
    m.ConfigMap/elsewhere/b -> outside: is in namespace elsewhere
    ");
}

#[test]
fn a_custom_resource_comes_after_its_definition() {
    let sample = Sample::default()
        .plain("example.com/v1", "Widget", Some("n"), "w")
        .plain("other.com/v1", "Widget", Some("n"), "w")
        .object(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}}}));
    insta::assert_snapshot!(edges(sample), @"m.Widget.example.com/w -> m.CustomResourceDefinition/widgets.example.com: defined by CustomResourceDefinition widgets.example.com");
}

#[test]
fn a_binding_comes_after_its_role_and_its_accounts() {
    let binding = |kind: &str, role: &str, name: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name, "namespace": "n"},
            "roleRef": {"kind": role, "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "sa"}, {"kind": "User", "name": "sa"},
                {"kind": "ServiceAccount", "name": "gone", "namespace": "n"},
                {"kind": "ServiceAccount", "name": "default", "namespace": "n"}]})
    };
    let sample = Sample::default()
        .object(binding("RoleBinding", "Role", "a"))
        .object(binding("RoleBinding", "ClusterRole", "b"))
        .plain("rbac.authorization.k8s.io/v1", "Role", Some("n"), "r")
        .plain("rbac.authorization.k8s.io/v1", "ClusterRole", None, "r")
        .plain("v1", "ServiceAccount", Some("n"), "sa");
    insta::assert_snapshot!(edges(sample), @"
    m.RoleBinding/a -> m.Role/r: roleRef Role r
    m.RoleBinding/a -> m.ServiceAccount/sa: subject ServiceAccount sa
    m.RoleBinding/b -> m.ClusterRole/r: roleRef ClusterRole r
    m.RoleBinding/b -> m.ServiceAccount/sa: subject ServiceAccount sa
    m.RoleBinding/a -> outside: subject ServiceAccount gone
    m.RoleBinding/b -> outside: subject ServiceAccount gone
    ");
}

#[test]
fn a_pod_template_comes_after_all_that_its_pods_need() {
    let spec = json!({
        "serviceAccountName": "sa", "priorityClassName": "high", "runtimeClassName": "gvisor",
        "imagePullSecrets": [{"name": "pull"}],
        "initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "init"}}, {"secretRef": {"name": "from"}}]}],
        "containers": [{"name": "c", "env": [
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "env", "key": "a"}}},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "env", "key": "b"}}},
            {"name": "C", "valueFrom": {"secretKeyRef": {"name": "maybe", "key": "b", "optional": true}}}]}],
        "volumes": [
            {"name": "1", "configMap": {"name": "mounted"}},
            {"name": "2", "secret": {"secretName": "mounted"}},
            {"name": "3", "projected": {"sources": [{"configMap": {"name": "projected"}}, {"secret": {"name": "projected"}}]}},
            {"name": "4", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "5", "configMap": {"name": "not-here"}},
            {"name": "6", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}}]
    });
    let mut sample = Sample::default()
        .pods("web", spec)
        .plain("v1", "ServiceAccount", Some("n"), "sa")
        .plain("v1", "PersistentVolumeClaim", Some("n"), "data")
        .plain("scheduling.k8s.io/v1", "PriorityClass", None, "high")
        .plain("node.k8s.io/v1", "RuntimeClass", None, "gvisor")
        .plain("storage.k8s.io/v1", "StorageClass", None, "fast")
        .plain("v1", "Secret", Some("n"), "pull")
        .plain("v1", "Secret", Some("n"), "from")
        .plain("v1", "ConfigMap", Some("n"), "init")
        .plain("v1", "ConfigMap", Some("other"), "not-here");
    for name in ["env", "mounted", "projected"] {
        sample = sample.plain("v1", "ConfigMap", Some("n"), name).plain("v1", "Secret", Some("n"), name);
    }
    insta::assert_snapshot!(edges(sample), @"
    m.Deployment/web -> m.ConfigMap/env: reads ConfigMap env
    m.Deployment/web -> m.ConfigMap/init: reads ConfigMap init
    m.Deployment/web -> m.ConfigMap/mounted: mounts ConfigMap mounted
    m.Deployment/web -> m.ConfigMap/projected: mounts ConfigMap projected
    m.Deployment/web -> m.PersistentVolumeClaim/data: mounts PersistentVolumeClaim data
    m.Deployment/web -> m.PriorityClass/high: has PriorityClass high
    m.Deployment/web -> m.RuntimeClass/gvisor: runs with RuntimeClass gvisor
    m.Deployment/web -> m.Secret/env: reads Secret env
    m.Deployment/web -> m.Secret/from: reads Secret from
    m.Deployment/web -> m.Secret/mounted: mounts Secret mounted
    m.Deployment/web -> m.Secret/projected: mounts Secret projected
    m.Deployment/web -> m.Secret/pull: pulls images with Secret pull
    m.Deployment/web -> m.ServiceAccount/sa: runs as ServiceAccount sa
    m.Deployment/web -> m.StorageClass/fast: has StorageClass fast
    m.ConfigMap/other/not-here -> outside: is in namespace other
    m.Deployment/web -> outside: mounts ConfigMap not-here
    ");
}

#[test]
fn a_pod_template_is_found_wherever_it_stands() {
    let template = json!({"spec": {"containers": container(), "serviceAccountName": "sa"}});
    let object = |api_version: &str, kind: &str, spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec});
    let sample = Sample::default()
        .plain("v1", "ServiceAccount", Some("n"), "sa")
        .object(object("v1", "Pod", template["spec"].clone()))
        .object(object("batch/v1", "Job", json!({"template": template.clone()})))
        .object(object("batch/v1", "CronJob", json!({"jobTemplate": {"spec": {"template": template.clone()}}})))
        .object(object("apps/v1", "DaemonSet", json!({"template": template.clone()})))
        .object(object("argoproj.io/v1alpha1", "Rollout", json!({"template": template})));
    insta::assert_snapshot!(edges(sample), @"
    m.CronJob/x -> m.ServiceAccount/sa: runs as ServiceAccount sa
    m.DaemonSet/x -> m.ServiceAccount/sa: runs as ServiceAccount sa
    m.Job/x -> m.ServiceAccount/sa: runs as ServiceAccount sa
    m.Pod/x -> m.ServiceAccount/sa: runs as ServiceAccount sa
    m.Rollout.argoproj.io/x -> m.ServiceAccount/sa: runs as ServiceAccount sa
    ");
}

#[test]
fn network_scaling_and_storage_refer_by_name() {
    let sample = Sample::default()
        .object(
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i", "namespace": "n"},
            "spec": {"ingressClassName": "nginx", "defaultBackend": {"service": {"name": "front"}},
                "tls": [{"secretName": "cert"}, {"secretName": "made-later"}],
                "rules": [{"http": {"paths": [{"backend": {"service": {"name": "api"}}}]}}]}}),
        )
        .plain("networking.k8s.io/v1", "IngressClass", None, "nginx")
        .plain("v1", "Service", Some("n"), "front")
        .plain("v1", "Service", Some("n"), "api")
        .plain("v1", "Secret", Some("n"), "cert")
        .object(json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "h", "namespace": "n"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}))
        .pods("web", json!({"containers": container()}))
        .object(
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "p", "namespace": "n"},
            "spec": {"storageClassName": "fast", "volumeName": "pv"}}),
        )
        .plain("storage.k8s.io/v1", "StorageClass", None, "fast")
        .plain("v1", "PersistentVolume", None, "pv")
        .object(json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s", "namespace": "n"},
            "spec": {"serviceName": "front", "volumeClaimTemplates": [{"spec": {"storageClassName": "fast"}}]}}));
    insta::assert_snapshot!(edges(sample), @"
    m.HorizontalPodAutoscaler/h -> m.Deployment/web: scales Deployment web
    m.Ingress/i -> m.IngressClass/nginx: has IngressClass nginx
    m.Ingress/i -> m.Secret/cert: TLS from Secret cert
    m.Ingress/i -> m.Service/api: routes to Service api
    m.Ingress/i -> m.Service/front: routes to Service front
    m.PersistentVolumeClaim/p -> m.PersistentVolume/pv: binds PersistentVolume pv
    m.PersistentVolumeClaim/p -> m.StorageClass/fast: has StorageClass fast
    m.StatefulSet/s -> m.Service/front: serviceName front
    m.StatefulSet/s -> m.StorageClass/fast: has StorageClass fast
    ");
}

#[test]
fn a_workload_comes_after_what_its_configuration_names_but_the_configuration_does_not() {
    let sample = Sample::default()
        .plain("v1", "ConfigMap", Some("n"), "config")
        .mentions("m.ConfigMap/config", "m.Deployment/db")
        .pods("db", json!({"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "config"}}]}]}))
        .pods("web", json!({"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "config"}}]}]}))
        .pods("worker", json!({"containers": container()}))
        .mentions("m.Deployment/worker", "m.Deployment/db");
    insta::assert_snapshot!(edges(sample), @"
    m.Deployment/db -> m.ConfigMap/config: reads ConfigMap config
    m.Deployment/web -> m.ConfigMap/config: reads ConfigMap config
    m.Deployment/web -> m.Deployment/db: connects to m by ConfigMap config
    m.Deployment/worker -> m.Deployment/db: connects to m
    ");
}

#[test]
fn a_check_comes_after_what_it_is_about_and_what_it_declares() {
    let sample = Sample::default()
        .check("it answers", ObjectRef::new("apps", "Deployment", Some("n"), "web"))
        .depends_on(NodeId::Check("it answers".to_owned()), resource("m.ConfigMap/a"), "declared in dependsOn")
        .depends_on(NodeId::Check("it answers".to_owned()), resource("m.ConfigMap/nowhere"), "declared in dependsOn")
        .plain("v1", "ConfigMap", Some("n"), "a")
        .pods("web", json!({"containers": container()}));
    insta::assert_snapshot!(edges(sample), @"
    check/it answers -> m.ConfigMap/a: declared in dependsOn
    check/it answers -> m.Deployment/web: checks Deployment web
    ");
}

fn webhook(rules: Value, more: Value) -> Value {
    let mut hook =
        json!({"name": "h", "clientConfig": {"service": {"namespace": "n", "name": "hook"}}, "rules": rules});
    for (key, value) in more.as_object().unwrap() {
        hook[key] = value.clone();
    }
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "w"}, "webhooks": [hook]})
}

/// A server `hook` with account, binding and Service; two custom resources and some plain objects.
fn served() -> Sample {
    Sample::default()
        .pods("hook", json!({"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "needed"}}]}], "serviceAccountName": "hook"}))
        .object(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook", "namespace": "n"},
            "spec": {"selector": {"app": "hook"}}}))
        .plain("v1", "ServiceAccount", Some("n"), "hook")
        .object(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "hook"},
            "roleRef": {"kind": "ClusterRole", "name": "hook"},
            "subjects": [{"kind": "ServiceAccount", "name": "hook", "namespace": "n"}]}))
        .plain("rbac.authorization.k8s.io/v1", "ClusterRole", None, "hook")
        .plain("v1", "ConfigMap", Some("n"), "needed")
        .plain("v1", "ConfigMap", Some("n"), "governed")
        .plain("example.com/v1", "Widget", Some("n"), "governed")
}

#[test]
fn a_webhook_comes_after_its_server_between_plain_objects_and_custom_resources() {
    let all = json!([{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["configmaps", "widgets"]}]);
    insta::assert_snapshot!(edges(served().object(webhook(all, json!({})))), @"
    m.ClusterRoleBinding/hook -> m.ClusterRole/hook: roleRef ClusterRole hook
    m.ClusterRoleBinding/hook -> m.ServiceAccount/hook: subject ServiceAccount hook
    m.Deployment/hook -> m.ConfigMap/needed: reads ConfigMap needed
    m.Deployment/hook -> m.ServiceAccount/hook: runs as ServiceAccount hook
    m.ValidatingWebhookConfiguration/w -> m.ClusterRoleBinding/hook: its server acts by ClusterRoleBinding hook
    m.ValidatingWebhookConfiguration/w -> m.ConfigMap/governed: governs ConfigMap governed
    m.ValidatingWebhookConfiguration/w -> m.ConfigMap/needed: governs ConfigMap needed
    m.ValidatingWebhookConfiguration/w -> m.Deployment/hook: served by Deployment hook
    m.ValidatingWebhookConfiguration/w -> m.Service/hook: calls Service hook
    m.Widget.example.com/governed -> m.ValidatingWebhookConfiguration/w: governed by ValidatingWebhookConfiguration w
    ");
}

#[test]
fn an_object_that_waits_for_a_custom_resource_is_not_put_before_the_webhook_that_governs_both() {
    let all = json!([{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}]);
    let graph = served()
        .object(webhook(all, json!({})))
        .depends_on(resource("m.ConfigMap/governed"), resource("m.Widget.example.com/governed"), "declared")
        .build()
        .unwrap();
    let place = |id: &str| graph.index_of(&resource(id)).unwrap();
    let hook = place("m.ValidatingWebhookConfiguration/w");
    assert!(place("m.Deployment/hook") < hook && hook < place("m.Widget.example.com/governed"));
    assert!(hook < place("m.ConfigMap/governed"), "it waits for the widget, and so for the webhook");
}

#[test]
fn a_custom_resource_that_the_server_itself_needs_comes_before_the_webhook() {
    let all = json!([{"apiGroups": ["example.com"], "apiVersions": ["v1"], "resources": ["widgets"]}]);
    let graph = served()
        .object(webhook(all, json!({})))
        .depends_on(resource("m.Deployment/hook"), resource("m.Widget.example.com/governed"), "declared")
        .build()
        .unwrap();
    let place = |id: &str| graph.index_of(&resource(id)).unwrap();
    assert!(place("m.Widget.example.com/governed") < place("m.ValidatingWebhookConfiguration/w"));
}

#[test]
fn a_webhook_governs_only_what_its_selectors_select() {
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]);
    let governs =
        |more: Value| edges(served().object(webhook(rules.clone(), more))).contains("governs ConfigMap governed");
    assert!(governs(json!({})));
    assert!(!governs(json!({"objectSelector": {"matchLabels": {"opted": "in"}}})));
    let own =
        json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["n"]}]});
    assert!(!governs(json!({"namespaceSelector": own})));
}

#[test]
fn an_api_service_comes_before_the_objects_of_its_version() {
    let sample = served().object(json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1.example.com"},
        "spec": {"group": "example.com", "version": "v1", "service": {"namespace": "n", "name": "hook"}}}));
    let shown = edges(sample);
    assert!(shown.contains(
        "m.Widget.example.com/governed -> m.APIService/v1.example.com: governed by APIService v1.example.com"
    ));
    assert!(shown.contains("m.APIService/v1.example.com -> m.Deployment/hook: served by Deployment hook"));
}

#[test]
fn converted_custom_resources_come_after_the_server_that_converts_them() {
    let sample = served().object(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"}, "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"},
            "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"service": {"namespace": "n", "name": "hook"}}}}}}));
    assert!(edges(sample).contains("m.Widget.example.com/governed -> m.Deployment/hook: converted"));
}
