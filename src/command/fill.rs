//! Filling the Secrets of a stack in memory: live values first, then sources, then what has to be made.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use super::randomness::Randomness;
use crate::cli::Environment;
use crate::cluster::{Cluster, ClusterError};
use crate::failure::{ExitStatus, Failure};
use crate::live::{Observation, Observed};
use crate::resource::{Address, ObjectRef, STACK_LABEL, stack_label};
use crate::secret::{self, Fate, HmacKey, SecretError, SecretValue, Source, Sources};
use crate::stack::{Dependency, Desired, Position, Stack};

/// What was found out about the values of a stack's Secrets.
pub(super) struct Filled {
    /// The key of the stack's keyed digests.
    pub(super) key: HmacKey,
    /// True if the cluster does not have the key (yet, or any more).
    pub(super) key_is_missing: bool,
    /// What became of each key of each Secret.
    pub(super) fates: BTreeMap<Address, BTreeMap<String, Fate>>,
}

/// What it means that the key of a stack's keyed digests is gone.
pub(super) const KEY_LOST: &str =
    "the key of this stack's records is lost: what was recorded of Secrets is unknown, and will be recorded again";

/// Where the key of a stack's keyed digests stands in the plan.
pub(super) fn key_address(stack: &Stack) -> Address {
    let object = ObjectRef::new("", "Secret", Some(&stack.namespace), &secret::key_secret_name(&stack.name));
    Address::of("stack", &object, &stack.namespace)
}

/// Puts the values of the stack's Secrets into its manifests, and the Secret with the stack's key beside them.
pub(super) async fn fill(
    stack: &mut Stack,
    observation: &Observation,
    cluster: &Cluster,
    environment: &Environment,
    randomness: &mut Randomness,
    require_sources: bool,
) -> Result<Filled, Failure> {
    let (key, key_is_missing) = stack_key(stack, observation, randomness)?;
    let existing = existing_values(stack, cluster).await?;
    let folder = Path::new(&stack.file).parent().unwrap_or(Path::new("")).to_path_buf();
    let env = |name: &str| environment.get(std::ffi::OsStr::new(name))?.to_str().map(str::to_owned);
    let file = |path: &Path| match fs::read(folder.join(path)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let found = |object: &ObjectRef, key: &str| existing.get(&(object.clone(), key.to_owned())).cloned();
    let sources = Sources { env: &env, file: &file, existing: &found, require_sources };
    let mut random = |bytes: &mut [u8]| randomness.fill(bytes);
    let (mut fates, mut missing) = (BTreeMap::new(), Vec::new());
    for (address, spec) in &stack.secrets {
        let live = observation.objects.get(&spec.object).map(Observed::live);
        let live = live.as_ref().and_then(|live| live.object.get("data")?.as_object());
        match secret::fill(spec, live, &sources, &mut random) {
            Ok(filled) => {
                if let Some(desired) = stack.resources.get_mut(address) {
                    put_data(desired, &filled.data);
                }
                fates.insert(address.clone(), filled.fates);
            }
            Err(errors) => missing.extend(errors),
        }
    }
    if !missing.is_empty() {
        return Err(unfilled(&missing));
    }
    add_key_secret(stack, &key)?;
    Ok(Filled { key, key_is_missing, fates })
}

/// All keys that have no value, in one failure.
fn unfilled(errors: &[SecretError]) -> Failure {
    let mut chain = vec!["some keys of Secrets have no value; nothing was written".to_owned()];
    chain.extend(errors.iter().map(|error| format!("{error}: {}", error.problem)));
    let failure = Failure { chain, ..Failure::new(ExitStatus::Error, "") };
    failure.hinted("give each its source, or mark it `optional: true` in the stack")
}

fn put_data(desired: &mut Desired, data: &BTreeMap<String, SecretValue>) {
    if let Some(map) = desired.manifest.object_mut().as_object_mut() {
        let values: Map<String, Value> =
            data.iter().map(|(key, value)| (key.clone(), Value::from(value.to_base64().as_str()))).collect();
        map.insert("data".to_owned(), Value::Object(values));
    }
}

/// Takes the stack's key from the cluster, or makes a new one; and tells whether the cluster does not have it.
pub(super) fn stack_key(
    stack: &Stack,
    observation: &Observation,
    randomness: &mut Randomness,
) -> Result<(HmacKey, bool), Failure> {
    let name = secret::key_secret_name(&stack.name);
    let object = ObjectRef::new("", "Secret", Some(&stack.namespace), &name);
    if let Some(observed) = observation.objects.get(&object) {
        let key = HmacKey::from_secret(&observed.live().object).map_err(|error| {
            let what = format!("Secret `{}/{name}` holds no usable key", stack.namespace);
            Failure::because(ExitStatus::Error, what, &error)
                .hinted("restore it from a backup; or delete it, and the next apply records every Secret again")
        })?;
        return Ok((key, false));
    }
    // What may not be read is not missing; the plan refuses over it.
    Ok((
        HmacKey::generate(&mut |bytes: &mut [u8]| randomness.fill(bytes)),
        !observation.unreadable.contains_key(&object),
    ))
}

/// Adds the Secret that holds the stack's key, and lets every Secret come after it: their records are keyed by it.
pub(super) fn add_key_secret(stack: &mut Stack, key: &HmacKey) -> Result<(), Failure> {
    let address = key_address(stack);
    let secrets: Vec<Address> = stack
        .resources
        .iter()
        .filter(|(_, desired)| desired.manifest.is_secret())
        .map(|(address, _)| address.clone())
        .collect();
    if secrets.is_empty() {
        return Ok(());
    }
    for secret in secrets {
        if let Some(desired) = stack.resources.get_mut(&secret) {
            let reason = "its record is keyed by it".to_owned();
            desired.depends_on.push(Dependency { on: address.clone(), reason });
        }
    }
    let mut manifest = secret::key_secret_manifest(&stack.name, &stack.namespace, key)
        .map_err(|error| Failure::because(ExitStatus::Error, "failed to make the Secret of the stack's key", &error))?;
    manifest.set_label(STACK_LABEL, &stack_label(&stack.name, &stack.namespace));
    let desired = Desired {
        manifest,
        depends_on: Vec::new(),
        mentions: std::collections::BTreeSet::new(),
        protect: false,
        ignore: Vec::new(),
        grants: Vec::new(),
        exclusive: false,
        position: Position { file: stack.file.clone(), line: 1, column: 1 },
    };
    stack.resources.insert(address, desired);
    Ok(())
}

/// Reads the Secrets that others made and that ours take values from. One that is missing is settled by `fill`.
async fn existing_values(
    stack: &Stack,
    cluster: &Cluster,
) -> Result<BTreeMap<(ObjectRef, String), SecretValue>, Failure> {
    let mut values = BTreeMap::new();
    for source in stack.secrets.values().flat_map(|spec| spec.keys.values()) {
        let Source::Existing { secret, key, .. } = source else { continue };
        match cluster.get(secret, "v1").await {
            Ok(Some(live)) => {
                let text = live.object.pointer("/data").and_then(|data| data.get(key)?.as_str());
                if let Some(value) = text.and_then(SecretValue::from_base64) {
                    values.insert((secret.clone(), key.clone()), value);
                }
            }
            // Where it may not be read, what is live stays.
            Ok(None) | Err(ClusterError::Forbidden { .. }) => {}
            Err(error) => return Err(super::session::failed("failed to read a source of a Secret", &error)),
        }
    }
    Ok(values)
}
