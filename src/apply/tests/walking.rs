//! Whole walks: order, failures, panics, waiting.

use std::sync::Arc;

use serde_json::{Value, json};

use super::cluster::Run;
use crate::apply::Stop;
use crate::cluster::fake::{Answer, forbidden, status};
use crate::event::Event;
use crate::graph::NodeId;
use crate::plan::Plan;
use crate::plan::tests::World;
use crate::plan::tests::world::{config_map, deployment, secret};
use crate::resource::Address;
use crate::service::{Check, CheckKind};

fn plan(objects: &[Value]) -> Plan {
    let mut world = World::of(&[]);
    world.apply().declare(objects);
    world.plan()
}

fn many(count: usize) -> Plan {
    plan(&(0..count).map(|at| config_map(&format!("c{at:02}"), json!({}))).collect::<Vec<_>>())
}

fn resource(address: &str) -> NodeId {
    NodeId::Resource(Address::from_text(address))
}

/// A check of a Deployment, which waits for it.
fn with_check(run: &mut Run, plan: &mut Plan, on: &str) {
    let check = Check {
        name: "works".to_owned(),
        kind: CheckKind::Ready(crate::resource::ObjectRef::new("apps", "Deployment", Some("shop"), "web")),
        about: Vec::new(),
        disruptive: false,
    };
    run.checks.insert("works".to_owned(), check);
    plan.checks.insert("works".to_owned(), vec![resource(on)]);
}

#[tokio::test]
async fn a_node_waits_for_its_own_dependencies_and_for_nothing_else() {
    let mut run = Run::new(&[], |seen, _| {
        // The ConfigMap that the Deployment needs is refused; what does not need it is written all the same.
        (seen.line.starts_with("PATCH") && seen.line.contains("/motd"))
            .then(|| status(422, "Invalid", "refused", json!({})))
    });
    run.options.wait = false;
    let mut plan = plan(&[config_map("motd", json!({})), deployment("web:1"), config_map("other", json!({}))]);
    run.options.run_checks = true;
    with_check(&mut run, &mut plan, "manifest.Deployment/web");
    let ended = run.walk(&plan).await;
    insta::assert_snapshot!(ended.ends(), @r#"
    Create manifest.ConfigMap/motd: Failed("the server refuses to apply ConfigMap shop/motd: refused")
    Create manifest.ConfigMap/other: Done
    Create manifest.Deployment/web: Skipped { because_of: "manifest.ConfigMap/motd" }
    check works: Skipped("nothing was waited for")
    "#);
    assert_eq!(run.writes(), ["PATCH configmaps/motd", "PATCH configmaps/other"]);
}

#[tokio::test]
async fn what_waits_for_something_unchanged_waits_for_what_that_waits_for() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"})), deployment("web:1")]);
    world.apply().declare(&[config_map("motd", json!({"a": "2"})), deployment("web:1")]);
    let mut plan = world.plan();
    let mut run = Run::new(&[], |_, _| Some(status(422, "Invalid", "refused", json!({}))));
    with_check(&mut run, &mut plan, "manifest.Deployment/web");
    insta::assert_snapshot!(run.walk(&plan).await.ends(), @r#"
    Update manifest.ConfigMap/motd: Failed("the server refuses to apply ConfigMap shop/motd: refused")
    NoChange manifest.Deployment/web: Skipped { because_of: "manifest.ConfigMap/motd" }
    check works: Skipped("it waits for manifest.ConfigMap/motd")
    "#);
}

#[tokio::test]
async fn what_waits_for_something_refused_is_skipped() {
    let mut plan = plan(&[config_map("motd", json!({})), deployment("web:1")]);
    let motd = plan.changes.iter_mut().find(|change| change.object.name == "motd").unwrap();
    motd.action = crate::plan::Action::Refuse;
    let mut run = Run::new(&[], |_, _| None);
    insta::assert_snapshot!(run.walk(&plan).await.ends(), @r#"Create manifest.Deployment/web: Skipped { because_of: "manifest.ConfigMap/motd" }"#);
    assert_eq!(run.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn writes_are_bounded_and_nothing_is_called_started_before_it_has_a_place() {
    let mut run = Run::new(&[], |_, _| None);
    run.options.parallelism = 3;
    let ended = run.walk(&many(20)).await;
    assert_eq!(ended.records.len(), 20);
    assert!(run.server.most_at_once() <= 3, "{}", run.server.most_at_once());
    assert!(run.server.most_at_once() > 1, "one after the other");
}

#[tokio::test]
async fn a_panicking_worker_is_one_failed_resource() {
    let mut run = Run::new(&[], |_, _| None);
    run.keyed = Arc::new(|_| panic!("a fault of ours"));
    let ended = run.walk(&plan(&[secret("s", json!({"a": "YQ=="})), config_map("motd", json!({}))])).await;
    insta::assert_snapshot!(ended.ends(), @r#"
    Create manifest.ConfigMap/motd: Done
    Create manifest.Secret/s: Unknown("a worker of Mathison panicked; please report it with the lines above")
    "#);
    assert_eq!(ended.facts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn why_it_waits_is_said_after_three_seconds_and_every_ten_and_in_the_end() {
    let mut run = Run::new(&[], |_, _| None);
    let ended = run.walk(&plan(&[deployment("web:1")])).await;
    insta::assert_snapshot!(ended.ends(), @r#"Create manifest.Deployment/web: NotReady("its controller has not seen it yet")"#);
    let waiting = ended.waiting();
    assert_eq!(waiting.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [3, 13, 23, 33, 43, 53]);
    assert_eq!(ended.facts().len(), 1, "it was written, and that is recorded whatever comes of it");
}

#[tokio::test]
async fn what_was_written_and_cannot_be_looked_at_is_neither_failed_nor_unknown() {
    let mut run = Run::new(&[], |seen, _| seen.line.starts_with("GET").then(forbidden));
    let ended = run.walk(&plan(&[deployment("web:1")])).await;
    assert!(ended.ends().contains("NotReady(\"it cannot be looked at: "), "{}", ended.ends());
    assert_eq!(ended.facts(), ["web: applied uid uid-of-web"]);
}

#[tokio::test]
async fn a_claim_whose_class_cannot_be_read_keeps_nobody_waiting() {
    let mut claim = crate::plan::tests::world::claim("data");
    claim["spec"]["storageClassName"] = json!("fast");
    let mut run = Run::new(&[], |seen, _| seen.line.contains("/storageclasses/").then(forbidden));
    let ended = run.walk(&plan(&[claim])).await;
    assert_eq!(ended.ends(), "Create manifest.PersistentVolumeClaim/data: Done");
}

#[tokio::test]
async fn a_check_that_is_cut_off_is_told_as_skipped() {
    let mut run = Run::new(&[], |_, _| None);
    let stop = run.stop.clone();
    run.server = Run::new(&[], move |seen, _| {
        seen.line.contains("/deployments/web").then(|| {
            stop.send_replace(Stop::Now);
            Answer::Never
        })
    })
    .server;
    let mut plan = plan(&[config_map("motd", json!({}))]);
    with_check(&mut run, &mut plan, "manifest.ConfigMap/motd");
    let ended = run.walk(&plan).await;
    insta::assert_snapshot!(ended.ends(), @r#"
    Create manifest.ConfigMap/motd: Done
    check works: Skipped("the run was stopped")
    "#);
}

#[tokio::test]
async fn what_is_only_waited_for_is_counted_as_something_to_do() {
    let mut world = World::of(&[deployment("web:1")]);
    world.apply();
    let mut run = Run::new(&[world.live("Deployment", "web").clone()], |_, _| None);
    run.options.timeout = std::time::Duration::from_millis(1);
    let ended = run.walk(&world.plan()).await;
    assert!(matches!(ended.events.first(), Some(Event::RunStarted { resources: 1, checks: 0 })), "{:?}", ended.events);
    assert!(ended.ends().starts_with("NoChange manifest.Deployment/web: NotReady("), "{}", ended.ends());
}

#[tokio::test]
async fn events_come_in_pairs_between_the_start_and_the_end_of_the_run() {
    let mut run = Run::new(&[], |_, _| None);
    let ended = run.walk(&many(5)).await;
    assert!(matches!(ended.events.first(), Some(Event::RunStarted { resources: 5, checks: 0 })));
    assert!(matches!(ended.events.last(), Some(Event::RunFinished { .. })));
    let started = ended.events.iter().filter(|event| matches!(event, Event::ResourceStarted { .. })).count();
    let finished = ended.events.iter().filter(|event| matches!(event, Event::ResourceFinished { .. })).count();
    assert_eq!((started, finished), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn what_was_made_anew_while_it_was_waited_for_is_not_what_was_written() {
    let mut run = Run::new(&[], |seen, objects| {
        if seen.line.starts_with("GET") && seen.line.contains("/deployments?") {
            let live = objects.values_mut().find(|object| object["kind"] == "Deployment").unwrap();
            live["metadata"]["uid"] = json!("other");
            live["metadata"]["resourceVersion"] = json!("99");
        }
        None
    });
    let ended = run.walk(&plan(&[deployment("web:1")])).await;
    assert!(ended.ends().contains("made anew while it was waited for"), "{}", ended.ends());
}
