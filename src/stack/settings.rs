//! What a run adds to the file: handed in as a value, so that nothing here reads flags or the environment.

use std::collections::BTreeMap;

/// Flags and variables that decide how a stack file is resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `--set NAME=VALUE`, in their order; the last of a name counts, and before everything else.
    pub set: Vec<(String, String)>,
    /// `--var-file`: name and text of each, in their order; a later one counts before an earlier one.
    pub var_files: Vec<(String, String)>,
    /// `--env`: the set of inputs in `environments`.
    pub environment: Option<String>,
    /// The variables `MATHISON_INPUT_NAME`, by `NAME`.
    pub env_inputs: BTreeMap<String, String>,
    /// `--namespace`: takes the place of the file's.
    pub namespace: Option<String>,
    /// `--manifests`: name and text of each; `None` where the flag is not given.
    pub extra_manifests: Option<Vec<(String, String)>>,
}
