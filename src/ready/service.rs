//! Services: an address inside the cluster, and one outside where it asks for a load balancer.

use serde_json::Value;

use super::{Readiness, text};

pub(super) fn service(object: &Value) -> Readiness {
    match text(object, "/spec/type") {
        "ExternalName" => Readiness::Ready,
        _ if text(object, "/spec/clusterIP").is_empty() => {
            Readiness::Waiting("the Service has no cluster address yet".to_owned())
        }
        "LoadBalancer" => {
            let addresses = object.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
            if addresses.is_some_and(|addresses| !addresses.is_empty()) {
                Readiness::Ready
            } else {
                Readiness::Waiting("the load balancer has no address yet".to_owned())
            }
        }
        _ => Readiness::Ready,
    }
}
