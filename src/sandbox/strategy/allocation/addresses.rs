//! Cluster addresses of services.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::families::is_settled;
use super::{Giver, NONE, put_texts, texts};
use crate::sandbox::refusal::{FieldProblem, Refusal};
use crate::sandbox::strategy::fields::{put, text};
use crate::sandbox::strategy::service::{needs_address, service_type};

/// The network that addresses come from, `10.96.0.0/16`.
const NETWORK: u32 = 0x0a60_0000;
/// How many addresses it has, the first and the last of which are never given out.
const SIZE: u32 = 1 << 16;
/// The lowest addresses are for those who ask for one: others come from above as long as there are any.
const RESERVED: u32 = 256;

/// Gives a service its address, unless it has one.
pub(super) fn settle(giver: &mut Giver<'_>, live: Option<&Value>, object: &mut Value) -> Result<(), Refusal> {
    let had_address = live.is_some_and(|live| service_type(live) != "ExternalName");
    if !needs_address(object) || had_address || is_settled(live, object) {
        return Ok(());
    }
    let mut addresses = texts(object, "clusterIPs");
    let requested = addresses.first().cloned().unwrap_or_default();
    if requested == NONE {
        return Ok(());
    }
    let taken = taken(giver, object);
    let address = if requested.is_empty() {
        let Some(address) = free(giver, &taken) else {
            return Err(Refusal::internal("failed to allocate a serviceIP: range is full"));
        };
        Ipv4Addr::from_bits(address).to_string()
    } else {
        if let Some(why) = unavailable(&requested, &taken, giver.dry_run) {
            let why = format!("failed to allocate IP {requested}: {why}");
            return Err(giver.refuse(object, &[FieldProblem::invalid("spec.clusterIPs", &json!(addresses), why)]));
        }
        requested
    };
    match addresses.first_mut() {
        Some(first) => first.clone_from(&address),
        None => addresses.push(address.clone()),
    }
    put(object, &["spec", "clusterIP"], address);
    put_texts(object, "clusterIPs", addresses);
    Ok(())
}

/// The addresses of other services, and those that are noted as taken.
fn taken(giver: &Giver<'_>, object: &Value) -> BTreeSet<u32> {
    let bits = |address: &str| address.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits);
    let of_services = giver.others(object).into_iter().flat_map(|service| texts(&service, "clusterIPs"));
    let noted = giver.view.list("networking.k8s.io", "IPAddress", None).into_iter();
    let noted = noted.map(|address| text(&address, &["metadata", "name"]).to_owned());
    of_services.chain(noted).filter_map(|address| bits(&address)).collect()
}

/// A dry run asks the range alone, which has words of its own and does not look at what is taken.
fn unavailable(requested: &str, taken: &BTreeSet<u32>, dry_run: bool) -> Option<String> {
    let bits = requested.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits);
    match bits.filter(|bits| (NETWORK + 1..NETWORK + SIZE - 1).contains(bits)) {
        None if dry_run => Some(format!(
            "the provided IP ({requested}) is not in the valid range. The range of valid IPs is {}/{}",
            Ipv4Addr::from_bits(NETWORK),
            SIZE.leading_zeros() + 1
        )),
        None => Some("the provided network does not match the current range".to_owned()),
        Some(bits) => (!dry_run && taken.contains(&bits)).then(|| "provided IP is already allocated".to_owned()),
    }
}

fn free(giver: &mut Giver<'_>, taken: &BTreeSet<u32>) -> Option<u32> {
    if giver.dry_run {
        return Some(NETWORK);
    }
    let many = SIZE - 1 - RESERVED;
    let start = giver.number(many);
    let upper = (0..many).map(|step| NETWORK + RESERVED + (start + step) % many);
    upper.chain(NETWORK + 1..NETWORK + RESERVED).find(|address| !taken.contains(address))
}
