//! What a plan and an apply may cost, counted in the server's own log: requests grow with the kinds of a stack, not with its
//! objects, and not with what else lives in the namespace.

use std::time::Duration;

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

#[track_caller]
fn within(requests: &Requests, most: usize) {
    let count = requests.count() - requests.further_pages().count();
    assert!(count > 0, "the log has nothing of the program, or of this account");
    assert!(count <= most, "{count} requests beside further pages, {most} are the most\n{requests}");
}
