use serde_json::json;

use super::*;
use crate::sandbox::controllers::fields::{name, set};
use crate::sandbox::controllers::trouble::{READY_AFTER, TROUBLE};
use crate::sandbox::controllers::world::World;
use crate::sandbox::controllers::{Deed, Key, reconcile};

pub(super) fn job(name: &str, spec: Value) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec});
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}});
    set(&mut job, &["spec", "template"], template);
    job
}

#[test]
fn a_job_completes_and_says_so_as_the_real_controller_does() {
    let mut world = World::new();
    world.create(job("j", json!({"completions": 2, "parallelism": 1, "backoffLimit": 6})));
    world.settle();
    let done = world.read("batch", "Job", "j");
    assert_ready(&done);
    let now = "2026-01-01T00:00:00Z";
    let reached = |kind: &str| {
        json!({
            "lastProbeTime": now, "lastTransitionTime": now, "message": "Reached expected number of succeeded pods",
            "reason": "CompletionsReached", "status": "True", "type": kind
        })
    };
    assert_eq!(
        done["status"],
        json!({
            "active": 0, "completionTime": now, "conditions": [reached("SuccessCriteriaMet"), reached("Complete")],
            "failed": 0, "ready": 0, "startTime": now, "succeeded": 2, "terminating": 0, "uncountedTerminatedPods": {}
        })
    );
    let told: Vec<String> = world.told().into_iter().filter(|line| line.contains(" Job ")).collect();
    assert_eq!(
        without_suffixes(&told),
        [
            "Normal Job SuccessfulCreate: Created pod: j-*",
            "Normal Job SuccessfulCreate: Created pod: j-*",
            "Normal Job Completed: Job completed"
        ]
    );
    for pod in world.all("", "Pod") {
        assert_eq!(pod["status"]["phase"], "Succeeded");
        assert_eq!(pod["metadata"]["finalizers"], json!([]));
    }
    world.assert_settled();
}

#[test]
fn a_failing_job_gives_up_at_its_limit() {
    let mut world = World::new();
    let mut failing = job("j", json!({"completions": 1, "parallelism": 1, "backoffLimit": 1}));
    ask(&mut failing, &[], TROUBLE, "failed");
    world.create(failing);
    world.settle();
    let done = world.read("batch", "Job", "j");
    assert_eq!(
        condition(&done, "Failed"),
        ("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    );
    assert_eq!(done["status"]["failed"], 2);
    assert!(matches!(readiness(&done, None), Readiness::Failed(_)));
    assert!(
        world
            .told()
            .contains(&"Warning Job BackoffLimitExceeded: Job has reached the specified backoff limit".to_owned())
    );
    world.assert_settled();
}

#[test]
fn an_indexed_job_runs_each_number_once() {
    let mut world = World::new();
    world.create(job("j", json!({"completions": 3, "parallelism": 2, "backoffLimit": 6, "completionMode": "Indexed"})));
    world.settle();
    let done = world.read("batch", "Job", "j");
    assert_ready(&done);
    assert_eq!((&done["status"]["completedIndexes"], &done["status"]["succeeded"]), (&json!("0-2"), &json!(3)));
    let hosts: Vec<_> = world.all("", "Pod").iter().map(|pod| pod["spec"]["hostname"].clone()).collect();
    assert_eq!(hosts, ["j-0", "j-1", "j-2"]);
    world.assert_settled();
}

#[test]
fn a_suspended_job_waits_and_a_finished_one_goes_in_time() {
    let mut world = World::new();
    world.create(job("j", json!({"completions": 1, "parallelism": 1, "suspend": true, "ttlSecondsAfterFinished": 10})));
    world.settle();
    assert!(world.all("", "Pod").is_empty());
    let waiting = world.read("batch", "Job", "j");
    assert_eq!(condition(&waiting, "Suspended"), ("True", "JobSuspended", "Job suspended"));
    world.assert_settled();
    world.change("batch", "Job", "j", |job| set(job, &["spec", "suspend"], json!(false)));
    world.settle();
    assert_ready(&world.read("batch", "Job", "j"));
    world.pass(9);
    assert_eq!(world.all("batch", "Job").len(), 1);
    world.pass(1);
    assert!(world.all("batch", "Job").is_empty());
    assert!(world.all("", "Pod").is_empty());
}

#[test]
fn a_slow_job_runs_that_long_and_a_deadline_ends_it() {
    let mut world = World::new();
    let mut slow = job("j", json!({"completions": 1, "parallelism": 1}));
    ask(&mut slow, &[], READY_AFTER, "5s");
    world.create(slow);
    let mut late = job("k", json!({"completions": 1, "parallelism": 1, "activeDeadlineSeconds": 3}));
    ask(&mut late, &[], READY_AFTER, "5s");
    world.create(late);
    world.settle();
    assert_eq!(world.read("batch", "Job", "j")["status"]["active"], 1);
    world.pass(5);
    assert_ready(&world.read("batch", "Job", "j"));
    assert_eq!(condition(&world.read("batch", "Job", "k"), "Failed").1, "DeadlineExceeded");
    world.assert_settled();
}

fn cron(policy: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"},
        "spec": {
            "schedule": "*/5 * * * *", "concurrencyPolicy": policy, "successfulJobsHistoryLimit": 2,
            "failedJobsHistoryLimit": 1, "jobTemplate": {"spec": job("x", json!({"completions": 1, "parallelism": 1}))["spec"]}
        }
    })
}

#[test]
fn a_cron_job_starts_jobs_by_the_clock_and_keeps_the_last() {
    let mut world = World::new();
    world.create(cron("Allow"));
    world.settle();
    assert!(world.all("batch", "Job").is_empty());
    world.pass(300);
    let jobs = world.all("batch", "Job");
    assert_eq!(jobs.len(), 1);
    assert_eq!(name(&jobs[0]), "c-29453765");
    let stamp = &jobs[0]["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"];
    assert_eq!(*stamp, "2026-01-01T00:05:00Z");
    let told: Vec<String> = world.told().into_iter().filter(|line| line.contains("CronJob")).collect();
    assert_eq!(
        told,
        [
            "Normal CronJob SuccessfulCreate: Created job c-29453765",
            "Normal CronJob SawCompletedJob: Saw completed job: c-29453765, condition: Complete"
        ]
    );
    world.pass(1200);
    assert_eq!(world.all("batch", "Job").len(), 2);
    assert_eq!(world.read("batch", "CronJob", "c")["status"]["lastScheduleTime"], "2026-01-01T00:25:00Z");
    world.assert_settled();
    world.change("batch", "CronJob", "c", |cron| set(cron, &["spec", "suspend"], json!(true)));
    world.pass(1200);
    assert_eq!(world.read("batch", "CronJob", "c")["status"]["lastScheduleTime"], "2026-01-01T00:25:00Z");
}

#[test]
fn a_job_that_still_runs_is_left_or_replaced() {
    for (policy, starts) in [("Allow", 2), ("Forbid", 1), ("Replace", 1)] {
        let mut world = World::new();
        let mut slow = cron(policy);
        ask(&mut slow, &["spec", "jobTemplate"], READY_AFTER, "1h");
        world.create(slow);
        world.pass(600);
        let jobs = world.all("batch", "Job");
        assert_eq!(jobs.len(), starts, "{policy}");
        let last = if policy == "Forbid" { "c-29453765" } else { "c-29453770" };
        assert_eq!(jobs.last().map(name), Some(last), "{policy}");
        world.assert_settled();
    }
}

#[test]
fn a_time_zone_moves_the_schedule() {
    let mut world = World::new();
    let mut zoned = cron("Allow");
    set(&mut zoned, &["spec", "schedule"], json!("0 1 * * *"));
    set(&mut zoned, &["spec", "timeZone"], json!("Asia/Tokyo"));
    world.create(zoned);
    world.pass(16 * 3600 - 1);
    assert!(world.all("batch", "Job").is_empty());
    world.pass(1);
    assert_eq!(world.all("batch", "Job").len(), 1);
}

#[test]
fn a_finished_job_is_not_counted_twice_when_its_pods_are_deleted() {
    let mut world = World::new();
    let mut slow = job("j", json!({"completions": 2, "parallelism": 1, "backoffLimit": 6}));
    ask(&mut slow, &[], READY_AFTER, "5s");
    world.create(slow);
    world.pass(5);
    assert_eq!(world.read("batch", "Job", "j")["status"]["succeeded"], 1);
    // One that was counted goes, and one that still runs is lost.
    for pod in world.all("", "Pod") {
        world.delete("", "Pod", name(&pod));
    }
    world.settle();
    let status = &world.read("batch", "Job", "j")["status"];
    assert_eq!((&status["succeeded"], &status["failed"], &status["active"]), (&json!(1), &json!(1), &json!(1)));
    world.pass(5);
    assert_ready(&world.read("batch", "Job", "j"));
    world.assert_settled();
}

#[test]
fn a_huge_job_starts_some_pods_at_a_time() {
    let made = |spec: Value, status: Value| -> Vec<String> {
        let mut world = World::new();
        let mut huge = job("j", spec);
        set(&mut huge, &["status"], status);
        world.create(huge);
        let made = reconcile(&world, &Key::new("batch", "Job", "d", "j"));
        let pods = made.deeds.iter().filter_map(|deed| match deed {
            Deed::Create { object, .. } => Some(text(object, "/spec/hostname").to_owned()),
            _ => None,
        });
        pods.collect()
    };
    let most = 2_000_000_000;
    assert_eq!(made(json!({"parallelism": most, "backoffLimit": 6}), json!({})).len(), 500);
    let indexed = |parallelism: i64| json!({"completions": most, "parallelism": parallelism, "completionMode": "Indexed", "backoffLimit": 6});
    assert_eq!(made(indexed(2), json!({"completedIndexes": "0,2-1000000000"})), ["j-1", "j-1000000001"]);
}

#[test]
fn schedules_mean_what_they_mean_to_kubernetes() {
    let started = |schedule: &str, seconds: i64| -> Vec<String> {
        let mut world = World::new();
        let mut often = cron("Allow");
        set(&mut often, &["spec", "schedule"], json!(schedule));
        world.create(often);
        world.pass(seconds);
        let started = world.told().into_iter().filter(|line| line.contains("CronJob SuccessfulCreate"));
        started.filter_map(|line| line.rsplit('-').next().map(str::to_owned)).collect()
    };
    assert_eq!(started("@every 1m30s", 299), ["29453761", "29453763", "29453764"]);
    assert_eq!(started("5/20 ? * * ?", 1799), ["29453765", "29453785"]);
    assert_eq!(started("0 0 31 2 *", 1000), [""; 0]);
}
