//! What somebody reads when it does not work: a message that says what is wrong, the next step, and the right exit code.
//! And nothing was written.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use jiff::Timestamp;
use mathison::resource::{Digest, canonical_json};
use mathison::sandbox::server::Identity;
use serde_json::{Value, json};

use crate::support::cluster::{Rights, Server, User};
use crate::support::environment::TestEnv;

on_each_server!(
    a_certificate_of_another_authority_is_refused,
    an_expired_token_is_named,
    a_missing_right_names_the_kind_and_the_account,
    somebody_without_rights_is_told_so,
    an_unknown_kind_is_named,
    a_taken_name_is_left_alone,
    without_a_terminal_nothing_is_approved,
    the_state_of_another_cluster_is_refused,
    a_state_folder_that_is_a_file_stops_before_the_first_write,
);

// It mounts, which not every machine that has cargo allows.
on_the_real_server!(a_disk_that_cannot_be_written_stops_before_the_first_write);

const APPLY: &str = "apply stack.yaml --auto-approve";

const OBJECTS: &str = "
manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: one }, data: { text: ours } }
  - inline: { apiVersion: v1, kind: Service, metadata: { name: two }, spec: { ports: [{ port: 80 }] } }
";

fn with_stack(environment: TestEnv, namespace: &str, manifests: &str) -> TestEnv {
    environment.write("stack.yaml", &format!("stack: failing\nnamespace: {namespace}\n{manifests}"));
    environment
}

#[test]
fn no_server_is_said_at_once_and_by_its_address() {
    // A port that was free a moment ago, and that nobody listens on.
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("find a port");
    let mut environment = with_stack(TestEnv::new(), "anywhere", OBJECTS);
    let kubeconfig = json!({ "apiVersion": "v1", "kind": "Config", "current-context": "gone",
        "clusters": [{ "name": "gone", "cluster": { "server": format!("https://{address}") } }],
        "users": [{ "name": "gone", "user": { "token": "t" } }],
        "contexts": [{ "name": "gone", "context": { "cluster": "gone", "user": "gone" } }] });
    environment.write("kubeconfig", &kubeconfig.to_string());
    environment.set("KUBECONFIG", "kubeconfig");
    for line in ["plan stack.yaml", "apply stack.yaml --auto-approve", "drift stack.yaml", "verify stack.yaml"] {
        let output = environment.mathison(line.split_whitespace()).within(Duration::from_secs(60)).finish();
        output.expect_code(1).expect_text(&[&address.to_string(), "hint:"]).expect_no_text(&["panicked"]);
    }
}

#[test]
fn nothing_in_a_name_acts_on_the_terminal() {
    let environment = TestEnv::new();
    let checks = "checks: { \"a\\e[2J\": { redis: PING, expect: PONG, in: cache } }";
    environment.write(
        "stack.yaml",
        &format!("stack: demo\nnamespace: demo\nservices: {{ cache: {{ type: redis }} }}\n{checks}\n"),
    );
    environment.run("graph stack.yaml").expect_code(0).expect_text(&["check/a\\u{1b}[2J"]).expect_no_text(&["\u{1b}"]);
}

#[test]
fn a_missing_kubeconfig_is_named() {
    let mut environment = with_stack(TestEnv::new(), "anywhere", OBJECTS);
    environment.set("KUBECONFIG", "nowhere/kubeconfig");
    environment.run("plan stack.yaml").expect_code(1).expect_text(&["nowhere/kubeconfig", "this is no pod", "hint:"]);
}

fn a_certificate_of_another_authority_is_refused(server: &Server) {
    let namespace = server.namespace("certificate");
    let environment = TestEnv::new();
    environment.write("ca.crt", &Identity::make(Timestamp::now()).expect("make an authority").ca);
    let mut value = server.kubeconfig_value();
    let cluster = value["clusters"][0]["cluster"].as_object_mut().expect("a cluster in the kubeconfig");
    cluster.remove("certificate-authority-data");
    cluster.insert("certificate-authority".to_owned(), json!(environment.path("ca.crt")));
    environment.write("kubeconfig", &value.to_string());
    let mut environment = with_stack(environment, namespace.name(), OBJECTS);
    environment.set("KUBECONFIG", "kubeconfig");
    environment.run(APPLY).expect_code(1).expect_text(&["certificate", "hint:"]);
    assert!(namespace.get("configmap", "one").is_none());
}

fn an_expired_token_is_named(server: &Server) {
    let namespace = server.namespace("token");
    let account = namespace.account("leaver", &Rights::Everything);
    let environment = with_stack(account.environment(), namespace.name(), OBJECTS);
    environment.run("plan stack.yaml").expect_code(0);
    // Its token dies with it.
    namespace.remove("serviceaccount", "leaver");
    let refused = || account.api().send("GET", "/api/v1/namespaces", None).code == 401;
    // The server remembers a good token for a few seconds.
    crate::support::cluster::eventually("the token is no longer good", Duration::from_secs(60), refused);
    environment.run(APPLY).expect_code(1).expect_text(&["401", "hint:"]).expect_no_text(&["panicked"]);
    assert!(namespace.get("configmap", "one").is_none());
}

fn a_missing_right_names_the_kind_and_the_account(server: &Server) {
    let namespace = server.namespace("rights");
    let rules = r#"[{ "apiGroups": [""], "resources": ["configmaps", "secrets", "namespaces"], "verbs": ["*"] },
                    { "nonResourceURLs": ["*"], "verbs": ["get"] }]"#;
    let account = namespace.account("half", &Rights::Rules(rules));
    let environment = with_stack(account.environment(), namespace.name(), OBJECTS);
    let mark = server.mark();
    environment.run(APPLY).expect_code(1).expect_text(&["services", "forbidden", &account.user, "hint:"]);
    let requests = server.requests(&account.user, "mathison", mark);
    assert!(requests.count() > 0, "the log has nothing of this account");
    assert_eq!(requests.writes().count(), 0, "what cannot be planned is not begun\n{requests}");
}

fn somebody_without_rights_is_told_so(server: &Server) {
    let namespace = server.namespace("nobody");
    let environment = with_stack(server.environment(User::Nobody), namespace.name(), OBJECTS);
    environment.run("plan stack.yaml").expect_code(1).expect_text(&["forbidden", "nobody", "hint:"]);
    // Who may read everything can plan and look for drift, but not apply.
    let environment = with_stack(server.environment(User::Reader), namespace.name(), OBJECTS);
    environment.run("plan stack.yaml --detailed-exitcode").expect_code(2);
    environment.run(APPLY).expect_code(1).expect_text(&["forbidden", "reader", "auth can-i patch configmaps"]);
    assert!(namespace.get("configmap", "one").is_none());
}

fn an_unknown_kind_is_named(server: &Server) {
    let namespace = server.namespace("kind");
    let widget = "
  - inline: { apiVersion: example.com/v1, kind: Widget, metadata: { name: w } }
";
    let environment =
        with_stack(server.environment(User::Admin), namespace.name(), &format!("{}{widget}", OBJECTS.trim_end()));
    environment
        .run(APPLY)
        .expect_code(1)
        .expect_text(&["Widget.example.com", "hint: add the CustomResourceDefinition"]);
    assert!(namespace.get("configmap", "one").is_none(), "the whole plan is refused before any write");
}

fn a_taken_name_is_left_alone(server: &Server) {
    let namespace = server.namespace("taken");
    namespace.create("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: one }\ndata: { text: theirs }\n");
    let environment = with_stack(server.environment(User::Admin), namespace.name(), OBJECTS);
    let adopt = "--adopt=manifest.ConfigMap/one";
    environment.run(APPLY).expect_code(1).expect_text(&["manifest.ConfigMap/one", "kubectl-create", adopt]);
    let theirs = namespace.get("configmap", "one").expect("it is still there");
    assert_eq!(theirs["data"]["text"], "theirs");
    assert!(namespace.get("service", "two").is_none(), "the whole plan is refused before any write");
    // The step that was named works.
    environment.run(&format!("{APPLY} {adopt}")).expect_code(0);
    let ours = namespace.get("configmap", "one").expect("it is still there");
    assert_eq!((&ours["data"]["text"], &ours["metadata"]["uid"]), (&json!("ours"), &theirs["metadata"]["uid"]));
}

fn without_a_terminal_nothing_is_approved(server: &Server) {
    let namespace = server.namespace("terminal");
    let environment = with_stack(server.environment(User::Admin), namespace.name(), OBJECTS);
    for (line, input) in [("apply stack.yaml", ""), ("apply stack.yaml", "yes\n"), ("apply stack.yaml", "y\n")] {
        let run = environment.mathison(line.split_whitespace()).input(input).within(Duration::from_secs(60));
        run.finish().expect_code(64).expect_text(&["--auto-approve"]);
        assert!(namespace.get("configmap", "one").is_none(), "a pipe that says {input:?} approves nothing");
    }
    environment.run(APPLY).expect_code(0);
    let run = environment.mathison(["destroy", "stack.yaml"]).input("yes\n").within(Duration::from_secs(60));
    run.finish().expect_code(64).expect_text(&["--auto-approve"]);
    assert!(namespace.get("configmap", "one").is_some());
}

fn the_state_of_another_cluster_is_refused(server: &Server) {
    let namespace = server.namespace("elsewhere");
    let environment = with_stack(server.environment(User::Admin), namespace.name(), OBJECTS);
    environment.run(APPLY).expect_code(0);
    // As if the file had been copied over from there.
    let is_snapshot = |path: &std::path::Path| {
        path.parent().is_some_and(|parent| parent.ends_with("state"))
            && path.extension().is_some_and(|extension| extension == "json")
    };
    let files: Vec<_> = environment.files().into_iter().filter(|path| is_snapshot(path)).collect();
    let [file] = files.as_slice() else { panic!("one snapshot, not {files:?}") };
    let mut state: Value = serde_json::from_str(&fs::read_to_string(file).expect("read it")).expect("it is JSON");
    let fields = state.as_object_mut().expect("it is an object");
    fields.insert("clusterUid".to_owned(), json!("11111111-2222-3333-4444-555555555555"));
    fields.remove("checksum").expect("it carries its checksum");
    state["checksum"] = json!(Digest::of_bytes(&canonical_json(&state)).to_string());
    fs::write(file, format!("{state}\n")).expect("write it");
    for line in ["plan stack.yaml", APPLY, "destroy stack.yaml --auto-approve", "drift stack.yaml"] {
        environment.run(line).expect_code(1).expect_text(&[
            "belongs to the cluster",
            "11111111-2222-3333-4444-555555555555",
            "hint:",
        ]);
    }
    assert!(namespace.get("configmap", "one").is_some(), "nothing was destroyed");
}

fn a_disk_that_cannot_be_written_stops_before_the_first_write(server: &Server) {
    let namespace = server.namespace("read-only");
    let environment = with_stack(server.environment(User::Admin), namespace.name(), OBJECTS);
    fs::create_dir(environment.path("state")).expect("make the state folder");
    // File modes do not hold root back; a mount of its own does.
    let script = "mount -t tmpfs -o ro none state && exec \"$@\"";
    let mut words = vec!["--mount", "--map-root-user", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_mathison")];
    words.extend(APPLY.split_whitespace());
    let output = environment.program("unshare", words).finish();
    output.expect_code(1).expect_text(&["state", "Read-only file system", "hint:"]);
    assert!(namespace.get("configmap", "one").is_none());
}

fn a_state_folder_that_is_a_file_stops_before_the_first_write(server: &Server) {
    let namespace = server.namespace("no-folder");
    let environment = with_stack(server.environment(User::Admin), namespace.name(), OBJECTS);
    environment.write("elsewhere", "not a folder");
    environment.run(&format!("{APPLY} --state elsewhere")).expect_code(1).expect_text(&["elsewhere", "hint:"]);
    assert!(namespace.get("configmap", "one").is_none());
}
