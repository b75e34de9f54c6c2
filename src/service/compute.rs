//! CPU, memory and storage as a block asks for them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Remark;
use super::block::below;
use crate::resource::quantity::Quantity;

/// A quantity as Kubernetes writes it: `10Gi`, `250m`, `1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct QuantityText(String);

impl QuantityText {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the amount; `None` if it is no quantity.
    pub(super) fn amount(&self) -> Option<Quantity> {
        Quantity::parse(&self.0).ok()
    }

    /// Returns the amount in whole units, such as bytes.
    pub(super) fn units(&self) -> Option<i128> {
        self.amount().map(|amount| amount.value())
    }

    /// Returns the problem with it where it must be a quantity above zero.
    pub(super) fn problem(&self, pointer: &str) -> Option<Remark> {
        match Quantity::parse(&self.0) {
            Err(error) => Some(Remark::new(pointer, error.to_string())),
            Ok(amount) if amount.nano() <= 0 => Some(Remark::new(pointer, format!("`{}` must be above zero", self.0))),
            Ok(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for QuantityText {
    /// Takes a number as well as a string: `cpu: 1` is what people write.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            _ => Err(serde::de::Error::custom("a quantity is a string or a number")),
        }
    }
}

impl JsonSchema for QuantityText {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number"], "examples": ["10Gi", "250m"]})
    }
}

/// What a container asks for and what it may not exceed. What is left out keeps its default.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Resources {
    /// What the scheduler sets aside for it.
    pub(super) requests: Amounts,
    /// What it may not exceed.
    pub(super) limits: Amounts,
}

/// Amounts of CPU and memory.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Amounts {
    /// CPU, such as `250m`.
    pub(super) cpu: Option<QuantityText>,
    /// Memory, such as `512Mi`.
    pub(super) memory: Option<QuantityText>,
}

impl Amounts {
    pub(super) fn new(cpu: &str, memory: &str) -> Self {
        Self { cpu: Some(QuantityText::new(cpu)), memory: Some(QuantityText::new(memory)) }
    }

    fn or(&self, default: &Self) -> Self {
        Self {
            cpu: self.cpu.clone().or_else(|| default.cpu.clone()),
            memory: self.memory.clone().or_else(|| default.memory.clone()),
        }
    }

    fn each(&self) -> impl Iterator<Item = (&'static str, &QuantityText)> {
        [("cpu", &self.cpu), ("memory", &self.memory)]
            .into_iter()
            .filter_map(|(name, amount)| Some((name, amount.as_ref()?)))
    }

    fn object(&self) -> Value {
        let amounts: Map<String, Value> =
            self.each().map(|(name, amount)| (name.to_owned(), Value::from(amount.as_str()))).collect();
        Value::Object(amounts)
    }
}

impl Resources {
    /// Returns these amounts, and the default's where nothing is said.
    pub(super) fn or(&self, default: &Self) -> Self {
        Self { requests: self.requests.or(&default.requests), limits: self.limits.or(&default.limits) }
    }

    /// Returns the field `resources` of a container.
    pub(super) fn object(&self) -> Value {
        serde_json::json!({"requests": self.requests.object(), "limits": self.limits.object()})
    }

    /// Returns what is wrong: no quantity, or a request above its limit.
    pub(super) fn problems(&self, pointer: &str) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for (key, amounts) in [("requests", &self.requests), ("limits", &self.limits)] {
            let pointer = below(pointer, key);
            remarks.extend(amounts.each().filter_map(|(name, amount)| amount.problem(&below(&pointer, name))));
        }
        for (name, request) in self.requests.each() {
            let Some((_, limit)) = self.limits.each().find(|(limit_name, _)| *limit_name == name) else { continue };
            if let (Some(asked), Some(most)) = (request.amount(), limit.amount())
                && most < asked
            {
                remarks.push(
                    Remark::new(
                        below(&below(pointer, "limits"), name),
                        format!("the {name} limit `{}` is below the request `{}`", limit.as_str(), request.as_str()),
                    )
                    .hinted("raise the limit or lower the request"),
                );
            }
        }
        remarks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_below_its_request_is_named() {
        let resources = Resources { requests: Amounts::new("1", "1Gi"), limits: Amounts::new("500m", "1024Mi") };
        let remarks = resources.problems("/resources");
        assert_eq!(remarks.len(), 1);
        assert_eq!(remarks[0].pointer, "/resources/limits/cpu");
        assert_eq!(remarks[0].message, "the cpu limit `500m` is below the request `1`");
    }

    #[test]
    fn what_is_left_out_keeps_its_default() {
        let default = Resources { requests: Amounts::new("250m", "512Mi"), limits: Amounts::new("1", "1Gi") };
        let written = Resources {
            limits: Amounts { memory: Some(QuantityText::new("2Gi")), ..Amounts::default() },
            ..Resources::default()
        };
        insta::assert_snapshot!(written.or(&default).object(), @r#"{"limits":{"cpu":"1","memory":"2Gi"},"requests":{"cpu":"250m","memory":"512Mi"}}"#);
    }
}
