//! Quotas that let more be asked for than may be used.

use serde_json::Value;

use crate::resource::quantity::Quantity;
use crate::sandbox::strategy::fields::at;

/// Returns what is to be said of a quota.
pub(super) fn of(quota: &Value) -> Vec<String> {
    let hard = |name: &str| match at(quota, &["spec", "hard", name])? {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    };
    let mut told = Vec::new();
    for resource in ["cpu", "memory", "storage", "ephemeral-storage"] {
        let mut asked = format!("requests.{resource}");
        // These two go by either name.
        if hard(&asked).is_none() && matches!(resource, "cpu" | "memory") {
            resource.clone_into(&mut asked);
        }
        let used = format!("limits.{resource}");
        if let (Some(most_asked), Some(most_used)) = (hard(&asked), hard(&used))
            && most_asked > most_used
        {
            told.push(format!("ResourceQuota {asked} ({most_asked}) should be less than {used} ({most_used})"));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_asked_for_than_may_be_used_is_told() {
        let quota = |hard: Value| json!({"spec": {"hard": hard}});
        assert_eq!(
            of(&quota(json!({"cpu": "2", "limits.cpu": "1", "requests.memory": "1Gi", "limits.memory": "2Gi"}))),
            ["ResourceQuota cpu (2) should be less than limits.cpu (1)"]
        );
        assert!(of(&quota(json!({"requests.cpu": "1", "cpu": "2", "limits.cpu": "1"}))).is_empty());
    }
}
