//! What runs pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::containers;
use crate::sandbox::table::Row;
use crate::sandbox::table::age::{age, human_duration};
use crate::sandbox::table::fields::Fields;
use crate::sandbox::table::selector::{labels, requirements, selector};

const CONTAINERS: &str = "/spec/template/spec/containers";

pub(super) fn deployment(deployment: Fields<'_>, now: Timestamp) -> Row {
    let [names, images] = containers(deployment, CONTAINERS);
    let selector = requirements(deployment, "/spec/selector").unwrap_or_else(|| "<invalid>".to_owned());
    vec![
        json!(deployment.name()),
        ready(deployment),
        json!(deployment.integer("/status/updatedReplicas")),
        json!(deployment.integer("/status/availableReplicas")),
        deployment.age(now),
        names,
        images,
        json!(selector),
    ]
    .into()
}

pub(super) fn stateful_set(set: Fields<'_>, now: Timestamp) -> Row {
    let [names, images] = containers(set, CONTAINERS);
    vec![json!(set.name()), ready(set), set.age(now), names, images].into()
}

fn ready(workload: Fields<'_>) -> Value {
    json!(format!("{}/{}", workload.integer("/status/readyReplicas"), workload.integer("/spec/replicas")))
}

pub(super) fn replica_set(set: Fields<'_>, now: Timestamp) -> Row {
    replicas(set, now, selector(set, "/spec/selector"))
}

pub(super) fn replication_controller(controller: Fields<'_>, now: Timestamp) -> Row {
    replicas(controller, now, labels(controller, "/spec/selector"))
}

fn replicas(set: Fields<'_>, now: Timestamp, selector: String) -> Row {
    let [names, images] = containers(set, CONTAINERS);
    vec![
        json!(set.name()),
        json!(set.integer("/spec/replicas")),
        json!(set.integer("/status/replicas")),
        json!(set.integer("/status/readyReplicas")),
        set.age(now),
        names,
        images,
        json!(selector),
    ]
    .into()
}

pub(super) fn daemon_set(set: Fields<'_>, now: Timestamp) -> Row {
    let [names, images] = containers(set, CONTAINERS);
    vec![
        json!(set.name()),
        json!(set.integer("/status/desiredNumberScheduled")),
        json!(set.integer("/status/currentNumberScheduled")),
        json!(set.integer("/status/numberReady")),
        json!(set.integer("/status/updatedNumberScheduled")),
        json!(set.integer("/status/numberAvailable")),
        json!(labels(set, "/spec/template/spec/nodeSelector")),
        set.age(now),
        names,
        images,
        json!(selector(set, "/spec/selector")),
    ]
    .into()
}

pub(super) fn job(job: Fields<'_>, now: Timestamp) -> Row {
    let succeeded = job.integer("/status/succeeded");
    let completions = match (job.at("/spec/completions"), job.integer("/spec/parallelism")) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let time = |path: &str| job.text(path).parse::<Timestamp>().ok();
    let duration = match (time("/status/startTime"), time("/status/completionTime")) {
        (Some(start), end) => human_duration(end.unwrap_or(now).duration_since(start).as_secs()),
        (None, _) => String::new(),
    };
    let has = |condition: &str| job.has_condition("/status/conditions", condition);
    let status = if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if job.is_being_deleted() {
        "Terminating"
    } else {
        let under_way = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];
        under_way.into_iter().find(|condition| has(condition)).unwrap_or("Running")
    };
    let [names, images] = containers(job, CONTAINERS);
    vec![
        json!(job.name()),
        json!(status),
        json!(completions),
        json!(duration),
        job.age(now),
        names,
        images,
        json!(selector(job, "/spec/selector")),
    ]
    .into()
}

pub(super) fn cron_job(job: Fields<'_>, now: Timestamp) -> Row {
    let last = match job.text("/status/lastScheduleTime") {
        "" => "<none>".to_owned(),
        last => age(last, now),
    };
    let suspended = match job.at("/spec/suspend").and_then(Value::as_bool) {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let zone = job.at("/spec/timeZone").and_then(Value::as_str).unwrap_or("<none>");
    let [names, images] = containers(job, "/spec/jobTemplate/spec/template/spec/containers");
    vec![
        json!(job.name()),
        json!(job.text("/spec/schedule")),
        json!(zone),
        json!(suspended),
        json!(job.count("/status/active")),
        json!(last),
        job.age(now),
        names,
        images,
        json!(selector(job, "/spec/jobTemplate/spec/selector")),
    ]
    .into()
}

pub(super) fn pod_template(template: Fields<'_>, _now: Timestamp) -> Row {
    let [names, images] = containers(template, "/template/spec/containers");
    vec![json!(template.name()), names, images, json!(labels(template, "/template/metadata/labels"))].into()
}

pub(super) fn controller_revision(revision: Fields<'_>, now: Timestamp) -> Row {
    let owner = revision.items("/metadata/ownerReferences").find(|owner| owner.is_true("/controller"));
    let controller = owner.map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let kind = owner.text("/kind");
            let of_group = match owner.text("/apiVersion").split_once('/') {
                Some((group, _)) => format!("{kind}.{group}"),
                None => kind.to_owned(),
            };
            format!("{}/{}", of_group.to_lowercase(), owner.text("/name"))
        },
    );
    vec![json!(revision.name()), json!(controller), json!(revision.integer("/revision")), revision.age(now)].into()
}
