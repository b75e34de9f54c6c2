//! Runs that end early: asked to, or because nothing can be recorded.

use serde_json::json;

use super::cluster::Run;
use crate::apply::Stop;
use crate::cluster::fake::Answer;
use crate::plan::Plan;
use crate::plan::tests::World;
use crate::plan::tests::world::{config_map, deployment};

fn many(count: usize) -> Plan {
    let objects: Vec<_> = (0..count).map(|at| config_map(&format!("c{at:02}"), json!({}))).collect();
    let mut world = World::of(&[]);
    world.apply().declare(&objects);
    world.plan()
}

/// Asks to stop when the first write arrives.
fn stopping(how: Stop, answer: impl Fn() -> Option<Answer> + Send + 'static) -> Run {
    let mut run = Run::new(&[], |_, _| None);
    let stop = run.stop.clone();
    let replaced = Run::new(&[], move |seen, _| {
        if seen.line.starts_with("PATCH") {
            stop.send_replace(how);
            return answer();
        }
        None
    });
    run.server = replaced.server;
    run.objects = replaced.objects;
    run.options.parallelism = 2;
    run
}

#[tokio::test]
async fn asked_once_it_finishes_what_is_in_flight_and_starts_nothing() {
    let mut run = stopping(Stop::Finish, || None);
    let ended = run.walk(&many(20)).await;
    assert!(ended.outcome.interrupted);
    let written = ended.records.len();
    assert!((1..=3).contains(&written), "{written} were written");
    assert_eq!(ended.ends().matches("NotStarted").count(), 20 - written);
    assert_eq!(ended.ends().matches("Done").count(), written);
}

#[tokio::test]
async fn asked_twice_it_ends_now_and_tells_what_is_unknown() {
    let mut run = stopping(Stop::Now, || Some(Answer::Never));
    let ended = run.walk(&many(20)).await;
    let unknown = ended.ends().matches("Unknown").count();
    assert!((1..=2).contains(&unknown), "{}", ended.ends());
    assert_eq!(ended.ends().matches("NotStarted").count(), 20 - unknown);
    assert!(ended.records.is_empty());
}

#[tokio::test]
async fn what_is_written_and_only_waited_for_is_not_unknown() {
    let mut world = World::of(&[]);
    world.apply().declare(&[deployment("web:1")]);
    let mut run = Run::new(&[], |_, _| None);
    let stop = run.stop.clone();
    let replaced = Run::new(&[], move |seen, _| {
        if seen.line.contains("watch=true") {
            stop.send_replace(Stop::Now);
        }
        None
    });
    (run.server, run.objects) = (replaced.server, replaced.objects);
    let ended = run.walk(&world.plan()).await;
    // Either the wait is dropped, or it hears first that the run stops, and then says what it waited for.
    let told = ended.ends();
    assert!(told.starts_with("Create manifest.Deployment/web: NotReady(\"the run was stopped"), "{told}");
    assert_eq!(ended.facts(), ["web: applied uid uid-of-web"]);
}

#[tokio::test]
async fn asked_once_it_does_not_wait_for_what_is_written() {
    let mut world = World::of(&[]);
    world.apply().declare(&[deployment("web:1")]);
    let mut run = Run::new(&[], |_, _| None);
    let stop = run.stop.clone();
    let replaced = Run::new(&[], move |seen, _| {
        if seen.line.contains("watch=true") {
            stop.send_replace(Stop::Finish);
        }
        None
    });
    (run.server, run.objects) = (replaced.server, replaced.objects);
    let ended = run.walk(&world.plan()).await;
    assert!(ended.outcome.interrupted);
    let ends = ended.ends();
    assert!(ends.starts_with(r#"Create manifest.Deployment/web: NotReady("the run was stopped; "#), "{ends}");
    assert_eq!(ended.facts(), ["web: applied uid uid-of-web"]);
}

#[tokio::test]
async fn when_nothing_can_be_recorded_nothing_more_is_written() {
    let mut run = Run::new(&[], |_, _| None);
    run.options.parallelism = 1;
    run.recording = [Ok(()), Err("no space left".to_owned())].into();
    let ended = run.walk(&many(20)).await;
    assert_eq!(ended.outcome.record_error.as_deref(), Some("no space left"));
    assert_eq!(run.writes().len(), 2, "{:?}", run.writes());
    assert_eq!(ended.ends().matches("NotStarted").count(), 18);
}
