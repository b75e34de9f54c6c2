//! Everything that a plan needs to know, with as few requests as the rights allow.
//!
//! One label-selected list for each kind and namespace brings our objects. What is wanted and was not in them is new,
//! deleted, or not labelled: it is settled by single reads where few, by a list of names where many. Where listing is
//! forbidden, single reads serve; what may not be read at all is said to be unreadable, never taken for absent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::try_join_all;

use super::Cluster;
use super::error::ClusterError;
use super::kind::{ApiKind, ResourceKind};
use super::list::Selection;
use crate::live::{Live, Observation, Observed};
use crate::resource::ObjectRef;

/// Up to this many objects of a kind and namespace are read one by one; more are looked up in a list of names first.
const FEW: usize = 4;

/// What is to be known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObserveRequest {
    /// Key and value of the label that our objects carry.
    pub label: (String, String),
    /// Kinds, and the namespace for those that have one.
    pub list: BTreeSet<(ApiKind, Option<String>)>,
    /// Objects that must be settled, each with the API version to read it at.
    pub want: BTreeMap<ObjectRef, String>,
}

/// Objects of one kind in one namespace.
type Place = (ApiKind, Option<String>);

/// One place's answer to the labelled list.
enum PlaceAnswer {
    Objects(Vec<(ObjectRef, Observed)>),
    Forbidden,
    UnknownKind,
}

/// One object's answer to a single read.
enum ObjectAnswer {
    Live(Live),
    Absent,
    Forbidden(String),
    UnknownKind,
}

impl Cluster {
    /// Reads what is asked for; requests are made concurrently.
    ///
    /// # Errors
    /// Any error other than a missing object, an unknown kind or a missing right: half an observation is none.
    pub async fn observe(&self, request: &ObserveRequest) -> Result<Observation, ClusterError> {
        let selection = Selection::labelled(&request.label);
        let lists = try_join_all(request.list.iter().map(|place| self.list_place(place, &selection)));
        let (identity, lists) = futures::try_join!(self.identity(), lists)?;
        let mut observation = Observation { cluster: Some(identity), ..Observation::default() };
        let mut forbidden = BTreeSet::new();
        for (place, answer) in request.list.iter().zip(lists) {
            match answer {
                PlaceAnswer::Objects(items) => {
                    observation.objects.extend(items);
                }
                PlaceAnswer::Forbidden => {
                    forbidden.insert(place.clone());
                }
                PlaceAnswer::UnknownKind => {
                    observation.unknown_kinds.insert(place.0.group_kind());
                }
            }
        }
        self.settle_namespaces(request, &mut observation).await?;
        self.settle_objects(request, &forbidden, &mut observation).await?;
        Ok(observation)
    }

    async fn list_place(&self, place: &Place, selection: &Selection) -> Result<PlaceAnswer, ClusterError> {
        let Some(kind) = self.kind_of(&place.0).await? else { return Ok(PlaceAnswer::UnknownKind) };
        match self.list_observed(&kind, place.1.as_deref(), selection).await {
            Ok(items) => Ok(PlaceAnswer::Objects(items)),
            Err(ClusterError::Forbidden { .. }) => Ok(PlaceAnswer::Forbidden),
            Err(ClusterError::UnknownKind { .. }) => Ok(PlaceAnswer::UnknownKind),
            Err(error) => Err(error),
        }
    }

    /// Looks for the namespaces of what is not settled: in one that does not exist, nothing else need be asked.
    async fn settle_namespaces(
        &self,
        request: &ObserveRequest,
        observation: &mut Observation,
    ) -> Result<(), ClusterError> {
        let mut open: BTreeSet<&str> = BTreeSet::new();
        for object in unsettled(request, observation) {
            let is_namespace = object.kind == "Namespace" && object.group.is_empty();
            open.extend(object.namespace.as_deref());
            open.extend(is_namespace.then_some(object.name.as_str()));
        }
        let open: Vec<ObjectRef> = open
            .into_iter()
            .map(|name| ObjectRef::new("", "Namespace", None, name))
            .filter(|namespace| !observation.objects.contains_key(namespace))
            .collect();
        let api_version = ApiKind::new("v1", "Namespace");
        let answers = try_join_all(open.iter().map(|namespace| self.read_object(&api_version, namespace))).await?;
        for (namespace, answer) in open.into_iter().zip(answers) {
            match answer {
                ObjectAnswer::Absent => {
                    observation.missing_namespaces.insert(namespace.name);
                }
                answer if request.want.contains_key(&namespace) => settle(observation, namespace, answer),
                // It exists, or it may not be read: then the objects in it are asked for themselves.
                _ => {}
            }
        }
        Ok(())
    }

    async fn settle_objects(
        &self,
        request: &ObserveRequest,
        forbidden: &BTreeSet<Place>,
        observation: &mut Observation,
    ) -> Result<(), ClusterError> {
        let mut places: BTreeMap<Place, Vec<ObjectRef>> = BTreeMap::new();
        for object in unsettled(request, observation) {
            if let Some(api_version) = request.want.get(object) {
                let place = (ApiKind::new(api_version, &object.kind), object.namespace.clone());
                places.entry(place).or_default().push(object.clone());
            }
        }
        let answers = places.iter().map(|(place, objects)| async {
            let may_list = !forbidden.contains(place);
            self.read_objects(place, objects, may_list).await
        });
        for answers in try_join_all(answers).await? {
            for (object, answer) in answers {
                settle(observation, object, answer);
            }
        }
        Ok(())
    }

    async fn read_objects(
        &self,
        place: &Place,
        objects: &[ObjectRef],
        may_list: bool,
    ) -> Result<Vec<(ObjectRef, ObjectAnswer)>, ClusterError> {
        let mut existing = None;
        if objects.len() > FEW && may_list {
            existing = self.names(place).await?;
        }
        let reads = objects.iter().map(|object| {
            let existing = existing.as_ref();
            async move {
                if existing.is_some_and(|existing| !existing.contains(&object.name)) {
                    return Ok((object.clone(), ObjectAnswer::Absent));
                }
                Ok((object.clone(), self.read_object(&place.0, object).await?))
            }
        });
        try_join_all(reads).await
    }

    /// Returns the names there are, or `None` where they may not be listed.
    async fn names(&self, (kind, namespace): &Place) -> Result<Option<BTreeSet<String>>, ClusterError> {
        let Some(kind) = self.kind_of(kind).await? else { return Ok(None) };
        match self.list_names(&kind, namespace.as_deref()).await {
            Ok(names) => Ok(Some(names)),
            Err(ClusterError::Forbidden { .. } | ClusterError::UnknownKind { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read_object(&self, kind: &ApiKind, object: &ObjectRef) -> Result<ObjectAnswer, ClusterError> {
        let Some(kind) = self.kind_of(kind).await? else { return Ok(ObjectAnswer::UnknownKind) };
        match self.get_of(&kind, object).await {
            Ok(Some(live)) => Ok(ObjectAnswer::Live(live)),
            Ok(None) => Ok(ObjectAnswer::Absent),
            Err(ClusterError::Forbidden { message, .. }) => Ok(ObjectAnswer::Forbidden(message)),
            Err(ClusterError::UnknownKind { .. }) => Ok(ObjectAnswer::UnknownKind),
            Err(error) => Err(error),
        }
    }

    async fn kind_of(&self, kind: &ApiKind) -> Result<Option<Arc<ResourceKind>>, ClusterError> {
        self.kind(&kind.group, Some(&kind.version), &kind.kind).await
    }
}

/// Returns what is wanted and neither found nor known to be absent.
fn unsettled<'a>(request: &'a ObserveRequest, observation: &Observation) -> Vec<&'a ObjectRef> {
    let is_settled = |object: &ObjectRef| {
        let is_missing = |name: &String| observation.missing_namespaces.contains(name);
        let is_namespace = object.kind == "Namespace" && object.group.is_empty();
        observation.objects.contains_key(object)
            || observation.unreadable.contains_key(object)
            || observation.unknown_kinds.contains(&object.group_kind())
            || (is_namespace && is_missing(&object.name))
            || object.namespace.as_ref().is_some_and(is_missing)
    };
    request.want.keys().filter(|object| !is_settled(object)).collect()
}

fn settle(observation: &mut Observation, object: ObjectRef, answer: ObjectAnswer) {
    match answer {
        ObjectAnswer::Live(live) => {
            observation.objects.insert(object, live.into());
        }
        ObjectAnswer::Absent => {}
        ObjectAnswer::Forbidden(message) => {
            observation.unreadable.insert(object, message);
        }
        ObjectAnswer::UnknownKind => {
            observation.unknown_kinds.insert(object.group_kind());
        }
    }
}
