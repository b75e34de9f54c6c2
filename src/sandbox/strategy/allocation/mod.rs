//! Addresses and ports that services are given out of ranges: `10.96.0.0/16`, and 30000 to 32767 on the nodes.
//!
//! What is taken is read from the services that are stored; nothing is kept beside them, so that an address is free as
//! soon as its service is gone. The cluster has IPv4 alone.

mod addresses;
mod families;
mod ports;

use serde_json::Value;

use super::fields::{at, items, items_mut, number, put, remove, text};
use super::service::{is_on_nodes, needs_address, needs_health_check};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::view::View;

/// The headless address.
pub(super) const NONE: &str = "None";

/// Where values come from that the server chooses freely: so many letters of its alphabet
/// (`bcdfghjklmnpqrstvwxz2456789`).
pub type Drawn<'d> = &'d mut dyn FnMut(usize) -> String;

/// Gives a service its addresses and ports, before it is prepared and validated.
///
/// A dry run is told placeholders, as the server does: the first address of the range, and ports above theirs.
///
/// # Errors
/// A requested address or port that is taken or out of range, and families that this cluster does not have.
pub fn allocate(
    view: &dyn View,
    kind: &Kind,
    live: Option<&Value>,
    object: &mut Value,
    dry_run: bool,
    draw: Drawn<'_>,
) -> Result<(), Refusal> {
    if !kind.is("", "Service") || kind.custom.is_some() {
        return Ok(());
    }
    let mut giver = Giver { view, kind, dry_run, draw };
    if let Some(live) = live {
        keep_what_was_given(live, object);
    }
    families::pair_addresses(live, object);
    families::settle(&giver, live, object)?;
    addresses::settle(&mut giver, live, object)?;
    ports::settle(&mut giver, live, object)
}

/// What is needed to give something out.
pub(super) struct Giver<'g> {
    view: &'g dyn View,
    kind: &'g Kind,
    dry_run: bool,
    draw: Drawn<'g>,
}

impl Giver<'_> {
    fn refuse(&self, object: &Value, problems: &[crate::sandbox::refusal::FieldProblem]) -> Refusal {
        Refusal::invalid(self.kind, text(object, &["metadata", "name"]), problems)
    }

    /// Draws a number below a limit.
    fn number(&mut self, below: u32) -> u32 {
        let letters = (self.draw)(6);
        let drawn = letters.bytes().fold(0_u64, |number, letter| {
            let digit = crate::sandbox::admission::ALPHABET.bytes().position(|other| other == letter);
            number.wrapping_mul(27).wrapping_add(digit.and_then(|digit| u64::try_from(digit).ok()).unwrap_or_default())
        });
        u32::try_from(drawn % u64::from(below.max(1))).unwrap_or_default()
    }

    /// The other services, in all namespaces.
    fn others(&self, object: &Value) -> Vec<std::sync::Arc<Value>> {
        let name = |service: &Value| {
            (text(service, &["metadata", "namespace"]).to_owned(), text(service, &["metadata", "name"]).to_owned())
        };
        let own = name(object);
        self.view.list("", "Service", None).into_iter().filter(|service| name(service) != own).collect()
    }
}

/// Fills in what a client left out that does not know it: addresses, and the ports of nodes by the names of ports.
fn keep_what_was_given(live: &Value, object: &mut Value) {
    if needs_address(live) && needs_address(object) {
        for field in ["clusterIP", "clusterIPs"] {
            let is_missing = match at(object, &["spec", field]) {
                None => true,
                Some(Value::Array(list)) => list.is_empty(),
                Some(value) => value == "",
            };
            if is_missing && let Some(given) = at(live, &["spec", field]) {
                put(object, &["spec", field], given.clone());
            }
        }
    }
    if has_node_ports(live) && has_node_ports(object) {
        let used = &super::service::node_ports(live) & &super::service::node_ports(object);
        for port in items_mut(object, &["spec", "ports"]) {
            // Of several ports of one name the last counts.
            let mut before = items(live, &["spec", "ports"]).iter().rev();
            let given = before.find(|given| text(given, &["name"]) == text(port, &["name"]));
            let given = given.and_then(|given| number(given, &["nodePort"])).unwrap_or_default();
            if number(port, &["nodePort"]).unwrap_or_default() == 0 && given != 0 && !used.contains(&given) {
                put(port, &["nodePort"], given);
            }
        }
    }
    let health = ["spec", "healthCheckNodePort"];
    if needs_health_check(live)
        && needs_health_check(object)
        && number(object, &health).unwrap_or_default() == 0
        && let Some(given) = number(live, &health)
    {
        put(object, &health, given);
    }
}

/// Tells whether ports of nodes are given out for a service.
fn has_node_ports(service: &Value) -> bool {
    let is_declined = at(service, &["spec", "allocateLoadBalancerNodePorts"]) == Some(&Value::Bool(false));
    is_on_nodes(service) && !(super::service::service_type(service) == "LoadBalancer" && is_declined)
}

/// Returns the texts of a list of the spec.
fn texts(object: &Value, field: &str) -> Vec<String> {
    items(object, &["spec", field]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn put_texts(object: &mut Value, field: &str, texts: Vec<String>) {
    if texts.is_empty() {
        remove(object, &["spec", field]);
    } else {
        put(object, &["spec", field], texts);
    }
}

#[cfg(test)]
mod tests;
