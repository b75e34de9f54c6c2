//! The two versions of `HorizontalPodAutoscaler`: the only kind whose served versions differ in more than their name.
//!
//! The older version knows one metric, the use of CPU; other metrics, the behaviour and the conditions stand as JSON in
//! annotations, spelled in the way of that version's Go types.

use serde_json::{Map, Value, json};

use super::last_applied::as_go_writes;

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const STATUSES: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOUR: &str = "autoscaling.alpha.kubernetes.io/behavior";
/// How many percent of the CPU are aimed at where nothing is said.
const CPU_BY_DEFAULT: u64 = 80;

/// A part of a metric: its name in the older version, where the newer version has it, and what the older version writes where it
/// is missing.
type Part = (&'static str, [&'static str; 2], Option<&'static str>);

const NAME: Part = ("name", ["name", ""], Some("\"\""));
const METRIC_NAME: Part = ("metricName", ["metric", "name"], Some("\"\""));
const SELECTOR: Part = ("selector", ["metric", "selector"], None);
const METRIC_SELECTOR: Part = ("metricSelector", ["metric", "selector"], None);
const DESCRIBED: Part = ("target", ["describedObject", ""], Some("{\"kind\":\"\",\"name\":\"\"}"));
const CONTAINER: Part = ("container", ["container", ""], Some("\"\""));
const AMOUNT: Option<&str> = Some("\"0\"");

/// What is aimed at, in the order of the older version's fields.
const SOURCES: [(&str, &[Part]); 5] = [
    (
        "object",
        &[
            DESCRIBED,
            METRIC_NAME,
            ("targetValue", ["target", "value"], AMOUNT),
            SELECTOR,
            ("averageValue", ["target", "averageValue"], None),
        ],
    ),
    ("pods", &[METRIC_NAME, ("targetAverageValue", ["target", "averageValue"], AMOUNT), SELECTOR]),
    (
        "resource",
        &[
            NAME,
            ("targetAverageUtilization", ["target", "averageUtilization"], None),
            ("targetAverageValue", ["target", "averageValue"], None),
        ],
    ),
    (
        "containerResource",
        &[
            NAME,
            ("targetAverageUtilization", ["target", "averageUtilization"], None),
            ("targetAverageValue", ["target", "averageValue"], None),
            CONTAINER,
        ],
    ),
    (
        "external",
        &[
            METRIC_NAME,
            METRIC_SELECTOR,
            ("targetValue", ["target", "value"], None),
            ("targetAverageValue", ["target", "averageValue"], None),
        ],
    ),
];

/// What was measured.
const STATES: [(&str, &[Part]); 5] = [
    (
        "object",
        &[
            DESCRIBED,
            METRIC_NAME,
            ("currentValue", ["current", "value"], AMOUNT),
            SELECTOR,
            ("averageValue", ["current", "averageValue"], None),
        ],
    ),
    ("pods", &[METRIC_NAME, ("currentAverageValue", ["current", "averageValue"], AMOUNT), SELECTOR]),
    (
        "resource",
        &[
            NAME,
            ("currentAverageUtilization", ["current", "averageUtilization"], None),
            ("currentAverageValue", ["current", "averageValue"], AMOUNT),
        ],
    ),
    (
        "containerResource",
        &[
            NAME,
            ("currentAverageUtilization", ["current", "averageUtilization"], None),
            ("currentAverageValue", ["current", "averageValue"], AMOUNT),
            CONTAINER,
        ],
    ),
    (
        "external",
        &[
            METRIC_NAME,
            METRIC_SELECTOR,
            ("currentValue", ["current", "value"], AMOUNT),
            ("currentAverageValue", ["current", "averageValue"], None),
        ],
    ),
];

/// The fields of a behaviour as the annotation spells them, which holds an internal type of the server.
const RULES: [(&str, &str); 4] = [
    ("StabilizationWindowSeconds", "stabilizationWindowSeconds"),
    ("SelectPolicy", "selectPolicy"),
    ("Policies", "policies"),
    ("Tolerance", "tolerance"),
];
const DIRECTIONS: [(&str, &str); 2] = [("ScaleUp", "scaleUp"), ("ScaleDown", "scaleDown")];
const POLICY: [(&str, &str); 3] = [("Type", "type"), ("Value", "value"), ("PeriodSeconds", "periodSeconds")];

/// Returns an autoscaler as it reads in another version.
pub(super) fn converted(object: &Value, api_version: &str) -> Value {
    let mut converted = object.clone();
    match (object.get("apiVersion").and_then(Value::as_str).unwrap_or_default(), api_version) {
        ("autoscaling/v1", "autoscaling/v2") => upwards(&mut converted),
        ("autoscaling/v2", "autoscaling/v1") => downwards(&mut converted),
        _ => {}
    }
    if let Some(map) = converted.as_object_mut() {
        map.insert("apiVersion".to_owned(), Value::from(api_version));
    }
    converted
}

fn upwards(object: &mut Value) {
    // Go always has one, and what is converted may be what was left when fields were taken out.
    if let Some(object) = object.as_object_mut().filter(|object| object.get("spec").is_none_or(Value::is_null)) {
        object.insert("spec".to_owned(), json!({}));
    }
    let [metrics, statuses, conditions, behaviour] = [METRICS, STATUSES, CONDITIONS, BEHAVIOUR]
        .map(|name| take_annotation(object, name).and_then(|text| serde_json::from_str::<Value>(&text).ok()));
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let mut all: Vec<Value> = items(metrics.as_ref()).map(|metric| metric_upwards(metric, &SOURCES)).collect();
        let target = spec.remove("targetCPUUtilizationPercentage").filter(|target| !target.is_null());
        let target = target.or_else(|| all.is_empty().then(|| Value::from(CPU_BY_DEFAULT)));
        all.extend(target.map(|target| {
            let target = json!({"type": "Utilization", "averageUtilization": target});
            json!({"type": "Resource", "resource": {"name": "cpu", "target": target}})
        }));
        spec.insert("metrics".to_owned(), Value::Array(all));
        let behaviour = behaviour.map(|behaviour| {
            renamed(&behaviour, &DIRECTIONS, &|rules| {
                let policies = |value: &Value| match value {
                    Value::Array(policies) => {
                        policies.iter().map(|policy| renamed(policy, &POLICY, &Value::clone)).collect()
                    }
                    other => other.clone(),
                };
                renamed(rules, &RULES, &policies)
            })
        });
        if let Some(behaviour) = behaviour.filter(|behaviour| behaviour.as_object().is_some_and(|map| !map.is_empty()))
        {
            spec.insert("behavior".to_owned(), behaviour);
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        let current = status.remove("currentCPUUtilizationPercentage").filter(|current| !current.is_null());
        if statuses.is_some() {
            let all = items(statuses.as_ref()).map(|metric| metric_upwards(metric, &STATES)).collect();
            status.insert("currentMetrics".to_owned(), all);
        } else if let Some(current) = current {
            let resource = json!({"name": "cpu", "current": {"averageUtilization": current}});
            status.insert("currentMetrics".to_owned(), json!([{"type": "Resource", "resource": resource}]));
        }
        if let Some(conditions) = conditions.filter(Value::is_array) {
            status.insert("conditions".to_owned(), conditions);
        }
    }
}

fn downwards(object: &mut Value) {
    for name in [METRICS, STATUSES, CONDITIONS, BEHAVIOUR] {
        take_annotation(object, name);
    }
    let mut annotations: Vec<(&str, String)> = Vec::new();
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        let metrics = spec.remove("metrics");
        let (cpu, others): (Vec<&Value>, Vec<&Value>) =
            items(metrics.as_ref()).partition(|metric| cpu_of(metric, "target").is_some());
        if let Some(target) = cpu.first().and_then(|metric| cpu_of(metric, "target")) {
            spec.insert("targetCPUUtilizationPercentage".to_owned(), target.clone());
        }
        annotations.extend(
            list_text(others.into_iter(), |metric| metric_downwards(metric, &SOURCES)).map(|text| (METRICS, text)),
        );
        if let Some(behaviour) = spec.remove("behavior").filter(Value::is_object) {
            annotations.push((BEHAVIOUR, behaviour_text(&behaviour)));
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        let metrics = status.remove("currentMetrics");
        if let Some(current) = items(metrics.as_ref()).filter_map(|metric| cpu_of(metric, "current")).last() {
            status.insert("currentCPUUtilizationPercentage".to_owned(), current.clone());
        }
        let text = list_text(items(metrics.as_ref()), |metric| metric_downwards(metric, &STATES));
        annotations.extend(text.map(|text| (STATUSES, text)));
        let conditions = status.remove("conditions");
        let of_condition = ["type", "status", "lastTransitionTime", "reason", "message"];
        let text = list_text(items(conditions.as_ref()), |condition| fields_text(condition, &of_condition));
        annotations.extend(text.map(|text| (CONDITIONS, text)));
    }
    if annotations.is_empty() {
        return;
    }
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    let map = metadata.and_then(|metadata| metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut());
    if let Some(map) = map {
        map.extend(annotations.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))));
    }
}

/// Returns the use of CPU that a metric aims at or has measured.
fn cpu_of<'a>(metric: &'a Value, side: &str) -> Option<&'a Value> {
    let resource = metric.get("resource")?;
    let is_cpu = resource.get("name").and_then(Value::as_str) == Some("cpu");
    resource.get(side)?.get("averageUtilization").filter(|use_of_cpu| is_cpu && !use_of_cpu.is_null())
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn take_annotation(object: &mut Value, name: &str) -> Option<String> {
    let annotations = object.pointer_mut("/metadata/annotations")?.as_object_mut()?;
    let text = annotations.remove(name)?.as_str().map(str::to_owned);
    if annotations.is_empty()
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.remove("annotations");
    }
    text
}

fn metric_upwards(metric: &Value, kinds: &[(&str, &[Part])]) -> Value {
    let mut result = Map::from_iter(metric.get("type").map(|kind| ("type".to_owned(), kind.clone())));
    for (kind, parts) in kinds {
        let Some(source) = metric.get(kind).filter(|source| source.is_object()) else { continue };
        let mut converted = json!({});
        for (old, [outer, inner], _) in *parts {
            let Some(value) = source.get(old).filter(|value| !value.is_null()) else { continue };
            if inner.is_empty() {
                converted[*outer] = value.clone();
            } else {
                converted[*outer][*inner] = value.clone();
            }
        }
        // What a source aims at has a kind of its own, which the older version leaves to be guessed.
        let has = |name: &str| source.get(name).is_some_and(|value| !value.is_null());
        let aim = match *kind {
            "resource" | "containerResource" if has("targetAverageUtilization") => "Utilization",
            "object" if !has("averageValue") => "Value",
            "external" if has("targetValue") => "Value",
            _ => "AverageValue",
        };
        if parts.iter().any(|(_, [outer, _], _)| *outer == "target") {
            converted["target"]["type"] = json!(aim);
        }
        result.insert((*kind).to_owned(), converted);
    }
    Value::Object(result)
}

fn metric_downwards(metric: &Value, kinds: &[(&str, &[Part])]) -> String {
    let mut texts = vec![("type", as_go_writes(metric.get("type").unwrap_or(&json!(""))))];
    for (kind, parts) in kinds {
        let Some(source) = metric.get(kind).filter(|source| source.is_object()) else { continue };
        let of_parts = parts.iter().filter_map(|(old, [outer, inner], missing)| {
            let outer_value = source.get(outer);
            let value = if inner.is_empty() { outer_value } else { outer_value.and_then(|value| value.get(inner)) };
            let text = match value.filter(|value| !value.is_null()) {
                Some(described) if *old == "target" => fields_text(described, &["kind", "name", "apiVersion"]),
                Some(value) => as_go_writes(value),
                None => (*missing)?.to_owned(),
            };
            Some((*old, text))
        });
        let text = object_text(of_parts);
        texts.push((kind, text));
    }
    object_text(texts.into_iter())
}

fn behaviour_text(behaviour: &Value) -> String {
    let null = || "null".to_owned();
    let policy = |policy: &Value| object_text(POLICY.iter().map(|(old, new)| (*old, as_go_writes(&policy[*new]))));
    object_text(DIRECTIONS.iter().map(|(old, new)| {
        let Some(rules) = behaviour.get(new).filter(|rules| rules.is_object()) else { return (*old, null()) };
        let rules = RULES.iter().map(|(old, new)| match &rules[*new] {
            Value::Array(policies) => (*old, list_text(policies.iter(), policy).unwrap_or_else(null)),
            other => (*old, as_go_writes(other)),
        });
        (*old, object_text(rules))
    }))
}

/// Renames the fields of a map that it has, and converts their values.
fn renamed(map: &Value, names: &[(&str, &str)], value: &dyn Fn(&Value) -> Value) -> Value {
    let fields = names.iter().filter_map(|(old, new)| {
        let found = map.get(old).filter(|found| !found.is_null())?;
        Some(((*new).to_owned(), value(found)))
    });
    Value::Object(fields.collect())
}

fn fields_text(map: &Value, fields: &[&str]) -> String {
    object_text(fields.iter().filter_map(|field| Some((*field, as_go_writes(map.get(field)?)))))
}

fn object_text<'a>(parts: impl Iterator<Item = (&'a str, String)>) -> String {
    format!("{{{}}}", parts.map(|(name, text)| format!("\"{name}\":{text}")).collect::<Vec<_>>().join(","))
}

/// Writes a list; `None` if it is empty.
fn list_text<'a>(items: impl Iterator<Item = &'a Value>, text: impl Fn(&Value) -> String) -> Option<String> {
    let texts: Vec<String> = items.map(text).collect();
    (!texts.is_empty()).then(|| format!("[{}]", texts.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_older_version_has_no_field_for_stands_in_annotations() {
        let newer = json!({"apiVersion": "autoscaling/v2", "metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "metrics": [
            {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}},
            {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}],
            "behavior": {"scaleDown": {"selectPolicy": "Max", "stabilizationWindowSeconds": 0,
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}}}, "status": {}});
        let older = converted(&newer, "autoscaling/v1");
        assert_eq!(
            older,
            json!({"apiVersion": "autoscaling/v1", "metadata": {"name": "a", "annotations": {
                METRICS: r#"[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":50}}]"#,
                BEHAVIOUR: r#"{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":15}],"Tolerance":null}}"#,
            }}, "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 60}, "status": {}})
        );
        assert_eq!(converted(&older, "autoscaling/v2"), newer);
    }

    #[test]
    fn what_a_metric_aims_at_is_guessed_from_what_is_given() {
        let described = json!({"kind": "Service", "name": "x", "apiVersion": "v1"});
        for metric in [
            json!({"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "5"}}}),
            json!({"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "5"}}}),
            json!({"type": "Object", "object": {"describedObject": described, "metric": {"name": "q"},
                "target": {"type": "Value", "value": "5"}}}),
        ] {
            let newer = json!({"apiVersion": "autoscaling/v2", "metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "metrics": [metric]}});
            let older = converted(&newer, "autoscaling/v1");
            let back = converted(&older, "autoscaling/v2");
            assert_eq!(back["spec"]["metrics"][0], metric, "{older}");
            // The server writes a reference in the order of its type's fields.
            let text = older["metadata"]["annotations"][METRICS].as_str().unwrap();
            assert!(
                !text.contains("target\":{") || text.contains(r#"{"kind":"Service","name":"x","apiVersion":"v1"}"#),
                "{text}"
            );
        }
    }

    #[test]
    fn the_newer_version_always_has_a_metric() {
        for older in [
            json!({"apiVersion": "autoscaling/v1", "spec": {"maxReplicas": 3}}),
            json!({"apiVersion": "autoscaling/v1"}),
        ] {
            let newer = converted(&older, "autoscaling/v2");
            assert_eq!(newer["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 80);
        }
    }
}
