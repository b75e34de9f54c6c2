//! The shape of a stack file. The published JSON Schema, the check of the shape and the reading all come from here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::secret::LONGEST;

/// What should run in one namespace of a cluster.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StackFile {
    /// Name of the stack: a label of RFC 1123.
    pub stack: String,
    /// Namespace in which everything lives that says nothing else. It is made if it does not exist.
    pub namespace: String,
    /// Values that are set from outside with `--set`, `--var-file` or `MATHISON_INPUT_NAME`, and used as `${inputs.NAME}`.
    #[serde(default)]
    #[expect(dead_code, reason = "read before the rest, with positions")]
    pub inputs: BTreeMap<String, InputDefinition>,
    /// Named sets of inputs, chosen with `--env`.
    #[serde(default)]
    #[expect(dead_code, reason = "read before the rest, with positions")]
    pub environments: BTreeMap<String, BTreeMap<String, Value>>,
    /// Typed blocks, each of which makes several objects. The key is the first part of their addresses.
    #[serde(default)]
    pub services: BTreeMap<String, Value>,
    /// Plain Kubernetes objects.
    #[serde(default)]
    pub manifests: Vec<ManifestItem>,
    /// Secrets by name, with the source of each key. Values never stand in the file.
    #[serde(default)]
    pub secrets: BTreeMap<String, BTreeMap<String, SecretSource>>,
    /// Questions that must be answered well after an apply, by name.
    #[serde(default)]
    pub checks: BTreeMap<String, CheckBlock>,
    /// Explicit edges: an address and what it waits for (addresses or names of services).
    #[serde(default)]
    pub depends_on: BTreeMap<String, Vec<String>>,
    /// Addresses that are never deleted or replaced.
    #[serde(default)]
    pub protect: Vec<String>,
    /// Fields left to others, by address: `.spec.replicas`.
    #[serde(default)]
    pub ignore: BTreeMap<String, Vec<String>>,
    /// Whose fields may be taken over, by address.
    #[serde(default)]
    pub grant: BTreeMap<String, Vec<GrantBlock>>,
    /// Addresses to which nobody else may add fields: what others add counts as drift.
    #[serde(default)]
    pub exclusive: Vec<String>,
    /// Drift that is known and expected for a while.
    #[serde(default)]
    pub mute: Vec<MuteBlock>,
    /// Values for whoever uses the stack: a text, or `SECRET/KEY`.
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    /// A CronJob that looks for drift. Not supported yet.
    #[serde(default)]
    pub drift_check: Option<Value>,
}

/// One input.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InputDefinition {
    /// Type of the value.
    pub r#type: InputType,
    /// Value where nothing else sets one. Without it the input must be set.
    #[serde(default)]
    #[expect(dead_code, reason = "read with its position")]
    pub default: Option<Value>,
    /// What it is for.
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the file")]
    pub description: Option<String>,
    /// The only values allowed.
    #[serde(default)]
    pub r#enum: Option<Vec<Value>>,
}

/// Type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub(super) enum InputType {
    String,
    Integer,
    Boolean,
    Quantity,
    Duration,
}

/// Plain objects: of a file, of a folder, or written here.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = one_of_path_inline)]
pub(super) struct ManifestItem {
    /// A file, or a folder whose `*.yaml`, `*.yml` and `*.json` are read with those of its folders, in the order of their
    /// names. Relative to the stack file.
    #[serde(default)]
    pub path: Option<String>,
    /// One object.
    #[serde(default)]
    pub inline: Option<serde_json::Map<String, Value>>,
    /// What all of these wait for: addresses or names of services.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// True if none of these may be deleted or replaced.
    #[serde(default)]
    pub protect: bool,
    /// Fields left to others in all of these.
    #[serde(default)]
    pub ignore: Vec<String>,
}

/// Where one key of a Secret comes from: exactly one source.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = one_of_sources, extend("writeOnly" = true))]
pub(super) struct SecretSource {
    /// Random, made once and kept.
    #[serde(default)]
    pub generate: Option<Generate>,
    /// Name of an environment variable.
    #[serde(default)]
    pub env: Option<String>,
    /// A file, relative to the stack file.
    #[serde(default)]
    pub file: Option<String>,
    /// A key of another Secret in the stack's namespace: `SECRET/KEY`.
    #[serde(default)]
    pub from: Option<String>,
    /// Other keys of the same Secret put together: `user:${urlencode(PASSWORD)}`.
    #[serde(default)]
    pub template: Option<String>,
    /// True if the key may be absent where its source is.
    #[serde(default)]
    pub optional: bool,
}

/// How a random value is drawn: so many bytes in URL-safe base64, or so many characters of an alphabet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = one_of_bytes_length)]
pub(super) struct Generate {
    /// How many random bytes.
    #[serde(default)]
    #[schemars(range(min = 1, max = LONGEST))]
    pub bytes: Option<usize>,
    /// How many characters.
    #[serde(default)]
    #[schemars(range(min = 1, max = LONGEST))]
    pub length: Option<usize>,
    /// Out of which characters; letters and digits if nothing is said.
    #[serde(default)]
    pub alphabet: Option<String>,
}

/// One check: exactly one question.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = one_of_questions)]
pub(super) struct CheckBlock {
    /// An SQL query, asked with `psql` in the pod of `in`.
    #[serde(default)]
    pub sql: Option<String>,
    /// Words for `redis-cli`, asked in the pod of `in`.
    #[serde(default)]
    pub redis: Option<String>,
    /// Address of an object that must be ready.
    #[serde(default)]
    pub ready: Option<String>,
    /// Address of a Service that must have a ready endpoint.
    #[serde(default)]
    pub endpoints: Option<String>,
    /// A host name that must resolve in the pod of `in`.
    #[serde(default)]
    pub resolves: Option<String>,
    /// Address of a PersistentVolumeClaim that must be bound.
    #[serde(default)]
    pub bound: Option<String>,
    /// Address of a workload whose containers must have the requests and limits that were declared.
    #[serde(default)]
    pub resources: Option<String>,
    /// Address of a ServiceAccount that may do what `allowed` says.
    #[serde(default)]
    pub access: Option<String>,
    /// Address of a workload whose data must survive a restart. Disruptive: runs only on request.
    #[serde(default)]
    pub survives_restart: Option<String>,
    /// The service, or the address of the workload, in whose pod the question is asked.
    #[serde(default)]
    pub r#in: Option<String>,
    /// The answer that must come.
    #[serde(default)]
    pub expect: Option<String>,
    /// Database user, where `in` is not a service that knows it.
    #[serde(default)]
    pub user: Option<String>,
    /// Database, where `in` is not a service that knows it.
    #[serde(default)]
    pub database: Option<String>,
    /// Container, where the pod has several.
    #[serde(default)]
    pub container: Option<String>,
    /// What `access` allows.
    #[serde(default)]
    pub allowed: Vec<AccessBlock>,
}

/// Verbs on a resource of a group, as RBAC writes them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccessBlock {
    /// API group, empty for the core group.
    #[serde(default)]
    pub group: String,
    /// Resource, such as `pods` or `pods/log`.
    pub resource: String,
    /// Verbs.
    pub verbs: Vec<String>,
}

/// What may be taken from whom.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GrantBlock {
    /// Field manager; all of them if nothing is said.
    #[serde(default)]
    pub manager: Option<String>,
    /// Field, such as `.spec.replicas`; all of them if nothing is said.
    #[serde(default)]
    pub field: Option<String>,
}

/// Known drift.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MuteBlock {
    /// Address of the object.
    pub address: String,
    /// The field, with all below it: `.spec.replicas`.
    pub field: String,
    /// Why this is expected.
    pub reason: String,
    /// The last day on which it is: `2026-12-31`.
    pub until: String,
}

fn one_of(schema: &mut schemars::Schema, keys: &[&str]) {
    let branches: Vec<Value> = keys.iter().map(|key| serde_json::json!({ "required": [key] })).collect();
    schema.insert("oneOf".to_owned(), branches.into());
}

fn one_of_path_inline(schema: &mut schemars::Schema) {
    one_of(schema, &["path", "inline"]);
}

fn one_of_sources(schema: &mut schemars::Schema) {
    one_of(schema, &["generate", "env", "file", "from", "template"]);
}

fn one_of_bytes_length(schema: &mut schemars::Schema) {
    one_of(schema, &["bytes", "length"]);
}

fn one_of_questions(schema: &mut schemars::Schema) {
    let questions =
        ["sql", "redis", "ready", "endpoints", "resolves", "bound", "resources", "access", "survivesRestart"];
    one_of(schema, &questions);
}
