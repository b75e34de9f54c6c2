//! What people read when a stack file is wrong: the whole text, for every kind of mistake.

use std::path::Path;

use mathison::stack::{LoadError, Settings, load_text};

/// Returns what is said about a file, errors and warnings.
fn problems_of(text: &str, settings: &Settings) -> String {
    match load_text("stack.yaml", text, Path::new("tests/suite"), settings) {
        Ok(loaded) => mathison::yaml::render(&loaded.warnings, &loaded.sources, false),
        Err(error @ LoadError::Invalid { .. }) => error.render(false).unwrap_or_default(),
        Err(error) => panic!("{error}"),
    }
}

/// Returns what is said about a whole file.
fn whole(text: &str) -> String {
    problems_of(text, &Settings::default())
}

/// Returns what is said about a file that begins well.
fn body(text: &str) -> String {
    whole(&format!("stack: demo\nnamespace: demo\n{text}"))
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    let text = r#"servces:
  db: { type: postgres }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn an_unknown_key_without_a_near_one_lists_the_known_ones() {
    let text = r#"inputs:
  size: { type: integer, default: 1, frobnicate: 2 }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_wrong_type_is_named_with_what_was_found() {
    let text = r#"outputs:
  ANSWER: 42
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_list_where_a_map_belongs() {
    let text = r#"services:
  - type: redis
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn nothing_where_a_map_belongs() {
    let text = r#"secrets:
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_missing_key_is_explained() {
    let text = r#"namespace: demo
"#;
    insta::assert_snapshot!(whole(text), @"");
}

#[test]
fn an_empty_file() {
    let text = r#"# nothing yet
"#;
    insta::assert_snapshot!(whole(text), @"");
}

#[test]
fn a_file_that_is_a_list() {
    let text = r#"- stack: demo
"#;
    insta::assert_snapshot!(whole(text), @"");
}

#[test]
fn two_documents_in_a_stack_file() {
    let text = r#"stack: demo
namespace: demo
---
apiVersion: v1
kind: ConfigMap
"#;
    insta::assert_snapshot!(whole(text), @"");
}

#[test]
fn a_duplicate_key() {
    let text = r#"outputs: { A: a }
protect: []
outputs: { B: b }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_tab() {
    let text = r#"services:
	db: { type: postgres }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn yaml_that_does_not_close() {
    let text = r#"outputs: { A: [1, 2 }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_bad_stack_and_namespace_name() {
    let text = r#"stack: My_Stack
namespace: -demo
"#;
    insta::assert_snapshot!(whole(text), @"");
}

#[test]
fn an_unknown_type_of_service() {
    let text = r#"services:
  db: { type: postgress }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_service_without_its_type() {
    let text = r#"services:
  db: { version: 16 }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_service_with_an_unknown_key() {
    let text = r#"services:
  cache: { type: redis, maxmemoryPolcy: noeviction }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_service_with_a_word_that_is_none_of_the_allowed() {
    let text = r#"services:
  cache: { type: redis, maxmemoryPolicy: allkeys-lruu }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_service_with_a_quantity_that_is_none() {
    let text = r#"services:
  cache: { type: redis, storage: 1gb }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_service_named_like_something_else() {
    let text = r#"services:
  manifest: { type: redis }
  Cache: { type: redis }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_patch_is_refused_rather_than_ignored() {
    let text = r#"services:
  cache: { type: redis, patch: { spec: {} } }
driftCheck: { schedule: daily }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_missing_input() {
    let text = r#"inputs:
  storage: { type: quantity }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn an_input_that_is_not_declared() {
    let text = r#"inputs:
  storage: { type: quantity, default: 1Gi }
outputs:
  SIZE: "size ${inputs.storge}"
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn an_input_whose_default_has_another_type() {
    let text = r#"inputs:
  storage: { type: quantity, default: plenty }
  replicas: { type: integer, default: "3" }
  wait: { type: duration, default: 3 }
  mode: { type: string, default: c, enum: [a, b] }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn an_environment_with_an_input_that_is_not_declared() {
    let text = r#"inputs:
  storage: { type: quantity, default: 1Gi }
environments:
  production: { storage: 100, storrage: 1Gi }
  staging: { storage: many }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_reference_that_is_none() {
    let text = r#"outputs:
  HOME: "${HOME}/x"
  OPEN: "${inputs."
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_reference_to_a_service_that_is_not_there() {
    let text = r#"services:
  cache: { type: redis }
outputs:
  A: redis://${services.cahce.host}
  B: ${services.cache.hots}
  C: ${services.cache.name}
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_reference_to_a_service_that_listens_nowhere() {
    let text = r#"services:
  access: { type: rbac }
outputs:
  A: ${services.access.host}
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_manifest_without_its_name() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: {} }
  - inline: { kind: ConfigMap, metadata: { name: x } }
  - inline: { apiVersion: v1, kind: Pod, metadata: { generateName: x- } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_manifest_item_that_is_both_or_neither() {
    let text = r#"manifests:
  - path: a.yaml
    inline: {}
  - protect: true
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_path_that_is_not_there() {
    let text = r#"manifests:
  - path: manifsts/
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn an_object_that_is_declared_twice() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: motd } }
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: motd, namespace: demo } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_service_and_a_manifest_that_make_the_same_object() {
    let text = r#"services:
  cache: { type: redis }
manifests:
  - inline:
      apiVersion: v1
      kind: Service
      metadata:
        name: cache
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn names_that_the_server_would_refuse() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: My_Map } }
  - inline: { apiVersion: v1, kind: Service, metadata: { name: a.b } }
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: ok, namespace: Not OK } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_quantity_with_a_slip() {
    let text = r#"manifests:
  - inline:
      apiVersion: v1
      kind: PersistentVolumeClaim
      metadata: { name: data }
      spec: { resources: { requests: { storage: 10GB } } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_label_that_is_no_string() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, labels: { enabled: true } } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_secret_in_clear_text() {
    let text = r#"manifests:
  - inline:
      apiVersion: v1
      kind: Secret
      metadata: { name: api }
      stringData: { token: hunter2 }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_kind_that_does_not_exist() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMpa, metadata: { name: a } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_kind_in_the_wrong_group() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: Deployment, metadata: { name: a } }
  - inline: { apiVersion: extensions/v1beta1, kind: Ingress, metadata: { name: a } }
  - inline: { apiVersion: apps/v1beta2, kind: DaemonSet, metadata: { name: a } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_secret_key_without_a_source() {
    let text = r#"secrets:
  app:
    TOKEN: {}
    BOTH: { env: A, file: b }
    FEW: { generate: { bytes: 4 } }
    ODD: { generate: { length: 5, bytes: 20 } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn an_optional_secret_that_is_generated() {
    let text = r#"secrets:
  app:
    TOKEN: { generate: { bytes: 32 }, optional: true }
    PIN: { generate: { length: 4, alphabet: "0" } }
    MANY: { generate: { bytes: 5000 } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn secrets_with_bad_names() {
    let text = r#"secrets:
  My_App:
    "a b": { env: A }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_template_with_an_unknown_key_and_an_unknown_function() {
    let text = r#"secrets:
  app:
    PASSWORD: { generate: { bytes: 24 } }
    URL: { template: "a://${urlencode(PASSWRD)}@${services.db.host}" }
    ODD: { template: "${base64(PASSWORD)}" }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn templates_that_form_a_cycle() {
    let text = r#"secrets:
  app:
    A: { template: "${B}" }
    B: { template: "x${urlencode(C)}" }
    C: { template: "${A}" }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_secret_taken_from_no_key() {
    let text = r#"secrets:
  app:
    TOKEN: { from: other }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_service_that_wants_a_secret_that_is_not_there() {
    let text = r#"services:
  db:
    type: postgres
    password: app/PASSWRD
secrets:
  app:
    PASSWORD: { generate: { bytes: 24 } }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_config_map_key_that_is_not_there() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: app }, data: { mode: fast } }
  - inline:
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        containers:
          - name: web
            image: web:1
            env: [{ name: MODE, valueFrom: { configMapKeyRef: { name: app, key: modus } } }]
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn what_does_not_stand_in_the_stack_is_only_warned_about() {
    let text = r#"outputs: { A: 1 }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn depends_on_what_is_not_there() {
    let text = r#"services:
  cache: { type: redis }
dependsOn:
  cache.StatefulSet/cache: [manifest.ConfigMap/motd, cahce]
  cache.StatefulSet/cahce: [cache]
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn protect_ignore_grant_and_exclusive_with_slips() {
    let text = r#"services:
  cache: { type: redis }
protect: [cache.StatefulSet/cach]
exclusive: [nothing]
ignore:
  cache.StatefulSet/cache: [spec.replicas, ".spec.template"]
grant:
  cache.StatefulSet/cache: [{}, { manager: hpa, feild: .spec }]
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_mute_with_a_bad_day() {
    let text = r#"services:
  cache: { type: redis }
mute:
  - { address: cache.StatefulSet/cache, field: .spec.replicas, reason: load test, until: 2026-02-30 }
  - { address: cache.StatefulSet/cache, field: .spec.replicas, reason: " ", until: soon }
  - { address: cache.StatefulSet/cache, field: .spec }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn checks_that_cannot_be_asked() {
    let text = r#"services:
  cache: { type: redis }
checks:
  no question: { in: cache }
  two: { sql: SELECT 1, redis: PING, in: cache }
  no pod: { redis: PING }
  no answer: { redis: GET x, in: cache }
  wrong kind: { endpoints: cache.StatefulSet/cache }
  no such service: { redis: PING, in: chache }
  no database: { sql: SELECT 1, in: cache }
  odd key: { ready: cache.StatefulSet/cache, expect: yes please }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn outputs_of_secrets_that_are_not_there() {
    let text = r#"secrets:
  app: { TOKEN: { env: TOKEN } }
outputs:
  A: app/TOKN
  B: ap/TOKEN
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn a_policy_that_loses_queued_jobs_is_warned_about() {
    let text = r#"services:
  cache: { type: redis }
outputs: { A: [] }
"#;
    insta::assert_snapshot!(body(text), @"");
}

#[test]
fn several_problems_are_told_in_one_run() {
    let text = r#"stak: demo
namespace: Demo
inputs:
  size: { type: integr }
services:
  db: { type: postgres, storage: "${inputs.size}" }
  cache: { type: redis, version: seven }
secrets:
  app: { KEY: { evn: KEY } }
manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: UPPER } }
"#;
    insta::assert_snapshot!(whole(text), @"");
}

#[test]
fn settings_that_do_not_fit() {
    let text = "stack: demo\nnamespace: demo\ninputs:\n  replicas: { type: integer, default: 1 }\nenvironments:\n  production: { replicas: 2 }\n";
    let settings = Settings {
        set: vec![("replicas".into(), "three".into()), ("replcas".into(), "3".into())],
        var_files: vec![("vars.yaml".into(), "replicas: x\nmore: 1\n".into())],
        environment: Some("prod".into()),
        env_inputs: [("REPLICAS".into(), "many".into()), ("OTHER".into(), "1".into())].into(),
        namespace: Some("Upper".into()),
        extra_manifests: Some(vec![(
            "<stdin>".into(),
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: Bad\n- 5\n".into(),
        )]),
    };
    insta::assert_snapshot!(problems_of(text, &settings), @"");
}

#[test]
fn problems_in_manifest_files_point_into_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("k8s")).unwrap();
    let files = [
        ("k8s/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: B\n"),
        ("k8s/b.yml", "kind: ConfigMap\nmetadata:\n  name: b\n  name: c\n"),
        ("k8s/c.json", "{\n  \"apiVersion\": \"v1\", \"kind\": \"Secret\",\n  \"metadata\": {\"name\": \"s\"},\n  \"data\": {\"k\": \"aHVudGVyMg==\"}\n}\n"),
        ("k8s/d.txt", "not read"),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let text = "stack: demo\nnamespace: demo\nmanifests:\n  - path: k8s\n";
    let error = load_text("stack.yaml", text, folder.path(), &Settings::default()).unwrap_err();
    let shown = error.render(false).unwrap().replace(&folder.path().display().to_string(), "FOLDER");
    assert!(!shown.contains("aHVudGVyMg"), "{shown}");
    insta::assert_snapshot!(shown, @"");
}
