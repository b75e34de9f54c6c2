use serde_json::json;

use super::*;
use crate::ssa::{Schema, builtin};

fn kind(group: &str, version: &str, name: &str) -> Kind {
    let schema = builtin(group, version, name).unwrap();
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: name.to_owned(),
        plural: schema.kind().unwrap().plural.clone(),
        singular: name.to_lowercase(),
        list_kind: format!("{name}List"),
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced: true,
        verbs: Vec::new(),
        subresources: Vec::new(),
        schema,
        custom: None,
    }
}

fn custom() -> Kind {
    let definition = crate::sandbox::kind::Custom {
        structural: json!({}),
        version: json!({}),
        storage_version: "v1".to_owned(),
        deprecation: None,
    };
    Kind {
        group: "h.example.com".to_owned(),
        version: "v1".to_owned(),
        kind: "HGraph".to_owned(),
        plural: "hgraphs".to_owned(),
        schema: Schema::deduced(),
        custom: Some(std::sync::Arc::new(definition)),
        ..kind("", "v1", "ConfigMap")
    }
}

fn read(kind: &Kind, text: &str, validation: FieldValidation) -> Result<Decoded, Refusal> {
    body(kind, text.as_bytes(), Some("application/json"), validation)
}

fn refused(kind: &Kind, text: &str) -> String {
    let judged = read(kind, text, FieldValidation::Strict).and_then(|read| read.judged(kind, FieldValidation::Strict));
    let refusal = judged.unwrap_err();
    assert_eq!((refusal.code, refusal.reason), (400, "BadRequest"));
    refusal.message
}

#[test]
fn values_of_the_wrong_type_are_refused_in_gos_words() {
    let deployment = kind("apps", "v1", "Deployment");
    let cannot = r#"Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal "#;
    let told = |text: &str| refused(&deployment, text).strip_prefix(cannot).unwrap().to_owned();
    assert_eq!(
        told(r#"{"spec":{"replicas":"x"}}"#),
        "string into Go struct field DeploymentSpec.spec.replicas of type int32"
    );
    assert_eq!(
        told(r#"{"spec":{"replicas":1.5}}"#),
        "number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"
    );
    assert_eq!(
        told(r#"{"metadata":{"name":1},"spec":{"replicas":3000000000}}"#),
        "number into Go struct field ObjectMeta.metadata.name of type string"
    );
    let of_pod = |spec: &str| told(&format!(r#"{{"spec":{{"template":{{"spec":{{"containers":{spec}}}}}}}}}"#));
    assert_eq!(
        of_pod(r#"[{"name":"a","imagePullPolicy":3}]"#),
        "number into Go struct field Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy"
    );
    assert_eq!(
        of_pod("{}"),
        "object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"
    );
    assert_eq!(
        of_pod(r#"["a"]"#),
        "string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container"
    );
    assert_eq!(told(r#"{"spec":"a"}"#), "string into Go struct field Deployment.spec of type v1.DeploymentSpec");
    assert_eq!(
        told(r#"{"metadata":{"labels":{"a":1}}}"#),
        "number into Go struct field ObjectMeta.metadata.labels of type string"
    );
    assert_eq!(
        told(r#"{"metadata":{"labels":"a"}}"#),
        "string into Go struct field ObjectMeta.metadata.labels of type map[string]string"
    );
    let service = kind("", "v1", "Service");
    for (port, what) in [("true", "bool"), ("1.5", "number 1.5"), ("{}", "object")] {
        assert_eq!(
            refused(&service, &format!(r#"{{"spec":{{"ports":[{{"port":80,"targetPort":{port}}}]}}}}"#)),
            format!(
                r#"Service in version "v1" cannot be handled as a Service: json: cannot unmarshal {what} into Go struct field ServicePort.spec.ports.targetPort of type int32"#
            )
        );
    }
    assert_eq!(
        refused(&kind("", "v1", "ConfigMap"), r#"{"metadata":{"deletionTimestamp":1}}"#),
        r#"ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.deletionTimestamp of type string"#
    );
}

#[test]
fn quantities_are_refused_as_the_server_does() {
    const FORMAT: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    const SUFFIX: &str = "unable to parse quantity's suffix";
    let pod = kind("", "v1", "Pod");
    let with = |cpu: &str| format!(r#"{{"spec":{{"containers":[{{"resources":{{"limits":{{"cpu":{cpu}}}}}}}]}}}}"#);
    for (cpu, mistake) in [
        (r#""1x""#, FORMAT),
        (r#""1Kk""#, SUFFIX),
        (r#""""#, FORMAT),
        ("true", FORMAT),
        ("{}", FORMAT),
        (r#""1.2.3""#, FORMAT),
        (r#""1e""#, SUFFIX),
        (r#""1e3e""#, FORMAT),
    ] {
        let expected = format!(r#"Pod in version "v1" cannot be handled as a Pod: {mistake}"#);
        assert_eq!(refused(&pod, &with(cpu)), expected, "{cpu}");
    }
    for (cpu, stored) in [(r#"".""#, "0"), ("1e3", "1e3"), ("null", "0"), (r#"" 1""#, "1"), ("0.0001", "1m")] {
        let decoded = read(&pod, &with(cpu), FieldValidation::Strict).unwrap();
        let value = decoded.object.pointer("/spec/containers/0/resources/limits/cpu").unwrap();
        assert_eq!(value, stored, "{cpu}");
    }
}

#[test]
fn unknown_and_repeated_fields_are_told_in_the_order_of_the_text() {
    let config_map = kind("", "v1", "ConfigMap");
    let text = r#"{"metadata":{"name":"a","foo":1,"name":"a"},"foo":{"x":1,"x":2},"data":{"b":"1","b":"2","b":"3"},"foo":2,"bar":1}"#;
    assert_eq!(
        refused(&config_map, text),
        r#"ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.foo", duplicate field "metadata.name", unknown field "foo", duplicate field "data.b", unknown field "bar""#
    );
    let warned = read(&config_map, text, FieldValidation::Warn).unwrap();
    assert_eq!(
        warned.warnings,
        [
            r#"unknown field "metadata.foo""#,
            r#"duplicate field "metadata.name""#,
            r#"unknown field "foo""#,
            r#"duplicate field "data.b""#,
            r#"unknown field "bar""#,
        ]
    );
    let expected = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": "3"}});
    assert_eq!(warned.object, expected);
    let ignored = read(&config_map, text, FieldValidation::Ignore).unwrap();
    assert!(ignored.warnings.is_empty());
}

#[test]
fn equal_keys_in_yaml_are_told_by_their_lines() {
    let config_map = kind("", "v1", "ConfigMap");
    let text = "data: {a: b}\nmetadata: {name: a}\ndata: {c: d, c: e}\nfoo: 1\n";
    let read = |validation| body(&config_map, text.as_bytes(), Some("application/yaml"), validation);
    assert_eq!(
        read(FieldValidation::Strict).unwrap_err().message,
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 3: key \"c\" already set in map\n  line 3: key \"data\" already set in map, unknown field \"foo\""
    );
    let decoded = read(FieldValidation::Warn).unwrap();
    assert_eq!(
        decoded.warnings,
        [r#"line 3: key "c" already set in map"#, r#"line 3: key "data" already set in map"#, r#"unknown field "foo""#]
    );
    assert_eq!(decoded.object["data"], json!({"c": "e"}));
    let truth = body(&config_map, b"data: {a: yes}", Some("application/yaml"), FieldValidation::Warn).unwrap_err();
    assert_eq!(
        truth.message,
        r#"ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal bool into Go struct field ConfigMap.data of type string"#
    );
}

#[test]
fn what_cannot_be_read_at_all_is_shown() {
    let deployment = kind("apps", "v1", "Deployment");
    let told = |text: &str| {
        let prefix = "the object provided is unrecognized (must be of type Deployment): ";
        refused(&deployment, text).strip_prefix(prefix).unwrap().to_owned()
    };
    assert_eq!(
        told("[]"),
        r#"couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" } (5b5d)"#
    );
    assert_eq!(
        told(r#"{"a":"#),
        r#"couldn't get version/kind; json parse error: unexpected end of JSON input ({"a":)"#
    );
    assert_eq!(told(""), "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)");
    assert_eq!(
        told(r#"{"kind":1}"#),
        r#"couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":1})"#
    );
    assert_eq!(
        told(r#"{"kind":"Deployment","apiVersion":"a/b/c"}"#),
        r#"unexpected GroupVersion string: a/b/c ({"kind":"Deployment","apiVersi ...)"#
    );
    let refusal = body(&deployment, b"x", Some("text/plain"), FieldValidation::Warn).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.message.as_str()),
        (
            415,
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"
        )
    );
}

#[test]
fn bodies_of_another_kind_are_refused() {
    let deployment = kind("apps", "v1", "Deployment");
    assert_eq!(
        refused(&deployment, r#"{"kind":"Foo","apiVersion":"v1"}"#),
        r#"Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#
    );
    assert_eq!(
        refused(&deployment, r#"{"kind":"ConfigMap","apiVersion":"v1"}"#),
        r#"ConfigMap in version "v1" cannot be handled as a Deployment: converting (v1.ConfigMap) to (apps.Deployment): unknown conversion"#
    );
    assert_eq!(
        refused(&deployment, r#"{"kind":"Deployment","apiVersion":"apps/v9"}"#),
        r#"Deployment in version "v9" cannot be handled as a Deployment: no kind "Deployment" is registered for version "apps/v9" in scheme "pkg/runtime/scheme.go:111""#
    );
    let autoscaler = kind("autoscaling", "v2", "HorizontalPodAutoscaler");
    assert_eq!(
        refused(&autoscaler, r#"{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1"}"#),
        "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)"
    );
}

#[test]
fn empty_fields_go_and_those_that_go_always_writes_appear() {
    let decoded = |kind: &Kind, text: &str| read(kind, text, FieldValidation::Strict).unwrap().object;
    assert_eq!(
        decoded(
            &kind("apps", "v1", "Deployment"),
            r#"{"metadata":{"name":"a","labels":{},"creationTimestamp":null},"spec":{"replicas":0,"minReadySeconds":0,"template":{"spec":{"containers":[{"name":"c","command":[],"image":""}],"nodeName":null}}}}"#
        ),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "status": {}, "spec": {
            "replicas": 0, "selector": null, "strategy": {}, "template": {"metadata": {}, "spec": {
                "containers": [{"name": "c", "resources": {}}]}}}})
    );
    let secret = r#"{"metadata":{"name":"a","finalizers":[]},"stringData":{"a":"b","c":null},"data":{"a":"eA==","z":null,"y":""}}"#;
    assert_eq!(
        decoded(&kind("", "v1", "Secret"), secret),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"},
            "data": {"a": "Yg==", "c": "", "y": "", "z": ""}})
    );
    let role = kind("rbac.authorization.k8s.io", "v1", "Role");
    let mut stored = decoded(&role, r#"{"rules":[]}"#);
    assert_eq!(stored["rules"], json!([]));
    as_stored(&role, &mut stored);
    assert_eq!(stored["rules"], json!(null));
    assert_eq!(
        zero_object(&kind("", "v1", "Pod")),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": null}, "status": {}})
    );
}

#[test]
fn definitions_keep_their_schemas() {
    let definition = kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let with = |schema: &str| format!(r#"{{"spec":{{"versions":[{{"schema":{{"openAPIV3Schema":{schema}}}}}]}}}}"#);
    let cannot = r#"CustomResourceDefinition in version "v1" cannot be handled as a CustomResourceDefinition: "#;
    assert_eq!(
        refused(&definition, &with(r#"{"additionalProperties":3}"#)),
        format!("{cannot}boolean or JSON schema expected")
    );
    assert_eq!(
        refused(&definition, &with(r#"{"additionalProperties":{"type":3}}"#)),
        format!(
            "{cannot}json: cannot unmarshal number into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.additionalProperties.type of type string"
        )
    );
    let schema = r#"{"type":"object","default":{"a":[]},"enum":["a",1],"additionalProperties":false,"items":{"type":"string"},"x-kubernetes-preserve-unknown-fields":true}"#;
    let decoded = read(&definition, &with(schema), FieldValidation::Strict).unwrap();
    let kept = decoded.object.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap();
    assert_eq!(*kept, serde_json::from_str::<Value>(schema).unwrap());
}

#[test]
fn of_custom_resources_only_the_metadata_is_decoded() {
    let custom = custom();
    let of = |rest: &str| format!(r#"{{"kind":"HGraph","apiVersion":"h.example.com/v1",{rest}}}"#);
    let text = of(r#""metadata":{"name":"a","foo":1,"name":"a","labels":{}},"spec":{"a":"x","a":"y","b":1.0},"zoo":1"#);
    let mut decoded = read(&custom, &text, FieldValidation::Strict).unwrap();
    assert_eq!(
        decoded.object,
        json!({"kind": "HGraph", "apiVersion": "h.example.com/v1", "metadata": {"name": "a"}, "spec": {"a": "y", "b": 1}, "zoo": 1})
    );
    decoded.warnings.push(r#"unknown field "spec.b""#.to_owned());
    assert_eq!(
        decoded.judged(&custom, FieldValidation::Strict).unwrap_err().message,
        r#"HGraph in version "v1" cannot be handled as a HGraph: strict decoding error: duplicate field "metadata.name", duplicate field "spec.a", unknown field "metadata.foo", unknown field "spec.b""#
    );
    assert_eq!(
        refused(&custom, &of(r#""metadata":{"labels":{"x":1}}"#)),
        r#"HGraph in version "v1" cannot be handled as a HGraph: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string"#
    );
    assert_eq!(
        refused(&custom, &of(r#""metadata":"x""#)),
        r#"HGraph in version "v1" cannot be handled as a HGraph: json: cannot unmarshal string into Go value of type v1.ObjectMeta"#
    );
    assert_eq!(
        refused(&custom, r#"{"metadata":{"name":"a"},"spec":{"a":"x"}}"#),
        r#"the object provided is unrecognized (must be of type HGraph): Object 'Kind' is missing in '{"metadata":{"name":"a"},"spec":{"a":"x"}}' ({"metadata":{"name":"a"},"spec ...)"#
    );
    assert_eq!(
        refused(&custom, r#"{"kind":"HGraph","apiVersion":"h.example.com/v2","metadata":{"name":"a"}}"#),
        "the API version in the data (h.example.com/v2) does not match the expected API version (h.example.com/v1)"
    );
    let other = r#"{"kind":"Foo","apiVersion":"h.example.com/v1","metadata":{"name":"a"}}"#;
    assert_eq!(
        read(&custom, other, FieldValidation::Warn).unwrap_err().message,
        r#"Foo.h.example.com "a" is invalid: kind: Invalid value: "Foo": must be HGraph"#
    );
}

#[test]
fn kinds_of_subresources_are_decoded() {
    let scale = crate::sandbox::kinds::Kinds::below("autoscaling", "v1", "Scale").unwrap();
    let read = |text: &str| read(scale, text, FieldValidation::Strict);
    assert_eq!(
        read(r#"{"metadata":{"name":"a"},"spec":{"replicas":2}}"#).unwrap().object,
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 2}, "status": {"replicas": 0}})
    );
    assert_eq!(
        read(r#"{"spec":{"replicas":"2"}}"#).unwrap_err().message,
        r#"Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32"#
    );
}

#[test]
fn what_is_stored_can_be_read_again_however_deep_it_is() {
    let custom = custom();
    let deep = |depth: usize| {
        // The object itself and its spec are two.
        let spec = r#"{"a":"#.repeat(depth - 2) + "1" + &"}".repeat(depth - 2);
        format!(
            r#"{{"apiVersion":"h.example.com/v1","kind":"HGraph","metadata":{{"name":"a"}},"spec":{{"a":{spec}}}}}"#
        )
    };
    let stored = read(&custom, &deep(100), FieldValidation::Strict).unwrap().object.to_string();
    assert!(serde_json::from_str::<Value>(&stored).is_ok());
    let yaml = |text: &str| body(&custom, text.as_bytes(), Some("application/yaml"), FieldValidation::Strict);
    let unlike_json = |depth: usize| deep(depth).replace('"', "'");
    assert!(yaml(&deep(100)).is_ok() && yaml(&unlike_json(100)).is_ok());
    assert!(read(&custom, &deep(101), FieldValidation::Strict).unwrap_err().message.contains("exceeded max depth"));
    assert!(yaml(&unlike_json(101)).unwrap_err().message.contains("yaml: exceeded max depth of 100"));
}

#[test]
fn json_that_is_said_to_be_yaml_means_the_same() {
    let read = |text: &str| {
        yaml_or_json(text.as_bytes()).map(|(value, repeated)| (value, repeated.judged(FieldValidation::Warn).unwrap()))
    };
    for text in [
        r#"{"b":{"y":1.0,"x":[1e3,-0.25,9223372036854775808,true,null,"a\/\u00e9"]},"a":""}"#,
        "{\"a\":\t\"x: y # z\"}",
        "{}",
    ] {
        // A comment behind it makes YAML of it.
        assert_eq!(read(text), read(&format!("{text} # YAML")), "{text}");
    }
    assert_eq!(
        read(r#"{"a":1,"a":2}"#).unwrap(),
        (json!({"a": 2}), vec!["line 1: key \"a\" already set in map".to_owned()])
    );
    assert_eq!(read(r#"{"a":{"<<":{"b":1}}}"#), read("{'a':{'<<':{'b':1}}}"));
}
