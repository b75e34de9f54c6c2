//! Limits in force: does the control group that a container runs in have what was declared?

use serde_json::Value;

use super::CheckOutcome;
use super::requirements::containers;
use crate::resource::Manifest;
use crate::resource::quantity::Quantity;

/// The kernel counts memory in pages, the largest of which that a node uses are of 64 KiB.
const PAGE: i128 = 64 * 1024;
/// A thousandth, in what quantities are counted in.
const MILLI: i128 = 1_000_000;
/// The kubelet gives nobody less than a thousandth of a second in each tenth (`MinQuotaPeriod`).
const LEAST_MILLI: i128 = 10;
/// Without a limit the first version tells a number beyond all memory.
const NO_LIMIT: i128 = 1 << 62;

/// Judges what was printed: `memory BYTES` and `cpu QUOTA PERIOD`.
pub(super) fn judge(declared: Option<&Manifest>, container: &str, printed: &str) -> CheckOutcome {
    let Some(declared) = declared else {
        return CheckOutcome::Skipped("the workload is not declared in this stack".to_owned());
    };
    let limit = |resource: &str| {
        let found =
            containers(declared.object()).find(|found| found.get("name").and_then(Value::as_str) == Some(container));
        let limit = found?.get("resources")?.get("limits")?.get(resource)?;
        let text = limit.as_str().map_or_else(|| limit.to_string(), str::to_owned);
        Some((Quantity::parse(&text).ok()?, text))
    };
    let words = |resource: &str| {
        let mut lines = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.find(|words| words.first() == Some(&resource)).map(|words| words[1..].join(" "))
    };
    let wanted = [("memory", limit("memory")), ("cpu", limit("cpu"))];
    if wanted.iter().all(|(_, limit)| limit.is_none()) {
        return CheckOutcome::Skipped(format!("container {container} declares no limits"));
    }
    let (mut problems, mut unread) = (Vec::new(), Vec::new());
    for (resource, limit) in wanted {
        let Some((wanted, text)) = limit else { continue };
        let Some(told) = words(resource) else {
            unread.push(format!("the container does not see the {resource} limit of its control group"));
            continue;
        };
        let (actual, unit) = if resource == "memory" { (bytes(&told), " bytes") } else { (milli(&told), "m") };
        match actual {
            Told::Limit(actual) => {
                let (wanted, within) = if resource == "memory" {
                    (wanted.value(), PAGE)
                } else {
                    ((wanted.nano() / MILLI).max(LEAST_MILLI), 1)
                };
                if (wanted - actual).abs() >= within {
                    problems.push(format!("its {resource} limit is {actual}{unit}, declared is `{text}`"));
                }
            }
            Told::Nothing => problems.push(format!("it has no {resource} limit, declared is `{text}`")),
            Told::Otherwise => unread.push(format!("the {resource} limit reads `{told}`")),
        }
    }
    // What is wrong is told, whatever could not be read beside it.
    match (problems.is_empty(), unread.is_empty()) {
        (false, _) => CheckOutcome::Failed(format!("container {container}: {}", problems.join("; "))),
        (true, false) => CheckOutcome::Skipped(unread.join("; ")),
        (true, true) => CheckOutcome::Passed,
    }
}

/// What a control group tells of one limit.
enum Told {
    Limit(i128),
    Nothing,
    Otherwise,
}

fn bytes(told: &str) -> Told {
    match told.parse::<i128>() {
        Ok(bytes) if bytes < NO_LIMIT => Told::Limit(bytes),
        Ok(_) => Told::Nothing,
        Err(_) if told == "max" => Told::Nothing,
        Err(_) => Told::Otherwise,
    }
}

/// The share of a period that may be run, in thousandths of a processor.
fn milli(told: &str) -> Told {
    match told.split_once(' ') {
        Some(("max" | "-1", _)) => Told::Nothing,
        Some((quota, period)) => match (quota.parse::<i128>(), period.parse::<i128>()) {
            (Ok(quota), Ok(period)) if period > 0 => Told::Limit(quota * 1000 / period),
            _ => Told::Otherwise,
        },
        None => Told::Otherwise,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(limits: Value, printed: &str) -> String {
        let container = json!({"name": "redis", "resources": {"limits": limits}});
        let object = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "redis"},
            "spec": {"template": {"spec": {"containers": [{"name": "other"}, container]}}}});
        match judge(Some(&Manifest::new(object).unwrap()), "redis", printed) {
            CheckOutcome::Passed => "passed".to_owned(),
            CheckOutcome::Failed(why) => format!("failed: {why}"),
            CheckOutcome::Skipped(why) => format!("skipped: {why}"),
        }
    }

    #[test]
    fn limits_are_compared_in_both_versions_of_control_groups() {
        let limits = || json!({"cpu": "500m", "memory": "256Mi"});
        assert_eq!(judged(limits(), "memory 268435456\ncpu 50000 100000\n"), "passed");
        assert_eq!(judged(json!({"cpu": "3m"}), "memory max\ncpu 1000 100000\n"), "passed");
        assert_eq!(judged(json!({"memory": "100M"}), "memory 99999744\ncpu max 100000\n"), "passed");
        assert_eq!(
            judged(limits(), "memory 134217728\ncpu 100000 100000\n"),
            "failed: container redis: its memory limit is 134217728 bytes, declared is `256Mi`; its cpu limit is 1000m, \
             declared is `500m`"
        );
        let none = "failed: container redis: it has no memory limit, declared is `256Mi`; it has no cpu limit, declared is `500m`";
        assert_eq!(judged(limits(), "memory max\ncpu max 100000\n"), none);
        assert_eq!(judged(limits(), "memory 9223372036854771712\ncpu -1 100000\n"), none);
    }

    #[test]
    fn what_cannot_be_told_is_skipped() {
        assert_eq!(judged(json!({}), "memory 1\ncpu 1 1\n"), "skipped: container redis declares no limits");
        let limits = || json!({"memory": "256Mi"});
        assert_eq!(judged(limits(), ""), "skipped: the container does not see the memory limit of its control group");
        assert_eq!(judged(limits(), "memory\n"), "skipped: the memory limit reads ``");
        assert_eq!(judged(limits(), "memory lots\n"), "skipped: the memory limit reads `lots`");
        assert_eq!(
            judged(json!({"cpu": 1, "memory": "256Mi"}), "memory max\n"),
            "failed: container redis: it has no memory limit, declared is `256Mi`"
        );
        assert_eq!(judged(json!({"cpu": 1}), "memory max\ncpu a b\n"), "skipped: the cpu limit reads `a b`");
    }
}
