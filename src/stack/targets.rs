//! What the texts in a stack file name: addresses and services.

use std::collections::BTreeMap;

use super::nearest::did_you_mean;
use super::services::Service;
use crate::resource::{Address, ObjectRef};

/// All that can be named.
pub(super) struct Targets<'a> {
    /// The resources by address.
    pub resources: &'a BTreeMap<Address, ObjectRef>,
    /// The services by name.
    pub services: &'a BTreeMap<String, Service>,
    /// True if some part of the file could not be read, so that what is not found may be there all the same.
    pub incomplete: bool,
}

/// Why nothing was found: the message, where there is something to say, and a hint.
pub(super) type NotFound = Option<(String, Option<String>)>;

impl Targets<'_> {
    /// Finds the resource of an address.
    pub(super) fn resource(&self, text: &str) -> Result<(Address, &ObjectRef), NotFound> {
        let address = Address::from_text(text);
        match self.resources.get(&address) {
            Some(object) => Ok((address, object)),
            None => Err(self.not_found(text)),
        }
    }

    /// Finds the resources that an address or the name of a service stands for: of a service its workload or, without
    /// one, all its objects.
    pub(super) fn resources(&self, text: &str) -> Result<Vec<Address>, NotFound> {
        if let Some(service) = self.services.get(text) {
            let own = |address: &&Address| address.service() == text;
            let workload = |address: &&Address| {
                service.workload.is_none() || self.resources.get(*address) == service.workload.as_ref()
            };
            return Ok(self.resources.keys().filter(own).filter(workload).cloned().collect());
        }
        self.resource(text).map(|(address, _)| vec![address])
    }

    /// Finds the workload of a service, or the object of an address.
    pub(super) fn workload(&self, text: &str) -> Result<ObjectRef, NotFound> {
        match self.services.get(text) {
            Some(Service { workload: Some(workload), .. }) => Ok(workload.clone()),
            Some(_) => Err(Some((format!("the service `{text}` runs nothing"), None))),
            None => self.resource(text).map(|(_, object)| object.clone()),
        }
    }

    fn not_found(&self, text: &str) -> NotFound {
        if self.services.contains_key(text) {
            let own = self.resources(text).ok().and_then(|addresses| addresses.into_iter().next());
            let hint = own.map(|address| format!("such as `{address}`; `mathison graph` lists the addresses"));
            return Some((format!("`{text}` is a service, and here stands the address of one object"), hint));
        }
        if self.incomplete {
            return None;
        }
        let addresses = self.resources.keys().map(Address::as_str);
        let hint = did_you_mean(text, addresses.chain(self.services.keys().map(String::as_str)));
        let message = if text.contains('/') {
            format!("nothing in the stack has the address `{text}`")
        } else {
            format!("`{text}` is neither an address nor a service")
        };
        Some((message, hint.or_else(|| Some("`mathison graph` lists the addresses".to_owned()))))
    }
}
