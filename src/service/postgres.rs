//! `postgres`: PostgreSQL with pgvector, one replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::block::below;
use super::compute::{Amounts, QuantityText, Resources};
use super::database::{Claim, Database, exec_probe};
use super::secret_key::SecretKey;
use super::{Check, CheckKind, Expansion, Remark, ServiceContext};

/// The port that PostgreSQL listens on.
pub(super) const PORT: u16 = 5432;

/// The versions whose image keeps its data where this service mounts the volume. From 18 on the image wants another
/// place.
const VERSIONS: &[u16] = &[14, 15, 16, 17];

const MOUNT_PATH: &str = "/var/lib/postgresql/data";

/// Often enough that a start is noticed quickly; the number of failures makes up the time allowed.
const STARTUP_PERIOD_SECONDS: u32 = 2;

/// PostgreSQL with pgvector: one replica with a volume of its own.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PostgresBlock {
    /// Name of the StatefulSet and of the Service; by default the service's.
    #[serde(default)]
    name: Option<String>,
    /// Major version: 14, 15, 16 or 17. It must not change once there is data: a volume only opens with its own version.
    #[serde(default = "default_version")]
    version: u16,
    /// Image; by default `pgvector/pgvector:pgVERSION`. For a mirror, or to pin a digest.
    #[serde(default)]
    image: Option<String>,
    /// Size of the volume.
    #[serde(default = "default_storage")]
    storage: QuantityText,
    /// Storage class of the volume; by default the cluster's default.
    #[serde(default)]
    storage_class: Option<String>,
    /// Name of the database that is made.
    #[serde(default = "default_database")]
    database: String,
    /// Name of the user that owns it.
    #[serde(default = "default_database")]
    user: String,
    /// The user's password: a key of a Secret, written `SECRET/KEY`.
    password: SecretKey,
    /// Extensions made in the database when it is first started.
    #[serde(default = "default_extensions")]
    extensions: Vec<String>,
    /// CPU and memory; by default requests of 250m and 512Mi, limits of 1 and 1Gi.
    #[serde(default)]
    resources: Resources,
    /// Shared memory, counted against the memory limit. Parallel builds of vector indexes need more than the 64Mi that a
    /// container has by itself.
    #[serde(default = "default_shared_memory")]
    shared_memory: QuantityText,
    /// How long the first start, or a recovery, may take before the container is started again.
    #[serde(default = "default_startup_seconds")]
    startup_seconds: u32,
}

fn default_version() -> u16 {
    16
}

fn default_storage() -> QuantityText {
    QuantityText::new("10Gi")
}

fn default_database() -> String {
    "mathison".to_owned()
}

fn default_extensions() -> Vec<String> {
    vec!["vector".to_owned()]
}

fn default_shared_memory() -> QuantityText {
    QuantityText::new("128Mi")
}

fn default_startup_seconds() -> u32 {
    60
}

fn default_resources() -> Resources {
    Resources { requests: Amounts::new("250m", "512Mi"), limits: Amounts::new("1", "1Gi") }
}

pub(super) fn expand(block: &PostgresBlock, context: ServiceContext<'_>) -> Result<Expansion, Vec<Remark>> {
    let database = Database {
        context,
        name: block.name.as_deref().unwrap_or(context.name),
        component: "database",
        program: "postgres",
        port: PORT,
        user: 999,
        group: 999,
        // A fast shutdown ends with a checkpoint, which takes as long as the disk does.
        grace_seconds: 60,
        claim: Some(Claim { size: &block.storage, storage_class: block.storage_class.as_deref() }),
    };
    let resources = block.resources.or(&default_resources());
    let mut remarks = problems(block, &resources);
    remarks.extend(database.name_problem(block.name.is_some()));
    if !remarks.is_empty() {
        return Err(remarks);
    }
    let init = database.config_map("init", "10-extensions.sql", &init_script(&block.extensions));
    let volumes = vec![
        json!({"name": "init", "configMap": {"name": format!("{}-init", database.name)}}),
        json!({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": block.shared_memory.as_str()}}),
    ];
    database.expansion(container(block, &resources), MOUNT_PATH, init, volumes, checks(block, &database))
}

fn problems(block: &PostgresBlock, resources: &Resources) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if !VERSIONS.contains(&block.version) {
        let known = VERSIONS.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        remarks.push(
            Remark::new("/version", format!("PostgreSQL {} is not supported", block.version))
                .hinted(format!("the versions are {known}")),
        );
    }
    remarks.extend(block.storage.problem("/storage"));
    remarks.extend(block.shared_memory.problem("/sharedMemory"));
    remarks.extend(resources.problems("/resources"));
    remarks.extend(block.password.problem("/password"));
    for (pointer, name) in [("/database", &block.database), ("/user", &block.user)] {
        if !is_identifier(name, "_") {
            remarks.push(
                Remark::new(pointer, format!("`{name}` is no plain name"))
                    .hinted("use lower-case letters, digits and `_`, a letter first, at most 63 characters"),
            );
        }
    }
    for (index, extension) in block.extensions.iter().enumerate() {
        if !is_identifier(extension, "_-") {
            remarks.push(Remark::new(
                below("/extensions", &index.to_string()),
                format!("`{extension}` is no name of an extension"),
            ));
        }
    }
    if let (Some(shared), Some(limit)) =
        (block.shared_memory.units(), resources.limits.memory.as_ref().and_then(QuantityText::units))
        && shared >= limit
    {
        remarks.push(
            Remark::new("/sharedMemory", "shared memory counts against the memory limit and must be below it")
                .hinted("lower `sharedMemory` or raise `resources.limits.memory`"),
        );
    }
    if block.startup_seconds < STARTUP_PERIOD_SECONDS {
        remarks.push(Remark::new("/startupSeconds", format!("must be at least {STARTUP_PERIOD_SECONDS}")));
    }
    remarks
}

/// Tells whether a name needs no quoting in SQL and on a command line, but for what `also` allows.
fn is_identifier(name: &str, also: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c))
}

fn init_script(extensions: &[String]) -> String {
    extensions.iter().map(|extension| format!("CREATE EXTENSION IF NOT EXISTS \"{extension}\";\n")).collect()
}

fn container(block: &PostgresBlock, resources: &Resources) -> Value {
    let image = block.image.clone().unwrap_or_else(|| format!("pgvector/pgvector:pg{}", block.version));
    // Over TCP on purpose: the server of the first boot, which runs before the init script, only has a socket.
    let ready = ["pg_isready", "-U", &block.user, "-d", &block.database, "-h", "127.0.0.1"];
    json!({
        "image": image,
        "env": [
            {"name": "POSTGRES_DB", "value": block.database},
            {"name": "POSTGRES_USER", "value": block.user},
            block.password.env("POSTGRES_PASSWORD"),
            // A folder inside the volume: initdb refuses the volume's own top, where `lost+found` may be.
            {"name": "PGDATA", "value": format!("{MOUNT_PATH}/pgdata")},
        ],
        "resources": resources.object(),
        "startupProbe": exec_probe(
            &ready,
            STARTUP_PERIOD_SECONDS,
            2,
            block.startup_seconds.div_ceil(STARTUP_PERIOD_SECONDS),
        ),
        "readinessProbe": exec_probe(&ready, 5, 3, 3),
        "livenessProbe": exec_probe(&ready, 10, 5, 6),
        "volumeMounts": [
            {"name": "init", "mountPath": "/docker-entrypoint-initdb.d", "readOnly": true},
            {"name": "shared-memory", "mountPath": "/dev/shm"},
        ],
    })
}

fn checks(block: &PostgresBlock, database: &Database<'_>) -> Vec<Check> {
    let sql = |query: String, expect: &str, password| CheckKind::Sql {
        workload: database.workload(),
        container: Some(database.program.to_owned()),
        user: block.user.clone(),
        database: block.database.clone(),
        query,
        expect: Some(expect.to_owned()),
        password,
    };
    let mut checks = vec![database.check("answers", sql("SELECT 1".to_owned(), "1", None))];
    for extension in &block.extensions {
        let query = format!("SELECT extname FROM pg_extension WHERE extname = '{extension}'");
        checks.push(database.check(&format!("has {extension}"), sql(query, extension, None)));
    }
    let password = Some(block.password.object_and_key(database.context));
    checks.push(database.check("accepts its password", sql("SELECT 1".to_owned(), "1", password)));
    checks
}
