//! Files of one volume that are in each other's way.

use serde_json::Value;

use crate::sandbox::strategy::fields::{at, items, text};

/// A file, and where it comes from if that is to be said.
#[derive(Debug, Clone, PartialEq)]
struct File {
    path: String,
    source: String,
}

impl File {
    fn shown(&self) -> String {
        match self.source.as_str() {
            "" => format!("{:?}", self.path),
            source => format!("{:?} ({source})", self.path),
        }
    }

    /// Tells whether two files are one, or one would have to be a folder.
    fn is_in_the_way_of(&self, other: &Self) -> bool {
        let (one, two) = (format!("{}/", self.path), format!("{}/", other.path));
        !self.path.is_empty() && !other.path.is_empty() && (one.starts_with(&two) || two.starts_with(&one))
    }
}

/// Returns what is to be said of the volumes of a pod.
pub(super) fn overlaps(spec: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for volume in items(spec, &["volumes"]) {
        let name = text(volume, &["name"]);
        for (kind, called, field) in
            [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"), ("downwardAPI", "DownwardAPI", "")]
        {
            let Some(source) = at(volume, &[kind]) else { continue };
            let what = if field.is_empty() { called.to_owned() } else { named(called, text(source, &[field])) };
            let mut all = Vec::new();
            for overlap in listed(source, "").into_iter().flat_map(|file| add(&mut all, file)) {
                told.push(format!("volume {name:?} ({what}): overlapping paths: {overlap}"));
            }
        }
        let mut all = Vec::new();
        for source in items(volume, &["projected", "sources"]) {
            if source.as_object().is_none_or(|source| source.values().all(Value::is_null)) {
                told.push(format!("volume {name:?} (Projected) has no sources provided"));
                continue;
            }
            for overlap in projected(source).into_iter().flat_map(|file| add(&mut all, file)) {
                told.push(format!("volume {name:?} (Projected): overlapping paths: {overlap}"));
            }
        }
    }
    told
}

fn named(kind: &str, name: &str) -> String {
    format!("{kind} {name:?}")
}

fn listed(source: &Value, called: &str) -> Vec<File> {
    let file = |item| File { path: text(item, &["path"]).to_owned(), source: called.to_owned() };
    items(source, &["items"]).iter().map(file).collect()
}

/// The files of the first source that says which.
fn projected(source: &Value) -> Vec<File> {
    for (kind, called) in [("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "")] {
        let Some(found) = at(source, &[kind]).filter(|found| !items(found, &["items"]).is_empty()) else { continue };
        let called = if called.is_empty() { "DownwardAPI".to_owned() } else { named(called, text(found, &["name"])) };
        return listed(found, &called);
    }
    let one = |path: &str, source: String| File { path: path.to_owned(), source };
    if let Some(token) = at(source, &["serviceAccountToken"]) {
        return vec![one(text(token, &["path"]), "ServiceAccountToken".to_owned())];
    }
    if let Some(bundle) = at(source, &["clusterTrustBundle"]) {
        let name = at(bundle, &["name"]).or_else(|| at(bundle, &["signerName"])).and_then(Value::as_str);
        return vec![one(text(bundle, &["path"]), named("ClusterTrustBundle", name.unwrap_or_default()))];
    }
    let Some(certificate) = at(source, &["podCertificate"]) else { return Vec::new() };
    let parts = [
        ("certificateChainPath", "PodCertificate chain"),
        ("keyPath", "PodCertificate key"),
        ("credentialBundlePath", "PodCertificate credential bundle"),
    ];
    let given = parts.into_iter().map(|(field, called)| one(text(certificate, &[field]), called.to_owned()));
    given.filter(|file| !file.path.is_empty()).collect()
}

fn add(all: &mut Vec<File>, mut file: File) -> Vec<String> {
    file.path.truncate(file.path.trim_end_matches('/').len());
    let others = all.iter().filter(|other| file.is_in_the_way_of(other));
    let told = others.map(|other| format!("{} with {}", file.shown(), other.shown())).collect();
    all.push(file);
    told
}
