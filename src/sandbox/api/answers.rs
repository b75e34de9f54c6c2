//! Answers, put together.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;

use crate::sandbox::answer::Answer;
use crate::sandbox::convert;
use crate::sandbox::kind::Kind;
use crate::sandbox::read::{self, Listed};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::request::{Call, Form, Query, form_of, wants_yaml};
use crate::sandbox::table::{IncludeObject, table};
use crate::sandbox::write::Written;
use crate::yaml;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Answers with a body that is written already.
pub(super) fn raw(code: u16, content_type: &str, body: Bytes) -> Answer {
    let mut response = http::Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap_or(JSON));
    response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    Answer::Whole(response)
}

/// Answers with a JSON document.
pub(super) fn json(code: u16, body: &Value) -> Answer {
    raw(code, "application/json", read::object_text(body))
}

/// Answers with why not.
pub(in crate::sandbox) fn refused(refusal: &Refusal) -> Answer {
    let mut answer = json(refusal.code, &refusal.status());
    let after = refusal.details.as_ref().and_then(|details| details.get("retryAfterSeconds")?.as_u64());
    if let (Answer::Whole(response), Some(seconds)) = (&mut answer, after)
        && let Ok(value) = HeaderValue::from_str(&seconds.to_string())
    {
        response.headers_mut().insert(http::header::RETRY_AFTER, value);
    }
    warn(&mut answer, &refusal.warnings);
    answer
}

/// Answers what the server answers where nobody feels responsible.
pub(super) fn no_page() -> Answer {
    raw(404, "text/plain; charset=utf-8", Bytes::from_static(b"404 page not found\n"))
}

/// 406 for the metadata of one object where there is a list, and the other way round.
fn other_form(kind: &Kind, is_list: bool) -> Refusal {
    let go_type = match (&kind.custom, kind.group.split('.').next().unwrap_or_default()) {
        (Some(_), _) if is_list => "unstructured.UnstructuredList".to_owned(),
        (Some(_), _) => "unstructured.Unstructured".to_owned(),
        (None, group) => {
            let package = if matches!(group, "" | "events") { "core" } else { group };
            format!("{package}.{}", if is_list { &kind.list_kind } else { &kind.kind })
        }
    };
    let (wanted, is) = if is_list { ("", "a list") } else { ("List", "not a list") };
    let message = format!("you requested PartialObjectMetadata{wanted}, but the requested object is {is} (*{go_type})");
    Refusal::new(406, "NotAcceptable", message)
}

/// Writes an answer in the form that is asked for: as YAML, or as JSON that people can read.
pub(super) fn formed(request: &http::Request<Bytes>, answer: Answer) -> Answer {
    let Answer::Whole(mut response) = answer else { return answer };
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|sort| *sort == JSON);
    let accept = request.headers().get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
    let as_yaml = accept.is_some_and(wants_yaml);
    let query = request.uri().query().unwrap_or_default();
    let pretty = || (query.contains("pretty") || query.contains('%')) && Query::read(query).is_on("pretty");
    if is_json
        && (as_yaml || pretty())
        && let Ok(body) = serde_json::from_slice::<Value>(response.body())
    {
        if as_yaml {
            *response.body_mut() = yaml::to_yaml(&body).into();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
        } else {
            *response.body_mut() = serde_json::to_vec_pretty(&body).unwrap_or_default().into();
        }
    }
    Answer::Whole(response)
}

/// Answers with what was written, and its warnings.
pub(super) fn written(call: &Call, kind: &Kind, written: &Written, now: Timestamp) -> Result<Answer, Refusal> {
    let mut answer = object_answer(call, kind, &written.object, written.code, now)?;
    warn(&mut answer, &written.warnings);
    Ok(answer)
}

/// Adds warnings to an answer, each once.
pub(super) fn warn(answer: &mut Answer, warnings: &[String]) {
    let headers = match answer {
        Answer::Whole(response) => response.headers_mut(),
        Answer::Stream(parts, _) => &mut parts.headers,
        // Faults come after the answer is made.
        Answer::Torn(..) | Answer::Later(..) | Answer::Lost => return,
    };
    let mut told: Vec<&String> = Vec::new();
    for warning in warnings {
        if told.contains(&warning) {
            continue;
        }
        told.push(warning);
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            headers.append(http::header::WARNING, value);
        }
    }
}

/// Adds a warning before those that an answer has.
pub(super) fn warn_first(answer: &mut Answer, warning: &str) {
    let Answer::Whole(response) = answer else { return };
    let headers = response.headers_mut();
    let others: Vec<HeaderValue> = headers.get_all(http::header::WARNING).iter().cloned().collect();
    headers.remove(http::header::WARNING);
    warn(answer, &[warning.to_owned()]);
    let Answer::Whole(response) = answer else { return };
    for other in others {
        response.headers_mut().append(http::header::WARNING, other);
    }
}

/// How much of each object a table is to hold.
pub(super) fn include_object(call: &Call) -> Result<IncludeObject, Refusal> {
    let asked = call.query.get("includeObject").unwrap_or_default();
    IncludeObject::parse(asked).ok_or_else(|| {
        Refusal::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {asked:?}: must be 'Metadata', \
             'Object', 'None', or empty"
        ))
    })
}

/// Answers with one object, in the form that is wanted.
pub(super) fn object_answer(
    call: &Call,
    kind: &Kind,
    object: &Arc<Value>,
    code: u16,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    Ok(match form_of(&call.accept, false)? {
        Form::Plain => json(code, object),
        Form::Metadata => json(code, &read::partial(&convert::held(kind, object))),
        Form::MetadataList => return Err(other_form(kind, false)),
        Form::Table(version) => {
            let metadata = serde_json::json!({"resourceVersion": object["metadata"]["resourceVersion"]});
            let shown = table(kind, std::slice::from_ref(object), &metadata, include_object(call)?, now, true, version);
            json(code, &shown)
        }
    })
}

/// Answers with a list, in the form that is wanted.
pub(super) fn list_answer(call: &Call, kind: &Kind, listed: &Listed, now: Timestamp) -> Result<Answer, Refusal> {
    Ok(match form_of(&call.accept, true)? {
        Form::Plain => {
            let mut metadata = listed.metadata.clone();
            // Lists of custom resources say so if nothing is left.
            if kind.custom.is_some() && metadata.get("continue").is_none() {
                metadata["continue"] = Value::from("");
            }
            raw(200, "application/json", read::list_text(kind, &metadata, &listed.objects))
        }
        Form::Metadata => return Err(other_form(kind, true)),
        Form::MetadataList => {
            let items: Vec<Value> =
                listed.objects.iter().map(|object| read::partial(&convert::held(kind, object))).collect();
            // This form's list is made by appending, so that it is none before there is anything in it.
            let items = if items.is_empty() { Value::Null } else { Value::Array(items) };
            json(
                200,
                &serde_json::json!({
                    "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": listed.metadata,
                    "items": items
                }),
            )
        }
        Form::Table(version) => {
            json(200, &table(kind, &listed.objects, &listed.metadata, include_object(call)?, now, true, version))
        }
    })
}
