use serde_json::json;

use super::{dot, json as json_form, mermaid, text};
use crate::graph::sample::{Sample, backing_services, resource};
use crate::graph::{DependencyGraph, NodeId};

fn small() -> DependencyGraph {
    Sample::default()
        .plain("v1", "Namespace", None, "n")
        .object(json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "n"},
            "spec": {"serviceName": "db"}}))
        .node(NodeId::Check("says \"hi\" & <b>#1</b> \\".to_owned()))
        .depends_on(NodeId::Check("says \"hi\" & <b>#1</b> \\".to_owned()), resource("m.StatefulSet/db"), "asks \"it\"")
        .build()
        .unwrap()
}

#[test]
fn the_backing_services_read_from_namespace_to_checks() {
    insta::assert_snapshot!(text(&backing_services().build().unwrap()), @"
     1  m.Namespace/n
     2  m.ClusterRole/mathison
     3  m.ServiceAccount/mathison
          after m.Namespace/n: is in namespace n
     4  m.ClusterRoleBinding/mathison
          after m.ClusterRole/mathison: roleRef ClusterRole mathison
          after m.ServiceAccount/mathison: subject ServiceAccount mathison
     5  m.ConfigMap/postgres-init
          after m.Namespace/n: is in namespace n
     6  m.ConfigMap/redis-config
          after m.Namespace/n: is in namespace n
     7  m.Secret/secrets#P
     8  m.Secret/secrets
          after m.Namespace/n: is in namespace n
          after m.Secret/secrets#P: holds P
     9  m.NetworkPolicy/postgres
          after m.Namespace/n: is in namespace n
    10  m.Service/postgres-headless
          after m.Namespace/n: is in namespace n
    11  m.Service/redis-headless
          after m.Namespace/n: is in namespace n
    12  m.StatefulSet/postgres
          after m.Namespace/n: runs in namespace n
          after m.ServiceAccount/mathison: runs as ServiceAccount mathison
          after m.ConfigMap/postgres-init: mounts ConfigMap postgres-init
          after m.Secret/secrets: reads Secret secrets
          after m.Service/postgres-headless: serviceName postgres-headless
    13  m.StatefulSet/redis
          after m.Namespace/n: runs in namespace n
          after m.ServiceAccount/mathison: runs as ServiceAccount mathison
          after m.ConfigMap/redis-config: mounts ConfigMap redis-config
          after m.Secret/secrets: reads Secret secrets
          after m.Service/redis-headless: serviceName redis-headless
    14  check/redis answers
          after m.StatefulSet/redis: checks StatefulSet redis
    15  check/vector works
          after m.StatefulSet/postgres: checks StatefulSet postgres
    ");
}

#[test]
fn dot_quotes_names() {
    insta::assert_snapshot!(dot(&small()), @r#"
    digraph dependencies {
      rankdir = "RL";
      node [shape = box];
      "m.Namespace/n";
      "m.StatefulSet/db";
      "check/says \"hi\" & <b>#1</b> \\" [shape = hexagon];
      "m.StatefulSet/db" -> "m.Namespace/n" [label = "is in namespace n"];
      "check/says \"hi\" & <b>#1</b> \\" -> "m.StatefulSet/db" [label = "asks \"it\""];
    }
    "#);
}

#[test]
fn mermaid_writes_markup_as_entities() {
    insta::assert_snapshot!(mermaid(&small()), @r#"
    flowchart RL
      n0["m.Namespace/n"]
      n1["m.StatefulSet/db"]
      n2{{"check/says #quot;hi#quot; #amp; #lt;b#gt;#35;1#lt;/b#gt; \"}}
      n1 -->|"is in namespace n"| n0
      n2 -->|"asks #quot;it#quot;"| n1
    "#);
}

#[test]
fn json_has_a_version_and_types_of_its_own() {
    insta::assert_snapshot!(json_form(&small()), @r#"
    {
      "format_version": "1.0",
      "nodes": [
        {
          "id": "m.Namespace/n",
          "type": "resource",
          "address": "m.Namespace/n",
          "position": 1,
          "wave": 1
        },
        {
          "id": "m.StatefulSet/db",
          "type": "resource",
          "address": "m.StatefulSet/db",
          "position": 2,
          "wave": 2
        },
        {
          "id": "check/says \"hi\" & <b>#1</b> \\",
          "type": "check",
          "name": "says \"hi\" & <b>#1</b> \\",
          "position": 3,
          "wave": 3
        }
      ],
      "edges": [
        {
          "from": "m.StatefulSet/db",
          "to": "m.Namespace/n",
          "reason": "is in namespace n"
        },
        {
          "from": "check/says \"hi\" & <b>#1</b> \\",
          "to": "m.StatefulSet/db",
          "reason": "asks \"it\""
        }
      ],
      "external": [
        {
          "from": "m.StatefulSet/db",
          "object": {
            "group": "",
            "kind": "Service",
            "namespace": "n",
            "name": "db"
          },
          "reason": "serviceName db"
        }
      ]
    }
    "#);
}
