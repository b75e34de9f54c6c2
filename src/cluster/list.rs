//! Lists, page by page, each parsed once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Cluster;
use super::error::ClusterError;
use super::kind::{ResourceKind, escape};
use super::subject::Subject;
use super::transport::{Call, JSON, parse};
use crate::live::{Item, ListedKind, Observed};
use crate::resource::ObjectRef;

/// Objects per page. Twice kubectl's 500: a stack of a thousand objects is then one request a kind, and a page of large
/// objects (10 KB with managed fields) is still a tenth of what the server sends without complaint.
const PAGE: usize = 1000;

/// How often a list is begun again when the server forgot the point in time of its first page.
const RESTARTS: usize = 3;

/// Bytes of a page from which on the objects of a list stay text until they are looked at. That takes a sixth more time,
/// and a seventh of the memory.
const LARGE: usize = 1 << 20;

const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// Which objects of a kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    pub(super) labels: Option<String>,
}

impl Selection {
    pub(super) fn labelled((key, value): &(String, String)) -> Self {
        Self { labels: Some(format!("{key}={value}")) }
    }

    /// Returns the query without `?`, empty or ending in `&`.
    pub(super) fn query(&self) -> String {
        self.labels.as_deref().map(|selector| format!("labelSelector={}&", escape(selector))).unwrap_or_default()
    }
}

/// A whole list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The objects, each with `apiVersion` and `kind`, which lists of built-in kinds leave out.
    pub(super) items: Vec<Value>,
    /// Where a watch may begin.
    pub(super) resource_version: String,
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMetadata,
    /// An empty list of metadata is `null`.
    items: Option<Vec<T>>,
}

impl<T> Page<T> {
    fn map<U>(self, item: impl FnMut(T) -> U) -> Page<U> {
        Page { metadata: self.metadata, items: self.items.map(|items| items.into_iter().map(item).collect()) }
    }

    fn try_map<U>(self, item: impl FnMut(T) -> Option<U>) -> Option<Page<U>> {
        let items = self.items.unwrap_or_default().into_iter().map(item).collect::<Option<_>>()?;
        Some(Page { metadata: self.metadata, items: Some(items) })
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PageMetadata {
    r#continue: String,
    resource_version: String,
}

#[derive(Deserialize)]
struct Named {
    metadata: NamedMetadata,
}

#[derive(Deserialize)]
struct NamedMetadata {
    name: String,
}

fn common(kind: &ResourceKind) -> ListedKind {
    ListedKind { api_version: kind.api_version(), kind: kind.kind.clone() }
}

impl Cluster {
    /// Lists objects, or parts of them.
    pub(super) async fn list<T: DeserializeOwned + Into<Value>>(
        &self,
        kind: &Arc<ResourceKind>,
        namespace: Option<&str>,
        selection: &Selection,
    ) -> Result<Listed, ClusterError> {
        let (items, resource_version) = self.pages::<T>(kind, namespace, selection, JSON, parse).await?;
        let common = common(kind);
        Ok(Listed { items: items.into_iter().map(|item| common.given_to(item.into())).collect(), resource_version })
    }

    /// Lists whole objects with their names, from the first large page on as the texts that they came as.
    pub(super) async fn list_observed(
        &self,
        kind: &Arc<ResourceKind>,
        namespace: Option<&str>,
        selection: &Selection,
    ) -> Result<Vec<(ObjectRef, Observed)>, ClusterError> {
        let common = Arc::new(common(kind));
        let is_large = AtomicBool::new(false);
        let read = |body: &[u8], what: &Arc<Subject>| {
            // What follows a large page is the end of a long list.
            if is_large.fetch_or(body.len() > LARGE, Ordering::Relaxed) || body.len() > LARGE {
                let page: Page<Box<RawValue>> = parse(body, what)?;
                page.try_map(|text| Observed::listed(text, &common)).ok_or_else(|| ClusterError::Malformed {
                    what: Arc::clone(what),
                    reason: "an object without metadata, or nested too deeply".to_owned(),
                })
            } else {
                let page: Page<Value> = parse(body, what)?;
                Ok(page.map(|object| Observed::whole(object, &common)))
            }
        };
        let (items, _) = self.pages(kind, namespace, selection, JSON, read).await?;
        let named = items.into_iter().filter(|item: &Item| !item.name.is_empty());
        let of = |item: Item| {
            let object = ObjectRef::new(&kind.group, &kind.kind, item.namespace.as_deref(), &item.name);
            (object, item.observed)
        };
        Ok(named.map(of).collect())
    }

    /// Lists the names of all objects of a kind, without their content.
    pub(super) async fn list_names(
        &self,
        kind: &Arc<ResourceKind>,
        namespace: Option<&str>,
    ) -> Result<BTreeSet<String>, ClusterError> {
        let (items, _) = self.pages::<Named>(kind, namespace, &Selection::default(), METADATA_ONLY, parse).await?;
        Ok(items.into_iter().map(|item| item.metadata.name).collect())
    }

    async fn pages<T>(
        &self,
        kind: &Arc<ResourceKind>,
        namespace: Option<&str>,
        selection: &Selection,
        accept: &'static str,
        read: impl Fn(&[u8], &Arc<Subject>) -> Result<Page<T>, ClusterError>,
    ) -> Result<(Vec<T>, String), ClusterError> {
        let what = self.about("list", kind, namespace, None);
        let mut restarts = 0;
        loop {
            match self.pages_once(kind, namespace, selection, accept, &what, &read).await {
                Err(ClusterError::Gone { .. }) if restarts < RESTARTS => restarts += 1,
                outcome => return outcome,
            }
        }
    }

    async fn pages_once<T>(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        selection: &Selection,
        accept: &'static str,
        what: &Arc<Subject>,
        read: &impl Fn(&[u8], &Arc<Subject>) -> Result<Page<T>, ClusterError>,
    ) -> Result<(Vec<T>, String), ClusterError> {
        let base = format!("{}?{}limit={PAGE}", kind.collection(namespace), selection.query());
        let mut call = Call::get(base.clone(), Arc::clone(what));
        call.accept = accept;
        let mut items = Vec::new();
        loop {
            let page = read(&self.exchange(&call).await?, what)?;
            if items.is_empty() {
                items = page.items.unwrap_or_default();
            } else {
                items.extend(page.items.unwrap_or_default());
            }
            if page.metadata.r#continue.is_empty() {
                return Ok((items, page.metadata.resource_version));
            }
            call.path = format!("{base}&continue={}", escape(&page.metadata.r#continue));
        }
    }
}
