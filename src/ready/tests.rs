use serde_json::{Value, json};

use super::{Readiness, claim_readiness, readiness, waits_for_consumer};

/// An object of the second generation.
fn live(api_version: &str, kind: &str, spec: Value, status: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "generation": 2}, "spec": spec, "status": status})
}

fn judged(object: &Value) -> String {
    match readiness(object, Some(2)) {
        Readiness::Ready => "ready".to_owned(),
        Readiness::Waiting(why) => format!("waiting: {why}"),
        Readiness::Failed(why) => format!("failed: {why}"),
    }
}

fn check(api_version: &str, kind: &str, cases: Vec<(Value, Value, &str)>) {
    for (spec, status, expected) in cases {
        let object = live(api_version, kind, spec, status);
        assert_eq!(judged(&object), expected, "{object}");
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!([{"type": kind, "status": status, "reason": reason, "message": message}])
}

#[test]
fn deployments_are_ready_when_every_pod_is_of_the_new_kind_ready_and_available() {
    let status = |updated: i64, replicas: i64, ready: i64, available: i64| json!({"observedGeneration": 2, "updatedReplicas": updated, "replicas": replicas, "readyReplicas": ready, "availableReplicas": available});
    let exceeded =
        condition("Progressing", "False", "ProgressDeadlineExceeded", "ReplicaSet \"x\" has timed out progressing.");
    let quota = condition("ReplicaFailure", "True", "FailedCreate", "pods \"x\" is forbidden: exceeded quota");
    check(
        "apps/v1",
        "Deployment",
        vec![
            (json!({"replicas": 3}), json!({}), "waiting: its controller has not seen it yet"),
            (
                json!({"replicas": 3}),
                json!({"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3}),
                "waiting: its controller has seen generation 1, not yet 2",
            ),
            (json!({"replicas": 3}), status(1, 3, 3, 3), "waiting: 1/3 replicas updated"),
            (json!({"replicas": 3}), status(3, 4, 4, 4), "waiting: 1 old replica still there"),
            (json!({"replicas": 3}), status(3, 3, 1, 1), "waiting: 1/3 replicas ready"),
            (json!({"replicas": 3}), status(3, 3, 3, 2), "waiting: 2/3 replicas available"),
            (json!({"replicas": 3}), status(3, 3, 3, 3), "ready"),
            (json!({}), status(1, 1, 1, 1), "ready"),
            (json!({"replicas": 0}), status(0, 0, 0, 0), "ready"),
            (json!({"replicas": 3, "paused": true}), status(0, 3, 3, 3), "ready"),
            (
                json!({"replicas": 1}),
                json!({"observedGeneration": 2, "updatedReplicas": 1, "conditions": exceeded}),
                "failed: ReplicaSet \"x\" has timed out progressing. (ProgressDeadlineExceeded)",
            ),
            (
                json!({"replicas": 1}),
                json!({"observedGeneration": 2, "conditions": quota}),
                "waiting: pods \"x\" is forbidden: exceeded quota (FailedCreate)",
            ),
        ],
    );
}

#[test]
fn stateful_sets_roll_out_down_to_their_partition() {
    let status = |updated: i64, ready: i64, current: &str| {
        json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": updated, "readyReplicas": ready,
            "availableReplicas": ready, "currentRevision": current, "updateRevision": "b"})
    };
    let strategy = |kind: &str, partition: i64| json!({"replicas": 3, "updateStrategy": {"type": kind, "rollingUpdate": {"partition": partition}}});
    check(
        "apps/v1",
        "StatefulSet",
        vec![
            (json!({}), json!({}), "waiting: its controller has not seen it yet"),
            (
                json!({"replicas": 1}),
                json!({"observedGeneration": 2, "replicas": 1, "currentRevision": "a", "updateRevision": "a"}),
                "waiting: 0/1 replicas ready",
            ),
            (json!({"replicas": 3}), status(1, 3, "a"), "waiting: 1/3 replicas updated"),
            (json!({"replicas": 3}), status(3, 2, "a"), "waiting: 2/3 replicas ready"),
            (json!({"replicas": 3}), status(3, 3, "b"), "ready"),
            (strategy("RollingUpdate", 2), status(0, 3, "a"), "waiting: 0/1 replicas updated"),
            (strategy("RollingUpdate", 2), status(1, 3, "a"), "ready"),
            (strategy("RollingUpdate", 5), status(0, 3, "a"), "ready"),
            (json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}}), status(0, 3, "a"), "ready"),
            (
                json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}}),
                status(0, 1, "a"),
                "waiting: 1/3 replicas ready",
            ),
            (json!({"replicas": 1}), status(3, 3, "b"), "waiting: 2 replicas too many still there"),
            (
                json!({"replicas": 1}),
                json!({"observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "availableReplicas": 0}),
                "waiting: 0/1 replicas available",
            ),
        ],
    );
}

#[test]
fn daemon_sets_and_replica_sets_count_their_pods() {
    let status = |updated: i64, ready: i64, available: i64| json!({"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberReady": ready, "numberAvailable": available});
    check(
        "apps/v1",
        "DaemonSet",
        vec![
            (json!({}), status(1, 2, 2), "waiting: 1/2 nodes updated"),
            (json!({"updateStrategy": {"type": "OnDelete"}}), status(1, 2, 2), "ready"),
            (json!({}), status(2, 1, 1), "waiting: 1/2 nodes ready"),
            (json!({}), status(2, 2, 1), "waiting: 1/2 nodes available"),
            (json!({}), status(2, 2, 2), "ready"),
            (json!({}), json!({"observedGeneration": 2, "desiredNumberScheduled": 0}), "ready"),
        ],
    );
    check(
        "apps/v1",
        "ReplicaSet",
        vec![
            (
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "readyReplicas": 1}),
                "waiting: 1/2 replicas ready",
            ),
            (
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2}),
                "ready",
            ),
        ],
    );
}

#[test]
fn jobs_are_done_when_complete_not_when_running() {
    check(
        "batch/v1",
        "Job",
        vec![
            (json!({}), json!({"active": 1, "ready": 1}), "waiting: 0/1 completions, 1 pod running"),
            (
                json!({"completions": 3}),
                json!({"active": 1, "succeeded": 2, "failed": 1}),
                "waiting: 2/3 completions, 1 pod running, 1 attempt failed",
            ),
            (
                json!({}),
                json!({"conditions": condition("SuccessCriteriaMet", "True", "", "")}),
                "waiting: 0/1 completions, 0 pods running",
            ),
            (json!({}), json!({"conditions": condition("Complete", "True", "", "")}), "ready"),
            (
                json!({}),
                json!({"conditions": condition("Complete", "False", "", "")}),
                "waiting: 0/1 completions, 0 pods running",
            ),
            (
                json!({}),
                json!({"conditions": condition("FailureTarget", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")}),
                "failed: Job has reached the specified backoff limit (BackoffLimitExceeded)",
            ),
            (
                json!({}),
                json!({"conditions": condition("Failed", "True", "DeadlineExceeded", "")}),
                "failed: DeadlineExceeded",
            ),
            (json!({"suspend": true}), json!({}), "waiting: the Job is suspended"),
        ],
    );
}

#[test]
fn claims_and_volumes_follow_their_phase() {
    check(
        "v1",
        "PersistentVolumeClaim",
        vec![
            (json!({}), json!({"phase": "Pending"}), "waiting: the claim is not bound to a volume"),
            (json!({}), json!({"phase": "Bound"}), "ready"),
            (json!({"volumeName": "pv1"}), json!({"phase": "Lost"}), "failed: its volume pv1 is lost"),
        ],
    );
    check(
        "v1",
        "PersistentVolume",
        vec![
            (json!({}), json!({"phase": "Available"}), "ready"),
            (json!({}), json!({"phase": "Failed", "message": "no disk"}), "failed: no disk"),
            (json!({}), json!({}), "waiting: the volume is not available yet"),
        ],
    );
}

#[test]
fn a_claim_that_waits_for_its_first_consumer_is_ready_until_a_pod_uses_it() {
    assert!(waits_for_consumer(&json!({"volumeBindingMode": "WaitForFirstConsumer"})));
    assert!(!waits_for_consumer(&json!({"volumeBindingMode": "Immediate"})));
    let mut claim = live("v1", "PersistentVolumeClaim", json!({}), json!({"phase": "Pending"}));
    assert_eq!(claim_readiness(&claim, None, true), Readiness::Ready);
    assert!(matches!(claim_readiness(&claim, None, false), Readiness::Waiting(_)));
    claim["metadata"]["annotations"] = json!({"volume.kubernetes.io/selected-node": "node-1"});
    assert!(matches!(claim_readiness(&claim, None, true), Readiness::Waiting(_)));
}

#[test]
fn services_need_an_address_and_load_balancers_one_outside() {
    check(
        "v1",
        "Service",
        vec![
            (json!({"type": "ClusterIP", "clusterIP": "10.0.0.1"}), json!({"loadBalancer": {}}), "ready"),
            (json!({"type": "ClusterIP", "clusterIP": "None"}), json!({}), "ready"),
            (json!({"type": "ClusterIP"}), json!({}), "waiting: the Service has no cluster address yet"),
            (json!({"type": "ExternalName"}), json!({}), "ready"),
            (
                json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1"}),
                json!({"loadBalancer": {}}),
                "waiting: the load balancer has no address yet",
            ),
            (
                json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1"}),
                json!({"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}),
                "ready",
            ),
        ],
    );
}

#[test]
fn definitions_and_namespaces_must_be_in_force() {
    check(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        vec![
            (json!({}), json!({}), "waiting: the definition is not established yet"),
            (json!({}), json!({"conditions": condition("Established", "True", "", "")}), "ready"),
            (
                json!({}),
                json!({"conditions": condition("NamesAccepted", "False", "PluralConflict", "\"widgets\" is already in use")}),
                "failed: \"widgets\" is already in use (PluralConflict)",
            ),
        ],
    );
    check(
        "v1",
        "Namespace",
        vec![
            (json!({}), json!({"phase": "Active"}), "ready"),
            (json!({}), json!({"phase": "Terminating"}), "waiting: the namespace is Terminating"),
            (json!({}), json!({}), "waiting: the namespace is not active yet"),
        ],
    );
    check(
        "apiregistration.k8s.io/v1",
        "APIService",
        vec![
            (json!({}), json!({"conditions": condition("Available", "True", "Passed", "")}), "ready"),
            (
                json!({}),
                json!({"conditions": condition("Available", "False", "MissingEndpoints", "no endpoints for service n/hook")}),
                "waiting: no endpoints for service n/hook (MissingEndpoints)",
            ),
            (json!({}), json!({}), "waiting: the API service is not available yet"),
        ],
    );
}

#[test]
fn what_has_no_rule_follows_the_conventions() {
    check(
        "example.com/v1",
        "Widget",
        vec![
            (json!({}), json!({}), "ready"),
            (
                json!({}),
                json!({"observedGeneration": 1, "conditions": condition("Ready", "True", "", "")}),
                "waiting: its controller has seen generation 1, not yet 2",
            ),
            (json!({}), json!({"conditions": condition("Ready", "True", "", "")}), "ready"),
            (json!({}), json!({"conditions": condition("Ready", "False", "Issuing", "")}), "waiting: Issuing"),
            (
                json!({}),
                json!({"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}),
                "waiting: condition Ready is not yet about generation 2",
            ),
            (
                json!({}),
                json!({"conditions": condition("Reconciling", "True", "", "rolling out")}),
                "waiting: rolling out",
            ),
            (
                json!({}),
                json!({"conditions": condition("Stalled", "True", "BadSpec", "no such size")}),
                "failed: no such size (BadSpec)",
            ),
        ],
    );
    for (api_version, kind) in [
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("networking.k8s.io/v1", "Ingress"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("policy/v1", "PodDisruptionBudget"),
        ("batch/v1", "CronJob"),
    ] {
        check(api_version, kind, vec![(json!({}), json!({"observedGeneration": 2}), "ready")]);
    }
}

#[test]
fn readiness_counts_only_for_the_generation_that_the_write_returned() {
    let status = |observed: i64| json!({"observedGeneration": observed, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1});
    let object = live("apps/v1", "Deployment", json!({}), status(2));
    assert_eq!(readiness(&object, Some(2)), Readiness::Ready);
    assert_eq!(readiness(&object, None), Readiness::Ready);
    // A watch that lags behind delivers the object as it was before the write.
    assert_eq!(readiness(&object, Some(3)), Readiness::Waiting("generation 3 is not seen yet, only 2".to_owned()));
    // Somebody else wrote after us: ours was observed, and that is what was waited for.
    let mut later = object.clone();
    later["metadata"]["generation"] = json!(7);
    assert_eq!(readiness(&later, Some(2)), Readiness::Ready);
    assert!(matches!(readiness(&later, None), Readiness::Waiting(_)));
}

#[test]
fn nothing_that_is_being_deleted_is_ready() {
    let mut object = live("v1", "ConfigMap", json!({}), json!({}));
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(judged(&object), "waiting: it is being deleted");
}

mod pods {
    use super::super::pods::{explain, is_ready};
    use super::*;

    fn pod(name: &str, status: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "generation": 2}, "status": status})
    }

    fn waiting(reason: &str, message: &str) -> Value {
        json!({"name": "postgres", "image": "pgvector/pgvector:pg16", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}}})
    }

    fn crashing(restarts: i64, last: Value) -> Value {
        json!({"name": "postgres", "image": "pgvector/pgvector:pg16", "ready": false, "restartCount": restarts,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
            "lastState": {"terminated": last}})
    }

    fn explained(status: Value) -> String {
        match explain(&json!({"kind": "ReplicaSet"}), &[pod("postgres-0", status)]) {
            None => "nothing".to_owned(),
            Some(trouble) => format!("{}{}", if trouble.fatal { "fatal: " } else { "" }, trouble.text),
        }
    }

    fn containers(status: Value) -> Value {
        json!({"phase": "Pending", "containerStatuses": [status]})
    }

    #[test]
    fn every_cause_is_named() {
        let unscheduled = |message: &str| json!({"phase": "Pending", "conditions": condition("PodScheduled", "False", "Unschedulable", message)});
        let causes = [
            unscheduled("0/3 nodes are available: 3 Insufficient memory."),
            unscheduled("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."),
            json!({"phase": "Pending", "conditions": condition("PodScheduled", "False", "SchedulingGated", "Scheduling is blocked")}),
            containers(waiting("ErrImagePull", "dial tcp: i/o timeout")),
            containers(waiting(
                "ImagePullBackOff",
                "Back-off pulling image: ErrImagePull: pgvector/pgvector:pg16: not found",
            )),
            containers(waiting("InvalidImageName", "couldn't parse image name")),
            containers(waiting("CreateContainerConfigError", "secret \"mathison-secrets\" not found")),
            containers(waiting("RunContainerError", "exec: \"nope\": executable file not found")),
            containers(waiting("ContainerCreating", "")),
            containers(crashing(1, json!({"exitCode": 1, "reason": "Error"}))),
            containers(crashing(6, json!({"exitCode": 137, "reason": "OOMKilled"}))),
            containers(json!({"name": "postgres", "ready": false, "started": true, "state": {"running": {}}})),
            containers(json!({"name": "postgres", "ready": false, "started": false, "state": {"running": {}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}})),
            containers(
                json!({"name": "postgres", "ready": false, "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}),
            ),
            json!({"phase": "Pending", "initContainerStatuses": [crashing(2, json!({"exitCode": 3}))],
                "containerStatuses": [waiting("PodInitializing", "")]}),
            json!({"phase": "Running", "conditions": condition("Ready", "False", "ReadinessGatesNotReady", "gate not met"),
                "containerStatuses": []}),
            json!({"phase": "Succeeded"}),
        ];
        let shown: Vec<String> = causes.into_iter().map(explained).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        pod postgres-0: unschedulable: 0/3 nodes are available: 3 Insufficient memory.
        pod postgres-0: volume pending: 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.
        pod postgres-0: held back by a scheduling gate
        pod postgres-0: container postgres: image `pgvector/pgvector:pg16` cannot be pulled: dial tcp: i/o timeout
        fatal: pod postgres-0: container postgres: image `pgvector/pgvector:pg16` cannot be pulled: Back-off pulling image: ErrImagePull: pgvector/pgvector:pg16: not found
        fatal: pod postgres-0: container postgres: `pgvector/pgvector:pg16` is no valid image name
        fatal: pod postgres-0: container postgres: cannot be configured: secret "mathison-secrets" not found
        pod postgres-0: container postgres: cannot be started: exec: "nope": executable file not found
        nothing
        pod postgres-0: container postgres: crash loop, restarted once; last time it ended with exit code 1
        fatal: pod postgres-0: container postgres: crash loop, restarted 6 times; last time it was killed for using more memory than its limit (OOMKilled)
        pod postgres-0: container postgres: its readiness probe does not pass
        pod postgres-0: container postgres: its startup probe does not pass; it was OOMKilled before
        pod postgres-0: container postgres: it ended with exit code 2
        pod postgres-0: container postgres: crash loop, restarted 2 times; last time it ended with exit code 3
        pod postgres-0: gate not met (ReadinessGatesNotReady)
        nothing
        "#);
    }

    #[test]
    fn what_waiting_will_not_mend_is_told_first() {
        let pods = [
            pod("a", containers(waiting("ErrImagePull", "timeout"))),
            pod("b", containers(waiting("InvalidImageName", ""))),
        ];
        let worst = explain(&json!({"kind": "ReplicaSet"}), &pods).unwrap();
        assert!(worst.text.starts_with("pod b:") && worst.fatal, "{worst:?}");
    }

    #[test]
    fn pods_that_are_ready_or_leave_have_no_trouble() {
        let ready = pod("a", json!({"phase": "Running", "conditions": condition("Ready", "True", "", "")}));
        let mut leaving = pod("b", containers(waiting("InvalidImageName", "")));
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(is_ready(&ready) && !is_ready(&leaving));
        assert_eq!(explain(&json!({"kind": "ReplicaSet"}), &[ready, leaving]), None);
        assert_eq!(explain(&json!({"kind": "ReplicaSet"}), &[]), None);
    }

    /// A pod whose image is gone, of one template, made at one second.
    fn broken(name: &str, label: &str, hash: &str, second: u32) -> Value {
        let mut pod = pod(name, containers(waiting("InvalidImageName", "")));
        pod["metadata"]["namespace"] = json!("shop");
        pod["metadata"]["labels"] = json!({ label: hash });
        pod["metadata"]["creationTimestamp"] = json!(format!("2026-01-01T00:00:{second:02}Z"));
        pod
    }

    #[test]
    fn a_pod_that_the_update_replaces_does_not_fail_the_update() {
        let web = |observed: i64, updated: i64| {
            json!({"kind": "Deployment", "metadata": {"generation": 2},
                "status": {"observedGeneration": observed, "updatedReplicas": updated}})
        };
        let (old, new) = (broken("web-1", "pod-template-hash", "a", 1), broken("web-2", "pod-template-hash", "b", 2));
        let fatal = |workload: Value, pods: &[Value]| explain(&workload, pods).unwrap().fatal;
        assert!(!fatal(web(1, 1), std::slice::from_ref(&old)), "its controller has not seen the new template");
        assert!(!fatal(web(2, 0), std::slice::from_ref(&old)), "no pod is made from the new template yet");
        assert!(fatal(web(2, 1), std::slice::from_ref(&old)));
        let both = [old.clone(), new];
        assert!(fatal(web(2, 1), &both) && explain(&web(2, 1), &both).unwrap().text.contains("web-2"));
        let mut mended = both[1].clone();
        mended["status"] = json!({"phase": "Pending"});
        assert!(!fatal(web(2, 1), &[mended, old]));
    }

    #[test]
    fn a_pod_that_blocks_the_update_that_would_mend_it_is_told_with_the_way_out() {
        let set = |policy: &str, revision: &str| json!({"kind": "StatefulSet", "spec": {"podManagementPolicy": policy}, "status": {"updateRevision": revision}});
        let pod = broken("db-0", "controller-revision-hash", "db-a", 1);
        let told = |set: Value| explain(&set, std::slice::from_ref(&pod)).unwrap();
        insta::assert_snapshot!(told(set("OrderedReady", "db-b")).text, @"pod db-0: container postgres: `pgvector/pgvector:pg16` is no valid image name; it is of the former template, and is not replaced before it is ready: `kubectl delete pod --namespace shop db-0` lets the update go on");
        assert!(told(set("OrderedReady", "db-b")).fatal && told(set("OrderedReady", "db-a")).fatal);
        assert!(!told(set("Parallel", "db-b")).fatal);
    }

    #[test]
    fn a_pod_of_its_own_is_judged_by_its_trouble() {
        let judge = |status: Value| judged(&pod("p", status));
        assert_eq!(judge(json!({"phase": "Running", "conditions": condition("Ready", "True", "", "")})), "ready");
        assert_eq!(judge(json!({"phase": "Succeeded"})), "ready");
        assert_eq!(
            judge(json!({"phase": "Failed", "reason": "Evicted", "message": "low on disk"})),
            "failed: low on disk (Evicted)"
        );
        assert_eq!(judge(json!({"phase": "Pending"})), "waiting: the pod is not ready");
        assert_eq!(
            judge(containers(waiting("InvalidImageName", ""))),
            "failed: pod p: container postgres: `pgvector/pgvector:pg16` is no valid image name"
        );
    }
}
