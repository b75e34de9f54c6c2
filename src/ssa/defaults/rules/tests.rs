//! One specification a rule. The suite holds all of them to a real server, too.

use serde_json::{Value, json};

use crate::ssa::{builtin, with_defaults};

fn filled(group: &str, version: &str, kind: &str, mut object: Value) -> Value {
    with_defaults(&builtin(group, version, kind).unwrap(), &mut object);
    object
}

/// The spec of the pods that a template in a Deployment makes.
fn in_template(spec: Value) -> Value {
    let object = json!({"metadata": {"name": "x"}, "spec": {"template": {"spec": spec}}});
    filled("apps", "v1", "Deployment", object)["spec"]["template"]["spec"].clone()
}

fn pod(spec: Value) -> Value {
    filled("", "v1", "Pod", json!({"metadata": {"name": "x"}, "spec": spec}))["spec"].clone()
}

fn service(spec: Value) -> Value {
    filled("", "v1", "Service", json!({"metadata": {"name": "x"}, "spec": spec}))["spec"].clone()
}

#[test]
fn an_image_of_the_latest_tag_or_of_none_is_always_pulled() {
    for (image, policy) in [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("example.com:5000/a", "Always"),
        ("a:1", "IfNotPresent"),
        ("example.com:5000/a:1", "IfNotPresent"),
        ("a@sha256:00", "IfNotPresent"),
    ] {
        let spec = in_template(json!({"containers": [{"name": "a", "image": image}]}));
        assert_eq!(spec["containers"][0]["imagePullPolicy"], policy, "{image}");
    }
    let spec = in_template(json!({"containers": [{"name": "a", "image": "a", "imagePullPolicy": "Never"}]}));
    assert_eq!(spec["containers"][0]["imagePullPolicy"], "Never");
}

#[test]
fn pods_get_requests_from_limits_and_templates_do_not() {
    let spec = json!({"containers": [{"name": "a", "image": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"},
        "requests": {"cpu": "100m"}}}]});
    assert_eq!(pod(spec.clone())["containers"][0]["resources"]["requests"], json!({"cpu": "100m", "memory": "1Gi"}));
    assert_eq!(in_template(spec)["containers"][0]["resources"]["requests"], json!({"cpu": "100m"}));
}

#[test]
fn a_negative_time_to_go_is_a_second_in_pods_and_stays_in_templates() {
    assert_eq!(pod(json!({"terminationGracePeriodSeconds": -30}))["terminationGracePeriodSeconds"], 1);
    assert_eq!(in_template(json!({"terminationGracePeriodSeconds": -30}))["terminationGracePeriodSeconds"], -30);
}

#[test]
fn pods_on_the_network_of_the_host_take_its_ports() {
    let spec =
        json!({"hostNetwork": true, "containers": [{"name": "a", "image": "a", "ports": [{"containerPort": 80}]}]});
    assert_eq!(pod(spec.clone())["containers"][0]["ports"][0]["hostPort"], 80);
    assert_eq!(in_template(spec.clone())["containers"][0]["ports"][0].get("hostPort"), None);
    assert_eq!(
        (&pod(spec.clone())["enableServiceLinks"], in_template(spec).get("enableServiceLinks")),
        (&json!(true), None)
    );
}

#[test]
fn the_service_account_has_two_names() {
    assert_eq!(in_template(json!({"serviceAccountName": "a"}))["serviceAccount"], "a");
    assert_eq!(in_template(json!({"serviceAccountName": "a", "serviceAccount": "b"}))["serviceAccount"], "a");
    assert_eq!(in_template(json!({"serviceAccount": "b"}))["serviceAccountName"], "b");
}

#[test]
fn a_volume_without_source_is_empty() {
    let spec = in_template(json!({"volumes": [{"name": "a"}, {"name": "b", "hostPath": {"path": "/b"}}]}));
    assert_eq!(
        spec["volumes"],
        json!([{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": {"path": "/b", "type": ""}}])
    );
}

#[test]
fn what_a_service_gets_depends_on_its_type() {
    let plain = service(json!({"ports": [{"port": 80}, {"port": 81, "targetPort": "a"}]}));
    let ports =
        json!([{"port": 80, "protocol": "TCP", "targetPort": 80}, {"port": 81, "protocol": "TCP", "targetPort": "a"}]);
    assert_eq!(
        plain,
        json!({"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "ports": ports})
    );
    assert_eq!(service(json!({"type": "NodePort"}))["externalTrafficPolicy"], "Cluster");
    assert_eq!(service(json!({"externalIPs": ["1.2.3.4"]}))["externalTrafficPolicy"], "Cluster");
    assert_eq!(service(json!({"type": "LoadBalancer"}))["allocateLoadBalancerNodePorts"], true);
    assert_eq!(service(json!({"type": "ExternalName"})).get("internalTrafficPolicy"), None);
    let sticky = service(json!({"sessionAffinity": "ClientIP"}));
    assert_eq!(sticky["sessionAffinityConfig"], json!({"clientIP": {"timeoutSeconds": 10800}}));
    let loose =
        service(json!({"sessionAffinity": "None", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 1}}}));
    assert_eq!(loose.get("sessionAffinityConfig"), None);
}

#[test]
fn addresses_of_a_balancer_are_virtual() {
    let points = |kind: &str| {
        let points = json!([{"ip": "1.2.3.4"}, {"ip": "1.2.3.5", "ipMode": "Proxy"}, {"hostname": "a.example.com"}]);
        let object = json!({"spec": {"type": kind}, "status": {"loadBalancer": {"ingress": points}}});
        filled("", "v1", "Service", object)["status"]["loadBalancer"]["ingress"].clone()
    };
    assert_eq!(
        points("LoadBalancer"),
        json!([{"ip": "1.2.3.4", "ipMode": "VIP"}, {"ip": "1.2.3.5", "ipMode": "Proxy"}, {"hostname": "a.example.com"}])
    );
    assert_eq!(points("ClusterIP")[0], json!({"ip": "1.2.3.4"}));
}

#[test]
fn an_empty_text_is_a_setting_of_a_rolling_update() {
    let said = json!({"rollingUpdate": {"maxUnavailable": ""}});
    let object = filled("apps", "v1", "Deployment", json!({"metadata": {"name": "x"}, "spec": {"strategy": said}}));
    assert_eq!(object["spec"]["strategy"]["rollingUpdate"], json!({"maxSurge": "25%", "maxUnavailable": ""}));
}

#[test]
fn only_rolling_updates_have_settings() {
    let strategy = |kind: &str, field: &str, strategy: Value| {
        filled("apps", "v1", kind, json!({"spec": {field: strategy}}))["spec"][field].clone()
    };
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    for said in [json!({}), json!({"type": "RollingUpdate"}), json!(null)] {
        assert_eq!(strategy("Deployment", "strategy", said), rolling);
    }
    assert_eq!(strategy("Deployment", "strategy", json!({"type": "Recreate"})), json!({"type": "Recreate"}));
    assert_eq!(strategy("DaemonSet", "updateStrategy", json!({"type": "OnDelete"})), json!({"type": "OnDelete"}));
    let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
    assert_eq!(strategy("StatefulSet", "updateStrategy", json!({})), partition);
    let said = json!({"type": "RollingUpdate"});
    assert_eq!(strategy("StatefulSet", "updateStrategy", said.clone()), said);
}

#[test]
fn a_job_gets_what_the_job_in_a_cron_job_does_not() {
    let job = |spec: Value| filled("batch", "v1", "Job", json!({"metadata": {}, "spec": spec}))["spec"].clone();
    assert_eq!(
        job(json!({})),
        json!({"completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": false,
            "podReplacementPolicy": "TerminatingOrFailed", "manualSelector": false})
    );
    assert_eq!(job(json!({"parallelism": 2})).get("completions"), None);
    assert_eq!(job(json!({"completions": 2}))["parallelism"], 1);
    assert_eq!(job(json!({"backoffLimitPerIndex": 1}))["backoffLimit"], i32::MAX);
    assert_eq!(job(json!({"podFailurePolicy": {"rules": []}}))["podReplacementPolicy"], "Failed");
    let template = json!({"spec": {"jobTemplate": {"spec": {"template": {}}}}});
    assert_eq!(filled("batch", "v1", "CronJob", template)["spec"]["jobTemplate"]["spec"].get("backoffLimit"), None);
    let labelled = json!({"metadata": {}, "spec": {"template": {"metadata": {"labels": {"a": "b"}}}}});
    assert_eq!(filled("batch", "v1", "Job", labelled)["metadata"]["labels"], json!({"a": "b"}));
}

#[test]
fn limits_of_containers_follow_from_each_other() {
    let limits = json!([{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Mi"}}, {"type": "Pod", "max": {"cpu": "2"}}]);
    let object = filled("", "v1", "LimitRange", json!({"spec": {"limits": limits}}));
    assert_eq!(object["spec"]["limits"][0]["default"], json!({"cpu": "2"}));
    assert_eq!(object["spec"]["limits"][0]["defaultRequest"], json!({"cpu": "2", "memory": "1Mi"}));
    assert_eq!(object["spec"]["limits"][1], json!({"type": "Pod", "max": {"cpu": "2"}}));
}

#[test]
fn names_and_labels_are_taken_from_elsewhere() {
    let namespace = filled("", "v1", "Namespace", json!({"metadata": {"name": "n"}}));
    assert_eq!(namespace["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "n"}));
    let template = json!({"metadata": {"labels": {"a": "b"}}});
    let controller = filled("", "v1", "ReplicationController", json!({"metadata": {}, "spec": {"template": template}}));
    assert_eq!(
        (&controller["spec"]["selector"], &controller["metadata"]["labels"]),
        (&json!({"a": "b"}), &json!({"a": "b"}))
    );
    let names = json!({"spec": {"names": {"kind": "Widget", "plural": "widgets"}}});
    let definition = filled("apiextensions.k8s.io", "v1", "CustomResourceDefinition", names);
    assert_eq!(
        definition["spec"]["names"],
        json!({"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"})
    );
}

#[test]
fn a_source_of_data_stands_in_both_fields_unless_it_is_elsewhere() {
    let claim = |spec: Value| filled("", "v1", "PersistentVolumeClaim", json!({"spec": spec}))["spec"].clone();
    let source = json!({"kind": "PersistentVolumeClaim", "name": "a"});
    assert_eq!(claim(json!({"dataSource": source}))["dataSourceRef"], source);
    assert_eq!(claim(json!({"dataSourceRef": source}))["dataSource"], source);
    let elsewhere = json!({"kind": "PersistentVolumeClaim", "name": "a", "namespace": "b"});
    assert_eq!(claim(json!({"dataSourceRef": elsewhere})).get("dataSource"), None);
    assert_eq!(claim(json!({}))["volumeMode"], "Filesystem");
}

#[test]
fn an_autoscaler_without_metrics_looks_at_the_processor() {
    let spec =
        |spec: Value| filled("autoscaling", "v2", "HorizontalPodAutoscaler", json!({"spec": spec}))["spec"].clone();
    let metric = &spec(json!({}))["metrics"][0]["resource"];
    assert_eq!(*metric, json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}));
    let behavior = spec(json!({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}))["behavior"].clone();
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    assert_eq!(
        behavior["scaleDown"],
        json!({"stabilizationWindowSeconds": 60, "selectPolicy": "Max", "policies": [percent]})
    );
    assert_eq!(behavior["scaleUp"]["stabilizationWindowSeconds"], 0);
    assert_eq!(spec(json!({})).get("behavior"), None);
}

#[test]
fn an_empty_text_behind_a_pointer_is_said() {
    let service = |spec: Value| filled("", "v1", "Service", json!({"spec": spec}))["spec"].clone();
    assert_eq!(service(json!({"internalTrafficPolicy": ""}))["internalTrafficPolicy"], "");
    assert_eq!(service(json!({"type": "Foo"})).get("internalTrafficPolicy"), None);
    let job = json!({"metadata": {}, "spec": {"completionMode": "", "podReplacementPolicy": ""}});
    let job = filled("batch", "v1", "Job", job);
    assert_eq!((&job["spec"]["completionMode"], &job["spec"]["podReplacementPolicy"]), (&json!(""), &json!("")));
    let spec = json!({"behavior": {"scaleUp": {"selectPolicy": ""}}});
    let autoscaler = filled("autoscaling", "v2", "HorizontalPodAutoscaler", json!({"spec": spec}));
    assert_eq!(autoscaler["spec"]["behavior"]["scaleUp"]["selectPolicy"], "");
    let strategy = json!({"rollingUpdate": {"maxUnavailable": ""}});
    let set = filled("apps", "v1", "DaemonSet", json!({"spec": {"updateStrategy": strategy}}));
    assert_eq!(set["spec"]["updateStrategy"]["rollingUpdate"], json!({"maxUnavailable": "", "maxSurge": 0}));
}

#[test]
fn a_network_policy_is_about_egress_if_it_says_anything_of_it() {
    let types = |spec: Value| {
        filled("networking.k8s.io", "v1", "NetworkPolicy", json!({"spec": spec}))["spec"]["policyTypes"].clone()
    };
    assert_eq!(types(json!({"podSelector": {}})), json!(["Ingress"]));
    assert_eq!(types(json!({"egress": [{}]})), json!(["Ingress", "Egress"]));
    assert_eq!(types(json!({"egress": [{}], "policyTypes": ["Egress"]})), json!(["Egress"]));
    let silent = filled("networking.k8s.io", "v1", "NetworkPolicy", json!({}));
    assert_eq!(silent["spec"], json!({"policyTypes": ["Ingress"]}));
}

#[test]
fn users_and_groups_have_a_group_and_service_accounts_have_none() {
    let subjects =
        json!([{"kind": "User", "name": "a"}, {"kind": "Group", "name": "a"}, {"kind": "ServiceAccount", "name": "a"}]);
    let object = json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": subjects});
    let binding = filled("rbac.authorization.k8s.io", "v1", "RoleBinding", object);
    let group = "rbac.authorization.k8s.io";
    let groups: Vec<_> =
        (0..3).map(|index| binding["subjects"][index].get("apiGroup").and_then(Value::as_str)).collect();
    assert_eq!(groups, [Some(group), Some(group), None]);
    assert_eq!(binding["roleRef"]["apiGroup"], group);
}

#[test]
fn what_is_said_stays_and_a_zero_is_a_word_where_the_server_keeps_it() {
    let deployment = |spec: Value| filled("apps", "v1", "Deployment", json!({"spec": spec}))["spec"].clone();
    assert_eq!(deployment(json!({}))["replicas"], 1);
    assert_eq!(deployment(json!({"replicas": null}))["replicas"], 1);
    assert_eq!(deployment(json!({"replicas": 0}))["replicas"], 0);
    let probe = json!({"containers": [{"name": "a", "livenessProbe": {"timeoutSeconds": 0, "periodSeconds": 3}}]});
    let probe = in_template(probe)["containers"][0]["livenessProbe"].clone();
    assert_eq!(probe, json!({"timeoutSeconds": 1, "periodSeconds": 3, "successThreshold": 1, "failureThreshold": 3}));
}

#[test]
fn defaults_filled_in_twice_are_those_filled_in_once() {
    let spec = json!({"containers": [{"name": "a", "image": "a", "ports": [{"containerPort": 1}]}], "volumes": [{"name": "v"}]});
    let once = filled("", "v1", "Pod", json!({"metadata": {"name": "x"}, "spec": spec}));
    assert_eq!(filled("", "v1", "Pod", once.clone()), once);
}
