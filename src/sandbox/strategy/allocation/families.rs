//! Families of addresses: which a service asks for, which it gets, and what cannot be.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{Giver, NONE, put_texts, texts};
use crate::sandbox::refusal::{FieldProblem, Refusal};
use crate::sandbox::strategy::fields::{at, entries, put, text};
use crate::sandbox::strategy::service::{needs_address, service_type};

const POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
const PREFER: &str = "PreferDualStack";
const REQUIRE: &str = "RequireDualStack";
const SINGLE: &str = "SingleStack";
const POLICY: &str = "spec.ipFamilyPolicy";

/// Brings `clusterIP` and `clusterIPs` together for clients that know only one of them.
pub(super) fn pair_addresses(live: Option<&Value>, object: &mut Value) {
    let address = text(object, &["spec", "clusterIP"]).to_owned();
    let addresses = texts(object, "clusterIPs");
    let Some(live) = live else {
        if !address.is_empty() && addresses.is_empty() {
            put_texts(object, "clusterIPs", vec![address]);
        }
        return;
    };
    let (given, all_given) = (text(live, &["spec", "clusterIP"]), texts(live, "clusterIPs"));
    if given == address {
        if addresses.is_empty() {
            put_texts(object, "clusterIPs", all_given);
        }
    } else if addresses == all_given {
        let follows = if !given.is_empty() && address.is_empty() { Vec::new() } else { vec![address] };
        put_texts(object, "clusterIPs", follows);
    }
}

/// Tells whether nothing is to be done for a service that prefers two families and already has what it has.
pub(super) fn is_settled(live: Option<&Value>, object: &Value) -> bool {
    let policy = |service| text(service, &["spec", "ipFamilyPolicy"]);
    live.is_some_and(|live| {
        policy(object) == PREFER
            && matches!(policy(live), PREFER | "")
            && service_type(live) == service_type(object)
            && needs_address(object)
            && texts(live, "clusterIPs") == texts(object, "clusterIPs")
            && texts(live, "ipFamilies") == texts(object, "ipFamilies")
    })
}

/// Settles the policy and the families of a service.
pub(super) fn settle(giver: &Giver<'_>, live: Option<&Value>, object: &mut Value) -> Result<(), Refusal> {
    if !needs_address(object) || is_settled(live, object) {
        return Ok(());
    }
    let is_headless = text(object, &["spec", "clusterIP"]) == NONE;
    let is_free_headless = is_headless && entries(object, &["spec", "selector"]).next().is_none();
    if at(object, &["spec", "ipFamilyPolicy"]).is_none() {
        let before = live.and_then(|live| at(live, &["spec", "ipFamilyPolicy"]));
        let policy = before.cloned().unwrap_or_else(|| json!(if is_free_headless { REQUIRE } else { SINGLE }));
        put(object, &["spec", "ipFamilyPolicy"], policy);
    }
    let refuse = |object: &Value, problems: Vec<FieldProblem>| match problems.as_slice() {
        [] => Ok(()),
        problems => Err(giver.refuse(object, problems)),
    };
    refuse(object, malformed(live, object))?;
    let mut problems = Vec::new();
    let policy = text(object, &["spec", "ipFamilyPolicy"]).to_owned();
    if let Some(live) = live {
        shrink(live, object, &policy, &mut problems);
    }
    if policy == SINGLE {
        for (field, what) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
            if texts(object, field).len() == 2 {
                let why = format!("must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified");
                problems.push(FieldProblem::invalid(POLICY, &json!(policy), why));
            }
        }
    }
    let addresses = texts(object, "clusterIPs");
    let mut families = texts(object, "ipFamilies");
    for (index, address) in addresses.iter().enumerate().take_while(|(_, address)| *address != NONE) {
        if index >= families.len() {
            match family_of(address) {
                "IPv4" => families.push("IPv4".to_owned()),
                family => problems.push(FieldProblem::invalid(
                    format!("spec.clusterIPs[{index}]"),
                    &json!(addresses),
                    format!("{family} is not configured on this cluster"),
                )),
            }
        }
    }
    refuse(object, problems)?;
    if is_free_headless {
        if families.is_empty() {
            families.push("IPv4".to_owned());
        }
        if let ([only], true) = (families.as_slice(), policy != SINGLE) {
            families.push(if only == "IPv4" { "IPv6" } else { "IPv4" }.to_owned());
        }
        put_texts(object, "ipFamilies", families);
        return Ok(());
    }
    let mut problems = Vec::new();
    if policy == REQUIRE {
        let why = "this cluster is not configured for dual-stack services";
        problems.push(FieldProblem::invalid(POLICY, &json!(policy), why));
    }
    for (index, family) in families.iter().enumerate().filter(|(_, family)| *family != "IPv4") {
        let field = format!("spec.ipFamilies[{index}]");
        problems.push(FieldProblem::invalid(field, &json!(family), "not configured on this cluster"));
    }
    refuse(object, problems)?;
    if families.is_empty() {
        families.push("IPv4".to_owned());
    }
    put_texts(object, "ipFamilies", families);
    Ok(())
}

/// A service that goes down to one family says so in its policy.
fn shrink(live: &Value, object: &mut Value, policy: &str, problems: &mut Vec<FieldProblem>) {
    for (field, what) in [("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")] {
        let (before, mut now) = (texts(live, field), texts(object, field));
        if policy == SINGLE {
            if before == now && now.len() > 1 {
                now.truncate(1);
                put_texts(object, field, now);
            }
        } else if !now.is_empty() && now.len() < before.len() {
            let why = format!("must be 'SingleStack' to release the secondary {what}");
            problems.push(FieldProblem::invalid(POLICY, &json!(policy), why));
        }
    }
}

pub(super) fn family_of(address: &str) -> &'static str {
    match address.parse() {
        Ok(IpAddr::V4(_)) => "IPv4",
        Ok(IpAddr::V6(_)) => "IPv6",
        Err(_) => "unknown",
    }
}

/// What cannot be, whatever the cluster has; the server checks it before it gives anything out.
fn malformed(live: Option<&Value>, object: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let address = text(object, &["spec", "clusterIP"]);
    let addresses = texts(object, "clusterIPs");
    let all = json!(addresses);
    let wrong = |why: &str| FieldProblem::invalid("spec.clusterIPs", &all, why);
    match addresses.first() {
        None if !address.is_empty() => problems.push(FieldProblem::required("spec.clusterIPs", "")),
        Some(_) if address.is_empty() => problems.push(wrong("must be empty when `clusterIP` is not specified")),
        Some(first) if first != address => problems.push(wrong("first value must match `clusterIP`")),
        _ => {}
    }
    let families = texts(object, "ipFamilies");
    for (index, family) in families.iter().enumerate() {
        let field = format!("spec.ipFamilies[{index}]");
        if !FAMILIES.contains(&family.as_str()) {
            problems.push(FieldProblem::not_supported(field.clone(), &json!(family), &FAMILIES));
        }
        if families.iter().take(index).any(|before| before == family) {
            problems.push(FieldProblem::duplicate(field, &json!(family)));
        }
    }
    let policy = text(object, &["spec", "ipFamilyPolicy"]);
    if !POLICIES.contains(&policy) {
        problems.push(FieldProblem::not_supported(POLICY, &json!(policy), &POLICIES));
    }
    let known = live.map(|live| texts(live, "clusterIPs")).unwrap_or_default();
    let mut is_any_invalid = false;
    for (index, address) in addresses.iter().enumerate() {
        if index == 0 && address == NONE {
            if addresses.len() > 1 {
                is_any_invalid = true;
                problems.push(wrong("'None' must be the first and only value"));
            }
        } else if family_of(address) == "unknown" && !known.contains(address) {
            is_any_invalid = true;
            let why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            problems.push(FieldProblem::invalid(format!("spec.clusterIPs[{index}]"), &json!(address), why));
        }
    }
    if addresses.len() > 2 {
        problems.push(wrong("may only hold up to 2 values"));
    }
    if is_any_invalid {
        return problems;
    }
    let kinds: Vec<&str> = addresses.iter().map(|address| family_of(address)).collect();
    if kinds.len() > 1 && (kinds.len() > 2 || kinds.first() == kinds.last()) {
        problems.push(wrong("may specify no more than one IP for each IP family"));
    }
    if address != NONE {
        for (index, (family, (address, kind))) in families.iter().zip(addresses.iter().zip(kinds)).enumerate() {
            if FAMILIES.contains(&family.as_str()) && family != kind {
                let why = format!("expected an {family} value as indicated by `ipFamilies[{index}]`");
                problems.push(FieldProblem::invalid(format!("spec.clusterIPs[{index}]"), &json!(address), why));
            }
        }
    }
    problems
}
