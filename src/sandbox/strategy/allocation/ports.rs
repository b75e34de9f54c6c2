//! Ports of the nodes, for the ports of a service and for the health of its endpoints.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Giver, has_node_ports};
use crate::sandbox::refusal::{FieldProblem, Refusal};
use crate::sandbox::strategy::fields::{items, items_mut, number, put, text};
use crate::sandbox::strategy::service::{is_on_nodes, needs_health_check, node_ports};

const FIRST: i64 = 30_000;
const LAST: i64 = 32_767;
/// The lowest ports are for those who ask for one: others come from above as long as there are any.
const RESERVED: i64 = 86;

const ALREADY: &str = "provided port is already allocated";

/// Gives a service its ports on the nodes, unless it has them.
pub(super) fn settle(giver: &mut Giver<'_>, live: Option<&Value>, object: &mut Value) -> Result<(), Refusal> {
    let mut pool = Pool { taken: taken(giver, live, object), drawn: Vec::new(), is_bounded: !giver.dry_run };
    if is_on_nodes(object) {
        match live {
            None => create(giver, &mut pool, object)?,
            Some(live) => update(giver, &mut pool, live, object)?,
        }
    }
    let needed = live.is_some_and(needs_health_check);
    if needs_health_check(object) && !needed { health(giver, &mut pool, object) } else { Ok(()) }
}

struct Pool {
    taken: BTreeSet<i64>,
    /// What this request has taken so far.
    drawn: Vec<i64>,
    /// Whether ports must lie in the range: nobody asks where nothing is taken in the end.
    is_bounded: bool,
}

impl Pool {
    fn take(&mut self, port: i64) -> Result<(), String> {
        if self.is_bounded && !(FIRST..=LAST).contains(&port) {
            return Err(format!("provided port is not in the valid range. The range of valid ports is {FIRST}-{LAST}"));
        }
        if !self.taken.insert(port) {
            return Err(ALREADY.to_owned());
        }
        self.drawn.push(port);
        Ok(())
    }

    fn draw(&mut self, giver: &mut Giver<'_>) -> Option<i64> {
        let port = if giver.dry_run {
            self.drawn.iter().max().map_or(LAST + 2, |port| port + 1)
        } else {
            let many = LAST - FIRST + 1 - RESERVED;
            let start = i64::from(giver.number(u32::try_from(many).unwrap_or_default()));
            let upper = (0..many).map(|step| FIRST + RESERVED + (start + step) % many);
            upper.chain(FIRST..FIRST + RESERVED).find(|port| !self.taken.contains(port))?
        };
        self.taken.insert(port);
        self.drawn.push(port);
        Some(port)
    }
}

/// The ports of other services, and those that this service has had.
fn taken(giver: &Giver<'_>, live: Option<&Value>, object: &Value) -> BTreeSet<i64> {
    let others = giver.others(object);
    let services = others.iter().map(AsRef::as_ref).chain(live);
    services
        .flat_map(|service| {
            let mut ports = node_ports(service);
            ports.extend(number(service, &["spec", "healthCheckNodePort"]).filter(|port| *port != 0));
            ports
        })
        .collect()
}

fn node_port(port: &Value) -> i64 {
    number(port, &["nodePort"]).unwrap_or_default()
}

fn refuse(giver: &Giver<'_>, object: &Value, index: usize, port: i64, why: String) -> Refusal {
    giver.refuse(object, &[FieldProblem::invalid(format!("spec.ports[{index}].nodePort"), &json!(port), why)])
}

fn full() -> Refusal {
    Refusal::internal("failed to allocate a nodePort: range is full")
}

/// Ports of one number with several protocols share a port of the nodes.
fn create(giver: &mut Giver<'_>, pool: &mut Pool, object: &mut Value) -> Result<(), Refusal> {
    let gives = has_node_ports(object);
    let ports: Vec<(i64, i64)> = items(object, &["spec", "ports"])
        .iter()
        .map(|port| (number(port, &["port"]).unwrap_or_default(), node_port(port)))
        .collect();
    let mut given: BTreeMap<i64, i64> = BTreeMap::new();
    let mut chosen = Vec::new();
    for (index, &(port, wished)) in ports.iter().enumerate() {
        if wished == 0 && !gives {
            chosen.push(0);
            continue;
        }
        let shared = given.get(&port).copied();
        let number = match shared {
            Some(shared) if wished == 0 || wished == shared => shared,
            Some(_) => {
                pool.take(wished).map_err(|why| refuse(giver, object, index, wished, why))?;
                wished
            }
            None => {
                let requested = ports.iter().find(|(other, wished)| *other == port && *wished != 0);
                let number = match requested {
                    Some(&(_, number)) => {
                        pool.take(number).map_err(|why| refuse(giver, object, index, number, why))?;
                        number
                    }
                    None => pool.draw(giver).ok_or_else(full)?,
                };
                given.insert(port, number);
                number
            }
        };
        chosen.push(number);
    }
    write(object, &chosen);
    Ok(())
}

fn update(giver: &mut Giver<'_>, pool: &mut Pool, live: &Value, object: &mut Value) -> Result<(), Refusal> {
    let (gives, before) = (has_node_ports(object), node_ports(live));
    let ports: Vec<(String, i64)> = items(object, &["spec", "ports"])
        .iter()
        .map(|port| (text(port, &["protocol"]).to_owned(), node_port(port)))
        .collect();
    let mut seen: Vec<(String, i64)> = Vec::new();
    let mut chosen = Vec::new();
    for (index, (protocol, wished)) in ports.into_iter().enumerate() {
        if wished == 0 && !gives {
            chosen.push(0);
            continue;
        }
        let number = if wished == 0 {
            pool.draw(giver).ok_or_else(full)?
        } else {
            if !before.contains(&wished) && !pool.drawn.contains(&wished) {
                pool.take(wished).map_err(|why| refuse(giver, object, index, wished, why))?;
            }
            wished
        };
        let one = (protocol, number);
        if seen.contains(&one) {
            return Err(Refusal::plain(format!("duplicate nodePort: {{{} {}}}", one.0, one.1)));
        }
        seen.push(one);
        chosen.push(number);
    }
    write(object, &chosen);
    Ok(())
}

fn write(object: &mut Value, chosen: &[i64]) {
    for (port, number) in items_mut(object, &["spec", "ports"]).zip(chosen) {
        if *number != 0 {
            put(port, &["nodePort"], *number);
        }
    }
}

fn health(giver: &mut Giver<'_>, pool: &mut Pool, object: &mut Value) -> Result<(), Refusal> {
    let requested = number(object, &["spec", "healthCheckNodePort"]).unwrap_or_default();
    if requested != 0 {
        return pool.take(requested).map_err(|why| {
            Refusal::internal(format!("failed to allocate requested HealthCheck NodePort {requested}: {why}"))
        });
    }
    let Some(port) = pool.draw(giver) else {
        return Err(Refusal::internal("failed to allocate a HealthCheck NodePort 0: range is full"));
    };
    put(object, &["spec", "healthCheckNodePort"], port);
    Ok(())
}
