//! In which form an answer is wanted.

use crate::sandbox::refusal::Refusal;
use crate::sandbox::table::TableVersion;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The objects as they are.
    Plain,
    /// Their metadata only.
    Metadata,
    /// Rows for people, of this version of `meta.k8s.io`.
    Table(TableVersion),
}

const VERSIONS: [(&str, TableVersion); 2] = [("v1", TableVersion::V1), ("v1beta1", TableVersion::V1Beta1)];

/// Chooses the first acceptable form; nothing at all means the objects as they are.
///
/// # Errors
/// 406 if none of what is accepted can be given.
pub fn form_of(accept: &str) -> Result<Form, Refusal> {
    if accept.trim().is_empty() {
        return Ok(Form::Plain);
    }
    accept.split(',').find_map(form).ok_or_else(|| {
        let message = "only the following media types are accepted: application/json, application/yaml, \
                       application/vnd.kubernetes.protobuf, application/cbor";
        Refusal::new(406, "NotAcceptable", message)
    })
}

fn form(entry: &str) -> Option<Form> {
    let mut parts = entry.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let get = |name: &str| parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let Some(wanted) = get("as") else { return Some(Form::Plain) };
    let (_, version) = VERSIONS.into_iter().find(|(name, _)| get("v") == Some(name))?;
    if get("g") != Some("meta.k8s.io") {
        return None;
    }
    match wanted {
        "Table" => Some(Form::Table(version)),
        "PartialObjectMetadata" | "PartialObjectMetadataList" => Some(Form::Metadata),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_acceptable_form_is_taken() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(form_of(kubectl).unwrap(), Form::Table(TableVersion::V1));
        assert_eq!(
            form_of("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").unwrap(),
            Form::Metadata
        );
        assert_eq!(form_of("application/vnd.kubernetes.protobuf,application/json").unwrap(), Form::Plain);
        assert_eq!(form_of("").unwrap(), Form::Plain);
        assert_eq!(form_of("application/json;as=Table;v=v9;g=meta.k8s.io").unwrap_err().code, 406);
    }
}
