//! Deleting: only what was recorded and is still ours.

use serde_json::{Value, json};

use super::cluster::Run;
use crate::cluster::fake::page;
use crate::plan::Plan;
use crate::plan::tests::World;
use crate::plan::tests::world::{LATER, config_map, deployment};

fn leaving(object: Value, kind: &str, name: &str) -> (Value, Plan) {
    let mut world = World::of(&[object]);
    world.apply().declare(&[]);
    (world.live(kind, name).clone(), world.plan())
}

#[tokio::test]
async fn a_delete_carries_uid_and_version_and_is_recorded_when_it_is_gone() {
    let (object, plan) = leaving(config_map("motd", json!({})), "ConfigMap", "motd");
    let mut run = Run::new(std::slice::from_ref(&object), |_, _| None);
    let ended = run.walk(&plan).await;
    assert_eq!(ended.facts(), ["motd: Removed"]);
    let body = &run.bodies("DELETE")[0];
    assert_eq!(body["preconditions"]["uid"], object["metadata"]["uid"]);
    assert_eq!(body["preconditions"]["resourceVersion"], object["metadata"]["resourceVersion"]);
    assert_eq!(body["propagationPolicy"], "Background");
}

#[tokio::test]
async fn the_pods_of_a_workload_go_before_it() {
    let (object, plan) = leaving(deployment("web:1"), "Deployment", "web");
    let mut run = Run::new(&[object], |_, _| None);
    run.walk(&plan).await;
    assert_eq!(run.bodies("DELETE")[0]["propagationPolicy"], "Foreground");
}

#[tokio::test]
async fn what_is_no_longer_ours_is_left_alone() {
    let (object, plan) = leaving(config_map("motd", json!({})), "ConfigMap", "motd");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut object = object.clone();
        change(&mut object);
        object
    };
    for (live, words) in [
        (changed(&|object| object["metadata"]["uid"] = json!("other")), "made anew by somebody"),
        (changed(&|object| object["metadata"]["managedFields"] = json!([])), "no longer owns anything"),
        (
            changed(&|object| object["metadata"]["labels"]["mathison.dev/stack"] = json!("other.shop")),
            "another stack has taken it",
        ),
    ] {
        let mut run = Run::new(&[live], |_, _| None);
        let ended = run.walk(&plan).await;
        assert!(ended.ends().contains(words), "{}", ended.ends());
        assert_eq!(run.writes(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_is_gone_already_is_done_and_what_moves_is_looked_at_again() {
    let (object, plan) = leaving(config_map("motd", json!({})), "ConfigMap", "motd");
    assert!(Run::new(&[], |_, _| None).walk(&plan).await.ends().ends_with("Done"));
    let mut moves = 1;
    let mut run = Run::new(&[object], move |seen, objects| {
        if seen.line.starts_with("DELETE") && moves > 0 {
            moves -= 1;
            objects.values_mut().next().unwrap()["metadata"]["resourceVersion"] = json!("99");
        }
        None
    });
    assert!(run.walk(&plan).await.ends().ends_with("Done"));
    assert_eq!(run.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_lost_its_label_is_not_taken_for_gone() {
    let (mut object, plan) = leaving(config_map("motd", json!({})), "ConfigMap", "motd");
    object["metadata"]["labels"] = json!({});
    object["metadata"]["deletionTimestamp"] = json!(LATER);
    object["metadata"]["finalizers"] = json!(["example.com/guard"]);
    let mut run = Run::new(&[object], |seen, _| {
        let is_list = seen.line.contains("labelSelector=") && !seen.line.contains("watch=true");
        is_list.then(|| page(Vec::new(), None, 500))
    });
    let ended = run.walk(&plan).await;
    assert!(ended.ends().contains("waiting for finalizer example.com/guard"), "{}", ended.ends());
    assert!(matches!(ended.facts().as_slice(), [fact] if fact.starts_with("motd: Failed")), "{:?}", ended.facts());
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_that_holds_it_is_named_every_ten_seconds_and_in_the_end() {
    let (mut object, plan) = leaving(config_map("motd", json!({})), "ConfigMap", "motd");
    object["metadata"]["deletionTimestamp"] = json!(LATER);
    object["metadata"]["finalizers"] = json!(["example.com/guard"]);
    let mut run = Run::new(&[object], |_, _| None);
    let ended = run.walk(&plan).await;
    assert!(ended.ends().contains("but it is not gone: waiting for finalizer example.com/guard"), "{}", ended.ends());
    let seconds: Vec<u64> = ended.waiting().into_iter().map(|(at, _)| at).collect();
    assert_eq!(seconds, [10, 20, 30, 40, 50]);
}
