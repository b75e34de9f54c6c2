//! What a list or watch is asked with, checked as the server checks it.

use std::num::IntErrorKind;

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
    /// The resource version asked for; `None` for the latest, and where a list goes on.
    pub revision: Option<u64>,
    /// Whether a list is to go on and gives a resource version as well, be it one or not.
    pub revision_beside_token: bool,
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
            let number = text.parse::<i64>().map_err(|error| {
                let why = why_no_number(&error);
                Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: {why}"))
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
            if !fields.is_empty() && fields.name() != Some(name) {
                return Err(Refusal::bad_request("fieldSelector metadata.name doesn't match requested name"));
            }
            if fields.is_empty() {
                fields = FieldSelector::of_name(name);
            }
        }
        let initial_events = query.get("sendInitialEvents").map(|_| query.is_on("sendInitialEvents"));
        let token = query.get("continue");
        let goes_on = token.is_some() && !watch;
        let revision = match query.get("resourceVersion") {
            None => None,
            Some(_) if goes_on => None,
            Some(text) => Some(parsed_revision(text).map_err(|problem| bad_revision(&problem, watch))?),
        };
        Ok(Self {
            selection: Selection { labels, fields },
            limit,
            token: token.map(str::to_owned),
            revision,
            revision_beside_token: goes_on && query.get("resourceVersion").is_some_and(|text| text != "0"),
            revision_match,
            watch,
            bookmarks: query.is_on("allowWatchBookmarks"),
            initial_events,
            timeout_seconds,
        })
    }
}

/// Says as Go does why a text is no number.
fn why_no_number(error: &std::num::ParseIntError) -> &'static str {
    match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
        _ => "invalid syntax",
    }
}

fn parsed_revision(text: &str) -> Result<u64, String> {
    let parsed = match text.starts_with('+') {
        true => Err("invalid syntax"),
        false => text.parse().map_err(|error| why_no_number(&error)),
    };
    let problem = |why| format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: {why}");
    parsed.map_err(problem)
}

/// 400 for a list, 500 for anything else.
fn bad_revision(problem: &str, watch: bool) -> Refusal {
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
    let revision = query.get("resourceVersion").map(parsed_revision).transpose();
    revision.map_err(|problem| bad_revision(&problem, true))
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
    if wanted.is_some() && query.get("continue").is_some() {
        let detail = "resourceVersionMatch is forbidden when continue is provided";
        problems.push(FieldProblem::forbidden("resourceVersionMatch", detail));
    }
    if problems.is_empty() { Ok(wanted.map(|_| RevisionMatch::NotOlderThan)) } else { Err(refused(&problems)) }
}

fn revision_match(query: &Query, watch: bool) -> Result<Option<RevisionMatch>, Refusal> {
    if watch {
        return match_of_watch(query);
    }
    let wanted = query.get("resourceVersionMatch");
    let mut problems = Vec::new();
    if let Some(wanted) = wanted {
        let mut forbidden = |detail: &str| problems.push(FieldProblem::forbidden("resourceVersionMatch", detail));
        if query.get("resourceVersion").is_none() {
            forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if query.get("continue").is_some() {
            forbidden("resourceVersionMatch is forbidden when continue is provided");
        }
        if wanted == "Exact" && query.get("resourceVersion") == Some("0") {
            forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        if !matches!(wanted, "Exact" | "NotOlderThan") {
            let supported = ["Exact", "NotOlderThan", ""];
            problems.push(FieldProblem::not_supported("resourceVersionMatch", &json!(wanted), &supported));
        }
    }
    if query.get("sendInitialEvents").is_some() {
        let detail = "sendInitialEvents is forbidden for list";
        problems.push(FieldProblem::forbidden("sendInitialEvents", detail));
    }
    if !problems.is_empty() {
        return Err(refused(&problems));
    }
    Ok(wanted.map(|wanted| if wanted == "Exact" { RevisionMatch::Exact } else { RevisionMatch::NotOlderThan }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::kinds::Kinds;

    fn told(query: &str, name: Option<&str>) -> (u16, String) {
        let kinds = Kinds::new();
        let pods = kinds.by_plural("", "v1", "pods").unwrap();
        let refusal = ListOptions::read(&Query::read(query), pods, name).unwrap_err();
        (refusal.code, refusal.message)
    }

    #[test]
    fn all_that_contradicts_itself_is_told() {
        let invalid = |problems: &str| (422, format!("ListOptions.meta.k8s.io \"\" is invalid: {problems}"));
        assert_eq!(
            told("resourceVersionMatch=Exact&continue=x&sendInitialEvents=true", None),
            invalid(
                "[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, \
                 resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided, \
                 sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list]"
            )
        );
        let options = |query: &str| {
            let kinds = Kinds::new();
            ListOptions::read(&Query::read(query), kinds.by_plural("", "v1", "pods").unwrap(), None)
        };
        assert!(options("watch=true&continue=x").is_ok());
    }

    #[test]
    fn numbers_that_are_none_or_too_large_are_told_apart() {
        let huge = "99999999999999999999";
        let parsing = |number: &str, why: &str| (400, format!("strconv.ParseInt: parsing {number:?}: {why}"));
        assert_eq!(told("limit=x", None), parsing("x", "invalid syntax"));
        assert_eq!(told(&format!("limit={huge}"), None), parsing(huge, "value out of range"));
        let (code, message) = told(&format!("resourceVersion={huge}"), None);
        assert_eq!((code, message.ends_with(": value out of range")), (400, true), "{message}");
        let (code, message) = told("resourceVersion=%2B5&watch=1", None);
        assert_eq!((code, message.ends_with("parsing \"+5\": invalid syntax")), (500, true), "{message}");
    }

    #[test]
    fn a_watch_of_one_object_is_of_no_other() {
        let message = "fieldSelector metadata.name doesn't match requested name";
        let refused = (400, message.to_owned());
        assert_eq!(told("watch=1&fieldSelector=metadata.name=b", Some("a")), refused);
        assert_eq!(told("watch=1&fieldSelector=spec.nodeName=b", Some("a")), refused);
    }
}
