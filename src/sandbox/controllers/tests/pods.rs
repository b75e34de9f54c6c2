use serde_json::json;

use super::*;
use crate::sandbox::controllers::fields::{set, text};
use crate::sandbox::controllers::trouble::{GONE_AFTER, TROUBLE};
use crate::sandbox::controllers::world::World;

fn pod(name: &str) -> Value {
    let mut pod = template("p");
    set(&mut pod, &["apiVersion"], json!("v1"));
    set(&mut pod, &["kind"], json!("Pod"));
    set(&mut pod, &["metadata", "name"], json!(name));
    pod
}

/// The pod, settled, with what was said.
fn settled(pod: Value) -> (World, Value, Vec<String>) {
    let mut world = World::new();
    let name = text(&pod, "/metadata/name").to_owned();
    world.create(pod);
    world.settle();
    world.assert_settled();
    let told = world.told();
    let pod = world.read("", "Pod", &name);
    (world, pod, told)
}

#[test]
fn a_pod_runs_with_all_its_conditions() {
    let (_, pod, told) = settled(pod("p"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&pod["status"]).unwrap(), @r#"
    {
      "conditions": [
        {
          "lastProbeTime": null,
          "lastTransitionTime": "2026-01-01T00:00:00Z",
          "observedGeneration": 1,
          "status": "True",
          "type": "PodReadyToStartContainers"
        },
        {
          "lastProbeTime": null,
          "lastTransitionTime": "2026-01-01T00:00:00Z",
          "observedGeneration": 1,
          "status": "True",
          "type": "Initialized"
        },
        {
          "lastProbeTime": null,
          "lastTransitionTime": "2026-01-01T00:00:00Z",
          "observedGeneration": 1,
          "status": "True",
          "type": "Ready"
        },
        {
          "lastProbeTime": null,
          "lastTransitionTime": "2026-01-01T00:00:00Z",
          "observedGeneration": 1,
          "status": "True",
          "type": "ContainersReady"
        },
        {
          "lastProbeTime": null,
          "lastTransitionTime": "2026-01-01T00:00:00Z",
          "observedGeneration": 1,
          "status": "True",
          "type": "PodScheduled"
        }
      ],
      "containerStatuses": [
        {
          "image": "nginx",
          "imageID": "",
          "lastState": {},
          "name": "c",
          "ready": true,
          "restartCount": 0,
          "started": true,
          "state": {
            "running": {
              "startedAt": "2026-01-01T00:00:00Z"
            }
          }
        }
      ],
      "hostIP": "10.0.0.1",
      "hostIPs": [
        {
          "ip": "10.0.0.1"
        }
      ],
      "observedGeneration": 1,
      "phase": "Running",
      "podIP": "10.128.1.19",
      "podIPs": [
        {
          "ip": "10.128.1.19"
        }
      ],
      "startTime": "2026-01-01T00:00:00Z"
    }
    "#);
    insta::assert_debug_snapshot!(told, @r#"
    [
        "Normal Pod Scheduled: Successfully assigned d/p to sandbox",
        "Normal Pod Pulled: Container image \"nginx\" already present on machine and can be accessed by the pod",
        "Normal Pod Created: Container created",
        "Normal Pod Started: Container started",
    ]
    "#);
}

#[test]
fn what_a_pod_names_must_be_there() {
    let mut bare = pod("p");
    set(
        &mut bare,
        &["spec", "containers"],
        json!([{"name": "c", "image": "x", "envFrom": [{"configMapRef": {"name": "conf"}}]}]),
    );
    let (mut world, stuck, told) = settled(bare);
    assert_eq!(stuck["status"]["phase"], "Pending");
    assert_eq!(
        stuck["status"]["containerStatuses"][0]["state"],
        json!({"waiting": {"reason": "CreateContainerConfigError", "message": "configmap \"conf\" not found"}})
    );
    assert!(told.contains(&"Warning Pod Failed: Error: configmap \"conf\" not found".to_owned()), "{told:#?}");
    world.create(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}}));
    world.settle();
    assert_ready(&world.read("", "Pod", "p"));
}

#[test]
fn a_missing_key_and_a_missing_volume_are_told_apart() {
    let mut keyed = pod("p");
    let env = json!([{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
    set(&mut keyed, &["spec", "containers"], json!([{"name": "c", "image": "x", "env": env}]));
    let mut world = World::new();
    world.create(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"other": ""}}));
    world.create(keyed);
    let mut mounted = pod("q");
    set(&mut mounted, &["spec", "volumes"], json!([{"name": "v", "secret": {"secretName": "gone"}}]));
    world.create(mounted);
    world.settle();
    world.assert_settled();
    let p = world.read("", "Pod", "p");
    assert_eq!(p["status"]["containerStatuses"][0]["state"]["waiting"]["message"], "couldn't find key k in Secret d/s");
    let q = world.read("", "Pod", "q");
    assert_eq!(q["status"]["containerStatuses"][0]["state"]["waiting"], json!({"reason": "ContainerCreating"}));
    let told = world.told();
    let expected = "Warning Pod FailedMount: MountVolume.SetUp failed for volume \"v\" : secret \"gone\" not found";
    assert!(told.contains(&expected.to_owned()), "{told:#?}");
}

#[test]
fn no_node_fits_a_pod_that_asks_for_another() {
    let mut bare = pod("p");
    set(&mut bare, &["spec", "nodeSelector"], json!({"a": "b"}));
    let (_, stuck, told) = settled(bare);
    let message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, \
                   preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    assert_eq!(condition(&stuck, "PodScheduled"), ("False", "Unschedulable", message));
    assert_eq!(told, [format!("Warning Pod FailedScheduling: {message}")]);
}

#[test]
fn a_pod_waits_for_its_claim() {
    let mut bare = pod("p");
    set(&mut bare, &["spec", "volumes"], json!([{"name": "v", "persistentVolumeClaim": {"claimName": "missing"}}]));
    let (mut world, stuck, _) = settled(bare);
    let message = "0/1 nodes are available: persistentvolumeclaim \"missing\" not found. not found";
    assert_eq!(condition(&stuck, "PodScheduled"), ("False", "Unschedulable", message));
    world.create(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "missing"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    }));
    world.settle();
    assert_ready(&world.read("", "Pod", "p"));
    world.assert_settled();
}

#[test]
fn each_trouble_looks_as_on_a_real_node() {
    let shown: Vec<String> = [
        "image-pull",
        "crash-loop",
        "oom-killed",
        "unschedulable",
        "probe-failing",
        "config-missing",
        "volume-mount",
        "evicted",
        "pending",
    ]
    .into_iter()
    .map(|trouble| {
        let mut bare = pod("p");
        ask(&mut bare, &[], TROUBLE, trouble);
        let (_, stuck, told) = settled(bare);
        let state = stuck["status"]["containerStatuses"][0]["state"].to_string();
        let last = stuck["status"]["containerStatuses"][0]["lastState"].to_string();
        let phase = text(&stuck, "/status/phase");
        format!("{trouble}: {phase} {}\n  {state}\n  {last}\n  {}", text(&stuck, "/status/reason"), told.join("\n  "))
    })
    .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    image-pull: Pending 
      {"waiting":{"message":"Back-off pulling image \"nginx\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/library/nginx:latest\": failed to resolve reference \"docker.io/library/nginx:latest\": docker.io/library/nginx:latest: not found","reason":"ImagePullBackOff"}}
      {}
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
      Normal Pod Pulling: Pulling image "nginx"
      Warning Pod Failed: Failed to pull image "nginx": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:latest": failed to resolve reference "docker.io/library/nginx:latest": docker.io/library/nginx:latest: not found
      Warning Pod Failed: Error: ErrImagePull
      Normal Pod BackOff: Back-off pulling image "nginx"
      Warning Pod Failed: Error: ImagePullBackOff
    crash-loop: Running 
      {"waiting":{"message":"back-off 10s restarting failed container=c pod=p_d(uid-18)","reason":"CrashLoopBackOff"}}
      {"terminated":{"exitCode":1,"finishedAt":"2026-01-01T00:00:00Z","reason":"Error","startedAt":"2026-01-01T00:00:00Z"}}
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
      Normal Pod Pulled: Container image "nginx" already present on machine and can be accessed by the pod
      Normal Pod Created: Container created
      Normal Pod Started: Container started
      Warning Pod BackOff: Back-off restarting failed container c in pod p_d(uid-18)
    oom-killed: Running 
      {"waiting":{"message":"back-off 10s restarting failed container=c pod=p_d(uid-18)","reason":"CrashLoopBackOff"}}
      {"terminated":{"exitCode":137,"finishedAt":"2026-01-01T00:00:00Z","reason":"OOMKilled","startedAt":"2026-01-01T00:00:00Z"}}
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
      Normal Pod Pulled: Container image "nginx" already present on machine and can be accessed by the pod
      Normal Pod Created: Container created
      Normal Pod Started: Container started
      Warning Pod BackOff: Back-off restarting failed container c in pod p_d(uid-18)
    unschedulable: Pending 
      null
      null
      Warning Pod FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
    probe-failing: Running 
      {"running":{"startedAt":"2026-01-01T00:00:00Z"}}
      {}
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
      Normal Pod Pulled: Container image "nginx" already present on machine and can be accessed by the pod
      Normal Pod Created: Container created
      Normal Pod Started: Container started
      Warning Pod Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503
    config-missing: Pending 
      {"waiting":{"message":"configmap \"missing\" not found","reason":"CreateContainerConfigError"}}
      {}
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
      Normal Pod Pulled: Container image "nginx" already present on machine and can be accessed by the pod
      Warning Pod Failed: Error: configmap "missing" not found
    volume-mount: Pending 
      {"waiting":{"reason":"ContainerCreating"}}
      {}
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
      Warning Pod FailedMount: MountVolume.SetUp failed for volume "data" : mount failed: exit status 32
    evicted: Failed Evicted
      null
      null
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
      Warning Pod Evicted: The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. 
    pending: Pending 
      {"waiting":{"reason":"ContainerCreating"}}
      {}
      Normal Pod Scheduled: Successfully assigned d/p to sandbox
    "#);
}

#[test]
fn a_crash_loop_waits_longer_each_time_and_heals() {
    let mut bare = pod("p");
    ask(&mut bare, &[], TROUBLE, "crash-loop");
    let (mut world, _, _) = settled(bare);
    let restarts = |world: &World| world.read("", "Pod", "p")["status"]["containerStatuses"][0]["restartCount"].clone();
    assert_eq!(restarts(&world), 1);
    world.pass(10);
    assert_eq!(restarts(&world), 2);
    world.pass(20);
    assert_eq!(restarts(&world), 3);
    world.pass(40 + 80 + 160);
    assert_eq!(restarts(&world), 6);
    assert!(matches!(readiness(&world.read("", "Pod", "p"), None), Readiness::Failed(_)));
    world.change("", "Pod", "p", |pod| set(pod, &["metadata", "annotations"], json!({})));
    world.settle();
    assert_ready(&world.read("", "Pod", "p"));
    world.assert_settled();
}

#[test]
fn an_evicted_pod_of_a_workload_is_replaced_once() {
    let mut world = World::new();
    let mut web = deployment(2);
    ask(&mut web, &[], TROUBLE, "evicted");
    world.create(web);
    world.settle();
    assert_ready(&world.read("apps", "Deployment", "web"));
    let failed = world.all("", "Pod").into_iter().filter(|pod| pod["status"]["reason"] == "Evicted").count();
    assert_eq!(failed, 1);
    world.assert_settled();
    // Those that delete a failed pod evict one only as well.
    let daemon = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "ds"},
        "spec": {"selector": {"matchLabels": {"app": "ds"}}, "template": template("ds")}
    });
    for (kind, mut workload) in [("StatefulSet", stateful_sets::stateful(2)), ("DaemonSet", daemon)] {
        let mut world = World::new();
        ask(&mut workload, &[], TROUBLE, "evicted");
        world.create(workload);
        world.settle();
        let evicted = world.told().into_iter().filter(|line| line.starts_with("Warning Pod Evicted")).count();
        assert_eq!(evicted, 1, "{kind}");
        assert_ready(&world.all("apps", kind)[0]);
        world.assert_settled();
    }
}

#[test]
fn a_deleted_pod_goes_at_once_unless_asked_otherwise() {
    let (mut world, _, _) = settled(pod("p"));
    world.delete("", "Pod", "p");
    world.settle();
    assert!(world.all("", "Pod").is_empty());
    assert_eq!(world.told(), ["Normal Pod Killing: Stopping container c"]);
    let mut slow = pod("q");
    ask(&mut slow, &[], GONE_AFTER, "5s");
    world.create(slow);
    world.settle();
    world.delete("", "Pod", "q");
    world.pass(4);
    assert_eq!(world.all("", "Pod").len(), 1);
    world.pass(1);
    assert!(world.all("", "Pod").is_empty());
}

#[test]
fn init_containers_come_first_and_sidecars_stay() {
    let mut bare = pod("p");
    let init = json!([{"name": "i", "image": "x"}, {"name": "s", "image": "y", "restartPolicy": "Always"}]);
    set(&mut bare, &["spec", "initContainers"], init);
    let (_, started, _) = settled(bare);
    assert_ready(&started);
    let statuses = &started["status"]["initContainerStatuses"];
    assert_eq!(statuses[0]["state"]["terminated"]["reason"], "Completed");
    assert!(statuses[1]["state"]["running"].is_object());
}

#[test]
fn a_readiness_gate_keeps_a_pod_unready() {
    let mut bare = pod("p");
    set(&mut bare, &["spec", "readinessGates"], json!([{"conditionType": "x.io/open"}]));
    let (_, waiting, _) = settled(bare);
    let message = "corresponding condition of pod readiness gate \"x.io/open\" does not exist.";
    assert_eq!(condition(&waiting, "Ready"), ("False", "ReadinessGatesNotReady", message));
    assert_eq!(condition(&waiting, "ContainersReady").0, "True");
}
