//! What stands behind the question mark, and the options of a deletion.

use std::fmt::Write as _;

use serde_json::json;

use super::bases::Place;
use super::dice::Dice;
use super::sequence::MANAGERS;

pub fn of_write(dice: &mut Dice) -> (String, bool) {
    let mut query = String::new();
    if dice.percent(40) {
        let _ = write!(query, "&fieldManager={}", dice.pick(&MANAGERS));
    }
    match dice.below(10) {
        0..3 => query.push_str("&fieldValidation=Strict"),
        3 => query.push_str("&fieldValidation=Ignore"),
        4 => query.push_str("&fieldValidation=Warn"),
        _ => {}
    }
    let is_dry = dice.percent(12);
    if is_dry {
        query.push_str("&dryRun=All");
    }
    if dice.percent(1) {
        query.push_str(dice.pick::<&str>(&[
            "&dryRun=Some",
            "&fieldValidation=strict",
            "&fieldManager=%00",
            "&force=true",
        ]));
    }
    (query.trim_start_matches('&').to_owned(), is_dry)
}

pub fn of_apply(dice: &mut Dice, query: &str) -> String {
    let mut query = query.to_owned();
    if !query.contains("fieldManager") && !dice.percent(2) {
        let _ = write!(query, "&fieldManager={}", dice.pick(&MANAGERS));
    }
    if dice.percent(40) {
        query.push_str("&force=true");
    }
    query.trim_start_matches('&').to_owned()
}

pub fn of_list(dice: &mut Dice, collection: &str, name: &str, kind: &Place, namespace: &str) -> String {
    let mut query = Vec::new();
    // Only what this sequence made is the same on both.
    if !kind.namespaced {
        query.push(format!("fieldSelector=metadata.name%3D{name}"));
    } else {
        match dice.below(8) {
            0 => query.push(format!("fieldSelector=metadata.name%3D{name}")),
            1 => query.push(format!("fieldSelector=metadata.name%21%3D{name},metadata.namespace%3D{}", namespace)),
            2 => query.push("fieldSelector=spec.nothing%3Da".to_owned()),
            3 => query.push("limit=1".to_owned()),
            4 => query.push("limit=1&continue=@continue@".to_owned()),
            _ => {}
        }
    }
    match dice.below(10) {
        0 | 1 => query.push("labelSelector=app".to_owned()),
        2 => query.push("labelSelector=app%20in%20(1,2),%21tier".to_owned()),
        3 => query.push("labelSelector=app%21%3D1".to_owned()),
        4 => query.push(
            (*dice.pick(&[
                "labelSelector=a%20b",
                "labelSelector=-a",
                "labelSelector=x%20in%20",
                "limit=-1",
                "limit=x",
                "continue=abc",
                "resourceVersion=x",
                "resourceVersionMatch=Exact",
                "includeObject=Object",
            ]))
            .to_owned(),
        ),
        _ => {}
    }
    format!("{collection}?{}", query.join("&"))
}

pub fn delete_options(dice: &mut Dice) -> String {
    let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
    match dice.below(12) {
        0 => return String::new(),
        1 | 2 => options["propagationPolicy"] = json!("Foreground"),
        3 | 4 => options["propagationPolicy"] = json!("Orphan"),
        5 => options["propagationPolicy"] = json!("Background"),
        6 => options["preconditions"] = json!({"uid": *dice.pick(&["@uid@", "11111111-2222-3333-4444-555555555555"])}),
        7 => options["preconditions"] = json!({"resourceVersion": *dice.pick(&["@version@", "@stale@"])}),
        8 => options["gracePeriodSeconds"] = json!(*dice.pick(&[0, 5, -1])),
        9 => options["propagationPolicy"] = json!(*dice.pick(&["Sometimes", ""])),
        10 => options["orphanDependents"] = json!(true),
        _ => {}
    }
    options.to_string()
}
