//! What a plan and an apply may cost, counted in the server's own log: requests grow with the kinds of a stack, not with its
//! objects, and not with what else lives in the namespace.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::api::{Api, collection, kind_of, plain};
use crate::support::audit::Requests;
use crate::support::cluster::{Account, Rights, Server};
use crate::support::environment::TestEnv;
use crate::support::generate::{self, KINDS, STACK_FILE};
use crate::support::output::Output;

on_each_server!(a_thousand_objects_cost_a_list_a_kind);

const OBJECTS: usize = 1000;
const FOREIGN: usize = 2000;
const CHANGED: usize = 10;

/// Everything lies in one namespace.
const MOST_REQUESTS: usize = KINDS.len() + 10;

/// A thousand writes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// Runs a command and counts what it asked.
#[track_caller]
fn counted(server: &Server, operator: &Account, environment: &TestEnv, line: &str) -> (Output, Requests) {
    let mark = server.mark();
    let output = environment.mathison(line.split_whitespace()).within(PATIENCE).finish();
    (output, server.requests(&operator.user, "mathison", mark))
}

fn a_thousand_objects_cost_a_list_a_kind(server: &Server) {
    let namespace = server.namespace("budget");
    namespace.create_foreign_config_maps(FOREIGN);
    let operator = namespace.account("operator", &Rights::Everything);
    let environment = operator.environment();
    let run = |line: &str| counted(server, &operator, &environment, line);
    let mut files = generate::stack("big", namespace.name(), OBJECTS);
    generate::write(&files, &environment.work());

    // The first plan, where nothing is known and nothing exists.
    let (output, requests) = run(&format!("plan {STACK_FILE} --detailed-exitcode"));
    output.expect_code(2);
    within(&requests, 2 * MOST_REQUESTS);
    assert_eq!(requests.writes().count() + requests.dry_runs().count(), 0, "a first plan writes\n{requests}");

    let (output, requests) = run(&format!("apply {STACK_FILE} --auto-approve --no-wait"));
    output.expect_code(0);
    // One for the namespace's own Secret of the stack, should it be made.
    let writes = requests.writes().count();
    assert!((OBJECTS..=OBJECTS + 1).contains(&writes), "{writes} writes for {OBJECTS} objects\n{requests}");

    // Nothing to do, and nothing of the others' is fetched: their pages would be more.
    let (output, requests) = run(&format!("plan {STACK_FILE} --detailed-exitcode"));
    output.expect_code(0);
    within(&requests, MOST_REQUESTS);
    assert_eq!(requests.writes().count() + requests.dry_runs().count(), 0, "a plan writes\n{requests}");
    let config_maps = requests.only(|request| request.verb == "list" && request.resource == "configmaps");
    assert!(config_maps.count() > 0, "{requests}");
    let ours = format!("labelSelector=mathison.dev%2Fstack%3Dbig.{}", namespace.name());
    for request in &config_maps.0 {
        assert!(request.uri.contains(&ours), "the foreign ones are fetched too: {}", request.uri);
    }

    // Each is proved to be as it should, and to ask the server would bring the same.
    let (output, _) = run(&format!("plan {STACK_FILE} --json"));
    let output = output.expect_code(0);
    let plan: Value = serde_json::from_str(&output.stdout).expect("a plan in JSON");
    assert_eq!(proved(&plan), OBJECTS, "{output}");
    environment.run(&format!("render {STACK_FILE} --out rendered")).expect_code(0);
    let unequal = answered_otherwise(&operator.api(), namespace.name(), &environment.path("rendered"));
    assert!(unequal.is_empty(), "{} of {OBJECTS} dry runs find something to do: {unequal:#?}", unequal.len());

    // What changed is written, and nothing else.
    generate::change(&mut files, CHANGED);
    generate::write(&files, &environment.work());
    let (output, requests) = run(&format!("apply {STACK_FILE} --auto-approve --no-wait"));
    output.expect_code(0);
    let (writes, dry_runs) = (requests.writes().count(), requests.dry_runs().count());
    assert_eq!(writes, CHANGED, "{requests}");
    assert!(dry_runs <= CHANGED, "{requests}");
    within(&requests.only(|request| !request.is_write() && !request.is_dry_run()), MOST_REQUESTS + CHANGED);

    // And after it, all is quiet again.
    let (output, requests) = run(&format!("plan {STACK_FILE} --detailed-exitcode"));
    output.expect_code(0);
    within(&requests, MOST_REQUESTS);
}

/// Counts the resources of a plan of which it is proved that nothing changes.
fn proved(plan: &Value) -> usize {
    let changes = plan["changes"].as_array().expect("changes");
    let is_proved =
        |change: &&Value| change["reason"]["code"] == "up_to_date" && change["certainty"]["code"] == "proved";
    changes.iter().filter(is_proved).count()
}

/// Applies what is rendered as a dry run, and tells of which objects the server would change something.
fn answered_otherwise(api: &Api, namespace: &str, rendered: &Path) -> Vec<String> {
    let files = fs::read_dir(rendered).expect("the rendered folder").map(|entry| entry.expect("an entry").path());
    let texts = files.map(|file| fs::read_to_string(file).expect("a rendered file"));
    let objects: Vec<Value> = texts.flat_map(|text| plain(&text)).collect();
    assert_eq!(objects.len(), OBJECTS + 1, "with the namespace");
    // The namespace is used, and nobody applies it.
    let compared = objects.iter().filter(|object| object["kind"] != "Namespace").filter_map(|object| {
        let kind = kind_of(object);
        let name = object["metadata"]["name"].as_str().expect("a name");
        let path = format!("{}/{name}", collection(&kind, namespace));
        let live = api.send("GET", &path, None).object(&path);
        let query = format!("{path}?fieldManager=mathison&dryRun=All");
        let answer = api.send("PATCH", &query, Some(("application/apply-patch+yaml", object)));
        (answer.code != 200 || answer.body != live).then(|| format!("{path}: {} {}", answer.code, answer.body))
    });
    compared.collect()
}

#[track_caller]
fn within(requests: &Requests, most: usize) {
    let count = requests.count() - requests.further_pages().count();
    assert!(count > 0, "the log has nothing of the program, or of this account");
    assert!(count <= most, "{count} requests beside further pages, {most} are the most\n{requests}");
}
