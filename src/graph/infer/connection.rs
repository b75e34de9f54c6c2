//! Connections: a workload comes after the workloads that the objects it reads name.

use super::{References, pod};

pub(super) fn infer(found: &mut References<'_, '_, '_>) {
    let objects = found.objects;
    for (number, manifest) in objects.manifests() {
        if pod::pod_spec(manifest.object()).is_none() {
            continue;
        }
        found.from = number;
        let read = found.consumed.remove(&number).unwrap_or_default();
        for address in &objects.nodes[number as usize].mentions {
            if let Some(to) = objects.find_address(address) {
                found.edge(to, || format!("connects to {}", address.service()));
            }
        }
        for source in read {
            let Some(named_in) = objects.manifest(source) else { continue };
            for address in &objects.nodes[source as usize].mentions {
                if let Some(to) = objects.find_address(address) {
                    found.edge(to, || {
                        format!("connects to {} by {} {}", address.service(), named_in.kind(), named_in.name())
                    });
                }
            }
        }
    }
}
