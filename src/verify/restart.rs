//! Does the data outlive a pod? A marker is written to the workload's volume, the pod deleted, and the marker read in
//! the pod that came back. This holds for any workload, and leaves the service's own data alone.

use serde_json::Value;

use crate::resource::Manifest;

use super::CheckOutcome;

/// Where a claim of a workload is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedVolume {
    /// The container that mounts it.
    pub container: String,
    /// The folder.
    pub folder: String,
}

/// The commands around the restart. The marker itself goes through standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartScript {
    /// Writes standard input to the marker, and to the disk.
    pub write: Vec<String>,
    /// Prints the marker.
    pub read: Vec<String>,
    /// Removes it.
    pub remove: Vec<String>,
}

/// Name of the marker's file; hidden, so that no service takes it for its own.
const MARKER: &str = ".mathison-check";

impl MarkedVolume {
    /// Finds the first mount of a claim in a workload: of a claim template, or of a named claim.
    #[must_use]
    pub fn of(workload: &Manifest) -> Option<Self> {
        let object = workload.object();
        let list = |pointer| object.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        let text = |value: &Value, pointer| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let claims: Vec<String> = list("/spec/volumeClaimTemplates")
            .filter_map(|template| text(template, "/metadata/name"))
            .chain(
                list("/spec/template/spec/volumes")
                    .filter(|volume| volume.get("persistentVolumeClaim").is_some())
                    .filter_map(|volume| text(volume, "/name")),
            )
            .collect();
        list("/spec/template/spec/containers").find_map(|container| {
            let mounts = container.get("volumeMounts")?.as_array()?;
            let mount = mounts.iter().find(|mount| {
                let read_only = mount.get("readOnly").and_then(Value::as_bool).unwrap_or(false);
                !read_only && text(mount, "/name").is_some_and(|name| claims.contains(&name))
            })?;
            Some(Self { container: text(container, "/name")?, folder: text(mount, "/mountPath")? })
        })
    }

    /// Returns the commands.
    #[must_use]
    pub fn script(&self) -> RestartScript {
        let file = format!("{}/{MARKER}", self.folder.trim_end_matches('/'));
        let shell = |script: &str| ["sh", "-c", script, "sh", &file].map(str::to_owned).to_vec();
        RestartScript { write: shell("cat > \"$1\" && sync"), read: shell("cat \"$1\""), remove: shell("rm -f \"$1\"") }
    }
}

pub(super) fn judge(written: &str, read: Option<&str>) -> CheckOutcome {
    match read {
        Some(read) if read.trim_end() == written.trim_end() => CheckOutcome::Passed,
        Some(_) => {
            CheckOutcome::Failed("the volume holds something else than was written before the restart".to_owned())
        }
        None => CheckOutcome::Failed("what was written to the volume is gone after the restart".to_owned()),
    }
}
