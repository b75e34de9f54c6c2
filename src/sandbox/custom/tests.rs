//! What a real 1.35 server answered, tried out with the definition in `gizmo.yaml`.

use serde_json::{Value, json};

use super::*;
use crate::sandbox::kind::{Custom, Kind};
use crate::sandbox::refusal::FieldProblem;

fn definition() -> Value {
    let mut definition: Value = serde_yaml::from_str(include_str!("gizmo.yaml")).unwrap();
    default_definition(&mut definition);
    prepare_definition(&mut definition, None);
    definition
}

fn kind() -> Kind {
    kinds_of(&definition()).into_iter().next().unwrap()
}

fn gizmo(spec: &Value) -> Value {
    json!({"apiVersion": "toys.example.com/v1", "kind": "Gizmo", "metadata": {"name": "g", "namespace": "n"}, "spec": spec})
}

fn decoded(custom: &Custom, mut object: Value) -> Value {
    prune(custom, &mut object);
    drop_nulls(custom, &mut object);
    with_defaults(custom, &mut object);
    object
}

const HIDDEN: &str = "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; \
                      correct the existing errors to complete validation";

fn texts(problems: &[FieldProblem]) -> Vec<String> {
    problems.iter().map(FieldProblem::text).collect()
}

/// What is said of a spec that has this besides a size; `…` stands for the sentence about hidden rules.
fn said(with: Value) -> String {
    let mut spec = json!({"size": 5});
    for (key, value) in with.as_object().unwrap() {
        spec[key] = value.clone();
    }
    let kind = kind();
    let custom = kind.custom.as_ref().unwrap();
    let verdict = verdict(custom, &decoded(custom, gizmo(&spec)), None);
    assert_eq!(verdict.warnings, Vec::<String>::new(), "{with}");
    texts(&verdict.problems).join("\n").replace(HIDDEN, "…")
}

#[test]
fn values_are_checked_in_the_words_of_the_server() {
    let cases = [
        (json!({}), ""),
        (json!({"size": null}), "spec.size: Required value\n…"),
        (json!({"size": 0}), "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        (json!({"size": 101}), "spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100"),
        (
            json!({"size": "5"}),
            "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"\n…",
        ),
        (
            json!({"size": 5.5}),
            "spec.size: Invalid value: \"number\": spec.size in body must be of type integer: \"number\"\n…",
        ),
        (json!({"size": 5.0}), ""),
        (
            json!({"size": {}}),
            "spec.size: Invalid value: \"object\": spec.size in body must be of type integer: \"object\"\n…",
        ),
        (
            json!({"color": "pink"}),
            "spec.color: Unsupported value: \"pink\": supported values: \"red\", \"green\", \"blue\"\n…",
        ),
        (
            json!({"color": 3}),
            "spec.color: Invalid value: \"integer\": spec.color in body must be of type string: \"integer\"\n\
             spec.color: Unsupported value: 3: supported values: \"red\", \"green\", \"blue\"\n…",
        ),
        (json!({"name": "a"}), "spec.name: Invalid value: \"a\": spec.name in body should be at least 2 chars long"),
        (json!({"name": "abcdef"}), "spec.name: Too long: may not be more than 5 bytes\n…"),
        (json!({"name": "AB"}), "spec.name: Invalid value: \"AB\": spec.name in body should match '^[a-z]+$'"),
        (json!({"ratio": 0}), "spec.ratio: Invalid value: 0: spec.ratio in body should be greater than 0"),
        (json!({"ratio": 1.5}), "spec.ratio: Invalid value: 1.5: spec.ratio in body should be less than 1"),
        (json!({"step": 7}), "spec.step: Invalid value: 7: spec.step in body should be a multiple of 5"),
        (json!({"fstep": 0.75}), "spec.fstep: Invalid value: 0.75: spec.fstep in body should be a multiple of 0.5"),
        (
            json!({"fstep": 2}),
            "spec.fstep: Invalid value: 0: factor MultipleOf declared for spec.fstep must be positive: 0",
        ),
        (
            json!({"port": true}),
            "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"\n…",
        ),
        (
            json!({"ioa": 1.5}),
            "spec.ioa: Invalid value: \"number\": spec.ioa in body must be of type integer,string: \"number\"\n\
             <nil>: Invalid value: \"\": \"spec.ioa\" must validate at least one schema (anyOf)\n\
             spec.ioa: Invalid value: \"number\": spec.ioa in body must be of type integer: \"number\"\n…",
        ),
        (json!({"words": []}), "spec.words: Invalid value: 0: spec.words in body should have at least 1 items"),
        (json!({"words": ["w", "w", "w", "w"]}), "spec.words: Too many: 4: must have at most 3 items\n…"),
        (json!({"set": ["a", "b", "a", "a"]}), "spec.set[2]: Duplicate value: \"a\""),
        (json!({"pairs": [{"k": "a"}, {"k": "a"}]}), "spec.pairs[1]: Duplicate value: {\"k\":\"a\"}"),
        (json!({"pairs": [{"v": 1}]}), "spec.pairs[0].k: Required value\n…"),
        (
            json!({"pairs": [null]}),
            "spec.pairs[0]: Invalid value: \"null\": spec.pairs[0] in body must be of type object: \"null\"\n…",
        ),
        (json!({"duo": [{"a": "x"}, {"a": "x", "b": 7}]}), "spec.duo[1]: Duplicate value: {\"a\":\"x\",\"b\":7}"),
        (json!({"labels": {}}), "spec.labels: Invalid value: 0: spec.labels in body should have at least 1 properties"),
        (json!({"labels": {"a": "1", "b": "2", "c": "3"}}), "spec.labels: Too many: 3: must have at most 2 items\n…"),
        (json!({"labels": {"a": "12345"}}), "spec.labels.a: Too long: may not be more than 4 bytes\n…"),
        (json!({"embedded": {}}), "spec.embedded.apiVersion: Required value\nspec.embedded.kind: Required value\n…"),
        (
            json!({"when": "x"}),
            "spec.when: Invalid value: \"x\": spec.when in body must be of type date-time: \"x\"\n…",
        ),
        (
            json!({"one": {}}),
            "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). Found none valid\n\
             spec.one.a: Required value\n…",
        ),
        (
            json!({"one": {"a": "", "b": ""}}),
            "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
        ),
        (
            json!({"allof": 2}),
            "spec.allof: Invalid value: 2: spec.allof in body should be greater than or equal to 3\n\
             <nil>: Invalid value: \"\": \"spec.allof\" must validate all the schemas (allOf)",
        ),
        (json!({"nope": "x"}), "<nil>: Invalid value: \"\": \"spec.nope\" must not validate the schema (not)"),
        (json!({"enumi": 3}), "spec.enumi: Unsupported value: 3: supported values: \"1\", \"2\"\n…"),
        (json!({"replicas": -1}), ".spec.replicas: Invalid value: -1: should be a non-negative integer"),
    ];
    for (with, expected) in cases {
        assert_eq!(said(with.clone()), expected, "{with}");
    }
}

#[test]
fn rules_are_evaluated() {
    let cases = [
        (json!({"minimum": 6}), "spec: Invalid value: minimum must not exceed size"),
        (
            json!({"words": ["a"]}),
            "spec: Invalid value: failed rule: !has(self.words) || self.words.all(w, w.startsWith('w'))",
        ),
        (json!({"frozen": "a", "once": "a"}), ""),
        (json!({"msg": "abcdef"}), "spec.msg: Invalid value: \"abcdef\": got abcdef"),
        (json!({"fp": {"q": 1}}), "spec.fp.q: Required value: q!"),
        (json!({"fp": {}}), "spec.fp: Invalid value: \"object\": no such key: q evaluating rule: q!"),
        (
            json!({"cel": {"q": "1Gi"}}),
            "spec.cel: Invalid value: failed rule: !has(self.q) || quantity(self.q).isGreaterThan(quantity('1Gi'))",
        ),
        (json!({"cel": {"q": "2Gi"}}), ""),
        (
            json!({"cel": {"q": "x"}}),
            "spec.cel: Invalid value: \"object\": quantities must match the regular expression \
             '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' evaluating rule: !has(self.q) || \
             quantity(self.q).isGreaterThan(quantity('1Gi'))",
        ),
        (json!({"cel": {"u": "x"}}), "spec.cel: Invalid value: failed rule: !has(self.u) || isURL(self.u)"),
        (json!({"cel": {"l": [2, 1]}}), "spec.cel: Invalid value: failed rule: !has(self.l) || self.l.isSorted()"),
        (json!({"cel": {"l": [9, 19]}}), "spec.cel: Invalid value: failed rule: !has(self.l) || self.l.sum() < 10"),
        (json!({"cel": {"s": "b"}}), "spec.cel: Invalid value: failed rule: !has(self.s) || self.s.matches('^a+$')"),
        (
            json!({"minimum": 6, "size": 0}),
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1\n\
             spec: Invalid value: minimum must not exceed size",
        ),
    ];
    for (with, expected) in cases {
        assert_eq!(said(with.clone()), expected, "{with}");
    }
    let kind = kind();
    let mut bad = gizmo(&json!({"size": 1}));
    bad["metadata"]["name"] = json!("bad");
    assert_eq!(texts(&validate(kind.custom.as_ref().unwrap(), &bad, None)), ["<nil>: Invalid value: bad name"]);
}

#[test]
fn rules_about_change_see_what_was() {
    let kind = kind();
    let custom = kind.custom.as_ref().unwrap();
    let live = gizmo(&json!({"size": 5, "frozen": "a", "once": "o"}));
    let change = |spec: Value| texts(&validate(custom, &gizmo(&spec), Some(&live)));
    assert_eq!(change(json!({"size": 5, "frozen": "b", "once": "o"})), ["spec.frozen: Invalid value: \"b\": frozen"]);
    assert_eq!(change(json!({"size": 5, "frozen": "a", "once": "p"})), ["spec.once: Forbidden: once"]);
    assert_eq!(change(json!({"size": 5})), Vec::<String>::new());
}

#[test]
fn what_was_wrong_may_stay_while_it_does_not_change() {
    let mut definition = definition();
    let schema = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec").unwrap();
    schema["required"] = json!(["size", "name"]);
    schema["properties"]["size"]["minimum"] = json!(10);
    schema["properties"]["words"]["items"]["maxLength"] = json!(0);
    schema["properties"]["pairs"]["items"]["properties"]["v"]["minimum"] = json!(3);
    schema["properties"]["once"]["x-kubernetes-validations"]
        .as_array_mut()
        .unwrap()
        .push(json!({"rule": "self == \"never\""}));
    let kind = kinds_of(&definition).into_iter().next().unwrap();
    let custom = kind.custom.as_ref().unwrap();
    let before = json!({"size": 5, "words": ["w"], "once": "z", "pairs": [{"k": "a", "v": 1}]});
    let live = gizmo(&before);
    let change = |with: Value| {
        let mut spec = before.clone();
        for (key, value) in with.as_object().unwrap() {
            spec[key] = value.clone();
        }
        verdict(custom, &gizmo(&spec), Some(&live))
    };
    let same = change(json!({}));
    assert_eq!(texts(&same.problems), Vec::<String>::new());
    assert_eq!(same.warnings, ["spec.once: Invalid value: \"z\": failed rule: self == \"never\""]);
    assert_eq!(texts(&change(json!({"flag": true})).problems), ["spec.name: Required value", HIDDEN]);
    assert_eq!(texts(&change(json!({"name": "abc"})).problems), Vec::<String>::new());
    assert_eq!(
        texts(&change(json!({"name": "abc", "words": ["w", "w"]})).problems),
        [
            "spec.words[0]: Too long: may not be more than 0 bytes",
            "spec.words[1]: Too long: may not be more than 0 bytes",
            HIDDEN
        ]
    );
    assert_eq!(
        texts(&change(json!({"name": "abc", "pairs": [{"k": "b", "v": 2}, {"k": "a", "v": 1}]})).problems),
        ["spec.pairs[0].v: Invalid value: 2: spec.pairs[0].v in body should be greater than or equal to 3"]
    );
}

#[test]
fn a_status_is_checked_from_its_own_root() {
    let kind = kind();
    let custom = kind.custom.as_ref().unwrap();
    let live = gizmo(&json!({"size": 5}));
    let said = |status: Value| {
        let mut object = live.clone();
        object["status"] = status;
        texts(&status_verdict(custom, &object, &live).problems)
    };
    assert_eq!(
        said(json!({"replicas": -1})),
        [".status.replicas: Invalid value: -1: should be a non-negative integer"]
    );
    assert_eq!(
        said(json!({"phase": "C"})),
        ["status.phase: Unsupported value: \"C\": supported values: \"A\", \"B\"", HIDDEN]
    );
    assert_eq!(
        said(json!({"selector": 5})),
        [
            "status.selector: Invalid value: \"integer\": selector in body must be of type string: \"integer\"",
            ".status.selector: Invalid value: \"\": .status.selector accessor error: 5 is of the type int64, expected string",
            HIDDEN
        ]
    );
    assert_eq!(
        said(json!("x")),
        [
            "status: Invalid value: \"string\":  in body must be of type object: \"string\"",
            ".status.replicas: Invalid value: 0: .status.replicas accessor error: x is of the type string, expected \
             map[string]interface{}",
            ".status.selector: Invalid value: \"\": .status.selector accessor error: x is of the type string, expected \
             map[string]interface{}",
            HIDDEN
        ]
    );
}

#[test]
fn unknown_fields_go_and_are_told_in_order() {
    let kind = kind();
    let custom = kind.custom.as_ref().unwrap();
    let mut object = gizmo(&json!({
        "size": 1, "zed": 1, "alpha": {"b": 1}, "pairs": [{"k": "a", "x": 1}, {"k": "b", "y": 1}],
        "embedded": {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "bar": 1}, "q": 1}, "labels": {"a": "b"}
    }));
    object["extra"] = json!(1);
    object["Zap"] = json!(2);
    object["metadata"] = json!({"name": "g", "foo": 1, "Bar": 2, "labels": {}});
    let paths = prune(custom, &mut object);
    assert_eq!(
        paths,
        [
            "metadata.Bar",
            "metadata.foo",
            "Zap",
            "extra",
            "spec.alpha",
            "spec.pairs[0].x",
            "spec.pairs[1].y",
            "spec.zed",
            "spec.embedded.metadata.bar"
        ]
    );
    assert_eq!(object["metadata"], json!({"name": "g"}));
    assert_eq!(object["spec"]["embedded"], json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "q": 1}));
    assert_eq!(object["spec"]["pairs"], json!([{"k": "a"}, {"k": "b"}]));
}

#[test]
fn defaults_take_the_place_of_what_is_missing_or_null() {
    let kind = kind();
    let custom = kind.custom.as_ref().unwrap();
    let spec = |spec: Value| decoded(custom, gizmo(&spec))["spec"].clone();
    let bare = json!({"color": "red", "nulldef": "x", "replicas": 1, "size": 5});
    assert_eq!(spec(json!({"size": 5})), bare);
    assert_eq!(spec(json!({"size": 5, "color": null, "flag": null, "replicas": null})), bare);
    assert_eq!(spec(json!({"size": 5, "nulldef": null}))["nulldef"], json!(null));
    assert_eq!(spec(json!({"size": 5, "nullable": null}))["nullable"], json!(null));
    assert_eq!(spec(json!({"size": 5, "free": {"a": null}}))["free"], json!({"a": null}));
    assert_eq!(spec(json!({"size": 5, "nested": {}}))["nested"], json!({"deep": {"x": 4}}));
}

#[test]
fn a_definition_brings_its_kinds() {
    let kind = kind();
    assert_eq!(
        (kind.plural.as_str(), kind.singular.as_str(), kind.list_kind.as_str()),
        ("gizmos", "gizmo", "GizmoList")
    );
    assert_eq!(kind.verbs, ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]);
    let names: Vec<&str> = kind.subresources.iter().map(|subresource| subresource.name.as_str()).collect();
    assert_eq!(names, ["status", "scale"]);
    assert!(!kind.schema.is_builtin());
    assert!(kind.schema.kind().unwrap().has_status);
    let metadata = kind.schema.field("metadata").unwrap();
    assert_eq!(metadata.type_name(), Some("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"));
    assert!(metadata.field("ownerReferences").unwrap().items().unwrap().field("uid").is_some());
    assert_eq!(selectable(kind.custom.as_ref().unwrap()), ["spec.color"]);
}

#[test]
fn schemas_are_published_as_the_server_does() {
    let schemas = openapi_schemas(&kind());
    let spec = &schemas["com.example.toys.v1.Gizmo"]["properties"]["spec"]["properties"];
    let either = json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true});
    assert_eq!((&spec["port"], &spec["ioa"]), (&either, &either));
    assert_eq!(spec["embedded"]["required"], json!(["kind", "apiVersion"]));
    let list = &schemas["com.example.toys.v1.GizmoList"];
    assert_eq!(list["description"], json!("GizmoList is a list of Gizmo"));
    assert_eq!(list["x-kubernetes-selectable-fields"], json!([{"fieldPath": "spec.color"}]));
}

#[test]
fn a_scale_is_read_and_written_where_the_definition_says() {
    let kind = kind();
    let custom = kind.custom.as_ref().unwrap();
    let mut object = gizmo(&json!({"size": 5, "replicas": 1}));
    object["status"] = json!({"replicas": 3, "selector": "a=b"});
    let scale = scale_of(custom, &object).unwrap();
    assert_eq!(scale["spec"], json!({"replicas": 1}));
    assert_eq!(scale["status"], json!({"replicas": 3, "selector": "a=b"}));
    assert_eq!(scaled(custom, &object, 4).unwrap()["spec"]["replicas"], json!(4));
    let refusal = scale_of(custom, &gizmo(&json!({"size": 5}))).unwrap_err();
    assert_eq!(refusal.message, "Internal error occurred: the spec replicas field \".spec.replicas\" does not exist");
}

#[test]
fn nothing_is_said_of_rules_where_there_are_none() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "note": {"type": "string", "maxLength": 5}
    }}}});
    let definition = json!({"spec": {
        "group": "toys.example.com", "scope": "Namespaced", "names": {"plural": "gizmos", "kind": "Gizmo"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]
    }});
    let kind = kinds_of(&definition).into_iter().next().unwrap();
    let custom = kind.custom.as_ref().unwrap();
    let verdict = verdict(custom, &gizmo(&json!({"note": "much too long"})), None);
    assert_eq!(texts(&verdict.problems), ["spec.note: Too long: may not be more than 5 bytes"]);
}

#[test]
fn a_rule_is_as_deep_as_the_server_reads_and_no_deeper() {
    let with_rule = |rule: String| {
        let mut definition = definition();
        for version in definition["spec"]["versions"].as_array_mut().unwrap() {
            version["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] = json!([{"rule": rule, "message": "no"}]);
        }
        definition
    };
    let sum = |terms: usize| format!("{} == 0", vec!["1"; terms].join("+"));
    let deep = with_rule(sum(248));
    assert_eq!(texts(&validate_definition(&deep, None)), Vec::<String>::new());
    let kinds = kinds_of(&deep);
    let custom = kinds[0].custom.as_ref().unwrap();
    let problems = validate(custom, &decoded(custom, gizmo(&json!({"size": 5}))), None);
    assert!(texts(&problems).contains(&"<nil>: Invalid value: no".to_owned()), "{:?}", texts(&problems));
    let told = texts(&validate_definition(&with_rule(sum(260)), None)).join("\n");
    assert!(told.contains("compilation failed: ERROR: <input>:-1:0: max recursion depth exceeded"), "{told}");
}

#[test]
fn many_problems_are_told_at_once() {
    let mut definition = definition();
    for version in definition["spec"]["versions"].as_array_mut().unwrap() {
        version["schema"]["openAPIV3Schema"]["properties"]["spec"] = json!({"type": "object", "properties": {"list": {
            "type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer", "maximum": 5}
        }}});
    }
    let kinds = kinds_of(&definition);
    let list: Vec<usize> = (0..30_000).map(|number| number % 29_999).collect();
    let start = std::time::Instant::now();
    let problems = validate(kinds[0].custom.as_ref().unwrap(), &gizmo(&json!({"list": list})), None);
    assert_eq!(problems.len(), 29_994);
    assert_eq!(problems.last().unwrap().text(), "spec.list[29999]: Duplicate value: 0");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
