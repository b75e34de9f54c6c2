use serde_json::json;

use super::*;
use crate::ssa::builtin;

fn kind(group: &str, name: &str) -> Kind {
    let schema = builtin(group, "v1", name).unwrap();
    Kind {
        group: group.to_owned(),
        version: "v1".to_owned(),
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

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "labels": {"a": "1", "b": "2"}, "finalizers": ["h/a", "h/b", "h/c"]},
        "spec": {"volumes": [{"name": "v", "emptyDir": {}}], "containers": [
            {"name": "a", "image": "x", "args": ["x", "z"], "resources": {},
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "ports": [{"containerPort": 80}]},
            {"name": "b", "image": "x", "resources": {}},
            {"name": "c", "image": "x", "resources": {}}]},
        "status": {}})
}

fn patch(kind_of_patch: PatchKind, body: &str) -> Result<Value, Refusal> {
    let decoded = patched(kind_of_patch, &kind("", "Pod"), &pod(), body.as_bytes(), FieldValidation::Strict)?;
    Ok(decoded.object)
}

fn refused(kind_of_patch: PatchKind, body: &str) -> (u16, String) {
    let refusal = patch(kind_of_patch, body).unwrap_err();
    (refusal.code, refusal.message)
}

fn strategic(body: &str) -> Value {
    patch(PatchKind::Strategic, body).unwrap()
}

fn names(value: &Value) -> String {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| item["name"].as_str().or(item.as_str())).map(|name| name.trim_start_matches("h/")).collect()
}

#[test]
fn merge_patches_merge_maps_and_replace_all_else() {
    let merged = patch(PatchKind::Merge, r#"{"metadata":{"labels":{"a":null,"c":"3"},"annotations":{"x":"y","z":null}},"spec":{"containers":[{"name":"q"}]}}"#).unwrap();
    assert_eq!(merged["metadata"]["labels"], json!({"b": "2", "c": "3"}));
    assert_eq!(merged["metadata"]["annotations"], json!({"x": "y"}));
    assert_eq!(names(&merged["spec"]["containers"]), "q");
}

#[test]
fn bad_merge_patches_are_refused() {
    let told = |body: &str| refused(PatchKind::Merge, body);
    let cannot = |what: &str| {
        (
            400,
            format!(
                "error decoding patch: json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"
            ),
        )
    };
    assert_eq!(told("[]"), cannot("array"));
    assert_eq!(told("3"), cannot("number"));
    assert_eq!(told("null"), (400, "Invalid JSON Patch".to_owned()));
    assert_eq!(told("{"), (400, "error decoding patch: unexpected end of JSON input".to_owned()));
    let (code, message) = told(r#"{"metadata":{"foo":1},"x":1,"x":2}"#);
    assert_eq!(code, 422);
    assert!(message.starts_with(r#" "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\","#), "{message}");
    assert!(
        message.ends_with(
            r#"": strict decoding error: duplicate field "x", unknown field "metadata.foo", unknown field "x""#
        ),
        "{message}"
    );
    let (_, message) = told(r#"{"kind":"Foo"}"#);
    assert!(
        message.ends_with(r#": no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#),
        "{message}"
    );
}

#[test]
fn what_a_patch_went_through_is_told_sorted_and_all_else_as_the_server_writes_it() {
    let (_, message) = refused(PatchKind::Merge, r#"{"metadata":{"labels":{"b":5}}}"#);
    assert!(
        message.starts_with(
            r#" "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"finalizers\":[\"h/a\",\"h/b\",\"h/c\"],\"labels\":{\"a\":\"1\",\"b\":5},\"name\":\"p\"},\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}],\"containers\":[{\"name\":\"a\",\"image\":\"x\",\"args\":[\"x\",\"z\"],"#
        ),
        "{message}"
    );
    let (_, message) =
        refused(PatchKind::Json, r#"[{"op":"replace","path":"/spec/containers/1","value":{"name":"q","image":5}}]"#);
    assert!(
        message.contains(r#"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"labels\":"#),
        "{message}"
    );
    assert!(message.contains(r#"\"spec\":{\"containers\":[{\"name\":\"a\""#), "{message}");
    assert!(message.contains(r#"{\"name\":\"q\",\"image\":5}"#), "{message}");
}

#[test]
fn json_patches_do_what_the_servers_library_does() {
    let done = |body: &str| patch(PatchKind::Json, body).unwrap();
    assert_eq!(
        done(r#"[{"op":"replace","path":"/metadata/labels/new~1key","value":"v"}]"#)["metadata"]["labels"]["new/key"],
        "v"
    );
    assert_eq!(names(&done(r#"[{"op":"remove","path":"/metadata/finalizers/-1"}]"#)["metadata"]["finalizers"]), "ab");
    assert_eq!(
        names(&done(r#"[{"op":"add","path":"/metadata/finalizers/-","value":"h/d"}]"#)["metadata"]["finalizers"]),
        "abcd"
    );
    assert_eq!(
        names(&done(r#"[{"op":"add","path":"/metadata/finalizers/1","value":"h/d"}]"#)["metadata"]["finalizers"]),
        "adbc"
    );
    let moved = done(
        r#"[{"op":"test","path":"/metadata/labels/a","value":"1"},{"op":"test","path":"/metadata/labels/z","value":null},{"op":"copy","from":"/metadata/labels/a","path":"/metadata/labels/c"},{"op":"move","from":"/metadata/labels/b","path":"/metadata/labels/d"}]"#,
    );
    assert_eq!(moved["metadata"]["labels"], json!({"a": "1", "c": "1", "d": "2"}));
    assert_eq!(done("null"), pod());
}

#[test]
fn bad_json_patches_are_refused() {
    let rejected = (422, "the server rejected our request due to an error in our request".to_owned());
    for body in [
        r#"[{"op":"replace","path":"/spec/x/y","value":1}]"#,
        r#"[{"op":"foo","path":"/spec","value":1}]"#,
        r#"[{"op":"test","path":"/metadata/labels/a","value":"2"}]"#,
        r#"[{"op":"remove","path":"/metadata/labels/zz"}]"#,
        r#"[{"op":"remove"}]"#,
        r#"[{"op":"add","path":"","value":{}}]"#,
        r#"[{"op":"add","path":"/spec/containers/9","value":{}}]"#,
    ] {
        assert_eq!(refused(PatchKind::Json, body), rejected, "{body}");
    }
    let told = |body: &str| refused(PatchKind::Json, body).1;
    assert_eq!(
        told("{}"),
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
    );
    assert_eq!(
        told("[1]"),
        "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"
    );
    assert_eq!(
        told(r#"[{"op":1}]"#),
        "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"
    );
    let many = format!("[{}]", vec![r#"{"op":"test","path":"/a"}"#; 10_001].join(","));
    assert_eq!(
        refused(PatchKind::Json, &many),
        (
            413,
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001".to_owned()
        )
    );
}

#[test]
fn lists_are_merged_by_their_keys_in_the_order_of_the_patch() {
    let order = |body: &str| names(&strategic(body)["spec"]["containers"]);
    assert_eq!(order(r#"{"spec":{"containers":[{"name":"n"},{"name":"b","image":"y"}]}}"#), "nabc");
    assert_eq!(order(r#"{"spec":{"containers":[{"name":"n"}]}}"#), "nabc");
    assert_eq!(order(r#"{"spec":{"containers":[{"name":"c"},{"name":"a"}]}}"#), "bca");
    assert_eq!(
        order(r#"{"spec":{"containers":[{"name":"b","$patch":"delete"},{"name":"zz","$patch":"delete"}]}}"#),
        "ac"
    );
    assert_eq!(order(r#"{"spec":{"containers":[{"name":"q"},{"$patch":"replace"}]}}"#), "q");
    assert_eq!(order(r#"{"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}]}}"#), "bca");
    assert_eq!(
        order(
            r#"{"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"n"},{"name":"a"}],"containers":[{"name":"n"}]}}"#
        ),
        "bcna"
    );
    // What is taken out leaves a place for what is new, behind the server's own items.
    assert_eq!(
        order(
            r#"{"spec":{"$setElementOrder/containers":[{"name":"d"},{"name":"a"}],"containers":[{"name":"d"},{"name":"c","$patch":"delete"},{"name":"a"}]}}"#
        ),
        "bda"
    );
    let merged = strategic(
        r#"{"spec":{"containers":[{"name":"a","image":"y","args":["q"],"env":[{"name":"B","value":null},{"name":"C","value":"3"}],"ports":[{"containerPort":80,"name":"web"}]}]}}"#,
    );
    assert_eq!(
        merged["spec"]["containers"][0],
        json!({"name": "a", "image": "y", "args": ["q"], "resources": {},
            "env": [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "C", "value": "3"}],
            "ports": [{"containerPort": 80, "name": "web"}]})
    );
}

#[test]
fn lists_of_texts_are_sets_and_can_be_taken_from() {
    let finalizers = |body: &str| names(&strategic(body)["metadata"]["finalizers"]);
    assert_eq!(finalizers(r#"{"metadata":{"finalizers":["h/d","h/b"]}}"#), "dabc");
    assert_eq!(finalizers(r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["h/b","h/x"]}}"#), "ac");
    assert_eq!(finalizers(r#"{"metadata":{"$setElementOrder/finalizers":["h/c","h/a"]}}"#), "bca");
    let args = strategic(r#"{"spec":{"containers":[{"name":"a","$deleteFromPrimitiveList/args":["x"]}]}}"#);
    assert_eq!(args["spec"]["containers"][0]["args"], json!(["z"]));
}

#[test]
fn directives_replace_delete_and_retain() {
    let merged = strategic(r#"{"metadata":{"labels":{"$patch":"replace","c":"3"}}}"#);
    assert_eq!(merged["metadata"]["labels"], json!({"c": "3"}));
    let merged = strategic(r#"{"metadata":{"labels":{"$patch":"delete"}}}"#);
    assert_eq!(merged["metadata"].get("labels"), None);
    let merged = strategic(
        r#"{"spec":{"volumes":[{"$retainKeys":["name","hostPath"],"name":"v","hostPath":{"path":"/x","type":null}}]}}"#,
    );
    assert_eq!(merged["spec"]["volumes"], json!([{"name": "v", "hostPath": {"path": "/x"}}]));
    assert_eq!(strategic("null"), pod());
    assert_eq!(strategic(r#"{"kind":"Foo"}"#), pod());
}

#[test]
fn bad_strategic_patches_are_refused() {
    let told = |body: &str| refused(PatchKind::Strategic, body);
    let plain = |message: &str| (500, message.to_owned());
    assert_eq!(
        told(r#"{"metadata":{"finalizers":["a",1]}}"#),
        plain("list element types are not identical: [[h/a h/b h/c] [a 1]]")
    );
    assert_eq!(
        told(r#"{"metadata":{"finalizers":[null]}}"#),
        plain("list element types are not identical: [[h/a h/b h/c] [<nil>]]")
    );
    assert_eq!(
        told(r#"{"spec":{"containers":[{"image":"x"}]}}"#),
        plain("map: map[image:x] does not contain declared merge key: name")
    );
    assert_eq!(
        told(r#"{"spec":{"$patch":"bogus","a":1}}"#),
        plain("unknown patch type: bogus in map: map[$patch:bogus a:1]")
    );
    assert_eq!(
        told(r#"{"spec":{"containers":[{"name":"a","$patch":"bogus"}]}}"#),
        plain("unknown patch type: bogus in map: map[$patch:bogus name:a]")
    );
    assert_eq!(
        told(r#"{"spec":{"containers":[{"name":"a","$patch":"merge"}]}}"#),
        plain("merging lists cannot yet be specified in the patch")
    );
    assert_eq!(
        told(r#"{"spec":{"$setElementOrder/containers":[{"name":"b"}],"containers":[{"name":"a"}]}}"#),
        plain("The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n")
    );
    assert_eq!(
        told(r#"{"spec":{"$setElementOrder/containers":3}}"#),
        plain("expected a []interface {}, but received a int64")
    );
    assert_eq!(
        told(r#"{"metadata":{"$setElementOrder/labels":["a"]}}"#),
        plain("expected a []interface {}, but received a map[string]interface {}")
    );
    let format = |what: &str| (400, format!("invalid patch format of {what}"));
    assert_eq!(told(r#"{"spec":{"$retainKeys":3}}"#), format("retainKeys"));
    assert_eq!(told(r#"{"spec":{"$retainKeys":["a"],"b":1}}"#), format("retainKeys"));
    assert_eq!(told(r#"{"spec":{"$deleteFromPrimitiveList":[]}}"#), format("primitive list"));
    assert_eq!(told(r#"{"spec":{"$setElementOrder":[]}}"#), format("setElementOrder list"));
    assert_eq!(
        told("[]"),
        (400, "json: cannot unmarshal array into Go value of type map[string]interface {}".to_owned())
    );
    assert_eq!(told("{"), (400, "unexpected end of JSON input".to_owned()));
}

#[test]
fn what_a_strategic_patch_makes_is_decoded_in_words_of_its_own() {
    let told = |body: &str| {
        let (code, message) = refused(PatchKind::Strategic, body);
        assert_eq!(code, 422);
        message.strip_prefix(r#" "" is invalid: patch: Invalid value: "#).unwrap().to_owned()
    };
    for (body, expected) in [
        (
            r#"{"foo":1,"metadata":{"foo":{}},"foo":2}"#,
            r#""map[foo:2 metadata:map[foo:map[]]]": strict decoding error: duplicate field "foo", unknown field "foo", unknown field "metadata.foo""#,
        ),
        (
            r#"{"spec":{"activeDeadlineSeconds":"x"}}"#,
            r#""map[spec:map[activeDeadlineSeconds:x]]": unrecognized type: int64"#,
        ),
        (
            r#"{"spec":{"containers":[{"name":"a","image":3}]}}"#,
            r#""map[spec:map[containers:[map[image:3 name:a]]]]": cannot convert int64 to string"#,
        ),
        (r#"{"spec":{"containers":3}}"#, r#""map[spec:map[containers:3]]": cannot restore slice from int64"#),
        (r#"{"spec":3}"#, r#""map[spec:3]": cannot restore struct from: int64"#),
        (
            r#"{"metadata":{"deletionTimestamp":3}}"#,
            r#""map[metadata:map[deletionTimestamp:3]]": json: cannot unmarshal number into Go value of type string"#,
        ),
        (r#"{"metadata":{"labels":3}}"#, r#""map[metadata:map[labels:3]]": cannot restore map from int64"#),
        (
            r#"{"metadata":{"labels":{"a":{}}}}"#,
            r#""map[metadata:map[labels:map[a:map[]]]]": unrecognized type: string"#,
        ),
        (r#"{"spec":{"$foo":[]}}"#, r#""map[spec:map[$foo:[]]]": strict decoding error: unknown field "spec.$foo""#),
    ] {
        assert_eq!(told(body), expected, "{body}");
    }
}

#[test]
fn copies_of_copies_come_to_an_end() {
    let double = r#"{"op":"copy","from":"/metadata/annotations/x","path":"/metadata/annotations/x"}"#;
    // The quotes count: 1024 bytes, 3072 times.
    let body = |count: usize| {
        let first = format!(r#"{{"op":"add","path":"/metadata/annotations","value":{{"x":"{}"}}}}"#, "x".repeat(1022));
        format!("[{first},{}]", vec![double; count].join(","))
    };
    assert!(patch(PatchKind::Json, &body(3072)).is_ok());
    assert_eq!(refused(PatchKind::Json, &body(3073)).0, 422);
    let inward = r#"{"op":"copy","from":"/spec","path":"/spec/more"}"#;
    assert_eq!(refused(PatchKind::Json, &format!("[{}]", vec![inward; 60].join(","))).0, 422);
}

#[test]
fn a_patch_makes_nothing_deeper_than_a_body_may_be() {
    let deep = "[".repeat(40) + &"]".repeat(40);
    let down = "/0".repeat(39);
    let round = format!(
        r#"{{"op":"add","path":"/c","value":{deep}}},{{"op":"move","from":"/x","path":"/c{down}/0"}},{{"op":"move","from":"/c","path":"/x"}}"#
    );
    let body = format!(r#"[{{"op":"add","path":"/x","value":[]}},{}]"#, vec![round; 200].join(","));
    assert_eq!(refused(PatchKind::Json, &body).0, 422);
}

#[test]
fn large_maps_and_lists_are_merged_at_once() {
    let labels: Vec<String> = (0..60_000).map(|key| format!("\"k{key}\":\"\"")).collect();
    let body = format!(r#"{{"metadata":{{"labels":{{{}}}}}}}"#, labels.join(","));
    let start = std::time::Instant::now();
    let merged = patch(PatchKind::Merge, &body).unwrap();
    assert_eq!(merged["metadata"]["labels"].as_object().unwrap().len(), 60_002);
    let variables: Vec<String> = (0..20_000).map(|key| format!(r#"{{"name":"k{key}","value":"1"}}"#)).collect();
    let body = format!(r#"{{"spec":{{"containers":[{{"name":"a","env":[{}]}}]}}}}"#, variables.join(","));
    let merged = strategic(&body);
    assert_eq!(merged["spec"]["containers"][0]["env"].as_array().unwrap().len(), 20_002);
    let finalizers: Vec<String> = (0..20_000).map(|key| format!("\"h/k{key}\"")).collect();
    let merged = strategic(&format!(r#"{{"metadata":{{"finalizers":[{}]}}}}"#, finalizers.join(",")));
    assert_eq!(merged["metadata"]["finalizers"].as_array().unwrap().len(), 20_003);
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn a_number_beyond_all_is_refused() {
    let problem = "json: cannot unmarshal number 1e400 into Go value of type float64";
    let of = |kind: PatchKind| refused(kind, r#"{"spec":{"x":1e400}}"#);
    assert_eq!(of(PatchKind::Merge), (400, format!("error decoding patch: {problem}")));
    assert_eq!(of(PatchKind::Strategic), (400, problem.to_owned()));
}
