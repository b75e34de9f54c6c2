//! What a real 1.35 server answered.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::sandbox::refusal::FieldProblem;

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.toys.example.com"},
        "spec": {
            "group": "toys.example.com", "scope": "Namespaced", "names": {"plural": "foos", "kind": "Foo"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object"}}
            }}}]
        }
    })
}

fn said(change: impl FnOnce(&mut Value)) -> String {
    let mut object = definition();
    change(&mut object);
    default_definition(&mut object);
    prepare_definition(&mut object, None);
    let problems = validate_definition(&object, None);
    problems.iter().map(FieldProblem::text).collect::<Vec<_>>().join("\n")
}

/// What is said of a field `a` of the spec; paths are told from that field on.
fn said_of(a: Value) -> String {
    let said = said(|object| {
        object["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] =
            json!({"a": a});
    });
    said.replace("spec.validation.openAPIV3Schema.properties[spec].properties[a]", "~")
}

const VERSION: &str = "{\"Name\":\"v1\",\"Served\":true,\"Storage\":false,\"Deprecated\":false,\"DeprecationWarning\":null,\
                       \"Schema\":null,\"Subresources\":null,\"AdditionalPrinterColumns\":null,\"SelectableFields\":null}";

#[test]
fn a_definition_is_refused_in_the_words_of_the_server() {
    assert_eq!(said(|_| {}), "");
    assert_eq!(
        said(|it| it["metadata"]["name"] = json!("bar.x")),
        "metadata.name: Invalid value: \"bar.x\": must be spec.names.plural+\".\"+spec.group"
    );
    assert_eq!(
        said(|it| it["spec"]["scope"] = json!("X")),
        "spec.scope: Unsupported value: \"X\": supported values: \"Cluster\", \"Namespaced\""
    );
    assert_eq!(
        said(|it| it["spec"]["names"] = json!({"plural": "foos"})),
        "spec.names.singular: Required value\nspec.names.kind: Required value\nspec.names.listKind: Required value"
    );
    assert_eq!(
        said(|it| it["spec"]["names"]["listKind"] = json!("Foo")),
        "spec.names.listKind: Invalid value: \"Foo\": kind and listKind may not be the same"
    );
    assert_eq!(
        said(|it| it["spec"]["versions"] = json!([])),
        "spec.versions: Invalid value: []: must have exactly one version marked as storage version\n\
         status.storedVersions: Invalid value: null: must have at least one stored version"
    );
    assert_eq!(
        said(|it| it["spec"]["versions"][0]["storage"] = json!(false)),
        format!(
            "spec.versions: Invalid value: [{VERSION}]: must have exactly one version marked as storage version\n\
             status.storedVersions: Invalid value: null: must have at least one stored version"
        )
    );
    assert_eq!(
        said(|it| it["spec"]["versions"][0]["schema"] = json!({})),
        "spec.versions[0].schema.openAPIV3Schema: Required value"
    );
    assert_eq!(
        said(|it| it["spec"]["versions"][0]["deprecationWarning"] = json!("x")),
        "spec.versions[0].deprecationWarning: Invalid value: \"x\": can only be set for deprecated versions"
    );
    assert_eq!(
        said(|it| it["spec"]["conversion"] = json!({"strategy": "Webhook"})),
        "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook\n\
         spec.conversion.conversionReviewVersions: Required value"
    );
    assert_eq!(
        said(|it| {
            it["spec"]["group"] = json!("x.k8s.io");
            it["metadata"]["name"] = json!("foos.x.k8s.io");
        }),
        "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation \
         \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111"
    );
    let scale = json!({"scale": {"specReplicasPath": ".status.r", "statusReplicasPath": ".status.r", "labelSelectorPath": ".x"}});
    assert_eq!(
        said(|it| it["spec"]["versions"][0]["subresources"] = scale),
        "spec.subresources.scale.specReplicasPath: Invalid value: \".status.r\": should be a json path under .spec\n\
         spec.subresources.scale.labelSelectorPath: Invalid value: \".x\": should be a json path under either .spec or .status"
    );
    let fields = json!([{"jsonPath": ".spec.a"}, {"jsonPath": "spec"}, {"jsonPath": ""}]);
    assert_eq!(
        said(|it| it["spec"]["versions"][0]["selectableFields"] = fields),
        "spec.selectableFields[0].jsonPath: Invalid value: \".spec.a\": is an invalid path: does not refer to a valid field\n\
         spec.selectableFields[1].jsonPath: Invalid value: \"spec\": is an invalid path: expected [ or . but got: spec\n\
         spec.selectableFields[2].jsonPath: Required value"
    );
    let metadata = json!({"type": "object", "properties": {"labels": {"type": "object"}}});
    assert_eq!(
        said(|it| it["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["metadata"] = metadata),
        "spec.validation.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and \
         generateName, but metadata is implicitly specified"
    );
}

#[test]
fn versions_that_differ_are_told_apart() {
    let second = json!({"name": "v2", "served": true, "storage": false, "schema": {"openAPIV3Schema": {
        "type": "object", "properties": {"a": {}}
    }}});
    assert_eq!(
        said(|it| it["spec"]["versions"].as_array_mut().unwrap().push(second)),
        "spec.versions[1].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields"
    );
}

#[test]
fn schemas_are_refused_in_the_words_of_the_server() {
    let cases = [
        (
            json!({"type": "strin"}),
            "~.type: Unsupported value: \"strin\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"",
        ),
        (json!({"type": "array"}), "~.items: Required value: must be specified"),
        (
            json!({"type": "array", "items": {}}),
            "~.items.type: Required value: must not be empty for specified array items",
        ),
        (
            json!({"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            "~.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            json!({"type": "integer", "anyOf": [{"type": "integer"}]}),
            "~.anyOf[0].type: Forbidden: must be empty to be structural",
        ),
        (json!({"type": "object", "anyOf": [{"properties": {"q": {"minimum": 1}}}]}), ""),
        (
            json!({"x-kubernetes-embedded-resource": true}),
            "~.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without \
             x-kubernetes-preserve-unknown-fields\n\
             ~.type: Required value: must be object if x-kubernetes-embedded-resource is true",
        ),
        (
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false}),
            "~.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
        ),
        (
            json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"}),
            "~.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
        (
            json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"}),
            "~.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            json!({"type": "integer", "default": "x"}),
            "~.default: Invalid value: \"string\":  in body must be of type integer: \"string\"",
        ),
        (
            json!({"type": "string", "enum": ["a"], "default": "x"}),
            "~.default: Unsupported value: \"x\": supported values: \"a\"",
        ),
        (
            json!({"type": "object", "default": {"z": 1}}),
            "~.default: Invalid value: {\"z\":1}: must not have unknown fields",
        ),
        (
            json!({"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}, "default": {}}),
            "~.default.q: Required value",
        ),
        (json!({"type": "string", "default": null}), ""),
        (json!({"$ref": "#/x"}), "~.$ref: Forbidden: $ref is not supported"),
        (
            json!({"type": "string", "x-kubernetes-validations": [{"rule": ""}]}),
            "~.x-kubernetes-validations[0].rule: Required value: rule is not specified",
        ),
        (
            json!({"type": "string", "x-kubernetes-validations": [{"rule": "true", "optionalOldSelf": true}]}),
            "~.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
        ),
        (
            json!({"type": "object", "x-kubernetes-validations": [{"rule": "true", "fieldPath": ".q"}]}),
            "~.x-kubernetes-validations[0].fieldPath: Invalid value: \".q\": must be a valid path",
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(said_of(schema.clone()), expected, "{schema}");
    }
    assert!(
        said_of(json!({"type": "string", "x-kubernetes-validations": [{"rule": "1 +"}]}))
            .contains("compilation failed: ERROR: <input>:1:")
    );
}

#[test]
fn names_are_accepted_and_the_kind_established() {
    let now: jiff::Timestamp = "2026-11-22T11:48:02Z".parse().unwrap();
    let mut object = definition();
    default_definition(&mut object);
    prepare_definition(&mut object, None);
    let status = conditions(&object, &[], now).unwrap();
    assert_eq!(
        status,
        json!({
            "acceptedNames": {"kind": "Foo", "listKind": "FooList", "plural": "foos", "singular": "foo"},
            "conditions": [
                {"lastTransitionTime": "2026-11-22T11:48:02Z", "message": "no conflicts found", "reason": "NoConflicts",
                 "status": "True", "type": "NamesAccepted"},
                {"lastTransitionTime": "2026-11-22T11:48:02Z", "message": "the initial names have been accepted",
                 "reason": "InitialNamesAccepted", "status": "True", "type": "Established"}
            ],
            "storedVersions": ["v1"]
        })
    );
    let mut established = object.clone();
    established["status"] = status;
    assert_eq!(conditions(&established, &[], now), None);

    let mut moved = established.clone();
    moved["spec"]["scope"] = json!("Cluster");
    let problems: Vec<String> =
        validate_definition(&moved, Some(&established)).iter().map(FieldProblem::text).collect();
    assert_eq!(problems, ["spec.scope: Invalid value: \"Cluster\": field is immutable"]);

    let mut rival = object;
    rival["metadata"]["name"] = json!("bars.toys.example.com");
    rival["spec"]["names"] = json!({"plural": "bars", "kind": "Foo", "singular": "bar", "listKind": "BarList"});
    let status = conditions(&rival, &[Arc::new(established)], now).unwrap();
    let told: Vec<&str> =
        status["conditions"].as_array().unwrap().iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(told, ["\"Foo\" is already in use", "not all names are accepted"]);
}

#[test]
fn a_deprecated_version_names_a_better_one() {
    let mut object = definition();
    object["spec"]["versions"][0]["name"] = json!("v1beta1");
    object["spec"]["versions"][0]["deprecated"] = json!(true);
    let warning = |object: &Value| deprecation_warning(object, "v1beta1").unwrap();
    assert_eq!(warning(&object), "toys.example.com/v1beta1 Foo is deprecated");
    object["spec"]["versions"].as_array_mut().unwrap().push(json!({"name": "v1", "served": true}));
    assert_eq!(warning(&object), "toys.example.com/v1beta1 Foo is deprecated; use toys.example.com/v1 Foo");
}

#[test]
fn unknown_formats_are_warned_of_once() {
    let mut object = definition();
    let format = json!({"type": "string", "format": "foo"});
    object["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] =
        json!({"a": format});
    assert_eq!(definition_warnings(&object, None), ["unrecognized format \"foo\""]);
    assert_eq!(definition_warnings(&object, Some(&object)), Vec::<String>::new());
}

#[test]
fn a_webhook_that_converts_must_be_callable() {
    let with = |client: Value, versions: Value| {
        said(|it| {
            it["spec"]["conversion"] = json!({
                "strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": versions}
            });
        })
    };
    let at = "spec.conversion.webhookClientConfig";
    assert_eq!(with(json!({"url": "https://a.example.com/x"}), json!(["v1"])), "");
    assert_eq!(
        with(json!({"url": "http://me@a.example.com?x=1"}), json!(["v1"])),
        format!(
            "{at}.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]\n\
             {at}.url: Invalid value: \"me\": user information is not permitted in the URL\n\
             {at}.url: Invalid value: \"x=1\": query parameters are not permitted in the URL"
        )
    );
    assert_eq!(
        with(json!({"service": {"name": "w", "namespace": "n", "port": 70000, "path": "x"}}), json!(["v1", "v1", "A"])),
        format!(
            "{at}.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive\n\
             {at}.service.path: Invalid value: \"x\": must start with a '/'\n\
             {at}.service.path: Invalid value: \"x\": segment[0] may not be empty\n\
             spec.conversion.conversionReviewVersions[1]: Invalid value: \"v1\": duplicate version\n\
             spec.conversion.conversionReviewVersions[2]: Invalid value: \"A\": a DNS-1035 label must consist of lower \
             case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric \
             character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        )
    );
}

#[test]
fn what_no_schema_may_say_is_told_at_the_root_and_below() {
    let with = |change: fn(&mut Value), status: bool| {
        said(|it| {
            let version = &mut it["spec"]["versions"][0];
            change(&mut version["schema"]["openAPIV3Schema"]);
            if status {
                version["subresources"] = json!({"status": {}});
            }
        })
    };
    let unsupported = "spec.validation.openAPIV3Schema: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported";
    assert_eq!(with(|schema| schema["properties"]["spec"]["$schema"] = json!("x"), true), unsupported);
    let at_root = |change: fn(&mut Value)| {
        let told = with(change, true);
        told.lines().next().unwrap().contains("fields are allowed at the root of the schema if the status")
    };
    assert!(at_root(|schema| schema["patternProperties"] = json!({"a": {"type": "string"}})));
    assert!(at_root(|schema| {
        schema["$ref"] = json!("x");
        schema["type"] = json!("string");
    }));
    let long = "a".repeat(64);
    let told = said(|it| it["spec"]["names"]["singular"] = json!(long));
    assert_eq!(told, format!("spec.names.singular: Invalid value: {long:?}: must be no more than 63 characters"));
}
