//! What a list or watch is asked with, checked as the server checks it.

use super::{FieldSelector, LabelSelector, Selection};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::{FieldProblem, Refusal};
use crate::sandbox::request::Query;
use serde_json::json;

/// How a resource version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionMatch {
    /// As of it.
    Exact,
    /// Not older than it.
    NotOlderThan,
}

/// Options of a list or watch.
#[derive(Debug, Clone)]
pub struct ListOptions {
    /// Which objects.
    pub selection: Selection,
    /// How many at most; `None` for all.
    pub limit: Option<usize>,
    /// Where to go on.
    pub token: Option<String>,
    /// The resource version asked for; `None` for the latest.
    pub revision: Option<u64>,
    /// How it is meant.
    pub revision_match: Option<RevisionMatch>,
    /// Whether changes are wanted.
    pub watch: bool,
    /// Whether a watch wants bookmarks.
    pub bookmarks: bool,
    /// Whether a watch begins with what is there, and tells when it was told; `None` if nothing was said of it.
    pub initial_events: Option<bool>,
    /// After how many seconds a watch ends; `None` if nothing was said of it.
    pub timeout_seconds: Option<u64>,
}

impl ListOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// 400 or 422, as the server answers.
    pub fn read(query: &Query, kind: &Kind, name: Option<&str>) -> Result<Self, Refusal> {
        // What is to be a number is read before anything else. Nothing and zero are the same.
        let number = |parameter: &str| -> Result<Option<i64>, Refusal> {
            let Some(text) = query.get(parameter) else { return Ok(None) };
            let number = text.parse::<i64>().map_err(|_| {
                let problem = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
                Refusal::bad_request(problem)
            })?;
            Ok(Some(number).filter(|number| *number != 0))
        };
        // A watch that is to end before it begins ends at once.
        let timeout_seconds = number("timeoutSeconds")?.map(|seconds| u64::try_from(seconds).unwrap_or(0));
        let limit = number("limit")?.and_then(|limit| usize::try_from(limit).ok());
        let labels =
            LabelSelector::read(query.get("labelSelector").unwrap_or_default()).map_err(Refusal::bad_request)?;
        let mut fields =
            FieldSelector::read(query.get("fieldSelector").unwrap_or_default()).map_err(Refusal::bad_request)?;
        let watch = query.is_on("watch");
        let revision_match = revision_match(query, watch)?;
        fields.check(kind).map_err(Refusal::bad_request)?;
        if let Some(name) = name {
            fields = FieldSelector::of_name(name);
        }
        let initial_events = query.get("sendInitialEvents").map(|_| query.is_on("sendInitialEvents"));
        let revision = match query.get("resourceVersion") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| bad_revision(text, watch))?),
        };
        Ok(Self {
            selection: Selection { labels, fields },
            limit,
            token: query.get("continue").map(str::to_owned),
            revision,
            revision_match,
            watch,
            bookmarks: query.is_on("allowWatchBookmarks"),
            initial_events,
            timeout_seconds,
        })
    }
}

/// 400 for a list, 500 for anything else.
fn bad_revision(text: &str, watch: bool) -> Refusal {
    let problem =
        format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
    match watch {
        true => Refusal::plain(problem),
        false => Refusal::bad_request(format!("invalid resource version: {problem}")),
    }
}

/// Reads the resource version that a request for one object asks for.
///
/// # Errors
/// 500 if it is no number.
pub fn revision_of(query: &Query) -> Result<Option<u64>, Refusal> {
    let Some(text) = query.get("resourceVersion") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| bad_revision(text, true))
}

fn refused(problems: &[FieldProblem]) -> Refusal {
    Refusal::invalid_as("meta.k8s.io", "ListOptions", "", problems)
}

/// A watch says how its revision is meant only if it says whether it begins with what is there.
fn match_of_watch(query: &Query) -> Result<Option<RevisionMatch>, Refusal> {
    let wanted = query.get("resourceVersionMatch");
    let says_how = query.get("sendInitialEvents").is_some();
    let mut problems = Vec::new();
    let mut forbidden = |detail: &str| problems.push(FieldProblem::forbidden("resourceVersionMatch", detail));
    if says_how && wanted != Some("NotOlderThan") {
        forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if wanted.is_some() && !says_how {
        forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if let Some(other) = wanted.filter(|wanted| *wanted != "NotOlderThan") {
        problems.push(FieldProblem::not_supported("resourceVersionMatch", &json!(other), &["NotOlderThan"]));
    }
    if query.get("continue").is_some() {
        let detail = "resourceVersionMatch is forbidden when continue is provided";
        problems.push(FieldProblem::forbidden("resourceVersionMatch", detail));
    }
    if problems.is_empty() { Ok(wanted.map(|_| RevisionMatch::NotOlderThan)) } else { Err(refused(&problems)) }
}

fn revision_match(query: &Query, watch: bool) -> Result<Option<RevisionMatch>, Refusal> {
    if watch {
        return match_of_watch(query);
    }
    let refused = |problem: FieldProblem| refused(&[problem]);
    if query.get("sendInitialEvents").is_some() {
        let problem = FieldProblem::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
        return Err(refused(problem));
    }
    let Some(text) = query.get("resourceVersionMatch") else { return Ok(None) };
    if query.get("resourceVersion").is_none() {
        let detail = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        return Err(refused(FieldProblem::forbidden("resourceVersionMatch", detail)));
    }
    if query.get("continue").is_some() {
        let detail = "resourceVersionMatch is forbidden when continue is provided";
        return Err(refused(FieldProblem::forbidden("resourceVersionMatch", detail)));
    }
    match text {
        "Exact" if query.get("resourceVersion") == Some("0") => {
            let detail = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            Err(refused(FieldProblem::forbidden("resourceVersionMatch", detail)))
        }
        "Exact" => Ok(Some(RevisionMatch::Exact)),
        "NotOlderThan" => Ok(Some(RevisionMatch::NotOlderThan)),
        other => Err(refused(FieldProblem::not_supported(
            "resourceVersionMatch",
            &json!(other),
            &["Exact", "NotOlderThan", ""],
        ))),
    }
}
