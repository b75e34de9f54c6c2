//! Amounts of resources, added up as the server does, and what a pod asks for altogether.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::resource::quantity::Quantity;
use crate::sandbox::strategy::fields::{at, entries, items, text};

/// How many billionths make one.
pub(super) const ONE: i128 = 1_000_000_000;

/// An amount that remembers how it was written, or at least in what kind of units.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Amount {
    nano: i128,
    is_binary: bool,
    text: Option<String>,
}

impl Amount {
    /// Reads an amount, which may be written as a number.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let quantity = Quantity::parse(&text).ok()?;
        let text = quantity.canonical();
        Some(Self { nano: quantity.nano(), is_binary: text.ends_with('i'), text: Some(text) })
    }

    /// A number of things.
    pub(super) fn count(number: usize) -> Self {
        let number = i128::try_from(number).unwrap_or(i128::MAX / ONE);
        Self { nano: number * ONE, is_binary: false, text: None }
    }

    /// The amount in billionths.
    pub(in crate::sandbox) fn nano(&self) -> i128 {
        self.nano
    }

    /// The sum, in the units of the first that is not nothing.
    fn plus(&self, other: &Self) -> Self {
        let is_binary = if self.nano == 0 { other.is_binary } else { self.is_binary };
        Self { nano: self.nano.saturating_add(other.nano), is_binary, text: None }
    }

    /// The difference, nothing if the other is more.
    pub(super) fn less(&self, other: &Self) -> Self {
        let nano = self.nano.saturating_sub(other.nano).max(0);
        Self { nano, is_binary: self.is_binary && nano > 0, text: None }
    }

    /// The amount in whole units, rounded up.
    pub(super) fn whole(&self) -> Self {
        if self.nano % ONE == 0 {
            return self.clone();
        }
        Self { nano: (self.nano.div_euclid(ONE) + 1) * ONE, is_binary: self.is_binary, text: None }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return formatter.write_str(text);
        }
        if self.is_binary && self.nano % ONE == 0 && self.nano >= 1024 * ONE {
            let mut number = self.nano / ONE;
            let mut suffixes = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter();
            let mut suffix = "";
            while number % 1024 == 0
                && let Some(larger) = suffixes.next()
            {
                number /= 1024;
                suffix = larger;
            }
            return write!(formatter, "{number}{suffix}");
        }
        let written = format!("{}n", self.nano);
        let text = Quantity::parse(&written).map_or(written, |quantity| quantity.canonical());
        formatter.write_str(&text)
    }
}

/// Amounts by the names of what they are of.
pub(in crate::sandbox) type Amounts = BTreeMap<String, Amount>;

/// Reads a map of amounts.
pub(super) fn read(value: &Value, path: &[&str]) -> Amounts {
    entries(value, path).filter_map(|(name, value)| Some((name.clone(), Amount::read(value)?))).collect()
}

pub(super) fn add(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match total.get_mut(name) {
            Some(sum) => *sum = sum.plus(amount),
            None => {
                total.insert(name.clone(), amount.clone());
            }
        }
    }
}

fn at_least(total: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        if total.get(name).is_none_or(|present| amount.nano > present.nano) {
            total.insert(name.clone(), amount.clone());
        }
    }
}

/// What a pod requests, or may use at most: what it says for itself, or else what its containers do.
///
/// `field` is `requests` or `limits`.
pub(super) fn of_pod(pod: &Value, field: &str) -> Amounts {
    let mut total = at(pod, &["spec"]).map_or_else(Amounts::new, |spec| of_containers(spec, field));
    for (name, amount) in read(pod, &["spec", "resources", field]) {
        if is_of_whole_pod(&name) {
            total.insert(name, amount);
        }
    }
    total
}

/// What the containers of a specification request or may use: their sum, but at least what initialising takes.
pub(in crate::sandbox) fn of_containers(spec: &Value, field: &str) -> Amounts {
    let mut total = Amounts::new();
    for container in items(spec, &["containers"]) {
        add(&mut total, &read(container, &["resources", field]));
    }
    let (mut beside, mut most) = (Amounts::new(), Amounts::new());
    for container in items(spec, &["initContainers"]) {
        let own = read(container, &["resources", field]);
        if text(container, &["restartPolicy"]) == "Always" {
            add(&mut total, &own);
            add(&mut beside, &own);
            at_least(&mut most, &beside);
        } else {
            let mut now = own;
            add(&mut now, &beside);
            at_least(&mut most, &now);
        }
    }
    at_least(&mut total, &most);
    total
}

/// Tells whether resources are given for a pod as a whole.
pub(super) fn has_pod_level(pod: &Value) -> bool {
    let mut fields = ["requests", "limits"].iter().flat_map(|field| entries(pod, &["spec", "resources", field]));
    at(pod, &["spec", "resources"]).is_some() && fields.any(|(name, _)| is_of_whole_pod(name))
}

fn is_of_whole_pod(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sum(parts: &[&str]) -> String {
        let mut total = Amounts::new();
        for part in parts {
            add(&mut total, &read(&json!({"a": {"x": part}}), &["a"]));
        }
        total.values().map(ToString::to_string).collect()
    }

    #[test]
    fn sums_keep_the_units_of_their_first_part() {
        assert_eq!(sum(&["1Gi", "512Mi"]), "1536Mi");
        assert_eq!(sum(&["0", "1Gi"]), "1Gi");
        assert_eq!(sum(&["1G", "1Gi"]), "2073741824");
        assert_eq!(sum(&["500m", "1"]), "1500m");
        assert_eq!(sum(&["1", "1"]), "2");
        assert_eq!(sum(&["1.5Gi"]), "1536Mi");
    }

    #[test]
    fn initialising_counts_if_it_takes_more() {
        let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let pod =
            json!({"spec": {"containers": [container("1"), container("500m")], "initContainers": [container("2")]}});
        assert_eq!(of_pod(&pod, "requests")["cpu"].to_string(), "2");
    }
}
