//! Objects chosen by a label selector, such as the pods that explain why a workload is not ready. A right that is missing
//! is part of the answer.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Cluster;
use super::error::ClusterError;
use super::list::Selection;
use super::part::{Host, Unmanaged};
use crate::resource::at;

/// Something that may be known, if we may ask.
#[derive(Debug, Clone, PartialEq)]
pub enum Permitted<T> {
    /// The answer.
    Yes(T),
    /// The right is missing; the server's words.
    No(String),
}

impl Cluster {
    /// Lists the pods of a workload by its selector, or what [`Cluster::host`] reads of them; a pod's are itself, those of
    /// anything without a selector none.
    ///
    /// # Errors
    /// See [`ClusterError`]; a missing right is none.
    pub async fn pods_of(&self, workload: &Value) -> Result<Permitted<Vec<Value>>, ClusterError> {
        if workload.get("kind").and_then(Value::as_str) == Some("Pod") {
            return Ok(Permitted::Yes(vec![workload.clone()]));
        }
        let Some(labels) = pod_selector(workload) else { return Ok(Permitted::Yes(Vec::new())) };
        let namespace = at(workload, "/metadata/namespace").and_then(Value::as_str);
        self.list_if_permitted::<Host>("v1", "Pod", namespace, Selection { labels: Some(labels) }).await
    }

    /// Lists the objects of a kind by a label selector, without their managed fields.
    ///
    /// # Errors
    /// See [`ClusterError`]; a missing right is none.
    pub async fn select(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<Permitted<Vec<Value>>, ClusterError> {
        let selection = Selection { labels: Some(labels.to_owned()) };
        self.list_if_permitted::<Unmanaged>(api_version, kind, namespace, selection).await
    }

    async fn list_if_permitted<T: DeserializeOwned + Into<Value>>(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        selection: Selection,
    ) -> Result<Permitted<Vec<Value>>, ClusterError> {
        let kind = self.known_kind(api_version, kind).await?;
        match self.list::<T>(&kind, namespace, &selection).await {
            Ok(listed) => Ok(Permitted::Yes(listed.items)),
            Err(ClusterError::Forbidden { message, .. }) => Ok(Permitted::No(message)),
            Err(error) => Err(error),
        }
    }
}

/// Returns the label selector of a workload's pods in the text form of a query.
fn pod_selector(workload: &Value) -> Option<String> {
    let selector = at(workload, "/spec/selector")?.as_object()?;
    let mut terms = Vec::new();
    let is_structured = selector.contains_key("matchLabels") || selector.contains_key("matchExpressions");
    // Services and ReplicationControllers have the bare map.
    let labels = if is_structured { selector.get("matchLabels").and_then(Value::as_object) } else { Some(selector) };
    for (key, value) in labels.into_iter().flatten() {
        terms.push(format!("{key}={}", value.as_str()?));
    }
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        terms.push(expression_text(expression)?);
    }
    // An empty selector means all pods or none, depending on the kind: neither explains anything.
    (!terms.is_empty()).then(|| terms.join(","))
}

fn expression_text(expression: &Value) -> Option<String> {
    let key = expression.get("key")?.as_str()?;
    let values = expression.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let values = values.collect::<Vec<_>>().join(",");
    Some(match expression.get("operator")?.as_str()? {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.to_owned(),
        "DoesNotExist" => format!("!{key}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_are_written_as_the_server_reads_them() {
        let set = json!({"spec": {"selector": {"matchLabels": {"app": "a", "tier": "b"}, "matchExpressions": [
            {"key": "x", "operator": "In", "values": ["1", "2"]}, {"key": "y", "operator": "DoesNotExist"}]}}});
        assert_eq!(pod_selector(&set).as_deref(), Some("app=a,tier=b,x in (1,2),!y"));
        assert_eq!(pod_selector(&json!({"spec": {"selector": {"app": "a"}}})).as_deref(), Some("app=a"));
        assert_eq!(pod_selector(&json!({"spec": {"selector": {}}})), None);
        assert_eq!(pod_selector(&json!({"spec": {}})), None);
    }
}
