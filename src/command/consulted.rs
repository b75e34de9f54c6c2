//! Which schemas were consulted, so that the server is asked for those and no others.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::session::failed;
use crate::cluster::{Cluster, ClusterError, ServedSchemas};
use crate::failure::Failure;
use crate::ssa::{Release, Schema};

/// Schemas: the built-in ones, until the server was asked. A plan without a change consults none, and so asks for none.
#[derive(Default)]
pub(super) struct Consulted {
    served: ServedSchemas,
    api_versions: Mutex<BTreeSet<String>>,
}

impl Consulted {
    pub(super) fn get(&self, api_version: &str, kind: &str) -> Option<Schema> {
        let mut api_versions = self.api_versions.lock().unwrap_or_else(PoisonError::into_inner);
        if !api_versions.contains(api_version) {
            api_versions.insert(api_version.to_owned());
        }
        self.served.get(api_version, kind)
    }

    /// Tells whether the built-in schemas are the server's as well.
    pub(super) fn are_built_in(&self) -> bool {
        self.served.are_built_in()
    }

    /// Asks the server for what was consulted, of those API versions that matter. Returns what there is to be warned of.
    pub(super) async fn ask(
        &mut self,
        cluster: &Cluster,
        matters: impl Fn(&str) -> bool,
    ) -> Result<Option<String>, Failure> {
        let api_versions = self.api_versions.get_mut().unwrap_or_else(PoisonError::into_inner);
        let wanted: BTreeSet<String> =
            api_versions.iter().filter(|api_version| matters(api_version)).cloned().collect();
        if wanted.is_empty() {
            return Ok(None);
        }
        match cluster.schemas(&wanted).await {
            Ok(served) => {
                self.served = served;
                Ok(None)
            }
            // A server that publishes none is older than any that applies as this one does.
            Err(ClusterError::NotFound { .. }) => Ok(None),
            Err(error @ ClusterError::Forbidden { .. }) => Ok(Some(format!(
                "the schemas of Kubernetes {} were used, for those of the server may not be read: {error}",
                Release::NEWEST
            ))),
            Err(error) => Err(failed("failed to read the server's schemas", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fake::{FakeServer, absent, forbidden, status};

    async fn asked(server: &FakeServer) -> Result<Option<String>, Failure> {
        let mut schemas = Consulted::default();
        assert!(schemas.get("apps/v1", "Deployment").is_some());
        let answer = schemas.ask(&server.cluster(), |_| true).await;
        assert!(schemas.are_built_in() && schemas.get("apps/v1", "Deployment").is_some());
        answer
    }

    #[tokio::test]
    async fn who_may_not_read_the_schemas_is_told_which_were_used() {
        let warning = asked(&FakeServer::new(|_| forbidden())).await.unwrap().unwrap();
        assert!(warning.starts_with("the schemas of Kubernetes 1.35 were used"), "{warning}");
        assert!(warning.contains("the list of OpenAPI documents"), "{warning}");
    }

    #[tokio::test]
    async fn a_server_that_publishes_none_is_no_error_and_one_that_fails_is() {
        assert_eq!(asked(&FakeServer::new(|_| absent("documents", "v3"))).await.unwrap(), None);
        let broken = FakeServer::new(|_| status(400, "BadRequest", "no", serde_json::json!({})));
        assert!(asked(&broken).await.is_err());
    }

    #[tokio::test]
    async fn what_does_not_matter_is_not_asked_for() {
        let server = FakeServer::new(|seen| panic!("not expected: {seen:?}"));
        let mut schemas = Consulted::default();
        assert_eq!(schemas.ask(&server.cluster(), |_| true).await.unwrap(), None, "nothing was consulted");
        let _ = schemas.get("apps/v1", "Deployment");
        assert_eq!(schemas.ask(&server.cluster(), |_| false).await.unwrap(), None);
        assert!(server.lines().is_empty());
    }
}
