//! Fields whose feature gate is off by default in 1.35: nobody can begin to use them. What is in use already stays.

use serde_json::Value;

use super::fields::{at, items, items_mut, remove};
use crate::sandbox::kind::Kind;

const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
const CONTAINER_STATUSES: [&str; 3] = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];

/// Drops what an object may not begin to use.
pub(super) fn drop_fields(kind: &Kind, live: Option<&Value>, object: &mut Value) {
    let spec: &[&str] = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => {
            of_pod_status(live, object);
            &["spec"]
        }
        ("", "Node") => return unless_in_use(live, object, &["status", "declaredFeatures"]),
        ("coordination.k8s.io", "Lease") => {
            unless_in_use(live, object, &["spec", "strategy"]);
            return unless_in_use(live, object, &["spec", "preferredHolder"]);
        }
        ("", "PodTemplate") => &["template", "spec"],
        ("", "ReplicationController") | ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") | ("batch", "Job") => {
            &["spec", "template", "spec"]
        }
        ("apps", "StatefulSet") => {
            unless_in_use(live, object, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]);
            &["spec", "template", "spec"]
        }
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return,
    };
    let found = spec.iter().try_fold(object, |value, field| value.get_mut(*field));
    if let Some(object) = found.filter(|spec| spec.is_object()) {
        of_pod_spec(live.and_then(|live| at(live, spec)), object);
    }
}

fn unless_in_use(live: Option<&Value>, object: &mut Value, path: &[&str]) {
    if live.is_none_or(|live| at(live, path).is_none()) {
        remove(object, path);
    }
}

fn of_pod_spec(live: Option<&Value>, spec: &mut Value) {
    for source in ["clusterTrustBundle", "podCertificate"] {
        let in_use = live.is_some_and(|live| {
            let volumes = items(live, &["volumes"]).iter();
            volumes.flat_map(|volume| items(volume, &["projected", "sources"])).any(|one| at(one, &[source]).is_some())
        });
        if in_use {
            continue;
        }
        for volume in items_mut(spec, &["volumes"]) {
            items_mut(volume, &["projected", "sources"]).for_each(|one| remove(one, &[source]));
        }
    }
    unless_in_use(live, spec, &["workloadRef"]);
    let signal = ["lifecycle", "stopSignal"];
    let has_signal = |spec: &Value| {
        let containers = CONTAINERS.iter().flat_map(|list| items(spec, &[list]));
        containers.into_iter().any(|container| at(container, &signal).is_some())
    };
    if live.is_some_and(has_signal) {
        return;
    }
    for list in CONTAINERS {
        for container in items_mut(spec, &[list]).filter(|container| at(container, &signal).is_some()) {
            remove(container, &signal);
            let is_empty =
                at(container, &["lifecycle"]).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty);
            if is_empty {
                remove(container, &["lifecycle"]);
            }
        }
    }
}

fn of_pod_status(live: Option<&Value>, pod: &mut Value) {
    let in_use = |field: &str| live.is_some_and(|live| at(live, &["status", field]).is_some());
    if !in_use("resources") && !in_use("allocatedResources") {
        remove(pod, &["status", "resources"]);
        remove(pod, &["status", "allocatedResources"]);
    }
    unless_in_use(live, pod, &["status", "extendedResourceClaimStatus"]);
    for list in CONTAINER_STATUSES {
        items_mut(pod, &["status", list]).for_each(|status| remove(status, &["allocatedResourcesStatus"]));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(source: Value) -> Value {
        json!({"template": {"spec": {
            "containers": [{"name": "a", "lifecycle": {"stopSignal": "SIGUSR1"}}],
            "volumes": [{"name": "v", "projected": {"sources": [source, {"secret": {"name": "s"}}]}}]
        }}})
    }

    #[test]
    fn what_nobody_may_use_yet_goes_and_what_is_in_use_stays() {
        let kind = crate::sandbox::strategy::tests::kind("v1", "PodTemplate");
        let given = template(json!({"clusterTrustBundle": {"path": "p", "name": "n"}}));
        let mut object = given.clone();
        drop_fields(&kind, None, &mut object);
        let mut dropped = template(json!({}));
        dropped["template"]["spec"]["containers"][0] = json!({"name": "a"});
        assert_eq!(object, dropped);

        let mut object = given.clone();
        drop_fields(&kind, Some(&given), &mut object);
        assert_eq!(object, given);
    }

    #[test]
    fn leases_choose_no_holder_and_slices_say_nothing_of_places() {
        let kind = crate::sandbox::strategy::tests::kind("coordination.k8s.io/v1", "Lease");
        let given = json!({"spec": {"holderIdentity": "a", "strategy": "x", "preferredHolder": "b"}});
        let mut object = given.clone();
        drop_fields(&kind, None, &mut object);
        assert_eq!(object, json!({"spec": {"holderIdentity": "a"}}));
        let mut object = given.clone();
        drop_fields(&kind, Some(&given), &mut object);
        assert_eq!(object, given);
        let mut slice = json!({"endpoints": [{"addresses": ["1.2.3.4"], "deprecatedTopology": {"a": "b"}}]});
        crate::sandbox::strategy::create::drop_topology(&mut slice);
        assert_eq!(slice, json!({"endpoints": [{"addresses": ["1.2.3.4"]}]}));
    }
}
