//! What people read when a stack file is wrong: the whole text, for every kind of mistake.

use std::path::Path;

use mathison::stack::{LoadError, Settings, load_text};

/// Returns what is said about a file, errors and warnings.
fn problems_of(text: &str, settings: &Settings) -> String {
    match load_text("stack.yaml", text, Path::new("tests/suite"), settings) {
        Ok(loaded) => mathison::yaml::render(&loaded.warnings, &loaded.sources, false, 140),
        Err(error @ LoadError::Invalid { .. }) => error.render(false, 140).unwrap_or_default(),
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
    insta::assert_snapshot!(body(text), @"
        error: unknown key `servces`
         --> stack.yaml:3:1
          |
        3 | servces:
          | ^^^^^^^
          |
          = hint: did you mean `services`?
    ");
}

#[test]
fn an_unknown_key_without_a_near_one_lists_the_known_ones() {
    let text = r#"inputs:
  size: { type: integer, default: 1, frobnicate: 2 }
"#;
    insta::assert_snapshot!(body(text), @"
        error: unknown key `frobnicate`
         --> stack.yaml:4:38
          |
        4 |   size: { type: integer, default: 1, frobnicate: 2 }
          |                                      ^^^^^^^^^^
          |
          = hint: known keys are `default`, `description`, `enum` and `type`
    ");
}

#[test]
fn a_wrong_type_is_named_with_what_was_found() {
    let text = r#"outputs:
  ANSWER: 42
"#;
    insta::assert_snapshot!(body(text), @"
        error: expected a string, found the integer 42
         --> stack.yaml:4:11
          |
        4 |   ANSWER: 42
          |           ^^
          |
          = hint: put it in quotes
    ");
}

#[test]
fn a_list_where_a_map_belongs() {
    let text = r#"services:
  - type: redis
"#;
    insta::assert_snapshot!(body(text), @"
        error: expected a map, found a list
         --> stack.yaml:4:3
          |
        4 |   - type: redis
          |   ^
    ");
}

#[test]
fn nothing_where_a_map_belongs() {
    let text = r#"secrets:
"#;
    insta::assert_snapshot!(body(text), @"
        error: expected a map, found nothing
         --> stack.yaml:3:8
          |
        3 | secrets:
          |        ^
    ");
}

#[test]
fn a_missing_key_is_explained() {
    let text = r#"namespace: demo
"#;
    insta::assert_snapshot!(whole(text), @"
        error: the key `stack` is missing
         --> stack.yaml:1:1
          |
        1 | namespace: demo
          | ^
          |
          = hint: `stack`: Name of the stack: a label of RFC 1123.
    ");
}

#[test]
fn an_empty_file() {
    let text = r#"# nothing yet
"#;
    insta::assert_snapshot!(whole(text), @"
        error: the file is empty
         --> stack.yaml:1:1
          |
        1 | # nothing yet
          | ^
          |
          = hint: a stack has at least `stack: NAME` and `namespace: NAME`
    ");
}

#[test]
fn a_file_that_is_a_list() {
    let text = r#"- stack: demo
"#;
    insta::assert_snapshot!(whole(text), @"
        error: a stack file is a map, this is a list
         --> stack.yaml:1:1
          |
        1 | - stack: demo
          | ^
    ");
}

#[test]
fn two_documents_in_a_stack_file() {
    let text = r#"stack: demo
namespace: demo
---
apiVersion: v1
kind: ConfigMap
"#;
    insta::assert_snapshot!(whole(text), @"
        error: a stack file is one document, and here starts another
         --> stack.yaml:4:1
          |
        4 | apiVersion: v1
          | ^
          |
          = hint: plain manifests go below `manifests`, each document in a file of its own or all in one
    ");
}

#[test]
fn a_duplicate_key() {
    let text = r#"outputs: { A: a }
protect: []
outputs: { B: b }
"#;
    insta::assert_snapshot!(body(text), @"
        error: the key `outputs` stands twice in the same map
         --> stack.yaml:5:1
          |
        5 | outputs: { B: b }
          | ^^^^^^^
          |
          = hint: it was first set on line 3
    ");
}

#[test]
fn a_tab() {
    let text = r#"services:
	db: { type: postgres }
"#;
    insta::assert_snapshot!(body(text), @"
        error: YAML is indented with spaces; this is a tab
         --> stack.yaml:4:1
          |
        4 |     db: { type: postgres }
          | ^^^^
          |
          = hint: replace the tab by spaces
    ");
}

#[test]
fn yaml_that_does_not_close() {
    let text = r#"outputs: { A: [1, 2 }
"#;
    insta::assert_snapshot!(body(text), @"
        error: this is not YAML: mismatched bracket '[' closed by '}'
         --> stack.yaml:3:15
          |
        3 | outputs: { A: [1, 2 }
          |               ^
    ");
}

#[test]
fn a_bad_stack_and_namespace_name() {
    let text = r#"stack: My_Stack
namespace: -demo
"#;
    insta::assert_snapshot!(whole(text), @"
        error: `My_Stack` is no name for a stack: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `M` at position 1 is not allowed
         --> stack.yaml:1:8
          |
        1 | stack: My_Stack
          |        ^^^^^^^^

        error: `-demo` is no name for a Namespace: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `-` at position 1 is not allowed
         --> stack.yaml:2:12
          |
        2 | namespace: -demo
          |            ^^^^^
    ");
}

#[test]
fn an_unknown_type_of_service() {
    let text = r#"services:
  db: { type: postgress }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: expected `rbac`, `config`, `postgres` or `redis`, found the string "postgress"
         --> stack.yaml:4:15
          |
        4 |   db: { type: postgress }
          |               ^^^^^^^^^
          |
          = hint: did you mean `postgres`?
    "#);
}

#[test]
fn a_service_without_its_type() {
    let text = r#"services:
  db: { version: 16 }
"#;
    insta::assert_snapshot!(body(text), @"
        error: the key `type` is missing
         --> stack.yaml:4:3
          |
        4 |   db: { version: 16 }
          |   ^^
          |
          = hint: it is one of `rbac`, `config`, `postgres` or `redis`
    ");
}

#[test]
fn a_service_with_an_unknown_key() {
    let text = r#"services:
  cache: { type: redis, maxmemoryPolcy: noeviction }
"#;
    insta::assert_snapshot!(body(text), @"
        error: unknown key `maxmemoryPolcy`
         --> stack.yaml:4:25
          |
        4 |   cache: { type: redis, maxmemoryPolcy: noeviction }
          |                         ^^^^^^^^^^^^^^
          |
          = hint: did you mean `maxmemoryPolicy`?
    ");
}

#[test]
fn a_service_with_a_word_that_is_none_of_the_allowed() {
    let text = r#"services:
  cache: { type: redis, maxmemoryPolicy: allkeys-lruu }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: expected `noeviction`, `allkeys-lru`, `allkeys-lfu`, `allkeys-random`, `volatile-lru`, `volatile-lfu`, `volatile-random` or `volatile-ttl`, found the string "allkeys-lruu"
         --> stack.yaml:4:42
          |
        4 |   cache: { type: redis, maxmemoryPolicy: allkeys-lruu }
          |                                          ^^^^^^^^^^^^
          |
          = hint: did you mean `allkeys-lru`?
    "#);
}

#[test]
fn a_service_with_a_quantity_that_is_none() {
    let text = r#"services:
  cache: { type: redis, storage: 1gb }
"#;
    insta::assert_snapshot!(body(text), @"
        error: `1gb` is no quantity: it must be a number with an optional suffix, such as `500m`, `2` or `1Gi`
         --> stack.yaml:4:34
          |
        4 |   cache: { type: redis, storage: 1gb }
          |                                  ^^^
    ");
}

#[test]
fn a_service_named_like_something_else() {
    let text = r#"services:
  manifest: { type: redis }
  Cache: { type: redis }
"#;
    insta::assert_snapshot!(body(text), @"
        error: a service cannot be called `manifest`
         --> stack.yaml:4:3
          |
        4 |   manifest: { type: redis }
          |   ^^^^^^^^
          |
          = hint: it already stands for something else in addresses; choose another name

        error: `Cache` is no name for a service: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `C` at position 1 is not allowed
         --> stack.yaml:5:3
          |
        5 |   Cache: { type: redis }
          |   ^^^^^
    ");
}

#[test]
fn a_patch_is_refused_rather_than_ignored() {
    let text = r#"services:
  cache: { type: redis, patch: { spec: {} } }
driftCheck: { schedule: daily }
"#;
    insta::assert_snapshot!(body(text), @"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis, patch: { spec: {} } }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`

        error: `patch` is not supported yet
         --> stack.yaml:4:25
          |
        4 |   cache: { type: redis, patch: { spec: {} } }
          |                         ^^^^^

        error: `driftCheck` is not supported yet
         --> stack.yaml:5:1
          |
        5 | driftCheck: { schedule: daily }
          | ^^^^^^^^^^
    ");
}

#[test]
fn a_missing_input() {
    let text = r#"inputs:
  storage: { type: quantity }
"#;
    insta::assert_snapshot!(body(text), @"
        error: the input `storage` has no default and is not set
         --> stack.yaml:4:3
          |
        4 |   storage: { type: quantity }
          |   ^^^^^^^
          |
          = hint: set it with `--set storage=VALUE`, `--var-file` or `MATHISON_INPUT_STORAGE`
    ");
}

#[test]
fn an_input_that_is_not_declared() {
    let text = r#"inputs:
  storage: { type: quantity, default: 1Gi }
outputs:
  SIZE: "size ${inputs.storge}"
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: there is no input `storge`
         --> stack.yaml:6:15
          |
        6 |   SIZE: "size ${inputs.storge}"
          |               ^^^^^^^^^^^^^^^^
          |
          = hint: did you mean `storage`?
    "#);
}

#[test]
fn an_input_whose_default_has_another_type() {
    let text = r#"inputs:
  storage: { type: quantity, default: plenty }
  replicas: { type: integer, default: "3" }
  wait: { type: duration, default: 3 }
  mode: { type: string, default: c, enum: [a, b] }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: the input `storage` must be a quantity such as `500m` or `10Gi`, found the string "plenty"
         --> stack.yaml:4:39
          |
        4 |   storage: { type: quantity, default: plenty }
          |                                       ^^^^^^

        error: the input `replicas` must be an integer, found the string "3"
         --> stack.yaml:5:39
          |
        5 |   replicas: { type: integer, default: "3" }
          |                                       ^^^

        error: the input `wait` must be a duration such as `90s` or `1h30m`, found the integer 3
         --> stack.yaml:6:36
          |
        6 |   wait: { type: duration, default: 3 }
          |                                    ^

        error: the input `mode` must be `a` or `b`, found the string "c"
         --> stack.yaml:7:34
          |
        7 |   mode: { type: string, default: c, enum: [a, b] }
          |                                  ^
    "#);
}

#[test]
fn an_environment_with_an_input_that_is_not_declared() {
    let text = r#"inputs:
  storage: { type: quantity, default: 1Gi }
environments:
  production: { storage: 100, storrage: 1Gi }
  staging: { storage: many }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: there is no input `storrage`
         --> stack.yaml:6:31
          |
        6 |   production: { storage: 100, storrage: 1Gi }
          |                               ^^^^^^^^
          |
          = hint: did you mean `storage`?

        error: the input `storage` must be a quantity such as `500m` or `10Gi`, found the string "many"
         --> stack.yaml:7:23
          |
        7 |   staging: { storage: many }
          |                       ^^^^
    "#);
}

#[test]
fn a_reference_that_is_none() {
    let text = r#"outputs:
  HOME: "${HOME}/x"
  OPEN: "${inputs."
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: `${HOME}` is no reference
         --> stack.yaml:4:10
          |
        4 |   HOME: "${HOME}/x"
          |          ^^^^^^^
          |
          = hint: write `${inputs.NAME}` or `${services.NAME.host|port|address}`; for the text itself write `$${`

        error: `${` without its `}`
         --> stack.yaml:5:10
          |
        5 |   OPEN: "${inputs."
          |          ^^
          |
          = hint: for the text itself write `$${`
    "#);
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
    insta::assert_snapshot!(body(text), @"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`

        error: there is no service `cahce`
         --> stack.yaml:6:14
          |
        6 |   A: redis://${services.cahce.host}
          |              ^^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: did you mean `cache`?

        error: a service has no `hots`
         --> stack.yaml:7:6
          |
        7 |   B: ${services.cache.hots}
          |      ^^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: did you mean `host`?

        error: a service has no `name`
         --> stack.yaml:8:6
          |
        8 |   C: ${services.cache.name}
          |      ^^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: it has `host`, `port` and `address`
    ");
}

#[test]
fn a_reference_to_a_service_that_listens_nowhere() {
    let text = r#"services:
  access: { type: rbac }
outputs:
  A: ${services.access.host}
"#;
    insta::assert_snapshot!(body(text), @"
        error: the service `access` listens nowhere
         --> stack.yaml:6:6
          |
        6 |   A: ${services.access.host}
          |      ^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_manifest_without_its_name() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: {} }
  - inline: { kind: ConfigMap, metadata: { name: x } }
  - inline: { apiVersion: v1, kind: Pod, metadata: { generateName: x- } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: `metadata.name` is missing
         --> stack.yaml:4:58
          |
        4 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: {} }
          |                                                          ^

        error: `apiVersion` is missing
         --> stack.yaml:5:13
          |
        5 |   - inline: { kind: ConfigMap, metadata: { name: x } }
          |             ^

        error: `metadata.generateName` has no fixed name to find the object by; give it `metadata.name`
         --> stack.yaml:6:68
          |
        6 |   - inline: { apiVersion: v1, kind: Pod, metadata: { generateName: x- } }
          |                                                                    ^^
          |
          = hint: a name that stays the same lets the next run find it
    ");
}

#[test]
fn a_manifest_item_that_is_both_or_neither() {
    let text = r#"manifests:
  - path: a.yaml
    inline: {}
  - protect: true
"#;
    insta::assert_snapshot!(body(text), @"
        error: `path` and `inline` exclude each other
         --> stack.yaml:5:5
          |
        5 |     inline: {}
          |     ^^^^^^
          |
          = hint: keep one of them

        error: one of `path` or `inline` must be given
         --> stack.yaml:6:5
          |
        6 |   - protect: true
          |     ^
    ");
}

#[test]
fn a_path_that_is_not_there() {
    let text = r#"manifests:
  - path: manifsts/
"#;
    insta::assert_snapshot!(body(text), @"
        error: there is no file or folder `manifsts/`
         --> stack.yaml:4:11
          |
        4 |   - path: manifsts/
          |           ^^^^^^^^^
          |
          = hint: paths are relative to the stack file
    ");
}

#[test]
fn an_object_that_is_declared_twice() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: motd } }
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: motd, namespace: demo } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: ConfigMap demo/motd is declared twice
         --> stack.yaml:5:60
          |
        5 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: motd, namespace: demo } }
          |                                                            ^^^^
          |
          = hint: it was first declared as `manifest.ConfigMap/motd` at stack.yaml:4:5
    ");
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
    insta::assert_snapshot!(body(text), @"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`

        error: Service demo/cache is declared twice
          --> stack.yaml:10:9
           |
        10 |         name: cache
           |         ^^^^
           |
           = hint: it was first declared as `cache.Service/cache` at stack.yaml:4:3
    ");
}

#[test]
fn names_that_the_server_would_refuse() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: My_Map } }
  - inline: { apiVersion: v1, kind: Service, metadata: { name: a.b } }
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: ok, namespace: Not OK } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: `My_Map` is no name for a ConfigMap: a name has lower-case letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit; `M` at position 1 is not allowed
         --> stack.yaml:4:66
          |
        4 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: My_Map } }
          |                                                                  ^^^^^^

        error: `a.b` is no name for a Service: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `.` at position 2 is not allowed
         --> stack.yaml:5:64
          |
        5 |   - inline: { apiVersion: v1, kind: Service, metadata: { name: a.b } }
          |                                                                ^^^

        error: `Not OK` is no name for a Namespace: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `N` at position 1 is not allowed
         --> stack.yaml:6:81
          |
        6 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: ok, namespace: Not OK } }
          |                                                                                 ^^^^^^
    ");
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
    insta::assert_snapshot!(body(text), @"
        error: `10GB` is no quantity: it must be a number with an optional suffix, such as `500m`, `2` or `1Gi`
         --> stack.yaml:8:49
          |
        8 |       spec: { resources: { requests: { storage: 10GB } } }
          |                                                 ^^^^
          |
          = hint: did you mean `10G`?
    ");
}

#[test]
fn a_label_that_is_no_string() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, labels: { enabled: true } } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: expected a string, found the boolean true
         --> stack.yaml:4:88
          |
        4 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, labels: { enabled: true } } }
          |                                                                                        ^^^^
          |
          = hint: put it in quotes
    ");
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
    insta::assert_snapshot!(body(text), @"
        error: the Secret `api` holds its values in clear text
        --> stack.yaml:8:7
         = hint: declare where its keys come from under `secrets`: values never stand in the file
    ");
}

#[test]
fn a_kind_that_does_not_exist() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMpa, metadata: { name: a } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: there is no kind `ConfigMpa` in `v1`
         --> stack.yaml:4:37
          |
        4 |   - inline: { apiVersion: v1, kind: ConfigMpa, metadata: { name: a } }
          |                                     ^^^^^^^^^
          |
          = hint: did you mean `ConfigMap`?
    ");
}

#[test]
fn a_kind_in_the_wrong_group() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: Deployment, metadata: { name: a } }
  - inline: { apiVersion: extensions/v1beta1, kind: Ingress, metadata: { name: a } }
  - inline: { apiVersion: apps/v1beta2, kind: DaemonSet, metadata: { name: a } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: there is no kind `Deployment` in `v1`
         --> stack.yaml:4:37
          |
        4 |   - inline: { apiVersion: v1, kind: Deployment, metadata: { name: a } }
          |                                     ^^^^^^^^^^
          |
          = hint: `Deployment` is in `apps/v1`

        error: there is no API group `extensions`
         --> stack.yaml:5:27
          |
        5 |   - inline: { apiVersion: extensions/v1beta1, kind: Ingress, metadata: { name: a } }
          |                           ^^^^^^^^^^^^^^^^^^
          |
          = hint: `Ingress` is in `networking.k8s.io/v1`

        error: `DaemonSet` has no version `apps/v1beta2`
         --> stack.yaml:6:27
          |
        6 |   - inline: { apiVersion: apps/v1beta2, kind: DaemonSet, metadata: { name: a } }
          |                           ^^^^^^^^^^^^
          |
          = hint: Kubernetes has `apps/v1`
    ");
}

#[test]
fn a_secret_key_without_a_source() {
    let text = r#"secrets:
  app:
    TOKEN: {}
    BOTH: { env: A, file: b }
    ODD: { generate: { length: 5, bytes: 20 } }
    MANY: { generate: { bytes: 5000 } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: one of `generate`, `env`, `file`, `from` or `template` must be given
         --> stack.yaml:5:5
          |
        5 |     TOKEN: {}
          |     ^^^^^

        error: `env` and `file` exclude each other
         --> stack.yaml:6:21
          |
        6 |     BOTH: { env: A, file: b }
          |                     ^^^^
          |
          = hint: keep one of them

        error: `bytes` and `length` exclude each other
         --> stack.yaml:7:24
          |
        7 |     ODD: { generate: { length: 5, bytes: 20 } }
          |                        ^^^^^^
          |
          = hint: keep one of them

        error: expected at most 1024, found the integer 5000
         --> stack.yaml:8:32
          |
        8 |     MANY: { generate: { bytes: 5000 } }
          |                                ^^^^
    ");
}

#[test]
fn an_optional_secret_that_is_generated() {
    let text = r#"secrets:
  app:
    TOKEN: { generate: { bytes: 32 }, optional: true }
    PIN: { generate: { length: 4, alphabet: "0" } }
    FEW: { generate: { bytes: 4 } }
    ODD: { generate: { bytes: 24, alphabet: abc } }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: only a key that comes from outside can be optional
         --> stack.yaml:5:39
          |
        5 |     TOKEN: { generate: { bytes: 32 }, optional: true }
          |                                       ^^^^^^^^
          |
          = hint: take `optional` away

        error: the alphabet needs at least two characters
         --> stack.yaml:6:45
          |
        6 |     PIN: { generate: { length: 4, alphabet: "0" } }
          |                                             ^^^

        warning: 4 random bytes are few for a secret
         --> stack.yaml:7:31
          |
        7 |     FEW: { generate: { bytes: 4 } }
          |                               ^
          |
          = hint: take 16 or more

        error: `alphabet` goes with `length`, not with `bytes`
         --> stack.yaml:8:35
          |
        8 |     ODD: { generate: { bytes: 24, alphabet: abc } }
          |                                   ^^^^^^^^
    "#);
}

#[test]
fn secrets_with_bad_names() {
    let text = r#"secrets:
  My_App:
    "a b": { env: A }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: `My_App` is no name for a Secret: a name has lower-case letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit; `M` at position 1 is not allowed
         --> stack.yaml:4:3
          |
        4 |   My_App:
          |   ^^^^^^

        error: `a b` is no key: it may hold letters, digits, `-`, `_` and `.`
         --> stack.yaml:5:5
          |
        5 |     "a b": { env: A }
          |     ^^^^^
    "#);
}

#[test]
fn a_template_with_an_unknown_key_and_an_unknown_function() {
    let text = r#"secrets:
  app:
    PASSWORD: { generate: { bytes: 24 } }
    URL: { template: "a://${urlencode(PASSWRD)}@${services.db.host}" }
    ODD: { template: "${base64(PASSWORD)}" }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: this Secret has no key `PASSWRD`
         --> stack.yaml:6:27
          |
        6 |     URL: { template: "a://${urlencode(PASSWRD)}@${services.db.host}" }
          |                           ^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: did you mean `PASSWORD`?

        error: there is no service `db`
         --> stack.yaml:6:49
          |
        6 |     URL: { template: "a://${urlencode(PASSWRD)}@${services.db.host}" }
          |                                                 ^^^^^^^^^^^^^^^^^^^

        error: there is no function `base64`; the only one is `urlencode`
         --> stack.yaml:7:23
          |
        7 |     ODD: { template: "${base64(PASSWORD)}" }
          |                       ^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn templates_that_form_a_cycle() {
    let text = r#"secrets:
  app:
    A: { template: "${B}" }
    B: { template: "x${urlencode(C)}" }
    C: { template: "${A}" }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: the templates form a cycle: `A` needs `B` needs `C` needs `A`
         --> stack.yaml:5:20
          |
        5 |     A: { template: "${B}" }
          |                    ^^^^^^
    "#);
}

#[test]
fn a_secret_taken_from_no_key() {
    let text = r#"secrets:
  app:
    TOKEN: { from: other }
"#;
    insta::assert_snapshot!(body(text), @"
        error: `other` names no key of a Secret
         --> stack.yaml:5:20
          |
        5 |     TOKEN: { from: other }
          |                    ^^^^^
          |
          = hint: write `SECRET/KEY`
    ");
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
    insta::assert_snapshot!(body(text), @"
        error: the Secret `app` has no key `PASSWRD`
         --> stack.yaml:6:15
          |
        6 |     password: app/PASSWRD
          |               ^^^^^^^^^^^
          |
          = hint: did you mean `PASSWORD`?
    ");
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
    insta::assert_snapshot!(body(text), @"
        error: the ConfigMap `app` has no key `modus`
          --> stack.yaml:13:81
           |
        13 |             env: [{ name: MODE, valueFrom: { configMapKeyRef: { name: app, key: modus } } }]
           |                                                                                 ^^^^^
           |
           = hint: it has `mode`
    ");
}

#[test]
fn what_does_not_stand_in_the_stack_is_only_warned_about() {
    let text = r#"manifests:
  - inline:
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        serviceAccountName: web
        containers:
          - { name: web, image: "web:1", envFrom: [{ configMapRef: { name: web } }, { secretRef: { name: web, optional: true } }] }
  - inline:
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: "system:web" }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: web }
"#;
    insta::assert_snapshot!(body(text), @r#"
        warning: the ServiceAccount `web` is not in the stack
         --> stack.yaml:9:29
          |
        9 |         serviceAccountName: web
          |                             ^^^
          |
          = hint: it must be in the cluster already

        warning: the ConfigMap `web` is not in the stack
          --> stack.yaml:11:76
           |
        11 |           - { name: web, image: "web:1", envFrom: [{ configMapRef: { name: web } }, { secretRef: { name: web, optional: true } }] }
           |                                                                            ^^^
           |
           = hint: it must be in the cluster already

        warning: the Role `web` is not in the stack
          --> stack.yaml:16:73
           |
        16 |       roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: web }
           |                                                                         ^^^
           |
           = hint: it must be in the cluster already
    "#);
}

#[test]
fn depends_on_what_is_not_there() {
    let text = r#"services:
  cache: { type: redis }
dependsOn:
  cache.StatefulSet/cache: [manifest.ConfigMap/motd, cahce]
  cache.StatefulSet/cahce: [cache]
"#;
    insta::assert_snapshot!(body(text), @"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`

        error: nothing in the stack has the address `manifest.ConfigMap/motd`
         --> stack.yaml:6:29
          |
        6 |   cache.StatefulSet/cache: [manifest.ConfigMap/motd, cahce]
          |                             ^^^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: `mathison graph` lists the addresses

        error: `cahce` is neither an address nor a service
         --> stack.yaml:6:54
          |
        6 |   cache.StatefulSet/cache: [manifest.ConfigMap/motd, cahce]
          |                                                      ^^^^^
          |
          = hint: did you mean `cache`?

        error: nothing in the stack has the address `cache.StatefulSet/cahce`
         --> stack.yaml:7:3
          |
        7 |   cache.StatefulSet/cahce: [cache]
          |   ^^^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: did you mean `cache.StatefulSet/cache`?
    ");
}

#[test]
fn an_object_that_depends_on_itself() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: motd } }
dependsOn:
  manifest.ConfigMap/motd: [manifest.ConfigMap/motd]
"#;
    insta::assert_snapshot!(body(text), @"
        error: `manifest.ConfigMap/motd` would wait for itself
         --> stack.yaml:6:29
          |
        6 |   manifest.ConfigMap/motd: [manifest.ConfigMap/motd]
          |                             ^^^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: take it away
    ");
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
    insta::assert_snapshot!(body(text), @r#"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`

        error: nothing in the stack has the address `cache.StatefulSet/cach`
         --> stack.yaml:5:11
          |
        5 | protect: [cache.StatefulSet/cach]
          |           ^^^^^^^^^^^^^^^^^^^^^^
          |
          = hint: did you mean `cache.StatefulSet/cache`?

        error: `nothing` is neither an address nor a service
         --> stack.yaml:6:13
          |
        6 | exclusive: [nothing]
          |             ^^^^^^^
          |
          = hint: `mathison graph` lists the addresses

        error: `spec.replicas` is no field path: it starts with `.`
         --> stack.yaml:8:29
          |
        8 |   cache.StatefulSet/cache: [spec.replicas, ".spec.template"]
          |                             ^^^^^^^^^^^^^
          |
          = hint: did you mean `.spec.replicas`?

        error: unknown key `feild`
          --> stack.yaml:10:49
           |
        10 |   cache.StatefulSet/cache: [{}, { manager: hpa, feild: .spec }]
           |                                                 ^^^^^
           |
           = hint: did you mean `field`?
    "#);
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
    insta::assert_snapshot!(body(text), @r#"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`

        error: `2026-02-30` is no day
         --> stack.yaml:6:90
          |
        6 |   - { address: cache.StatefulSet/cache, field: .spec.replicas, reason: load test, until: 2026-02-30 }
          |                                                                                          ^^^^^^^^^^
          |
          = hint: write it as `2026-12-31`

        error: a mute has a reason
         --> stack.yaml:7:72
          |
        7 |   - { address: cache.StatefulSet/cache, field: .spec.replicas, reason: " ", until: soon }
          |                                                                        ^^^

        error: `soon` is no day
         --> stack.yaml:7:84
          |
        7 |   - { address: cache.StatefulSet/cache, field: .spec.replicas, reason: " ", until: soon }
          |                                                                                    ^^^^
          |
          = hint: write it as `2026-12-31`

        error: the key `reason` is missing
         --> stack.yaml:8:5
          |
        8 |   - { address: cache.StatefulSet/cache, field: .spec }
          |     ^
          |
          = hint: `reason`: Why this is expected.

        error: the key `until` is missing
         --> stack.yaml:8:5
          |
        8 |   - { address: cache.StatefulSet/cache, field: .spec }
          |     ^
          |
          = hint: `until`: The last day on which it is: `2026-12-31`.
    "#);
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
    insta::assert_snapshot!(body(text), @"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`

        error: one of `sql`, `redis`, `ready`, `endpoints`, `resolves`, `bound`, `resources`, `access` or `survivesRestart` must be given
         --> stack.yaml:6:3
          |
        6 |   no question: { in: cache }
          |   ^^^^^^^^^^^

        error: `sql` and `redis` exclude each other
         --> stack.yaml:7:25
          |
        7 |   two: { sql: SELECT 1, redis: PING, in: cache }
          |                         ^^^^^
          |
          = hint: keep one of them

        error: the key `in` is missing
         --> stack.yaml:8:3
          |
        8 |   no pod: { redis: PING }
          |   ^^^^^^
          |
          = hint: `in`: the service, or the address of the workload, in whose pod the question is asked

        error: the key `expect` is missing
         --> stack.yaml:9:16
          |
        9 |   no answer: { redis: GET x, in: cache }
          |                ^^^^^
          |
          = hint: `expect`: the answer that must come

        error: `endpoints` is about a Service, this is a StatefulSet
          --> stack.yaml:10:28
           |
        10 |   wrong kind: { endpoints: cache.StatefulSet/cache }
           |                            ^^^^^^^^^^^^^^^^^^^^^^^

        error: `chache` is neither an address nor a service
          --> stack.yaml:11:39
           |
        11 |   no such service: { redis: PING, in: chache }
           |                                       ^^^^^^
           |
           = hint: did you mean `cache`?

        error: a query needs `user` and `database` where `in` is no PostgreSQL service
          --> stack.yaml:12:18
           |
        12 |   no database: { sql: SELECT 1, in: cache }
           |                  ^^^

        error: `expect` says nothing about `ready`
          --> stack.yaml:13:46
           |
        13 |   odd key: { ready: cache.StatefulSet/cache, expect: yes please }
           |                                              ^^^^^^
           |
           = hint: take it away
    ");
}

#[test]
fn outputs_of_secrets_that_are_not_there() {
    let text = r#"secrets:
  app: { TOKEN: { env: TOKEN } }
outputs:
  A: app/TOKN
  B: ap/TOKEN
"#;
    insta::assert_snapshot!(body(text), @"
        error: the Secret `app` has no key `TOKN`
         --> stack.yaml:6:6
          |
        6 |   A: app/TOKN
          |      ^^^^^^^^
          |
          = hint: did you mean `TOKEN`?

        error: there is no Secret `ap` under `secrets`
         --> stack.yaml:7:6
          |
        7 |   B: ap/TOKEN
          |      ^^^^^^^^
          |
          = hint: did you mean `app`?
    ");
}

#[test]
fn a_policy_that_loses_queued_jobs_is_warned_about() {
    let text = r#"services:
  cache: { type: redis }
"#;
    insta::assert_snapshot!(body(text), @"
        warning: `allkeys-lru` may evict the keys of BullMQ's jobs
         --> stack.yaml:4:3
          |
        4 |   cache: { type: redis }
          |   ^^^^^
          |
          = hint: if queues live here, write `maxmemoryPolicy: noeviction`
    ");
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
    insta::assert_snapshot!(whole(text), @r#"
        error: the key `stack` is missing
         --> stack.yaml:1:1
          |
        1 | stak: demo
          | ^
          |
          = hint: `stack`: Name of the stack: a label of RFC 1123.

        error: unknown key `stak`
         --> stack.yaml:1:1
          |
        1 | stak: demo
          | ^^^^
          |
          = hint: did you mean `stack`?

        error: `Demo` is no name for a Namespace: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `D` at position 1 is not allowed
         --> stack.yaml:2:12
          |
        2 | namespace: Demo
          |            ^^^^

        error: expected `string`, `integer`, `boolean`, `quantity` or `duration`, found the string "integr"
         --> stack.yaml:4:17
          |
        4 |   size: { type: integr }
          |                 ^^^^^^
          |
          = hint: did you mean `integer`?

        error: the key `password` is missing
         --> stack.yaml:6:3
          |
        6 |   db: { type: postgres, storage: "${inputs.size}" }
          |   ^^
          |
          = hint: `password`: The user's password: a key of a Secret, written `SECRET/KEY`.

        error: expected an integer, found the string "seven"
         --> stack.yaml:7:34
          |
        7 |   cache: { type: redis, version: seven }
          |                                  ^^^^^

        error: one of `generate`, `env`, `file`, `from` or `template` must be given
        --> stack.yaml:9:10

        error: unknown key `evn`
        --> stack.yaml:9:17
         = hint: did you mean `env`?

        error: `UPPER` is no name for a ConfigMap: a name has lower-case letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit; `U` at position 1 is not allowed
          --> stack.yaml:11:66
           |
        11 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: UPPER } }
           |                                                                  ^^^^^
    "#);
}

#[test]
fn fields_that_a_kind_does_not_have() {
    let text = r#"manifests:
  - inline:
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, lables: { app: web } }
      spec:
        replica: 2
        selector: { matchLabels: { app: web } }
        template:
          metadata: { labels: { app: web } }
          spec:
            containers:
              - { name: web, image: "web:1", ports: [{ containerPort: "80" }], env: [{ name: A, value: 1 }] }
            volumes: [{ name: a, configMap: { name: a, defaultMode: 0644, optional: true } }]
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { on: true, list: [] } }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: unknown field `lables`
         --> stack.yaml:7:30
          |
        7 |       metadata: { name: web, lables: { app: web } }
          |                              ^^^^^^
          |
          = hint: did you mean `labels`?

        error: unknown field `replica`
         --> stack.yaml:9:9
          |
        9 |         replica: 2
          |         ^^^^^^^
          |
          = hint: did you mean `replicas`?

        error: expected a number, found the string "80"
          --> stack.yaml:15:71
           |
        15 |               - { name: web, image: "web:1", ports: [{ containerPort: "80" }], env: [{ name: A, value: 1 }] }
           |                                                                       ^^^^
           |
           = hint: take away the quotes

        error: expected a string, found the integer 1
          --> stack.yaml:15:104
           |
        15 |               - { name: web, image: "web:1", ports: [{ containerPort: "80" }], env: [{ name: A, value: 1 }] }
           |                                                                                                        ^
           |
           = hint: put it in quotes

        error: expected a string, found the boolean true
          --> stack.yaml:17:83
           |
        17 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { on: true, list: [] } }
           |                                                                                   ^^^^
           |
           = hint: put it in quotes

        error: expected a string, found a list
          --> stack.yaml:17:95
           |
        17 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { on: true, list: [] } }
           |                                                                                               ^
    "#);
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
    insta::assert_snapshot!(problems_of(text, &settings), @r#"
        error: there is no environment `prod`
        --> --env prod
         = hint: the file has `production`

        warning: the variable names no input of this stack
        --> MATHISON_INPUT_OTHER

        error: the input `replicas` must be an integer, found the string "many"
        --> MATHISON_INPUT_REPLICAS

        error: the input `replicas` must be an integer, found the string "three"
        --> --set replicas

        error: there is no input `replcas`
        --> --set replcas
         = hint: did you mean `replicas`?

        error: `Upper` is no name for a Namespace: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `U` at position 1 is not allowed
        --> --namespace Upper

        error: the input `replicas` must be an integer, found the string "x"
         --> vars.yaml:1:11
          |
        1 | replicas: x
          |           ^

        error: there is no input `more`
         --> vars.yaml:2:1
          |
        2 | more: 1
          | ^^^^
          |
          = hint: declare it under `inputs`

        error: `Bad` is no name for a ConfigMap: a name has lower-case letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit; `B` at position 1 is not allowed
         --> <stdin>:7:11
          |
        7 |     name: Bad
          |           ^^^

        error: an object must be a map
         --> <stdin>:8:3
          |
        8 | - 5
          |   ^
    "#);
}

#[test]
fn problems_in_manifest_files_point_into_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("k8s")).unwrap();
    let files = [
        (
            "k8s/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: B\n",
        ),
        ("k8s/b.yml", "kind: ConfigMap\nmetadata:\n  name: b\n  name: c\n"),
        (
            "k8s/c.json",
            "{\n  \"apiVersion\": \"v1\", \"kind\": \"Secret\",\n  \"metadata\": {\"name\": \"s\"},\n  \"data\": {\"k\": \"aHVudGVyMg==\"}\n}\n",
        ),
        ("k8s/d.txt", "not read"),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let text = "stack: demo\nnamespace: demo\nmanifests:\n  - path: k8s\n";
    let error = load_text("stack.yaml", text, folder.path(), &Settings::default()).unwrap_err();
    let shown = error.render(false, 140).unwrap().replace(&folder.path().display().to_string(), "FOLDER");
    assert!(!shown.contains("aHVudGVyMg"), "{shown}");
    insta::assert_snapshot!(shown, @"
        error: `B` is no name for a ConfigMap: a name has lower-case letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit; `B` at position 1 is not allowed
         --> FOLDER/k8s/a.yaml:9:9
          |
        9 |   name: B
          |         ^

        error: `apiVersion` is missing
         --> FOLDER/k8s/b.yml:1:1
          |
        1 | kind: ConfigMap
          | ^

        error: the key `name` stands twice in the same map
         --> FOLDER/k8s/b.yml:4:3
          |
        4 |   name: c
          |   ^^^^
          |
          = hint: it was first set on line 3

        error: the Secret `s` holds its values in clear text
        --> FOLDER/k8s/c.json:4:3
         = hint: declare where its keys come from under `secrets`: values never stand in the file
    ");
}

/// Whatever is wrong around a secret, the line it may stand in is named and not shown.
#[test]
fn no_problem_shows_the_value_of_a_secret() {
    let in_the_file = [
        "services: { a: { type: config, data: { AUTH_SECRET: hunter2 } } }",
        "services: { a: { type: postgres, password: hunter2 } }",
        "services: { a: { type: redis, password: 5551234 } }",
        "secrets: { KEY: hunter2 }",
        "secrets: { a: { KEY: hunter2 } }",
        "secrets: { a: { KEY: { value: hunter2 } } }",
        "secrets: { a: { KEY: 5551234 } }",
        "manifests: [{ inline: { apiVersion: v1, kind: Secret, metadata: { name: a }, stringData: { k: \"${hunter2}\" } } }]",
        "manifests: [{ inline: { apiVersion: v1, kind: Secret, metadata: { name: a }, data: { k: x, k: hunter2 } } }]",
        "manifests: [{ inline: { apiVersion: v1, kind: Secret, metadata: { name: A }, data: { k: hunter2 } } }]",
    ];
    let shows = |shown: &str| shown.contains("hunter2") || shown.contains("5551234");
    for text in in_the_file {
        let shown = body(text);
        assert!(shown.contains("error: ") && shown.contains("stack.yaml:3:") && !shows(&shown), "{text}\n{shown}");
    }
    let from_outside = [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  k: x\n  k: hunter2\n",
        "apiVersion: v1\nstringData:\n  k: \"x\n  l: [hunter2}\nkind: Secret\n",
        "apiVersion: v1\nkind: Secret\nstringData:\n  k: !!int hunter2\n",
        "apiVersion: v1\nkind: Secret\nstringData: hunter2\nmetadata: {name: a}\n",
        "{\"kind\":\"List\",\"items\":[{\"kind\":\"Pod\"},{\"kind\":\"Secret\",\"data\":{\"k\":\"hunter2\"}}]}",
    ];
    for text in from_outside {
        let settings = Settings { extra_manifests: Some(vec![("<stdin>".into(), text.into())]), ..Settings::default() };
        let shown = problems_of("stack: demo\nnamespace: demo\n", &settings);
        assert!(shown.contains("error: ") && shown.contains("<stdin>:") && !shows(&shown), "{text}\n{shown}");
    }
}

#[test]
fn a_field_of_every_object_with_a_slip() {
    let text = r#"manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metdata: { name: a } }
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { nmae: a } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: `metadata` is missing
         --> stack.yaml:4:48
          |
        4 |   - inline: { apiVersion: v1, kind: ConfigMap, metdata: { name: a } }
          |                                                ^^^^^^^
          |
          = hint: did you mean `metadata`?

        error: `metadata.name` is missing
         --> stack.yaml:5:60
          |
        5 |   - inline: { apiVersion: v1, kind: ConfigMap, metadata: { nmae: a } }
          |                                                            ^^^^
          |
          = hint: did you mean `name`?
    ");
}

#[test]
fn a_service_where_an_address_belongs() {
    let text = r#"services:
  cache: { type: redis, maxmemoryPolicy: noeviction }
checks:
  up: { ready: cache }
"#;
    insta::assert_snapshot!(body(text), @"
        error: `cache` is a service, and here stands the address of one object
         --> stack.yaml:6:16
          |
        6 |   up: { ready: cache }
          |                ^^^^^
          |
          = hint: such as `cache.StatefulSet/cache`; `mathison graph` lists the addresses
    ");
}

#[test]
fn a_field_path_that_cannot_be_read() {
    for path in [".spec..replicas", ".spec.containers[name=web]", ".spec.containers["] {
        let text = format!("services: {{ cache: {{ type: redis }} }}\nignore: {{ cache: ['{path}'] }}\n");
        let shown = body(&text);
        assert!(shown.contains(&format!("error: `{path}` is no field path")), "{shown}");
    }
}

#[test]
fn a_secret_taken_from_one_that_the_stack_makes() {
    let text = r#"secrets:
  app:
    A: { generate: { bytes: 32 } }
    B: { from: app/A }
  other:
    C: { from: app/A }
"#;
    insta::assert_snapshot!(body(text), @r#"
        error: `from` takes what others made, and this stack makes the Secret `app`
         --> stack.yaml:6:16
          |
        6 |     B: { from: app/A }
          |                ^^^^^
          |
          = hint: another key of the same Secret is `template: "${A}"`

        error: `from` takes what others made, and this stack makes the Secret `app`
         --> stack.yaml:8:16
          |
        8 |     C: { from: app/A }
          |                ^^^^^
          |
          = hint: declare both keys in one Secret, or let the consumer read `app/A` itself
    "#);
}

#[test]
fn names_that_mathison_keeps_for_itself() {
    let text = r#"services:
  stack: { type: rbac }
secrets:
  mathison-stack-demo: { hmac-key: { generate: { bytes: 32 } } }
"#;
    insta::assert_snapshot!(body(text), @"
        error: a service cannot be called `stack`
         --> stack.yaml:4:3
          |
        4 |   stack: { type: rbac }
          |   ^^^^^
          |
          = hint: it already stands for something else in addresses; choose another name

        error: Secret demo/mathison-stack-demo is where Mathison keeps the stack's own key
         --> stack.yaml:6:3
          |
        6 |   mathison-stack-demo: { hmac-key: { generate: { bytes: 32 } } }
          |   ^^^^^^^^^^^^^^^^^^^
          |
          = hint: give this Secret another name
    ");
}
