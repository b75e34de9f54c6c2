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

/// Without the first, a password would not even be asked for inside the pod, and no check there could tell a wrong one
/// from a right one. The second lets PostgreSQL notice a disk that returns something else than was written.
const INITDB_ARGS: &str = "--auth-host=scram-sha-256 --data-checksums";

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
    let mut remarks = Vec::from_iter(Database::version_problem("PostgreSQL", block.version, VERSIONS));
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
    if block.user.starts_with("pg_") {
        remarks.push(Remark::new("/user", "PostgreSQL keeps names that begin with `pg_` for itself"));
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
            {"name": "POSTGRES_INITDB_ARGS", "value": INITDB_ARGS},
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
    let wrong = CheckKind::RefusesPassword {
        workload: database.workload(),
        container: Some(database.program.to_owned()),
        user: block.user.clone(),
        database: block.database.clone(),
    };
    checks.push(database.check("refuses a wrong password", wrong));
    checks
}

#[cfg(test)]
mod tests {
    use super::super::tests::yaml;
    use super::super::{expand, labels};
    use super::*;

    const CONTEXT: ServiceContext<'_> =
        ServiceContext { stack: "mathison", namespace: "mathison-system", name: "postgres" };

    fn expansion(extra: &Value) -> Result<Expansion, Vec<Remark>> {
        let mut block = json!({"password": "mathison-secrets/POSTGRES_PASSWORD"});
        block.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        expand("postgres", &block, &CONTEXT)
    }

    fn stateful_set(extra: &Value) -> Value {
        expansion(extra).unwrap().manifests.last().unwrap().object().clone()
    }

    fn problems(extra: &Value) -> String {
        let remarks = expansion(extra).unwrap_err();
        remarks.iter().map(|remark| format!("{}: {}\n", remark.pointer, remark.message)).collect()
    }

    #[test]
    fn the_defaults_make_these_objects() {
        insta::assert_snapshot!(yaml(&expansion(&json!({}))
            .unwrap().manifests), @r#"
        apiVersion: v1
        data:
          10-extensions.sql: |
            CREATE EXTENSION IF NOT EXISTS "vector";
        kind: ConfigMap
        metadata:
          labels:
            app.kubernetes.io/component: database
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: postgres
            app.kubernetes.io/part-of: mathison
          name: postgres-init
          namespace: mathison-system
        ---
        apiVersion: v1
        kind: Service
        metadata:
          labels:
            app.kubernetes.io/component: database
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: postgres
            app.kubernetes.io/part-of: mathison
          name: postgres-headless
          namespace: mathison-system
        spec:
          clusterIP: None
          ports:
          - name: postgres
            port: 5432
            protocol: TCP
            targetPort: postgres
          selector:
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/name: postgres
          type: ClusterIP
        ---
        apiVersion: v1
        kind: Service
        metadata:
          labels:
            app.kubernetes.io/component: database
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: postgres
            app.kubernetes.io/part-of: mathison
          name: postgres
          namespace: mathison-system
        spec:
          ports:
          - name: postgres
            port: 5432
            protocol: TCP
            targetPort: postgres
          selector:
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/name: postgres
          type: ClusterIP
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          labels:
            app.kubernetes.io/component: database
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: postgres
            app.kubernetes.io/part-of: mathison
          name: postgres
          namespace: mathison-system
        spec:
          ingress:
          - from:
            - podSelector:
                matchLabels:
                  app.kubernetes.io/part-of: mathison
            ports:
            - port: 5432
              protocol: TCP
          podSelector:
            matchLabels:
              app.kubernetes.io/instance: mathison
              app.kubernetes.io/name: postgres
          policyTypes:
          - Ingress
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata:
          labels:
            app.kubernetes.io/component: database
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: postgres
            app.kubernetes.io/part-of: mathison
          name: postgres
          namespace: mathison-system
        spec:
          persistentVolumeClaimRetentionPolicy:
            whenDeleted: Retain
            whenScaled: Retain
          replicas: 1
          selector:
            matchLabels:
              app.kubernetes.io/instance: mathison
              app.kubernetes.io/name: postgres
          serviceName: postgres-headless
          template:
            metadata:
              annotations:
                mathison.dev/config-checksum: sha256:a95d591d400ae54d32c6dfd34791aa0cec123cb0392387c99255f85e9a5e1272
              labels:
                app.kubernetes.io/component: database
                app.kubernetes.io/instance: mathison
                app.kubernetes.io/managed-by: mathison
                app.kubernetes.io/name: postgres
                app.kubernetes.io/part-of: mathison
            spec:
              automountServiceAccountToken: false
              containers:
              - env:
                - name: POSTGRES_DB
                  value: mathison
                - name: POSTGRES_USER
                  value: mathison
                - name: POSTGRES_PASSWORD
                  valueFrom:
                    secretKeyRef:
                      key: POSTGRES_PASSWORD
                      name: mathison-secrets
                - name: PGDATA
                  value: /var/lib/postgresql/data/pgdata
                - name: POSTGRES_INITDB_ARGS
                  value: --auth-host=scram-sha-256 --data-checksums
                image: pgvector/pgvector:pg16
                livenessProbe:
                  exec:
                    command:
                    - pg_isready
                    - -U
                    - mathison
                    - -d
                    - mathison
                    - -h
                    - 127.0.0.1
                  failureThreshold: 6
                  periodSeconds: 10
                  timeoutSeconds: 5
                name: postgres
                ports:
                - containerPort: 5432
                  name: postgres
                  protocol: TCP
                readinessProbe:
                  exec:
                    command:
                    - pg_isready
                    - -U
                    - mathison
                    - -d
                    - mathison
                    - -h
                    - 127.0.0.1
                  failureThreshold: 3
                  periodSeconds: 5
                  timeoutSeconds: 3
                resources:
                  limits:
                    cpu: '1'
                    memory: 1Gi
                  requests:
                    cpu: 250m
                    memory: 512Mi
                securityContext:
                  allowPrivilegeEscalation: false
                  capabilities:
                    drop:
                    - ALL
                startupProbe:
                  exec:
                    command:
                    - pg_isready
                    - -U
                    - mathison
                    - -d
                    - mathison
                    - -h
                    - 127.0.0.1
                  failureThreshold: 30
                  periodSeconds: 2
                  timeoutSeconds: 2
                volumeMounts:
                - mountPath: /var/lib/postgresql/data
                  name: data
                - mountPath: /docker-entrypoint-initdb.d
                  name: init
                  readOnly: true
                - mountPath: /dev/shm
                  name: shared-memory
              enableServiceLinks: false
              securityContext:
                fsGroup: 999
                fsGroupChangePolicy: OnRootMismatch
                runAsGroup: 999
                runAsNonRoot: true
                runAsUser: 999
                seccompProfile:
                  type: RuntimeDefault
              terminationGracePeriodSeconds: 60
              volumes:
              - configMap:
                  name: postgres-init
                name: init
              - emptyDir:
                  medium: Memory
                  sizeLimit: 128Mi
                name: shared-memory
          volumeClaimTemplates:
          - apiVersion: v1
            kind: PersistentVolumeClaim
            metadata:
              labels:
                app.kubernetes.io/component: database
                app.kubernetes.io/instance: mathison
                app.kubernetes.io/managed-by: mathison
                app.kubernetes.io/name: postgres
                app.kubernetes.io/part-of: mathison
                mathison.dev/stack: mathison.mathison-system
              name: data
            spec:
              accessModes:
              - ReadWriteOnce
              resources:
                requests:
                  storage: 10Gi
        "#);
    }

    #[test]
    fn the_checks_ask_for_what_people_rely_on() {
        let expansion = expansion(&json!({})).unwrap();
        let names: Vec<&str> = expansion.checks.iter().map(|check| &*check.name).collect();
        insta::assert_snapshot!(names.join("\n"), @"
        postgres is ready
        postgres answers
        postgres has vector
        postgres accepts its password
        postgres refuses a wrong password
        postgres has endpoints
        postgres resolves
        postgres has the declared resources
        postgres has its limits in force
        postgres has its claim bound
        postgres survives a restart
        ");
        let on_request: Vec<&str> =
            expansion.checks.iter().filter(|check| check.disruptive).map(|check| &*check.name).collect();
        assert_eq!(on_request, ["postgres survives a restart"]);
    }

    /// Trap: on the socket the temporary server of the first boot says yes before the init scripts ran.
    #[test]
    fn every_probe_asks_over_tcp() {
        let object = stateful_set(&json!({"user": "app", "database": "shop"}));
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let command = &container[probe]["exec"]["command"];
            assert_eq!(*command, json!(["pg_isready", "-U", "app", "-d", "shop", "-h", "127.0.0.1"]), "{probe}");
        }
    }

    #[test]
    fn the_start_is_allowed_sixty_seconds() {
        let probe = |extra| stateful_set(&extra)["spec"]["template"]["spec"]["containers"][0]["startupProbe"].clone();
        let seconds =
            |probe: Value| probe["periodSeconds"].as_u64().unwrap() * probe["failureThreshold"].as_u64().unwrap();
        assert_eq!(seconds(probe(json!({}))), 60);
        assert_eq!(seconds(probe(json!({"startupSeconds": 301}))), 302);
    }

    /// Trap: `lost+found` at the top of a volume breaks initdb.
    #[test]
    fn the_data_is_in_a_folder_inside_the_volume() {
        let object = stateful_set(&json!({}));
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        let data = container["env"].as_array().unwrap().iter().find(|variable| variable["name"] == "PGDATA").unwrap();
        let mount = container["volumeMounts"][0]["mountPath"].as_str().unwrap();
        assert_eq!(data["value"], format!("{mount}/pgdata"));
    }

    /// Trap: a changed ConfigMap restarts nothing by itself.
    #[test]
    fn another_init_script_changes_the_pod_template() {
        let annotations = |extra| stateful_set(&extra)["spec"]["template"]["metadata"]["annotations"].clone();
        assert_ne!(annotations(json!({})), annotations(json!({"extensions": ["vector", "pg_trgm"]})));
        assert_eq!(annotations(json!({})), annotations(json!({"storage": "20Gi"})));
    }

    /// Claim templates are immutable, so the stack's label must be there from day one.
    #[test]
    fn the_claim_template_carries_the_stacks_label() {
        let object = stateful_set(&json!({}));
        let labels = &object["spec"]["volumeClaimTemplates"][0]["metadata"]["labels"];
        assert_eq!(labels["mathison.dev/stack"], "mathison.mathison-system");
        assert_eq!(labels[labels::PART_OF_LABEL], "mathison");
    }

    #[test]
    fn the_password_is_referred_to_and_never_written() {
        let object = stateful_set(&json!({}));
        let password = &object["spec"]["template"]["spec"]["containers"][0]["env"][2];
        assert_eq!(
            *password,
            json!({"name": "POSTGRES_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "mathison-secrets", "key": "POSTGRES_PASSWORD"}}})
        );
        let remarks = expansion(&json!({"password": "hunter2"})).unwrap_err();
        assert!(!format!("{remarks:?}").contains("hunter2"));
    }

    /// Trap: the image trusts everybody on 127.0.0.1, where the check of the password asks.
    #[test]
    fn a_password_is_asked_for_on_the_loopback_too() {
        let object = stateful_set(&json!({}));
        let env = object["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
        let args = env.iter().find(|variable| variable["name"] == "POSTGRES_INITDB_ARGS").unwrap();
        assert!(args["value"].as_str().unwrap().contains("--auth-host=scram-sha-256"));
        let password = expansion(&json!({})).unwrap().checks.into_iter().find_map(|check| match check.kind {
            CheckKind::Sql { password, .. } => password,
            _ => None,
        });
        assert_eq!(password.unwrap().1, "POSTGRES_PASSWORD");
    }

    /// Trap: where the storage class waits for its first consumer, a claim is never bound before there is a pod.
    #[test]
    fn the_claim_is_looked_at_after_the_pod() {
        let expansion = expansion(&json!({})).unwrap();
        let claim = expansion.checks.iter().find(|check| matches!(check.kind, CheckKind::ClaimBound(_))).unwrap();
        assert_eq!(claim.about, [expansion.workload.unwrap()]);
    }

    /// Selectors and service names are immutable: another size or image must not touch them.
    #[test]
    fn what_is_immutable_does_not_follow_what_may_change() {
        let immutable = |extra| {
            let spec = stateful_set(&extra)["spec"].clone();
            (spec["selector"].clone(), spec["serviceName"].clone())
        };
        assert_eq!(immutable(json!({})), immutable(json!({"version": 17, "image": "mirror/pg", "storage": "20Gi"})));
    }

    #[test]
    fn bad_values_are_all_named_at_once() {
        insta::assert_snapshot!(
            problems(&json!({
                "name": "Postgres", "version": 9, "storage": "10Gib", "user": "app user", "password": "none",
                "extensions": ["vector", "a\"; DROP"], "sharedMemory": "2Gi", "startupSeconds": 1,
                "resources": {"limits": {"cpu": "100m"}},
            })),
            @r#"
        /version: PostgreSQL 9 is not supported
        /storage: `10Gib` is no quantity: it must be a number with an optional suffix, such as `500m`, `2` or `1Gi`
        /resources/limits/cpu: the cpu limit `100m` is below the request `250m`
        /password: must name a Secret and a key of it, as `SECRET/KEY`
        /user: `app user` is no plain name
        /extensions/1: `a"; DROP` is no name of an extension
        /sharedMemory: shared memory counts against the memory limit and must be below it
        /startupSeconds: must be at least 2
        /name: a name has lower-case letters, digits and `-`, and starts and ends with a letter or digit; `P` at position 1 is not allowed
        "#
        );
        insta::assert_snapshot!(problems(&json!({"name": "a".repeat(53)})), @"/name: the name of a StatefulSet has at most 52 characters, this has 53");
        insta::assert_snapshot!(problems(&json!({"user": "pg_app"})), @"/user: PostgreSQL keeps names that begin with `pg_` for itself");
        insta::assert_snapshot!(problems(&json!({"storage": 0})), @"/storage: `0` must be above zero");
    }
}
