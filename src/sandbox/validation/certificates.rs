//! Requests for certificates: what they ask for, of whom, and what becomes of them.
//!
//! Of the request and the certificate the armour is looked at; what is in it is not read.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Problems;
use super::meta;
use super::names;
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};

const LEGACY_SIGNER: &str = "kubernetes.io/legacy-unknown";
const LEAST_SECONDS: i64 = 600;
const LONGEST_DOMAIN: usize = 253;
const LONGEST_SIGNER: usize = 571;
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

/// A request for a certificate.
pub(super) fn of(object: &Value, problems: &mut Problems) {
    checked(None, object, problems);
}

/// A change of a request, or of one of its subresources.
pub(super) fn of_update(subresource: Option<&str>, live: &Value, object: &Value, problems: &mut Problems) {
    checked(Some(live), object, problems);
    let path = Path::new("status");
    let at = path.child("conditions");
    let count = |object: &Value, sort: &str| conditions(object).iter().filter(|one| one.text("type") == sort).count();
    for sort in ["Approved", "Denied", "Failed"] {
        if count(object, sort) < count(live, sort) {
            problems.push(at.forbidden(&format!("updates may not remove a condition of type {sort:?}")));
        }
    }
    if subresource != Some("approval") {
        for sort in ["Approved", "Denied"] {
            if count(object, sort) > count(live, sort) {
                problems.push(at.forbidden(&format!("updates may not add a condition of type {sort:?}")));
            }
        }
    }
    if certificate(object) != certificate(live) {
        if subresource != Some("status") {
            problems.push(path.child("certificate").forbidden("updates may not set certificate content"));
        } else if !certificate(live).is_empty() {
            problems.push(path.child("certificate").forbidden("updates may not modify existing certificate content"));
        }
    }
    meta::of_update(live, object, problems);
}

fn conditions(object: &Value) -> &[Value] {
    object.field("status").map_or(&[], |status| status.list("conditions"))
}

fn certificate(object: &Value) -> &str {
    object.field("status").map_or("", |status| status.text("certificate"))
}

/// What must be well, unless it is not with what is stored either.
fn checked(live: Option<&Value>, object: &Value, problems: &mut Problems) {
    meta::with_name(object, false, |_| Vec::new(), |_| Vec::new(), problems);
    meta::known_finalizers(object, problems);
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    let is_request = blocks(spec.text("request")).first().is_some_and(|block| block.sort == "CERTIFICATE REQUEST");
    if !is_request {
        let shown = spec.field("request").cloned().unwrap_or_default();
        problems.push(path.child("request").invalid(shown, "PEM block type must be CERTIFICATE REQUEST"));
    }
    of_usages(live, spec.list("usages"), &path.child("usages"), problems);
    let signer = spec.text("signerName");
    let was_legacy =
        live.and_then(|live| live.below(&["spec", "signerName"])).is_some_and(|name| name == LEGACY_SIGNER);
    if signer == LEGACY_SIGNER && !was_legacy {
        let detail = "the legacy signerName is not allowed via this API version";
        problems.push(path.child("signerName").invalid(signer, detail));
    } else {
        signer_name(signer, &path.child("signerName"), problems);
    }
    if let Some(seconds) = spec.number("expirationSeconds").filter(|seconds| *seconds < LEAST_SECONDS) {
        let detail = "may not specify a duration less than 600 seconds (10 minutes)";
        problems.push(path.child("expirationSeconds").invalid(seconds, detail));
    }
    let path = Path::new("status");
    of_conditions(live, conditions(object), &path.child("conditions"), problems);
    let given = certificate(object);
    let was_wrong =
        live.is_some_and(|live| certificate(live) == given || unfit_certificate(certificate(live)).is_some());
    if let Some(detail) = unfit_certificate(given).filter(|_| !was_wrong) {
        problems.push(path.child("certificate").invalid("<certificate data>", &detail));
    }
}

fn of_usages(live: Option<&Value>, usages: &[Value], path: &Path, problems: &mut Problems) {
    if usages.is_empty() {
        problems.push(path.required(""));
    }
    let before: Vec<&str> =
        texts(live.and_then(|live| live.field("spec")).map_or(&[], |spec| spec.list("usages"))).collect();
    if before.iter().all(|usage| USAGES.contains(usage)) {
        for (index, usage) in texts(usages).enumerate() {
            numbers::one_of_if_any(Some(usage), &USAGES, &path.index(index), problems);
        }
    }
    if before.iter().collect::<BTreeSet<_>>().len() == before.len() {
        let mut seen = BTreeSet::new();
        for (index, usage) in texts(usages).enumerate() {
            if !seen.insert(usage) {
                problems.push(path.index(index).duplicate(usage));
            }
        }
    }
}

/// The name of a signer: a domain, a slash and a path.
pub(super) fn signer_name(name: &str, path: &Path, problems: &mut Problems) {
    if name.is_empty() {
        problems.push(path.required(""));
        return;
    }
    let Some((domain, rest)) = name.split_once('/').filter(|(_, rest)| !rest.contains('/')) else {
        let detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        problems.push(path.invalid(name, detail));
        return;
    };
    if domain.len() > LONGEST_DOMAIN {
        problems.push(path.too_long(LONGEST_DOMAIN));
    }
    let of_labels = |whole: &str, rule: names::Rule, problems: &mut Problems| {
        let first = whole.split('.').map(|label| (label, rule(label))).find(|(_, messages)| !messages.is_empty());
        if let Some((label, messages)) = first {
            let told = messages.iter().map(|message| format!("validating label {label:?}: {message}"));
            problems.extend(path.each(whole, told.collect()));
        }
    };
    of_labels(domain, names::label, problems);
    if !domain.contains('.') {
        problems.push(path.invalid(domain, "should be a domain with at least two segments separated by dots"));
    }
    of_labels(rest, names::subdomain, problems);
    if name.len() > LONGEST_SIGNER {
        problems.push(path.too_long(LONGEST_SIGNER));
    }
}

fn of_conditions(live: Option<&Value>, conditions: &[Value], path: &Path, problems: &mut Problems) {
    let before: Vec<&str> =
        live.map_or(&[][..], self::conditions).iter().map(|condition| condition.text("type")).collect();
    let was_empty = before.contains(&"");
    let was_both = before.contains(&"Approved") && before.contains(&"Denied");
    let was_double = before.iter().collect::<BTreeSet<_>>().len() < before.len();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, condition) in conditions.iter().enumerate() {
        let at = path.index(index);
        let sort = condition.text("type");
        if sort.is_empty() && !was_empty {
            problems.push(at.child("type").required(""));
        }
        let allowed: &[&str] = match sort {
            "Approved" | "Denied" | "Failed" => &["True"],
            _ => &["False", "True", "Unknown"],
        };
        numbers::one_of(condition.text("status"), allowed, &at.child("status"), problems);
        let met = seen.insert(sort, index).is_some();
        let is_both = match sort {
            "Approved" => seen.contains_key("Denied"),
            "Denied" => seen.contains_key("Approved"),
            _ => false,
        };
        if is_both && !was_both {
            problems.push(path.invalid(sort, "Approved and Denied conditions are mutually exclusive"));
        }
        if met && !was_double {
            problems.push(at.child("type").duplicate(sort));
        }
    }
}

fn unfit_certificate(encoded: &str) -> Option<String> {
    if encoded.is_empty() {
        return None;
    }
    let blocks = blocks(encoded);
    if blocks.is_empty() {
        return Some("must contain at least one CERTIFICATE PEM block".to_owned());
    }
    blocks.iter().find_map(|block| match block.sort.as_str() {
        "CERTIFICATE" => block.has_headers.then(|| "no PEM block headers are permitted".to_owned()),
        other => Some(format!("only CERTIFICATE PEM blocks are allowed, found {other:?}")),
    })
}

/// A block in PEM.
struct Block {
    sort: String,
    has_headers: bool,
}

/// Reads the blocks of a text in PEM, which stands in objects as base64. What is malformed is passed over.
fn blocks(encoded: &str) -> Vec<Block> {
    let text = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let mut lines = text.lines().map(str::trim_end);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let sort = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        let Some(sort) = sort else { continue };
        let end = format!("-----END {sort}-----");
        let ahead: Vec<&str> = lines.clone().take_while(|line| *line != end).collect();
        if lines.clone().count() == ahead.len() {
            continue;
        }
        let headers = ahead.iter().take_while(|line| line.contains(':')).count();
        let body: String = ahead.iter().skip(headers).flat_map(|line| line.split_whitespace()).collect();
        if STANDARD.decode(body).is_ok() {
            blocks.push(Block { sort: sort.to_owned(), has_headers: headers > 0 });
            for _ in 0..=ahead.len() {
                lines.next();
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn request() -> Value {
        let pem = "-----BEGIN CERTIFICATE REQUEST-----\nYQ==\n-----END CERTIFICATE REQUEST-----\n";
        json!({"metadata": {"name": "s"}, "spec": {
            "request": STANDARD.encode(pem), "signerName": "example.com/own", "usages": ["client auth"]}})
    }

    fn told(object: &Value) -> String {
        let mut problems = Problems::new();
        of(object, &mut problems);
        lines(&problems)
    }

    #[test]
    fn a_request_says_what_it_wants_of_whom() {
        assert_eq!(told(&request()), "");
        insta::assert_snapshot!(told(&json!({"metadata": {"name": "s"}, "spec": {}})), @r"
        spec.request: Invalid value: null: PEM block type must be CERTIFICATE REQUEST
        spec.usages: Required value
        spec.signerName: Required value
        ");
        let mut object = request();
        object["spec"]["signerName"] = json!("-1");
        insta::assert_snapshot!(told(&object), @r#"spec.signerName: Invalid value: "-1": must be a fully qualified domain and path of the form 'example.com/signer-name'"#);
    }

    #[test]
    fn a_condition_stands_there_once_and_approval_has_its_own_way() {
        let live = request();
        let mut object = request();
        let condition = |sort: &str| json!({"type": sort, "status": "True"});
        object["status"] = json!({"conditions": [condition("Ready"), condition("Ready"), condition("Approved")]});
        let mut problems = Problems::new();
        of_update(Some("status"), &live, &object, &mut problems);
        insta::assert_snapshot!(lines(&problems), @r#"
        status.conditions[1].type: Duplicate value: "Ready"
        status.conditions: Forbidden: updates may not add a condition of type "Approved"
        "#);
    }

    #[test]
    fn blocks_are_read_one_after_the_other() {
        let pem = "x\n-----BEGIN A-----\nYQ==\n-----END A-----\n-----BEGIN B-----\nk: v\n\nYQ==\n-----END B-----\n";
        let blocks = blocks(&STANDARD.encode(pem));
        assert_eq!(
            blocks.iter().map(|block| (block.sort.as_str(), block.has_headers)).collect::<Vec<_>>(),
            [("A", false), ("B", true)]
        );
    }
}
