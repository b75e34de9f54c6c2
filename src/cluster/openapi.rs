//! The schemas that a server publishes: a built-in table where its documents are those the table was made from, else the
//! documents themselves, read once and kept on disk by their hash.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use super::Cluster;
use super::cache::keep;
use super::error::ClusterError;
use super::kind::ApiKind;
use super::subject::Subject;
use super::transport::{Call, parse};
use crate::resource::Digest;
use crate::ssa::{self, Release, Schema, Schemas};

/// Documents that are fetched at once.
const DOCUMENTS: usize = 4;
/// Changes with the form of what is kept.
const FORM: &str = "1";

/// The schemas of some API versions, as one server has them.
#[derive(Debug, Clone, Default)]
pub struct ServedSchemas {
    /// Those that the newest release's built-in table does not have, or has otherwise.
    others: BTreeMap<String, Source>,
}

/// Where the kinds of an API version are known from.
#[derive(Debug, Clone)]
enum Source {
    /// The built-in table of an older release.
    Release(Release),
    /// The server's document.
    Document(Schemas),
}

impl ServedSchemas {
    /// Returns the schema of a kind; `None` where neither the server nor the built-in table has it.
    #[must_use]
    pub fn get(&self, api_version: &str, kind: &str) -> Option<Schema> {
        let ApiKind { group, version, kind } = ApiKind::new(api_version, kind);
        match self.others.get(api_version) {
            Some(Source::Release(release)) => ssa::builtin_in(*release, &group, &version, &kind),
            Some(Source::Document(schemas)) => schemas.get(&group, &version, &kind),
            None => ssa::builtin(&group, &version, &kind),
        }
    }

    /// Tells whether the newest release's built-in table says all that there is to say.
    #[must_use]
    pub fn are_built_in(&self) -> bool {
        self.others.is_empty()
    }
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    paths: BTreeMap<String, Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(rename = "serverRelativeURL")]
    address: String,
}

impl Listed {
    fn hash(&self) -> Option<&str> {
        self.address.split_once("hash=").map(|(_, hash)| hash)
    }
}

impl Cluster {
    /// Reads the schemas of API versions (`apps/v1`): one request for the server's list of documents, and one for each that
    /// is neither a built-in table's nor on disk.
    ///
    /// # Errors
    /// See [`ClusterError`]; [`NotFound`](ClusterError::NotFound) from servers that publish none.
    pub async fn schemas(&self, wanted: &BTreeSet<String>) -> Result<ServedSchemas, ClusterError> {
        let what = self.document_subject("the list of OpenAPI documents");
        let call = Call::get("/openapi/v3".to_owned(), Arc::clone(&what));
        let index: Index = parse(&self.shared.transport.exchange(&call, self.observer.as_ref()).await?, &what)?;
        let fetched = wanted.iter().filter_map(|api_version| {
            let path =
                if api_version.contains('/') { format!("apis/{api_version}") } else { format!("api/{api_version}") };
            let listed = index.paths.get(&path)?;
            let release = listed.hash().and_then(|hash| Release::of_document(api_version, hash));
            let source = async move {
                match release {
                    Some(release) => Ok(Source::Release(release)),
                    None => self.document(api_version, listed).await.map(Source::Document),
                }
            };
            (release != Some(Release::NEWEST)).then_some(async move { Ok((api_version.clone(), source.await?)) })
        });
        let others = futures::stream::iter(fetched).buffer_unordered(DOCUMENTS).try_collect().await?;
        Ok(ServedSchemas { others })
    }

    async fn document(&self, api_version: &str, listed: &Listed) -> Result<Schemas, ClusterError> {
        let file = listed.hash().and_then(|hash| self.document_file(hash));
        let kept = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        if let Some(schemas) = kept.and_then(|text| Schemas::from_text(&text)) {
            return Ok(schemas);
        }
        let what = self.document_subject(&format!("the OpenAPI document of {api_version}"));
        let call = Call::get(listed.address.clone(), Arc::clone(&what));
        let document: Value = parse(&self.shared.transport.exchange(&call, self.observer.as_ref()).await?, &what)?;
        let schemas = Schemas::from_openapi(&document);
        if let Some(file) = file {
            keep(&file, schemas.to_text().as_bytes());
        }
        Ok(schemas)
    }

    /// The same document has the same hash on every server.
    fn document_file(&self, hash: &str) -> Option<PathBuf> {
        let name = Digest::of_bytes(format!("{FORM} {} {hash}", env!("CARGO_PKG_VERSION")).as_bytes()).short();
        Some(self.shared.cache.as_ref()?.join(format!("schemas-{name}.tsv")))
    }

    fn document_subject(&self, what: &str) -> Arc<Subject> {
        Arc::new(Subject {
            verb: "get",
            resource: what.to_owned(),
            kind: None,
            namespace: None,
            object: None,
            endpoint: Arc::clone(&self.shared.transport.endpoint),
        })
    }
}
