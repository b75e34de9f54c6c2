use serde_json::{Value, json};

use super::*;
use crate::resource::{Manifest, ObjectRef};
use crate::service::{AccessRule, Check, CheckKind};

fn object(group: &str, kind: &str, name: &str) -> ObjectRef {
    ObjectRef::new(group, kind, Some("n"), name)
}

fn postgres() -> ObjectRef {
    object("apps", "StatefulSet", "postgres")
}

fn check(kind: CheckKind) -> Check {
    Check { name: "it".to_owned(), kind, about: Vec::new(), disruptive: false }
}

fn sql(expect: Option<&str>, password: bool) -> Check {
    check(CheckKind::Sql {
        workload: postgres(),
        container: Some("postgres".to_owned()),
        user: "mathison".to_owned(),
        database: "mathison".to_owned(),
        query: "SELECT 'it''s; $HOME'".to_owned(),
        expect: expect.map(str::to_owned),
        password: password.then(|| (object("", "Secret", "mathison-secrets"), "POSTGRES_PASSWORD".to_owned())),
    })
}

fn redis(expect: &str, password: bool) -> Check {
    check(CheckKind::Redis {
        workload: object("apps", "StatefulSet", "redis"),
        command: vec!["CONFIG".to_owned(), "GET".to_owned(), "appendonly".to_owned()],
        expect: expect.to_owned(),
        password: password.then(|| (object("", "Secret", "s"), "REDIS_PASSWORD".to_owned())),
    })
}

fn command(check: &Check) -> Command {
    match question(check, None) {
        Ok(Question::Exec(command)) => command,
        other => panic!("no command: {other:?}"),
    }
}

fn shown(outcome: CheckOutcome) -> String {
    match outcome {
        CheckOutcome::Passed => "passed".to_owned(),
        CheckOutcome::Failed(why) => format!("failed: {why}"),
        CheckOutcome::Skipped(why) => format!("skipped: {why}"),
    }
}

fn ended(code: i32, stdout: &str, stderr: &str) -> Answer {
    Answer::Exec { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
}

fn judged(check: &Check, answer: Answer) -> String {
    shown(judge(check, None, &answer))
}

#[test]
fn a_query_is_an_argument_that_no_shell_reads() {
    let command = command(&sql(None, false));
    assert_eq!(
        command.words,
        ["psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-U", "mathison", "-d", "mathison", "-c", "SELECT 'it''s; $HOME'"]
    );
    assert_eq!(command.stdin, None);
}

#[test]
fn a_password_goes_through_standard_input_and_over_the_network() {
    let psql = command(&sql(None, true));
    insta::assert_snapshot!(psql.words[..4].join("\n"), @r#"
    sh
    -c
    IFS= read -r PGPASSWORD; export PGPASSWORD PGREQUIREAUTH='!none' PGCONNECT_TIMEOUT=10; address=$(hostname -i) || exit 127; exec psql -h "${address%% *}" "$@"
    psql
    "#);
    assert_eq!(psql.words[4..].first().map(String::as_str), Some("-XAtqw"));
    assert_eq!(psql.stdin.map(|stdin| stdin.key).as_deref(), Some("POSTGRES_PASSWORD"));
    let redis = command(&redis("", true));
    insta::assert_snapshot!(redis.words.join("\n"), @r#"
    sh
    -c
    IFS= read -r REDISCLI_AUTH; export REDISCLI_AUTH; exec redis-cli --no-auth-warning "$@"
    redis-cli
    CONFIG
    GET
    appendonly
    "#);
    assert_eq!(redis.stdin.map(|stdin| stdin.key).as_deref(), Some("REDIS_PASSWORD"));
}

/// Runs a command's words for real, with programs of the test's own in place of the clients.
#[cfg(unix)]
fn run(words: &[String], stdin: &str) -> String {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::{Command as Process, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, script: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("psql", "printf '%s|' \"$PGPASSWORD\" \"$PGREQUIREAUTH\" \"$@\"");
    program("redis-cli", "printf '%s|' \"$REDISCLI_AUTH\" \"$@\"");
    program("hostname", "echo '10.1.2.3 fd00::3'");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut process = Process::new(&words[0])
        .args(&words[1..])
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn the_shell_hands_password_and_arguments_on_unchanged() {
    let password = r#" a\b$c"d'e "#;
    assert_eq!(
        run(&command(&sql(None, true)).words, &format!("{password}\n")),
        format!(
            "{password}|!none|-h|10.1.2.3|-XAtqw|-v|ON_ERROR_STOP=1|-U|mathison|-d|mathison|-c|SELECT 'it''s; $HOME'|"
        )
    );
    assert_eq!(
        run(&command(&redis("", true)).words, &format!("{password}\n")),
        format!("{password}|--no-auth-warning|CONFIG|GET|appendonly|")
    );
}

#[test]
fn a_query_passes_by_its_output_only_if_one_is_expected() {
    assert_eq!(judged(&sql(None, false), ended(0, "whatever\n", "")), "passed");
    assert_eq!(judged(&sql(Some("5"), false), ended(0, "5  \n", "")), "passed");
    assert_eq!(judged(&sql(Some("5"), false), ended(0, "6\n", "")), "failed: it printed `6`, expected `5`");
    assert_eq!(judged(&sql(Some("5"), false), ended(0, "\n", "")), "failed: it printed nothing, expected `5`");
    assert_eq!(
        judged(&sql(Some("5"), false), ended(1, "", "ERROR:  type \"vector\" does not exist\nLINE 1: SELECT\n")),
        "failed: `psql` ended with 1: ERROR:  type \"vector\" does not exist | LINE 1: SELECT"
    );
    assert_eq!(
        judged(&sql(Some("5"), false), ended(127, "", "sh: psql: not found")),
        "skipped: the container has no `psql` that runs"
    );
}

#[test]
fn a_wrong_password_and_a_database_that_asks_for_none_are_told_apart() {
    assert_eq!(
        judged(
            &sql(None, true),
            ended(2, "", "psql: error: FATAL:  password authentication failed for user \"mathison\"")
        ),
        "failed: the database does not accept the password in `mathison-secrets/POSTGRES_PASSWORD`; its volume may have been made with another"
    );
    let trusted =
        "psql: error: authentication method requirement \"!none\" failed: server did not complete authentication";
    assert_eq!(
        judged(&sql(None, true), ended(2, "", trusted)),
        "failed: the database lets everybody in without a password"
    );
    assert_eq!(
        judged(&sql(None, true), Answer::NoSecretKey),
        "failed: Secret mathison-secrets has no key `POSTGRES_PASSWORD`"
    );
}

#[test]
fn redis_answers_are_compared_line_by_line() {
    assert_eq!(judged(&redis("appendonly\nyes", false), ended(0, "appendonly \nyes\n", "")), "passed");
    assert_eq!(
        judged(&redis("PONG", false), ended(0, "NOAUTH Authentication required.\n\n", "")),
        "failed: it printed `NOAUTH Authentication required.`, expected `PONG`"
    );
}

#[test]
fn a_name_resolves_or_not_or_cannot_be_asked() {
    let check = check(CheckKind::Resolves { workload: postgres(), host: "redis.n.svc".to_owned() });
    assert_eq!(command(&check).words, ["getent", "hosts", "redis.n.svc"]);
    assert_eq!(judged(&check, ended(0, "10.0.0.1  redis.n.svc\n", "")), "passed");
    assert_eq!(judged(&check, ended(2, "", "")), "failed: `redis.n.svc` does not resolve");
    assert_eq!(judged(&check, ended(126, "", "")), "skipped: the container has no `getent` that runs");
}

#[test]
fn what_could_not_be_asked_never_passes() {
    let check = sql(None, false);
    assert_eq!(
        judged(&check, Answer::Unavailable("pods run no containers here".to_owned())),
        "skipped: pods run no containers here"
    );
    assert_eq!(
        judged(&check, Answer::Forbidden("cannot create pods/exec".to_owned())),
        "skipped: no right to ask: cannot create pods/exec"
    );
    assert_eq!(judged(&check, Answer::NoReadyPod), "failed: StatefulSet postgres has no ready pod");
    assert_eq!(
        judged(&check, Answer::Error("connection reset".to_owned())),
        "failed: it could not be asked: connection reset"
    );
    assert!(judged(&check, Answer::Objects(vec![])).starts_with("skipped: "));
}

#[test]
fn only_the_refusal_of_the_password_itself_shows_that_it_is_refused() {
    let check = check(CheckKind::RefusesPassword {
        workload: postgres(),
        container: None,
        user: "app".to_owned(),
        database: "shop".to_owned(),
    });
    let Ok(Question::Exec(command)) = question(&check, None) else { panic!("a command") };
    assert_eq!(command.words[command.words.len() - 7..], ["-XAtqw", "-U", "app", "-d", "shop", "-c", "SELECT 1"]);
    let told = |code, stdout: &str, stderr: &str| {
        judged(&check, Answer::Exec { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() })
    };
    assert_eq!(told(2, "", "psql: error: FATAL:  password authentication failed for user \"app\""), "passed");
    assert_eq!(told(0, "1\n", ""), "failed: a wrong password opens the database");
    assert_eq!(
        told(2, "", "psql: error: connection refused"),
        "failed: `psql` ended with 2: psql: error: connection refused"
    );
    assert_eq!(told(127, "", "sh: psql: not found"), "skipped: the container has no `psql` that runs");
    assert_eq!(judged(&check, Answer::NoReadyPod), "failed: StatefulSet postgres has no ready pod");
}

#[test]
fn endpoints_must_be_ready_in_some_slice() {
    let service = object("", "Service", "redis");
    let check = check(CheckKind::Endpoints(service));
    assert_eq!(
        question(&check, None),
        Ok(Question::Endpoints { namespace: "n".to_owned(), selector: "kubernetes.io/service-name=redis".to_owned() })
    );
    let slice = |ready: Value| json!({"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]});
    assert_eq!(judged(&check, Answer::List(vec![slice(json!(false)), slice(json!(true))])), "passed");
    assert_eq!(judged(&check, Answer::List(vec![slice(json!(null))])), "passed");
    assert_eq!(
        judged(&check, Answer::List(vec![slice(json!(false))])),
        "failed: Service redis has 1 endpoint, and it is not ready"
    );
    assert_eq!(
        judged(&check, Answer::List(vec![json!({"endpoints": null})])),
        "failed: Service redis has no endpoints"
    );
}

#[test]
fn objects_must_exist_and_be_as_they_should() {
    let claim = object("", "PersistentVolumeClaim", "data-postgres-0");
    let bound = check(CheckKind::ClaimBound(claim.clone()));
    assert_eq!(question(&bound, None), Ok(Question::Read(vec![claim.clone()])));
    let one = |live: Value| Answer::Objects(vec![Some(live)]);
    assert_eq!(judged(&bound, one(json!({"status": {"phase": "Bound"}}))), "passed");
    assert_eq!(judged(&bound, one(json!({"status": {"phase": "Pending"}}))), "failed: the claim is Pending");
    assert_eq!(
        judged(&bound, Answer::Objects(vec![None])),
        "failed: PersistentVolumeClaim data-postgres-0 does not exist"
    );
    let ready = check(CheckKind::Ready(postgres()));
    let live = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"generation": 1},
        "status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": 0}});
    assert_eq!(judged(&ready, one(live)), "failed: 0/1 replicas ready");
}

fn workload(resources: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "postgres", "namespace": "n"},
        "spec": {"template": {"spec": {"containers": [{"name": "postgres", "resources": resources}]}}}})
}

#[test]
fn requests_and_limits_are_compared_as_quantities() {
    let check = check(CheckKind::Resources(postgres()));
    let declared = json!({"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1000m", "memory": "1Gi"}});
    let judged = |declared: Value, live: Value| {
        let declared = Manifest::new(workload(declared)).unwrap();
        shown(judge(&check, Some(&declared), &Answer::Objects(vec![Some(workload(live))])))
    };
    let canonical = json!({"requests": {"cpu": "0.25", "memory": "512Mi"}, "limits": {"cpu": 1, "memory": "1024Mi"}});
    assert_eq!(judged(declared.clone(), canonical), "passed");
    assert_eq!(
        judged(declared.clone(), json!({"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "1"}})),
        "failed: container postgres has the memory request `256Mi`, declared is `512Mi`; container postgres has no memory limit, declared is `1Gi`"
    );
    assert_eq!(
        judged(json!({}), json!({})),
        "failed: container postgres declares no requests; container postgres declares no limits"
    );
    let other = json!({"spec": {"template": {"spec": {"containers": [{"name": "sidecar"}]}}}});
    let manifest = Manifest::new(workload(declared)).unwrap();
    assert_eq!(
        shown(judge(&check, Some(&manifest), &Answer::Objects(vec![Some(other.clone())]))),
        "failed: container postgres is missing"
    );
    assert_eq!(
        shown(judge(&check, None, &Answer::Objects(vec![Some(other)]))),
        "skipped: the workload is not declared in this stack"
    );
}

fn access(about: Vec<ObjectRef>) -> Check {
    let rule = |group: &str, resource: &str, verbs: &[&str]| AccessRule {
        group: group.to_owned(),
        resource: resource.to_owned(),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
    };
    Check {
        about,
        ..check(CheckKind::Access {
            account: object("", "ServiceAccount", "mathison"),
            allowed: vec![
                rule("", "pods", &["get", "list", "watch"]),
                rule("", "pods/log", &["get"]),
                rule("apps", "deployments", &["create"]),
            ],
        })
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn reviews(check: &Check) -> Vec<AccessReview> {
    match question(check, None) {
        Ok(Question::Access { reviews, .. }) => reviews,
        other => panic!("no reviews: {other:?}"),
    }
}

#[test]
fn an_access_check_asks_for_the_table_and_for_what_lies_beyond_it() {
    let check = access(vec![
        ObjectRef::new(RBAC, "ClusterRole", None, "mathison"),
        ObjectRef::new(RBAC, "ClusterRoleBinding", None, "mathison"),
    ]);
    let Ok(Question::Access { user, groups, reviews, roles }) = question(&check, None) else { panic!("no reviews") };
    assert_eq!(user, "system:serviceaccount:n:mathison");
    assert_eq!(groups, ["system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"]);
    assert_eq!(roles, [ObjectRef::new(RBAC, "ClusterRole", None, "mathison")]);
    let line = |review: &AccessReview| {
        let subresource = review.subresource.as_ref().map_or_else(String::new, |sub| format!("/{sub}"));
        let word = if review.expected { "may" } else { "must not" };
        format!("{word} {} {}.{}{subresource}", review.verb, review.resource, review.group)
    };
    insta::assert_snapshot!(reviews.iter().map(line).collect::<Vec<_>>().join("\n"), @"
    may get pods.
    may list pods.
    may watch pods.
    may get pods./log
    may create deployments.apps
    must not impersonate groups.
    must not delete nodes.
    must not get nodes./proxy
    must not delete persistentvolumes.
    must not create pods.
    must not delete pods.
    must not deletecollection pods.
    must not patch pods.
    must not update pods.
    must not create pods./log
    must not update pods./log
    must not impersonate serviceaccounts.
    must not create serviceaccounts./token
    must not impersonate users.
    must not * *.*
    must not create mutatingwebhookconfigurations.admissionregistration.k8s.io
    must not delete deployments.apps
    must not deletecollection deployments.apps
    must not get deployments.apps
    must not list deployments.apps
    must not patch deployments.apps
    must not update deployments.apps
    must not watch deployments.apps
    must not create clusterrolebindings.rbac.authorization.k8s.io
    must not bind clusterroles.rbac.authorization.k8s.io
    must not escalate clusterroles.rbac.authorization.k8s.io
    must not create rolebindings.rbac.authorization.k8s.io
    ");
    // What is allowed is so everywhere; what is not must not be allowed where the account lives either.
    let is_right = |review: &AccessReview| review.namespace.as_deref() == (!review.expected).then_some("n");
    assert!(reviews.iter().all(is_right), "{reviews:?}");
}

#[test]
fn a_role_bound_in_a_namespace_is_asked_about_there() {
    let check = access(vec![ObjectRef::new(RBAC, "RoleBinding", Some("n"), "mathison")]);
    assert!(reviews(&check).iter().all(|review| review.namespace.as_deref() == Some("n")));
}

#[test]
fn access_passes_only_if_the_table_holds_and_nothing_more() {
    let check = access(Vec::new());
    let reviews = reviews(&check);
    let role = |verbs: Value| json!({"kind": "ClusterRole", "metadata": {"name": "mathison"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": verbs}]});
    let judged = |allowed: Vec<bool>, roles: Vec<Value>| judged(&check, Answer::Access { allowed, roles });
    let right: Vec<bool> = reviews.iter().map(|review| review.expected).collect();
    assert_eq!(judged(right.clone(), vec![role(json!(["get"]))]), "passed");
    assert_eq!(judged(right.clone(), vec![role(json!(["*"]))]), "failed: ClusterRole mathison has a wildcard in verbs");
    let mut less = right.clone();
    less[0] = false;
    assert_eq!(judged(less, vec![]), "failed: may not get pods");
    assert_eq!(
        judged(vec![true; right.len()], vec![]),
        format!(
            "failed: may impersonate groups, delete nodes, get nodes/proxy, delete persistentvolumes, create pods, delete pods and {} more, which is not in its table",
            right.iter().filter(|expected| !**expected).count() - 6
        )
    );
    assert_eq!(judged(vec![], vec![]), format!("skipped: 0 of {} access reviews were answered", right.len()));
}

#[test]
fn a_restart_is_proved_by_a_marker_in_the_volume() {
    let check = check(CheckKind::SurvivesRestart(postgres()));
    let mut declared = workload(json!({}));
    let bare = Manifest::new(declared.clone()).unwrap();
    assert_eq!(
        question(&check, Some(&bare)),
        Err(CheckOutcome::Failed("StatefulSet postgres mounts no claim, so nothing survives".to_owned()))
    );
    declared["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}}]);
    declared["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "init", "mountPath": "/init"}, {"name": "data", "mountPath": "/var/lib/postgresql/data/"}]);
    let declared = Manifest::new(declared).unwrap();
    let Ok(Question::Restart { volume, .. }) = question(&check, Some(&declared)) else { panic!("no restart") };
    assert_eq!(volume.container, "postgres");
    assert_eq!(volume.script().read, ["sh", "-c", "cat \"$1\"", "sh", "/var/lib/postgresql/data/.mathison-check"]);
    let judged = |read: Option<&str>| {
        judged(&check, Answer::Restart { written: "a1".to_owned(), read: read.map(str::to_owned) })
    };
    assert_eq!(judged(Some("a1\n")), "passed");
    assert_eq!(judged(None), "failed: what was written to the volume is gone after the restart");
    assert_eq!(judged(Some("b2")), "failed: the volume holds something else than was written before the restart");
    assert_eq!(subject(&check), Some(&postgres()));
}

#[test]
fn debug_never_shows_what_was_read() {
    let answers = [
        Answer::Objects(vec![Some(json!("canary"))]),
        ended(0, "canary", "canary"),
        Answer::List(vec![json!("canary")]),
    ];
    assert!(!format!("{answers:?}").contains("canary"));
}
