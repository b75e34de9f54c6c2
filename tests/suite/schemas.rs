//! Schemas that only the server knows: a kind that a definition of the same cluster brought.

use std::time::Duration;

use serde_json::json;

use crate::support::cluster::{Namespace, Server, User, eventually};

on_each_server!(the_lists_of_a_custom_kind_are_known_by_their_keys);

/// Definitions are of the whole cluster: each test has one of its own.
fn definition(namespace: &Namespace<'_>) -> String {
    let group = format!("{}.example.com", namespace.name());
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{ name: racks.{group} }}
spec:
  group: {group}
  scope: Namespaced
  names: {{ plural: racks, singular: rack, kind: Rack }}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                places:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [at]
                  items:
                    type: object
                    required: [at]
                    properties: {{ at: {{ type: integer }}, holds: {{ type: string }} }}
"
    )
}

fn the_lists_of_a_custom_kind_are_known_by_their_keys(server: &Server) {
    let namespace = server.namespace("racks");
    let environment = server.environment(User::Admin);
    environment.write("definition.yaml", &definition(&namespace));
    environment.write(
        "rack.yaml",
        &format!(
            "apiVersion: {name}.example.com/v1
kind: Rack
metadata: {{ name: one }}
spec: {{ places: [{{ at: 1, holds: books }}, {{ at: 2, holds: tea }}] }}
",
            name = namespace.name()
        ),
    );
    environment.write(
        "stack.yaml",
        &format!(
            "stack: racks\nnamespace: {}\nmanifests: [{{ path: definition.yaml }}, {{ path: rack.yaml }}]\n",
            namespace.name()
        ),
    );
    environment.run("apply stack.yaml --auto-approve").expect_code(0);
    environment.run("plan stack.yaml --detailed-exitcode").expect_code(0).expect_text(&["No changes."]);

    // Somebody else has a place of theirs before ours: of a list that is one value, ours would be another now.
    let group = format!("{}.example.com", namespace.name());
    let path = format!("/apis/{group}/v1/namespaces/{}/racks/one?fieldManager=theirs", namespace.name());
    let patch = json!([{"op": "add", "path": "/spec/places/0", "value": {"at": 7, "holds": "theirs"}}]);
    server.api().send("PATCH", &path, Some(("application/json-patch+json", &patch))).object(&path);
    environment.run("plan stack.yaml --detailed-exitcode").expect_code(0).expect_text(&["No changes."]);
    environment.run("drift stack.yaml").expect_code(0).expect_text(&["No drift."]);

    // A real server publishes the document a moment after the kind.
    eventually("the kind's document is published", Duration::from_secs(60), || {
        let index = server.api().send("GET", "/openapi/v3", None).object("the list of documents");
        index["paths"].get(format!("apis/{group}/v1")).is_some()
    });
    environment.edit("rack.yaml", "tea", "coffee");
    let planned = environment.run("plan stack.yaml --detailed-exitcode").expect_code(2);
    planned.expect_text(&["spec.places[at=2].holds", "tea", "coffee"]).expect_no_text(&["theirs", "books"]);
    let took = server.mark();
    environment.run("plan stack.yaml").expect_code(0);
    let requests = server.requests(&server.user_name(User::Admin), "mathison", took);
    let documents = requests.only(|request| request.uri.starts_with("/openapi/v3"));
    assert_eq!(documents.count(), 1, "the document is on disk by now\n{requests}");
    environment.run("destroy stack.yaml --auto-approve").expect_code(0);
}
