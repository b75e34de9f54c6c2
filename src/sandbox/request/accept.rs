//! In which form an answer is wanted.

use serde_json::Map;

use crate::sandbox::refusal::Refusal;
use crate::sandbox::table::TableVersion;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The objects as they are.
    Plain,
    /// An object's metadata only.
    Metadata,
    /// The metadata only of the objects of a list.
    MetadataList,
    /// Rows for people, of this version of `meta.k8s.io`.
    Table(TableVersion),
}

const VERSIONS: [(&str, TableVersion); 2] = [("v1", TableVersion::V1), ("v1beta1", TableVersion::V1Beta1)];

/// The media types that the server can answer with. Of these this one writes JSON and YAML only: who accepts protobuf and
/// nothing else is answered in JSON.
const KNOWN: [&str; 4] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "*/*"];

/// Chooses the first acceptable form; nothing at all means the objects as they are. `lists` tells whether it is a collection
/// that is asked for.
///
/// # Errors
/// 406 if none of what is accepted can be given.
pub fn form_of(accept: &str, lists: bool) -> Result<Form, Refusal> {
    if accept.trim().is_empty() {
        return Ok(Form::Plain);
    }
    if !accept.split(',').any(|entry| KNOWN.contains(&media_type(entry))) {
        let of_watches = ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
        return Err(not_acceptable(&format!("{}{}", KNOWN[..3].join(", "), if lists { of_watches } else { "" })));
    }
    accept.split(',').find_map(form).ok_or_else(|| {
        let message = format!("only the following media types are accepted: {}", KNOWN[..3].join(", "));
        Refusal::new(406, "NotAcceptable", message)
    })
}

/// 406 of who looks for no more than the media type.
#[must_use]
pub fn not_acceptable(available: &str) -> Refusal {
    let message = format!("406: Not Acceptable\n\nAvailable representations: {available}");
    let mut refusal = Refusal::new(406, "NotAcceptable", message);
    refusal.details = Some(Map::new());
    refusal
}

/// Tells whether YAML is wanted before anything else that can be given.
#[must_use]
pub fn wants_yaml(accept: &str) -> bool {
    accept.split(',').map(media_type).find(|sort| KNOWN.contains(sort)) == Some("application/yaml")
}

fn media_type(entry: &str) -> &str {
    entry.split(';').next().unwrap_or_default().trim()
}

fn form(entry: &str) -> Option<Form> {
    if !KNOWN.contains(&media_type(entry)) {
        return None;
    }
    let parameters: Vec<(&str, &str)> =
        entry.split(';').skip(1).filter_map(|part| part.trim().split_once('=')).collect();
    let get = |name: &str| parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let Some(wanted) = get("as") else { return Some(Form::Plain) };
    let (_, version) = VERSIONS.into_iter().find(|(name, _)| get("v") == Some(name))?;
    if get("g") != Some("meta.k8s.io") {
        return None;
    }
    match wanted {
        "Table" => Some(Form::Table(version)),
        "PartialObjectMetadata" => Some(Form::Metadata),
        "PartialObjectMetadataList" => Some(Form::MetadataList),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_can_be_given_is_chosen() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        assert_eq!(form_of("", false), Ok(Form::Plain));
        assert_eq!(form_of(table, true), Ok(Form::Table(TableVersion::V1)));
        assert_eq!(form_of("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", true), Ok(Form::Plain));
        assert_eq!(form_of("application/yaml", false), Ok(Form::Plain));
        assert!(wants_yaml("application/yaml, */*") && !wants_yaml("text/html,application/json,application/yaml"));
    }

    #[test]
    fn what_cannot_be_given_is_refused_as_the_server_does() {
        let message = |accept: &str, lists| form_of(accept, lists).unwrap_err().message;
        assert_eq!(
            message("application/*", false),
            "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
             application/vnd.kubernetes.protobuf"
        );
        assert!(message("text/html", true).ends_with(", application/vnd.kubernetes.protobuf;stream=watch"));
        assert_eq!(
            message("application/json;as=Table;v=v9;g=meta.k8s.io", true),
            "only the following media types are accepted: application/json, application/yaml, \
             application/vnd.kubernetes.protobuf"
        );
    }
}
