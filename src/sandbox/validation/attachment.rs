//! Attachments of volumes to nodes.

use serde_json::{Value, json};

use super::Problems;
use super::drivers;
use super::meta;
use super::names::NameRule;
use super::path::Path;
use super::persistent_volume;
use super::read::Read;
use super::same::same_field;

const MOST_METADATA: usize = 256 * 1024;
/// The server tells the limit above where this one is passed.
const LONGEST_MESSAGE: usize = 1024;

/// A new attachment.
pub(super) fn of(object: &Value, problems: &mut Problems) {
    checked(object, problems);
    let spec = object.field("spec").unwrap_or(&Value::Null);
    drivers::driver_name(spec.text("attacher"), &Path::new("spec").child("attacher"), problems);
    if let Some(volume) = spec.field("source").and_then(|source| source.maybe_text("persistentVolumeName")) {
        let path = Path::new("spec").child("source").child("persistentVolumeName");
        problems.extend(path.each(volume, NameRule::Subdomain.of_name(volume)));
    }
}

/// A change of an attachment: only its status may change.
pub(super) fn of_update(live: &Value, object: &Value, problems: &mut Problems) {
    checked(object, problems);
    if !same_field("spec", live, object) {
        problems.push(Path::new("spec").invalid_shown(internal(object), "field is immutable"));
    }
}

/// The specification in the server's internal form, in the order of its fields there.
fn internal(object: &Value) -> String {
    let spec = object.field("spec").unwrap_or(&Value::Null);
    let source = spec.field("source").unwrap_or(&Value::Null);
    format!(
        r#"{{"Attacher":{},"Source":{{"PersistentVolumeName":{},"InlineVolumeSpec":{}}},"NodeName":{}}}"#,
        json!(spec.text("attacher")),
        json!(source.maybe_text("persistentVolumeName")),
        json!(source.field("inlineVolumeSpec")),
        json!(spec.text("nodeName")),
    )
}

fn checked(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    let spec = object.field("spec").unwrap_or(&Value::Null);
    let path = Path::new("spec");
    if spec.text("attacher").is_empty() {
        problems.push(path.child("attacher").required(""));
    }
    let source = spec.field("source").unwrap_or(&Value::Null);
    let one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (source.field("inlineVolumeSpec"), source.maybe_text("persistentVolumeName")) {
        (None, None) => problems.push(path.child("source").required(one)),
        (Some(_), Some(_)) => problems.push(path.child("source").forbidden(one)),
        (None, Some("")) => problems.push(
            path.child("source").child("persistentVolumeName").required("must specify non empty persistentVolumeName"),
        ),
        (Some(volume), None) => {
            persistent_volume::inline(volume, &path.child("source").child("inlineVolumeSpec"), problems);
        }
        _ => {}
    }
    let node = spec.text("nodeName");
    problems.extend(path.child("nodeName").each(node, NameRule::Subdomain.of_name(node)));
    if let Some(status) = object.field("status") {
        of_status(status, &Path::new("status"), problems);
    }
}

fn of_status(status: &Value, path: &Path, problems: &mut Problems) {
    let told = status.entries("attachmentMetadata");
    if told.texts().map(|(key, value)| key.len() + value.len()).sum::<usize>() > MOST_METADATA {
        problems.push(path.child("attachmentMetadata").too_long(MOST_METADATA));
    }
    for name in ["attachError", "detachError"] {
        let Some(error) = status.field(name) else { continue };
        let at = path.child(name);
        if error.text("message").len() > LONGEST_MESSAGE {
            problems.push(at.child("message").too_long(MOST_METADATA));
        }
        if let Some(code) = error.number("errorCode").filter(|code| *code < 0) {
            problems.push(at.child("errorCode").invalid(code, "must be between 0 and 2147483647, inclusive"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn an_attachment_names_a_driver_a_node_and_one_volume() {
        let mut problems = Problems::new();
        of(
            &json!({"metadata": {"name": "a"}, "spec": {"attacher": "a.b", "nodeName": "n", "source": {}}}),
            &mut problems,
        );
        assert_eq!(
            lines(&problems),
            "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName\n"
        );
    }

    #[test]
    fn what_is_attached_stays() {
        let live = json!({"metadata": {"name": "a"}, "spec": {"attacher": "a.b", "nodeName": "n", "source": {"persistentVolumeName": "p"}}});
        let mut object = live.clone();
        object["spec"]["attacher"] = json!("1");
        let mut problems = Problems::new();
        of_update(&live, &object, &mut problems);
        assert_eq!(problems.len(), 1);
        assert!(lines(&problems).ends_with("field is immutable\n"), "{}", lines(&problems));
    }

    #[test]
    fn a_volume_that_is_written_out_has_a_driver_and_little_else() {
        let mut problems = Problems::new();
        let volume = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "s",
            "persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": "/a"}, "volumeMode": "Block"});
        of(
            &json!({"metadata": {"name": "a"}, "spec": {"attacher": "a.b", "nodeName": "n", "source": {"inlineVolumeSpec": volume}}}),
            &mut problems,
        );
        insta::assert_snapshot!(lines(&problems).replace("spec.source.inlineVolumeSpec", "S"), @r"
        S.capacity: Forbidden: may not be specified in the context of inline volumes
        S.csi: Required value: has to be specified in the context of inline volumes
        S.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes
        S.storageClassName: Forbidden: may not be specified in the context of inline volumes
        S.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes
        ");
    }
}
