//! What the tests rely on in a server: its users, its log of requests, and that it takes the generated objects.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::{AGENT, Api, JSON};
use crate::support::cluster::{Account, Rights, Server, User, eventually};
use crate::support::generate;

on_each_server!(
    users_have_their_rights,
    requests_are_told_apart_by_account,
    the_bodies_of_a_recorded_user_are_known,
    generated_objects_are_valid,
    a_namespace_goes_with_its_test,
);

fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "k": "told" } })
}

fn hands(server: &Server, user: User) -> Api {
    Api::with_kubeconfig(&fs::read_to_string(server.kubeconfig(user)).expect("read a kubeconfig"))
}

fn users_have_their_rights(server: &Server) {
    let namespace = server.namespace("users");
    let path = format!("/api/v1/namespaces/{}/configmaps", namespace.name());
    for (user, may_create, may_list) in [
        (User::Admin, true, true),
        (User::Recorded, true, true),
        (User::Reader, false, true),
        (User::Nobody, false, false),
    ] {
        let api = hands(server, user);
        let name = format!("{user:?}").to_lowercase();
        let created = api.send("POST", &path, Some((JSON, &config_map(&name))));
        assert_eq!(created.code, if may_create { 201 } else { 403 }, "{user:?} {created:?}");
        let listed = api.send("GET", &path, None);
        assert_eq!(listed.code, if may_list { 200 } else { 403 }, "{user:?} {listed:?}");
    }
}

fn requests_are_told_apart_by_account(server: &Server) {
    let namespace = server.namespace("counted");
    let one = namespace.account("one", &Rights::Everything);
    let rules = r#"[{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"] }]"#;
    let other = namespace.account("other", &Rights::Rules(rules));
    let path = format!("/api/v1/namespaces/{}/configmaps", namespace.name());
    let create = |account: &Account, name: &str, query: &str| {
        account.api().send("POST", &format!("{path}{query}"), Some((JSON, &config_map(name))))
    };
    assert_eq!(create(&one, "before", "").code, 201);
    let mark = server.mark();
    assert_eq!(create(&one, "a", "").code, 201);
    assert_eq!(create(&one, "b", "?dryRun=All").code, 201);
    let mut page = other.api().send("GET", &format!("{path}?limit=1"), None);
    while let Some(token) = page.body["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
        page = other.api().send("GET", &format!("{path}?limit=1&continue={token}"), None);
    }
    let refused = create(&other, "c", "");
    assert_eq!(refused.code, 403);
    assert!(refused.body["message"].as_str().is_some_and(|message| message.contains(&other.user)), "{refused:?}");
    let requests = server.requests(&one.user, AGENT, mark);
    assert_eq!((requests.writes().count(), requests.dry_runs().count()), (1, 1), "{requests}");
    assert_eq!(requests.writes().0[0].name, "a");
    let requests = server.requests(&other.user, AGENT, mark);
    let lists = requests.only(|request| request.verb == "list" && request.resource == "configmaps");
    assert!(lists.count() >= 3 && lists.further_pages().count() == lists.count() - 1, "{requests}");
    assert_eq!(server.requests(&one.user, "mathison", mark).count(), 0);
}

fn the_bodies_of_a_recorded_user_are_known(server: &Server) {
    let namespace = server.namespace("bodies");
    let api = hands(server, User::Recorded);
    let mark = server.mark();
    let secret =
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "k": "aGlkZGVu" } });
    for object in [config_map("c"), secret] {
        api.create_all(namespace.name(), &object.to_string());
    }
    let bodies = server.recorded_bodies(User::Recorded, mark, namespace.name());
    assert!(bodies.contains("told"), "{bodies}");
    assert!(!bodies.contains("aGlkZGVu"), "the body of a Secret is its own\n{bodies}");
}

fn generated_objects_are_valid(server: &Server) {
    let namespace = server.namespace("generated");
    let files = generate::stack("valid", namespace.name(), 18);
    for (_, text) in files.iter().filter(|(name, _)| name.starts_with("objects/")) {
        namespace.create(text);
    }
    for (_, resource) in generate::KINDS {
        let objects = namespace.objects(resource);
        assert_eq!(objects.iter().filter(|name| name.contains("/app-")).count(), 2, "{resource}: {objects:?}");
    }
    namespace.create_foreign_config_maps(20);
    assert_eq!(namespace.objects("configmaps").len(), 22);
}

fn a_namespace_goes_with_its_test(server: &Server) {
    let namespace = server.namespace("gone");
    let name = namespace.name().to_owned();
    namespace.account("somebody", &Rights::Everything);
    let labelled = format!(
        r#"{{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{{"name":"{name}.left","labels":{{"mathison.dev/stack":"a.{name}"}}}},"rules":[]}}"#
    );
    namespace.create(&labelled);
    drop(namespace);
    eventually("the namespace and what was made for it are gone", Duration::from_secs(60), || {
        let left = server.names("namespaces,clusterroles,clusterrolebindings", "", "");
        !left.iter().any(|left| left.contains(&name))
    });
}
