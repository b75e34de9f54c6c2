//! Each check fails where just that is broken which it is about, and no other does.

use std::time::Duration;

use serde_json::json;

use super::{Scene, on_the_node};
use crate::support::cluster::{Server, eventually};

on_the_node!(a_check_fails_where_its_own_thing_is_broken);

/// Addresses and roles take effect a moment after they are stored, and a resolver remembers for half a minute.
const PATIENCE: Duration = Duration::from_secs(90);

const SQL: [&str; 4] =
    ["postgres accepts its password", "postgres answers", "postgres has vector", "vectors have a distance"];
const REDIS: [&str; 4] = ["redis answers", "redis evicts as declared", "redis keeps to its memory", "redis persists"];

/// Lets everybody in over TCP, and nobody otherwise than before.
const TRUST_ALL: &str = "sed -i 's/^host.*all.*all.*all.*/host all all all trust/' \"$PGDATA/pg_hba.conf\"";
const TRUST_NOBODY: &str = "sed -i 's/^host all all all trust/host all all all scram-sha-256/' \"$PGDATA/pg_hba.conf\"";

impl Scene<'_> {
    /// These checks fail, and no others.
    #[track_caller]
    fn comes_to(&self, failing: &[&str]) {
        let mut last = Vec::new();
        let mut is_so = || {
            last = self.failing().into_iter().collect();
            last == failing
        };
        let end = std::time::Instant::now() + PATIENCE;
        while !is_so() {
            assert!(std::time::Instant::now() < end, "failing are {last:?}, and not {failing:?}");
        }
    }

    fn breaks(&self, failing: &[&str], break_it: impl FnOnce(), mend_it: impl FnOnce()) {
        break_it();
        self.comes_to(failing);
        mend_it();
    }
}

fn a_check_fails_where_its_own_thing_is_broken(server: &Server) {
    let namespace = server.namespace("breaking");
    let scene = Scene::shipped(server, &namespace);
    scene.comes_to(&[]);
    let sql = |statement: &'static str| {
        let scene = &scene;
        move || drop(scene.sql(statement))
    };
    let redis = |words: &'static [&'static str]| {
        let scene = &scene;
        move || drop(scene.redis(words))
    };

    // The password that the Secret has is not the database's.
    scene.sql("CREATE TABLE saved AS SELECT rolpassword FROM pg_authid WHERE rolname = 'mathison'");
    scene.breaks(
        &["postgres accepts its password"],
        sql("ALTER ROLE mathison PASSWORD 'another'"),
        sql("DO $$ BEGIN EXECUTE format('ALTER ROLE mathison PASSWORD %L', (SELECT rolpassword FROM saved)); END $$"),
    );
    scene.breaks(
        &["postgres has vector", "vectors have a distance"],
        sql("DROP EXTENSION vector"),
        sql("CREATE EXTENSION vector"),
    );
    // The database lets everybody in.
    let configured = |script: &'static str| {
        let scene = &scene;
        move || {
            scene.exec("postgres-0", &["sh", "-c", script]);
            scene.sql("SELECT pg_reload_conf()");
        }
    };
    scene.breaks(
        &["postgres accepts its password", "postgres refuses a wrong password"],
        configured(TRUST_ALL),
        configured(TRUST_NOBODY),
    );
    // Nobody answers under the database's name.
    let in_maintenance = |statement: &'static str| {
        let scene = &scene;
        move || drop(scene.exec("postgres-0", &["psql", "-XAtqw", "-U", "mathison", "-d", "postgres", "-c", statement]))
    };
    scene.breaks(
        &SQL,
        in_maintenance("ALTER DATABASE mathison RENAME TO elsewhere"),
        in_maintenance("ALTER DATABASE elsewhere RENAME TO mathison"),
    );

    scene.breaks(
        &["redis persists"],
        redis(&["CONFIG", "SET", "appendonly", "no"]),
        redis(&["CONFIG", "SET", "appendonly", "yes"]),
    );
    scene.breaks(
        &["redis evicts as declared"],
        redis(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]),
        redis(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]),
    );
    scene.breaks(
        &["redis keeps to its memory"],
        redis(&["CONFIG", "SET", "maxmemory", "0"]),
        redis(&["CONFIG", "SET", "maxmemory", "161061273"]),
    );
    scene.breaks(
        &REDIS,
        redis(&["CONFIG", "SET", "requirepass", "set-by-hand"]),
        redis(&["-a", "set-by-hand", "--no-auth-warning", "CONFIG", "SET", "requirepass", ""]),
    );

    let select = |name: &str| {
        let selector = json!({ "spec": { "selector": { "app.kubernetes.io/name": name } } });
        namespace.patch("services", "redis", "somebody", &selector);
    };
    scene.breaks(&["redis has endpoints"], || select("nobody"), || select("redis"));
    scene.breaks(
        &["redis has endpoints", "redis resolves"],
        || namespace.remove("services", "redis"),
        || {
            scene.run("apply", &["--auto-approve", "--skip-checks"]).expect_code(0);
        },
    );
    // A pod is given another limit while it runs, which its workload knows nothing of.
    let resized = |memory: &'static str| {
        let limits =
            json!({ "spec": { "containers": [{ "name": "redis", "resources": { "limits": { "memory": memory } } }] } });
        let words = ["-n", namespace.name(), "patch", "pod", "redis-0", "--subresource", "resize", "-p"];
        let limits = limits.to_string();
        let words: Vec<&str> = words.into_iter().chain([limits.as_str()]).collect();
        server.kubectl(&words);
    };
    scene.breaks(&["redis has its limits in force"], || resized("300Mi"), || resized("256Mi"));
    scene.comes_to(&[]);

    let resources = json!({ "spec": { "template": { "spec": { "containers": [
        { "name": "redis", "resources": { "requests": { "cpu": "77m" } } }] } } } });
    scene.breaks(
        &["redis has the declared resources"],
        || namespace.patch("statefulsets", "redis", "somebody", &resources),
        || {
            scene.run("apply", &["--auto-approve", "--skip-checks"]).expect_code(0);
        },
    );

    let group = "rbac.authorization.k8s.io";
    let more = json!({ "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": { "name": "more" },
        "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": "mathison", "namespace": namespace.name() }] });
    scene.breaks(
        &["mathison may do what it needs and no more"],
        || namespace.create(&more.to_string()),
        || namespace.remove("rolebindings", "more"),
    );

    scene.comes_to(&[]);
    eventually("all is as the stack says", PATIENCE, || scene.run("plan", &["--detailed-exitcode"]).code == 0);
}
