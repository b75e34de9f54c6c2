//! Projected volumes: several sources in one directory.

use std::collections::BTreeSet;

use serde_json::Value;

use super::volumes;
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;

const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;

/// A projected volume.
pub(super) fn of(volume: &Value, path: &Path, problems: &mut Problems) {
    numbers::file_mode(volume.number("defaultMode"), &path.child("defaultMode"), problems);
    let mut files: BTreeSet<&str> = BTreeSet::new();
    for (index, source) in volume.list("sources").iter().enumerate() {
        let at = path.child("sources").index(index);
        let mut sources = 0;
        for sort in ["secret", "configMap"] {
            let Some(object) = source.field(sort) else { continue };
            sources += 1;
            let at = at.child(sort);
            volumes::required(object, &["name"], &at, problems);
            for (index, item) in object.list("items").iter().enumerate() {
                volumes::key_to_path(item, &at.child("items").index(index), problems);
                unique(item.text("path"), object.text("name"), &mut files, path, problems);
            }
        }
        if let Some(object) = source.field("downwardAPI") {
            sources += 1;
            for file in object.list("items") {
                volumes::downward_file(file, &at.child("downwardAPI"), problems);
                unique(file.text("path"), file.text("path"), &mut files, path, problems);
            }
        }
        if let Some(token) = source.field("serviceAccountToken") {
            sources += 1;
            service_account_token(token, path, &at.child("serviceAccountToken"), problems);
        }
        // What these two hold is not looked into.
        sources += ["clusterTrustBundle", "podCertificate"].iter().filter(|sort| source.field(sort).is_some()).count();
        if sources > 1 {
            problems.push(at.forbidden("may not specify more than 1 volume type per source"));
        }
    }
}

fn unique<'a>(file: &'a str, shown: &str, files: &mut BTreeSet<&'a str>, path: &Path, problems: &mut Problems) {
    if !file.is_empty() && !files.insert(file) {
        problems.push(path.invalid(shown, "conflicting duplicate paths"));
    }
}

fn service_account_token(token: &Value, volume: &Path, path: &Path, problems: &mut Problems) {
    let seconds = token.number("expirationSeconds").unwrap_or_default();
    let at = path.child("expirationSeconds");
    if seconds < LEAST_SECONDS {
        problems.push(at.invalid(seconds, "may not specify a duration less than 10 minutes"));
    }
    if seconds > MOST_SECONDS {
        problems.push(at.invalid(seconds, "may not specify a duration larger than 2^32 seconds"));
    }
    match token.text("path") {
        "" => problems.push(volume.child("path").required("")),
        text => volumes::local_path(text, &volume.child("path"), problems),
    }
}
