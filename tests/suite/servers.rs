//! What the tests rely on in a server: its users, its log of requests, and that it takes the generated objects.

use std::time::Duration;

use crate::support::cluster::{Account, Rights, Server, User, eventually};
use crate::support::generate;
use crate::support::output::Output;

on_each_server!(
    users_have_their_rights,
    requests_are_told_apart_by_account,
    the_bodies_of_a_recorded_user_are_known,
    generated_objects_are_valid,
    a_namespace_goes_with_its_test,
);

fn kubectl(server: &Server, account: &Account, namespace: &str, line: &str) -> Output {
    let words = ["--namespace", namespace].into_iter().chain(line.split_whitespace());
    account.environment().program(server.kubectl_path(), words).finish()
}

fn users_have_their_rights(server: &Server) {
    let namespace = server.namespace("users");
    let create = ["--namespace", namespace.name(), "create", "configmap"];
    let list = ["--namespace", namespace.name(), "get", "configmaps"];
    for (user, may_create, may_list) in [
        (User::Admin, true, true),
        (User::Recorded, true, true),
        (User::Reader, false, true),
        (User::Nobody, false, false),
    ] {
        let environment = server.environment(user);
        let name = format!("{user:?}").to_lowercase();
        let created = environment.program(server.kubectl_path(), create.into_iter().chain([name.as_str()])).finish();
        assert_eq!(created.code == 0, may_create, "{user:?}\n{created}");
        let listed = environment.program(server.kubectl_path(), list).finish();
        assert_eq!(listed.code == 0, may_list, "{user:?}\n{listed}");
    }
}

fn requests_are_told_apart_by_account(server: &Server) {
    let namespace = server.namespace("counted");
    let one = namespace.account("one", &Rights::Everything);
    let rules = r#"[{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"] }]"#;
    let other = namespace.account("other", &Rights::Rules(rules));
    let run = |account: &Account, line: &str| kubectl(server, account, namespace.name(), line);
    run(&one, "create configmap before").expect_code(0);
    let mark = server.mark();
    run(&one, "create configmap a").expect_code(0);
    run(&one, "create configmap b --dry-run=server").expect_code(0);
    run(&other, "get configmaps --chunk-size=1").expect_code(0);
    run(&other, "create configmap c").expect_code(1).expect_text(&["forbidden", &other.user]);
    let requests = server.requests(&one.user, "kubectl/", mark);
    assert_eq!((requests.writes().count(), requests.dry_runs().count()), (1, 1), "{requests}");
    assert_eq!(requests.writes().0[0].name, "a");
    let requests = server.requests(&other.user, "kubectl/", mark);
    let lists = requests.only(|request| request.verb == "list" && request.resource == "configmaps");
    assert!(lists.count() >= 3 && lists.further_pages().count() == lists.count() - 1, "{requests}");
    assert_eq!(server.requests(&one.user, "mathison", mark).count(), 0);
}

fn the_bodies_of_a_recorded_user_are_known(server: &Server) {
    let namespace = server.namespace("bodies");
    let environment = server.environment(User::Recorded);
    let mark = server.mark();
    for line in ["create configmap c --from-literal=k=told", "create secret generic s --from-literal=k=hidden"] {
        let words = ["--namespace", namespace.name()].into_iter().chain(line.split(' '));
        environment.program(server.kubectl_path(), words).finish().expect_code(0);
    }
    let bodies = server.recorded_bodies("recorded", mark, namespace.name());
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
        let left = server.kubectl(&["get", "namespaces,clusterroles,clusterrolebindings", "-o", "name"]);
        !left.contains(&name)
    });
}
