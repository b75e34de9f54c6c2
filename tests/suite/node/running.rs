//! The stack that we ship, from an empty namespace to verified, and through a restart of each of its pods.

use super::{Scene, on_the_node};
use crate::support::cluster::Server;

on_the_node!(the_backing_services_run_are_verified_and_survive);

fn the_backing_services_run_are_verified_and_survive(server: &Server) {
    let namespace = server.namespace("running");
    let scene = Scene::shipped(server, &namespace);
    scene.sql("CREATE TABLE kept (word text, place vector(2))");
    scene.sql("INSERT INTO kept VALUES ('before', '[3,4]')");
    scene.redis(&["SET", "kept", "before"]);

    // Nothing is skipped that may be asked, and nothing is asked that disturbs.
    let calm = scene.run("verify", &[]).expect_code(0);
    let pods = |namespace: &crate::support::cluster::Namespace<'_>| {
        let pods = namespace.list("pods");
        pods.iter().map(|pod| pod["metadata"]["uid"].to_string()).collect::<Vec<_>>()
    };
    calm.expect_text(&[
        "check postgres survives a restart: SKIPPED: it disturbs the service; `mathison verify --disruptive`",
        "Checks: 22 passed, 0 failed, 2 skipped.",
    ]);
    let before = pods(&namespace);
    let all = scene.run("verify", &["--disruptive", "--require-all-checks"]).expect_code(0);
    all.expect_text(&[
        "asking `postgres survives a restart`: a pod may be deleted",
        "check postgres survives a restart: passed",
        "check redis survives a restart: passed",
        "Checks: 24 passed, 0 failed, 0 skipped.",
    ]);
    let after = pods(&namespace);
    assert_eq!((before.len(), after.len()), (2, 2), "one of each");
    assert!(before.iter().all(|uid| !after.contains(uid)), "both pods are others now: {before:?}, {after:?}");

    assert_eq!(scene.sql("SELECT word, place <-> '[0,0]' FROM kept"), "before|5");
    assert_eq!(scene.redis(&["GET", "kept"]), "before");
    // It cleaned up after itself.
    for (pod, folder) in [("postgres-0", "/var/lib/postgresql/data"), ("redis-0", "/data")] {
        assert!(!scene.exec(pod, &["ls", "-A", folder]).contains("mathison"), "{pod}");
    }
    scene.run("plan", &["--detailed-exitcode"]).expect_code(0);
    scene.run("drift", &[]).expect_code(0);
}
