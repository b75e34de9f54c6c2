use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::cluster::fake::{Answer, FakeServer, absent, forbidden, kube_system, object, options, page};
use crate::cluster::{ApiKind, ClusterError, ConnectOptions, ObserveRequest};
use crate::resource::{GroupKind, ObjectRef};

const CONFIG_MAPS: &str = "/api/v1/namespaces/shop/configmaps";
const KUBE_SYSTEM: &str = "GET /api/v1/namespaces/kube-system";
const LABELLED: &str = "?labelSelector=mathison.dev%2Fstack%3Dshop.shop&limit=1000";

fn config_map(name: &str) -> ObjectRef {
    ObjectRef::new("", "ConfigMap", Some("shop"), name)
}

fn request(names: &[&str]) -> ObserveRequest {
    ObserveRequest {
        label: ("mathison.dev/stack".to_owned(), "shop.shop".to_owned()),
        list: BTreeSet::from([(ApiKind::new("v1", "ConfigMap"), Some("shop".to_owned()))]),
        want: names.iter().map(|name| (config_map(name), "v1".to_owned())).collect(),
    }
}

fn live(name: &str) -> serde_json::Value {
    object("v1", "ConfigMap", Some("shop"), name, 5)
}

/// Answers the labelled list with `labelled`, everything else by `rest`.
fn server(labelled: &'static [&'static str], mut rest: impl FnMut(&str) -> Answer + Send + 'static) -> FakeServer {
    FakeServer::new(move |seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        line if line == format!("GET {CONFIG_MAPS}{LABELLED}") => {
            page(labelled.iter().map(|name| live(name)).collect(), None, 9)
        }
        line if seen.accept.contains("PartialObjectMetadataList") => rest(&format!("{line} names")),
        line => rest(line),
    })
}

fn nothing_more(line: &str) -> Answer {
    panic!("not expected: {line}")
}

#[tokio::test]
async fn objects_that_carry_the_label_cost_one_list_and_are_given_their_kind_back() {
    let server = server(&["a", "b"], nothing_more);
    let cluster = server.cluster();
    let observation = cluster.observe(&request(&["a", "b"])).await.unwrap();
    assert_eq!(observation.objects.keys().cloned().collect::<Vec<_>>(), [config_map("a"), config_map("b")]);
    assert_eq!(observation.objects[&config_map("a")].live().object, live("a"));
    assert_eq!(observation.cluster.map(|cluster| cluster.0).as_deref(), Some("uid-of-kube-system"));
    assert_eq!(cluster.requests().reads, 2, "identity and list");
    cluster.observe(&request(&["a"])).await.unwrap();
    assert_eq!(cluster.requests().reads, 3, "the identity is asked once");
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page() {
    let server = FakeServer::new(|seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        line if line.ends_with("&continue=a%2Bb") => page(vec![live("b")], None, 9),
        _ => page(vec![live("a")], Some("a+b"), 9),
    });
    let observation = server.cluster().observe(&request(&[])).await.unwrap();
    assert_eq!(observation.objects.len(), 2);
}

#[tokio::test]
async fn an_object_that_nobody_could_take_apart_is_no_part_of_a_list() {
    // The objects of large pages are not taken apart at once.
    for (length, why) in [(1, "unexpected JSON at line 1, column "), (1 << 20, "an object without metadata, or nested")]
    {
        let deep = (0..200).fold(json!("canary"), |inner, _| json!([inner]));
        let other = json!({"metadata": {"name": "b"}, "data": deep, "text": "x".repeat(length)});
        let server = FakeServer::new(move |seen| match seen.line.as_str() {
            KUBE_SYSTEM => kube_system(),
            _ => page(vec![live("a"), other.clone()], None, 9),
        });
        let error = server.cluster().observe(&request(&[])).await.unwrap_err().to_string();
        let said = "cannot understand the answer to list configmaps in shop: ";
        assert!(error.starts_with(&format!("{said}{why}")) && !error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_large_page_is_read_as_a_small_one_is() {
    let large = |name: &str| {
        let mut object = live(name);
        object["data"]["text"] = json!("x".repeat(1 << 20));
        object
    };
    let server = FakeServer::new(move |seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        line if line.ends_with("&continue=more") => page(vec![live("b")], None, 9),
        _ => page(vec![large("a")], Some("more"), 9),
    });
    let observation = server.cluster().observe(&request(&[])).await.unwrap();
    assert_eq!(observation.objects[&config_map("a")].live().object, large("a"));
    assert_eq!(observation.objects[&config_map("b")].live().object, live("b"));
}

#[tokio::test]
async fn a_list_whose_point_in_time_was_forgotten_is_begun_again() {
    let mut expired = false;
    let server = FakeServer::new(move |seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        line if line.contains("continue=") && !expired => {
            expired = true;
            Answer::Json(410, json!({"kind": "Status", "reason": "Expired", "message": "too old"}))
        }
        line if line.contains("continue=") => page(vec![live("b")], None, 9),
        _ => page(vec![live("a")], Some("next"), 9),
    });
    let observation = server.cluster().observe(&request(&[])).await.unwrap();
    assert_eq!(observation.objects.len(), 2, "and no object is there twice or missing");
    assert_eq!(server.lines().len(), 5);
}

#[tokio::test]
async fn a_few_missing_objects_are_read_one_by_one() {
    let server = server(&["a"], |line| match line {
        "GET /api/v1/namespaces/shop" => Answer::Json(200, object("v1", "Namespace", None, "shop", 1)),
        "GET /api/v1/namespaces/shop/configmaps/unlabelled" => Answer::Json(200, live("unlabelled")),
        "GET /api/v1/namespaces/shop/configmaps/new" => absent("configmaps", "new"),
        line => nothing_more(line),
    });
    let observation = server.cluster().observe(&request(&["a", "new", "unlabelled"])).await.unwrap();
    assert_eq!(observation.objects.keys().cloned().collect::<Vec<_>>(), [config_map("a"), config_map("unlabelled")]);
    assert!(observation.missing_namespaces.is_empty());
}

#[tokio::test]
async fn many_missing_objects_are_looked_up_by_name_and_only_those_there_are_read() {
    let server = server(&[], |line| match line {
        "GET /api/v1/namespaces/shop" => Answer::Json(200, object("v1", "Namespace", None, "shop", 1)),
        line if line.ends_with("?limit=1000 names") => page(vec![live("foreign"), live("c")], None, 9),
        "GET /api/v1/namespaces/shop/configmaps/c" => Answer::Json(200, live("c")),
        line => nothing_more(line),
    });
    let cluster = server.cluster();
    let observation = cluster.observe(&request(&["a", "b", "c", "d", "e", "f"])).await.unwrap();
    assert_eq!(observation.objects.keys().cloned().collect::<Vec<_>>(), [config_map("c")]);
    assert_eq!(cluster.requests().reads, 5);
}

#[tokio::test]
async fn nothing_in_a_missing_namespace_is_asked_for() {
    let server = server(&[], |line| match line {
        "GET /api/v1/namespaces/shop" => absent("namespaces", "shop"),
        line => nothing_more(line),
    });
    let mut request = request(&["a", "b", "c", "d", "e", "f"]);
    request.want.insert(ObjectRef::new("", "Namespace", None, "shop"), "v1".to_owned());
    let observation = server.cluster().observe(&request).await.unwrap();
    assert!(observation.objects.is_empty());
    assert_eq!(observation.missing_namespaces, BTreeSet::from(["shop".to_owned()]));
}

#[tokio::test]
async fn where_listing_is_forbidden_single_reads_serve_and_what_may_not_be_read_is_not_absent() {
    let server = FakeServer::new(|seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        "GET /api/v1/namespaces/shop" => forbidden(),
        "GET /api/v1/namespaces/shop/configmaps/a" => Answer::Json(200, live("a")),
        "GET /api/v1/namespaces/shop/configmaps/secretive" => forbidden(),
        line if line.contains("/configmaps/") => absent("configmaps", "x"),
        line => {
            assert!(line.contains("labelSelector"), "{line}");
            forbidden()
        }
    });
    let names = ["a", "b", "c", "d", "e", "secretive"];
    let observation = server.cluster().observe(&request(&names)).await.unwrap();
    assert_eq!(observation.objects.keys().cloned().collect::<Vec<_>>(), [config_map("a")]);
    assert_eq!(observation.unreadable.keys().cloned().collect::<Vec<_>>(), [config_map("secretive")]);
    assert!(observation.missing_namespaces.is_empty());
}

fn widgets() -> ObserveRequest {
    let widget = ObjectRef::new("example.com", "Widget", Some("shop"), "w");
    ObserveRequest {
        label: ("a".to_owned(), "b".to_owned()),
        list: BTreeSet::from([(ApiKind::new("example.com/v1", "Widget"), Some("shop".to_owned()))]),
        want: BTreeMap::from([(widget, "example.com/v1".to_owned())]),
    }
}

fn discovery(groups: serde_json::Value) -> Answer {
    Answer::Json(200, json!({"kind": "APIGroupDiscoveryList", "items": groups}))
}

fn example_com() -> serde_json::Value {
    json!([{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": [
        {"resource": "widgets", "responseKind": {"group": "", "version": "", "kind": "Widget"}, "scope": "Namespaced",
         "verbs": ["get", "list"], "subresources": [{"subresource": "status", "verbs": ["get"]}]}]}]}])
}

#[tokio::test]
async fn a_kind_that_the_server_does_not_know_is_said_and_costs_one_discovery() {
    let server = FakeServer::new(|seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        "GET /apis" => discovery(json!([])),
        "GET /api/v1/namespaces/shop" => Answer::Json(200, object("v1", "Namespace", None, "shop", 1)),
        line => nothing_more(line),
    });
    let cluster = server.cluster();
    let observation = cluster.observe(&widgets()).await.unwrap();
    assert_eq!(observation.unknown_kinds, BTreeSet::from([GroupKind::new("example.com", "Widget")]));
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /apis").count(), 1);
    cluster.forget_kinds();
    cluster.observe(&widgets()).await.unwrap();
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /apis").count(), 2);
}

#[tokio::test]
async fn a_kind_of_a_group_whose_server_does_not_answer_is_not_unknown() {
    let server = FakeServer::new(|seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        "GET /apis" => discovery(json!([{"metadata": {"name": "example.com"}, "versions": [
            {"version": "v1", "freshness": "Stale", "resources": []}]}])),
        line => nothing_more(line),
    });
    let cluster = server.cluster();
    let error = cluster.observe(&widgets()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is not known whether there is kind `Widget` of `example.com`: the server of this API group does not answer"
    );
    assert_eq!(cluster.kind("example.org", None, "Widget").await.unwrap(), None, "another group is not concerned");
}

#[tokio::test]
async fn a_definition_that_went_away_since_discovery_is_an_unknown_kind_too() {
    let server = FakeServer::new(|seen| match seen.line.as_str() {
        KUBE_SYSTEM => kube_system(),
        "GET /apis" => discovery(example_com()),
        "GET /api/v1/namespaces/shop" => Answer::Json(200, object("v1", "Namespace", None, "shop", 1)),
        _ => Answer::Text(404, "404 page not found\n"),
    });
    let observation = server.cluster().observe(&widgets()).await.unwrap();
    assert_eq!(observation.unknown_kinds, BTreeSet::from([GroupKind::new("example.com", "Widget")]));
}

#[tokio::test]
async fn discovered_kinds_are_remembered_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let options = ConnectOptions { cache: Some(folder.path().join("new")), ..options() };
    let server = FakeServer::scripted([discovery(example_com())]);
    let kind = server.cluster_with(&options).kind("example.com", None, "Widget").await.unwrap().unwrap();
    assert_eq!((kind.plural.as_str(), kind.namespaced), ("widgets", true));
    let again = server.cluster_with(&options).kind("example.com", Some("v1"), "Widget").await.unwrap().unwrap();
    assert_eq!(again, kind, "another run asks nothing");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn any_other_error_stops_the_observation() {
    let server = server(&[], |line| match line {
        "GET /api/v1/namespaces/shop" => Answer::Json(200, object("v1", "Namespace", None, "shop", 1)),
        _ => Answer::Text(401, "Unauthorized"),
    });
    let error = server.cluster().observe(&request(&["a"])).await.unwrap_err();
    assert!(matches!(error, ClusterError::Unauthorized { .. }), "{error:?}");
}

#[tokio::test]
async fn without_the_right_to_identify_the_cluster_the_right_is_named() {
    let error = FakeServer::scripted([forbidden()]).cluster().identity().await.unwrap_err();
    let hint = error.hint().unwrap_or_default();
    assert_eq!(hint, "ask for this right, and check it with `kubectl --context fake auth can-i get namespaces`");
}

#[tokio::test]
async fn an_object_of_a_version_that_went_away_is_read_at_the_one_that_is_served() {
    let server = FakeServer::new(|seen| match seen.line.as_str() {
        "GET /apis" => discovery(example_com()),
        line => nothing_more(line),
    });
    let cluster = server.cluster();
    for (group, kind, recorded, served) in [
        ("policy", "PodDisruptionBudget", "policy/v1beta1", "policy/v1"),
        ("policy", "PodDisruptionBudget", "policy/v1", "policy/v1"),
        ("example.com", "Widget", "example.com/v1alpha1", "example.com/v1"),
        ("example.com", "Gone", "example.com/v1", "example.com/v1"),
    ] {
        let object = ObjectRef::new(group, kind, Some("shop"), "x");
        assert_eq!(cluster.served_version(&object, recorded).await.as_deref(), Ok(served));
    }
    assert_eq!(server.lines().len(), 1, "the server is asked once");
}

#[tokio::test]
async fn which_version_is_served_is_not_taken_from_what_was_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let options = ConnectOptions { cache: Some(folder.path().to_owned()), ..options() };
    let mut groups = example_com();
    groups[0]["versions"][0]["version"] = json!("v1beta1");
    let server = FakeServer::scripted([discovery(groups), discovery(example_com())]);
    let earlier = server.cluster_with(&options);
    assert!(earlier.kind("example.com", Some("v1beta1"), "Widget").await.unwrap().is_some());
    let widget = ObjectRef::new("example.com", "Widget", Some("shop"), "w");
    let served = server.cluster_with(&options).served_version(&widget, "example.com/v1beta1").await;
    assert_eq!(served.as_deref(), Ok("example.com/v1"));
}
