//! Where a Service says that it is reached from outside.

use serde_json::Value;

use super::Problems;
use super::names;
use super::numbers;
use super::path::Path;
use super::read::Read;

/// A new status.
pub(super) fn service_status(service: &Value, problems: &mut Problems) {
    let (spec, status) = (service.field("spec"), service.field("status"));
    let Some(balancer) = status.and_then(|status| status.field("loadBalancer")) else { return };
    let points = balancer.list("ingress");
    let path = Path::new("status.loadBalancer.ingress");
    if !points.is_empty() && spec.is_none_or(|spec| spec.text("type") != "LoadBalancer") {
        problems.push(path.forbidden("may only be used when `spec.type` is 'LoadBalancer'"));
        return;
    }
    for (index, point) in points.iter().enumerate() {
        let path = path.index(index);
        let (ip, host) = (point.text("ip"), point.text("hostname"));
        if !ip.is_empty() {
            numbers::ip(ip, &path.child("ip"), problems);
        }
        match point.maybe_text("ipMode") {
            Some(_) if ip.is_empty() => {
                problems.push(path.child("ipMode").forbidden("may not be specified when `ip` is not set"));
            }
            Some(mode) => numbers::one_of(mode, &["Proxy", "VIP"], &path.child("ipMode"), problems),
            None if !ip.is_empty() => {
                problems.push(path.child("ipMode").required("must be specified when `ip` is set"))
            }
            None => {}
        }
        if !host.is_empty() {
            let at = path.child("hostname");
            problems.extend(at.each(host, names::subdomain(host)));
            if numbers::address(host).is_some() {
                problems.push(at.invalid(host, "must be a DNS name, not an IP address"));
            }
        }
    }
}
