use serde_json::json;

use super::*;
use crate::sandbox::controllers::fields::{name, number, set, text};
use crate::sandbox::controllers::trouble::{READY_AFTER, TROUBLE};
use crate::sandbox::controllers::world::World;

#[test]
fn a_deployment_becomes_ready_and_says_so_as_the_real_controllers_do() {
    let mut world = World::new();
    world.create(deployment(3));
    world.settle();
    let web = world.read("apps", "Deployment", "web");
    assert_ready(&web);
    let set_name = name(&world.all("apps", "ReplicaSet")[0]).to_owned();
    let now = "2026-01-01T00:00:00Z";
    let expected = json!({
        "availableReplicas": 3,
        "conditions": [
            {
                "lastTransitionTime": now, "lastUpdateTime": now, "status": "True", "type": "Available",
                "message": "Deployment has minimum availability.", "reason": "MinimumReplicasAvailable"
            },
            {
                "lastTransitionTime": now, "lastUpdateTime": now, "status": "True", "type": "Progressing",
                "message": format!("ReplicaSet {set_name:?} has successfully progressed."), "reason": "NewReplicaSetAvailable"
            }
        ],
        "observedGeneration": 1, "readyReplicas": 3, "replicas": 3, "terminatingReplicas": 0, "updatedReplicas": 3,
        "unavailableReplicas": 0
    });
    assert_eq!(web["status"], expected);
    assert_eq!(web["metadata"]["annotations"], json!({"deployment.kubernetes.io/revision": "1"}));
    let set = &world.all("apps", "ReplicaSet")[0];
    assert_eq!(
        set["metadata"]["annotations"],
        json!({
            "deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4",
            "deployment.kubernetes.io/revision": "1"
        })
    );
    assert_ready(set);
    for pod in world.all("", "Pod") {
        assert_ready(&pod);
    }
    world.assert_settled();
    let told = without_suffixes(&world.told());
    assert_eq!(told[0], "Normal Deployment ScalingReplicaSet: Scaled up replica set web-* from 0 to 3");
    assert_eq!(told[1], "Normal ReplicaSet SuccessfulCreate: Created pod: web-*-*");
    assert!(told.contains(&"Normal Pod Scheduled: Successfully assigned d/web-*-* to sandbox".to_owned()));
    assert!(told.contains(&"Normal Pod Started: Container started".to_owned()));
}

#[test]
fn a_new_template_rolls_out_within_its_bounds_and_an_old_one_comes_back() {
    let mut world = World::new();
    world.create(deployment(4));
    world.settle();
    world.told();
    let first = world.read("apps", "Deployment", "web");
    world.change("apps", "Deployment", "web", |web| {
        set(web, &["spec", "template", "spec", "containers"], json!([{"name": "c", "image": "nginx:2"}]))
    });
    world.settle();
    assert_ready(&world.read("apps", "Deployment", "web"));
    assert_eq!(world.all("apps", "ReplicaSet").len(), 2);
    assert_eq!(world.all("", "Pod").len(), 4);
    let scaled: Vec<String> = world.told().into_iter().filter(|line| line.contains("Scaling")).collect();
    insta::assert_debug_snapshot!(without_suffixes(&scaled), @r#"
    [
        "Normal Deployment ScalingReplicaSet: Scaled up replica set web-* from 0 to 1",
        "Normal Deployment ScalingReplicaSet: Scaled down replica set web-* from 4 to 3",
        "Normal Deployment ScalingReplicaSet: Scaled up replica set web-* from 1 to 2",
        "Normal Deployment ScalingReplicaSet: Scaled down replica set web-* from 3 to 1",
        "Normal Deployment ScalingReplicaSet: Scaled up replica set web-* from 2 to 4",
        "Normal Deployment ScalingReplicaSet: Scaled down replica set web-* from 1 to 0",
    ]
    "#);
    // kubectl rollout undo writes the former template.
    world.change("apps", "Deployment", "web", |web| set(web, &["spec", "template"], first["spec"]["template"].clone()));
    world.settle();
    let web = world.read("apps", "Deployment", "web");
    assert_ready(&web);
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
    assert_eq!(world.all("apps", "ReplicaSet").len(), 2);
    world.assert_settled();
}

#[test]
fn recreate_stops_the_old_pods_first() {
    let mut world = World::new();
    let mut web = deployment(2);
    set(&mut web, &["spec", "strategy"], json!({"type": "Recreate"}));
    world.create(web);
    world.settle();
    world.told();
    world.change("apps", "Deployment", "web", |web| {
        set(web, &["spec", "template", "metadata", "labels", "v"], json!("2"))
    });
    world.settle();
    assert_ready(&world.read("apps", "Deployment", "web"));
    let scaled: Vec<String> = world.told().into_iter().filter(|line| line.contains("Scaling")).collect();
    assert_eq!(
        without_suffixes(&scaled),
        [
            "Normal Deployment ScalingReplicaSet: Scaled down replica set web-* from 2 to 0",
            "Normal Deployment ScalingReplicaSet: Scaled up replica set web-* from 0 to 2"
        ]
    );
    world.assert_settled();
}

#[test]
fn a_paused_deployment_scales_but_does_not_roll_out() {
    let mut world = World::new();
    world.create(deployment(2));
    world.settle();
    world.change("apps", "Deployment", "web", |web| {
        set(web, &["spec", "paused"], json!(true));
        set(web, &["spec", "replicas"], json!(3));
        set(web, &["spec", "template", "metadata", "labels", "v"], json!("2"));
    });
    world.settle();
    assert_eq!(world.all("apps", "ReplicaSet").len(), 1);
    assert_eq!(world.all("", "Pod").len(), 3);
    let web = world.read("apps", "Deployment", "web");
    assert_eq!(condition(&web, "Progressing"), ("Unknown", "DeploymentPaused", "Deployment is paused"));
    world.assert_settled();
    world.change("apps", "Deployment", "web", |web| set(web, &["spec", "paused"], json!(false)));
    world.settle();
    assert_ready(&world.read("apps", "Deployment", "web"));
    assert_eq!(world.all("apps", "ReplicaSet").len(), 2);
    world.assert_settled();
}

#[test]
fn old_replica_sets_beyond_the_history_go() {
    let mut world = World::new();
    let mut web = deployment(1);
    set(&mut web, &["spec", "revisionHistoryLimit"], json!(1));
    world.create(web);
    for version in 0..4 {
        world.change("apps", "Deployment", "web", |web| {
            set(web, &["spec", "template", "metadata", "labels", "v"], json!(version.to_string()));
        });
        world.settle();
    }
    assert_eq!(world.all("apps", "ReplicaSet").len(), 2);
    world.assert_settled();
}

#[test]
fn a_rollout_that_makes_no_progress_exceeds_its_deadline_and_heals() {
    let mut world = World::new();
    world.create(deployment(3));
    world.settle();
    world.change("apps", "Deployment", "web", |web| ask(web, &["spec", "template"], TROUBLE, "image-pull"));
    world.settle();
    let web = world.read("apps", "Deployment", "web");
    assert_eq!(number(&web, "/status/availableReplicas"), Some(3));
    assert_eq!(condition(&web, "Progressing").1, "ReplicaSetUpdated");
    world.assert_settled();
    world.pass(601);
    let web = world.read("apps", "Deployment", "web");
    let (status, reason, message) = condition(&web, "Progressing");
    assert_eq!((status, reason), ("False", "ProgressDeadlineExceeded"));
    assert!(message.ends_with("has timed out progressing."), "{message}");
    world.assert_settled();
    world.change("apps", "Deployment", "web", |web| {
        set(web, &["spec", "template", "metadata", "annotations"], json!({}));
    });
    world.settle();
    assert_ready(&world.read("apps", "Deployment", "web"));
}

#[test]
fn slow_pods_make_a_slow_rollout() {
    let mut world = World::new();
    let mut web = deployment(2);
    ask(&mut web, &[], READY_AFTER, "5s");
    world.create(web);
    world.settle();
    assert_eq!(number(&world.read("apps", "Deployment", "web"), "/status/readyReplicas"), Some(0));
    world.pass(4);
    assert_eq!(number(&world.read("apps", "Deployment", "web"), "/status/readyReplicas"), Some(0));
    world.pass(1);
    assert_ready(&world.read("apps", "Deployment", "web"));
    world.assert_settled();
}

#[test]
fn pods_that_are_refused_are_reported() {
    let mut world = World::new();
    world.refuse_pods("pods \"x\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1");
    world.create(deployment(1));
    world.settle();
    let web = world.read("apps", "Deployment", "web");
    let (status, reason, message) = condition(&web, "ReplicaFailure");
    assert_eq!((status, reason), ("True", "FailedCreate"));
    assert!(message.contains("exceeded quota"), "{message}");
    assert!(
        world
            .told()
            .iter()
            .any(|line| line.starts_with("Warning ReplicaSet FailedCreate: Error creating: pods \"web-"))
    );
}

#[test]
fn deleting_a_deployment_takes_all_with_it() {
    for finalizer in ["", "foregroundDeletion"] {
        let mut world = World::new();
        world.create(deployment(2));
        world.settle();
        world.delete_as("apps", "Deployment", "web", finalizer);
        world.settle();
        assert!(world.all("apps", "Deployment").is_empty());
        assert!(world.all("apps", "ReplicaSet").is_empty());
        assert!(world.all("", "Pod").is_empty(), "{finalizer}");
    }
}

#[test]
fn orphaned_pods_stay_and_are_adopted_again() {
    let mut world = World::new();
    world.create(deployment(2));
    world.settle();
    world.delete_as("apps", "Deployment", "web", "orphan");
    world.settle();
    assert!(world.all("apps", "Deployment").is_empty());
    assert_eq!(world.all("", "Pod").len(), 2);
    let before = text(&world.all("apps", "ReplicaSet")[0], "/metadata/uid").to_owned();
    world.create(deployment(2));
    world.settle();
    assert_ready(&world.read("apps", "Deployment", "web"));
    assert_eq!(text(&world.all("apps", "ReplicaSet")[0], "/metadata/uid"), before);
    assert_eq!(world.all("apps", "ReplicaSet").len(), 1);
    world.assert_settled();
}

#[test]
fn numbers_that_somebody_else_wrote_stop_nothing() {
    let mut world = World::new();
    world.create(deployment(4));
    world.settle();
    let first = name(&world.all("apps", "ReplicaSet")[0]).to_owned();
    let most = i64::MAX.to_string();
    world.change("apps", "ReplicaSet", &first, |set_| {
        for annotation in ["revision", "max-replicas"] {
            let annotation = format!("deployment.kubernetes.io/{annotation}");
            set(set_, &["metadata", "annotations", &annotation], json!(most));
        }
    });
    world.settle();
    world.change("apps", "Deployment", "web", |web| {
        set(web, &["spec", "replicas"], json!(8));
        set(web, &["spec", "template", "spec", "containers"], json!([{"name": "c", "image": "nginx:2"}]));
        ask(web, &["spec", "template"], READY_AFTER, "10s");
        set(web, &["spec", "strategy", "rollingUpdate", "maxSurge"], json!("9223372036854775807%"));
    });
    world.pass(60);
    let web = world.read("apps", "Deployment", "web");
    assert_ready(&web);
    assert_eq!(web["metadata"]["annotations"]["deployment.kubernetes.io/revision"], json!(most));
    world.assert_settled();
}
