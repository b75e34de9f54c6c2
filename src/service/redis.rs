//! `redis`: Redis, one replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::compute::{Amounts, QuantityText, Resources};
use super::database::{Claim, Database, exec_probe};
use super::secret_key::SecretKey;
use super::{Check, CheckKind, Expansion, Remark, ServiceContext};

/// The port that Redis listens on.
pub(super) const PORT: u16 = 6379;

const VERSIONS: &[u16] = &[7, 8];

const MOUNT_PATH: &str = "/data";
const CONFIG_PATH: &str = "/etc/redis";

/// The part of the memory limit that data may fill, in hundredths. The rest is for the copy that a rewrite of the
/// append-only file makes of what changes meanwhile, for buffers and for fragmentation.
const DATA_SHARE: i128 = 60;

/// From this part on a rewrite under load is likely to be killed.
const RISKY_SHARE: i128 = 80;

/// Redis: one replica, with a volume unless `persistence` is off.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct RedisBlock {
    /// Name of the StatefulSet and of the Service; by default the service's.
    name: Option<String>,
    /// Major version: 7 or 8.
    version: u16,
    /// Image; by default `redis:VERSION-alpine`. For a mirror, or to pin a digest.
    image: Option<String>,
    /// Keeps the data on a volume, in an append-only file. Without it a restart begins empty.
    persistence: bool,
    /// Size of the volume.
    storage: QuantityText,
    /// Storage class of the volume; by default the cluster's default.
    storage_class: Option<String>,
    /// Memory that data may fill; by default 60% of the memory limit.
    maxmemory: Option<QuantityText>,
    /// What is removed when that memory is full. Queues such as BullMQ's want `noeviction`.
    maxmemory_policy: MaxmemoryPolicy,
    /// A password: a key of a Secret, written `SECRET/KEY`; by default there is none.
    password: Option<SecretKey>,
    /// CPU and memory; by default requests of 50m and 64Mi, limits of 250m and 256Mi.
    resources: Resources,
}

impl Default for RedisBlock {
    fn default() -> Self {
        Self {
            name: None,
            version: 7,
            image: None,
            persistence: true,
            storage: QuantityText::new("1Gi"),
            storage_class: None,
            maxmemory: None,
            maxmemory_policy: MaxmemoryPolicy::default(),
            password: None,
            resources: Resources::default(),
        }
    }
}

/// What Redis removes when its memory is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MaxmemoryPolicy {
    /// Nothing: writes fail.
    Noeviction,
    /// Any key, the least recently used first.
    #[default]
    AllkeysLru,
    /// Any key, the least frequently used first.
    AllkeysLfu,
    /// Any key at random.
    AllkeysRandom,
    /// A key that expires, the least recently used first.
    VolatileLru,
    /// A key that expires, the least frequently used first.
    VolatileLfu,
    /// A key that expires, at random.
    VolatileRandom,
    /// A key that expires, the soonest first.
    VolatileTtl,
}

impl MaxmemoryPolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Noeviction => "noeviction",
            Self::AllkeysLru => "allkeys-lru",
            Self::AllkeysLfu => "allkeys-lfu",
            Self::AllkeysRandom => "allkeys-random",
            Self::VolatileLru => "volatile-lru",
            Self::VolatileLfu => "volatile-lfu",
            Self::VolatileRandom => "volatile-random",
            Self::VolatileTtl => "volatile-ttl",
        }
    }
}

fn default_resources() -> Resources {
    Resources { requests: Amounts::new("50m", "64Mi"), limits: Amounts::new("250m", "256Mi") }
}

pub(super) fn expand(block: &RedisBlock, context: ServiceContext<'_>) -> Result<Expansion, Vec<Remark>> {
    let claim = Claim { size: &block.storage, storage_class: block.storage_class.as_deref() };
    let database = Database {
        context,
        name: block.name.as_deref().unwrap_or(context.name),
        component: "cache",
        program: "redis",
        port: PORT,
        user: 999,
        group: 1000,
        grace_seconds: 30,
        claim: block.persistence.then_some(claim),
    };
    let resources = block.resources.or(&default_resources());
    let maxmemory = maxmemory(block, &resources);
    let mut remarks = problems(block, &resources, maxmemory);
    remarks.extend(database.name_problem(block.name.is_some()));
    if !remarks.is_empty() {
        return Err(remarks);
    }
    let config = database.config_map("config", "redis.conf", &config_file(block, maxmemory));
    let volumes = vec![json!({"name": "config", "configMap": {"name": format!("{}-config", database.name)}})];
    let checks = checks(block, maxmemory, &database);
    let mut expansion = database.expansion(container(block, &resources), MOUNT_PATH, config, volumes, checks)?;
    expansion.warnings = warnings(block, &resources, maxmemory);
    Ok(expansion)
}

fn memory_limit(resources: &Resources) -> Option<i128> {
    resources.limits.memory.as_ref().and_then(QuantityText::units)
}

/// Returns the memory for data in bytes, as declared or as a share of the limit; 0 where neither can be read.
fn maxmemory(block: &RedisBlock, resources: &Resources) -> i128 {
    match &block.maxmemory {
        Some(declared) => declared.units().unwrap_or_default(),
        None => memory_limit(resources).unwrap_or_default() * DATA_SHARE / 100,
    }
}

fn problems(block: &RedisBlock, resources: &Resources, maxmemory: i128) -> Vec<Remark> {
    let mut remarks = Vec::from_iter(Database::version_problem("Redis", block.version, VERSIONS));
    remarks.extend(block.storage.problem("/storage"));
    remarks.extend(resources.problems("/resources"));
    remarks.extend(block.password.as_ref().and_then(|password| password.problem("/password")));
    if let Some(declared) = &block.maxmemory {
        remarks.extend(declared.problem("/maxmemory"));
        if let Some(limit) = memory_limit(resources).filter(|limit| maxmemory >= *limit) {
            remarks.push(
                Remark::new(
                    "/maxmemory",
                    format!(
                        "`{}` is not below the memory limit of {limit} bytes: Redis would be killed",
                        declared.as_str()
                    ),
                )
                .hinted("leave room for the rewrite of the append-only file: about 60% of `resources.limits.memory`"),
            );
        }
    }
    remarks
}

fn warnings(block: &RedisBlock, resources: &Resources, maxmemory: i128) -> Vec<Remark> {
    let mut warnings = Vec::new();
    let policy = block.maxmemory_policy.as_str();
    if policy.starts_with("allkeys-") {
        warnings.push(
            Remark::new("/maxmemoryPolicy", format!("`{policy}` may evict the keys of BullMQ's jobs"))
                .hinted("if queues live here, write `maxmemoryPolicy: noeviction`"),
        );
    }
    if memory_limit(resources).is_some_and(|limit| maxmemory * 100 > limit * RISKY_SHARE) {
        warnings.push(
            Remark::new("/maxmemory", "little room is left for the rewrite of the append-only file")
                .hinted("about 60% of `resources.limits.memory` is safe"),
        );
    }
    warnings
}

fn config_file(block: &RedisBlock, maxmemory: i128) -> String {
    let policy = block.maxmemory_policy.as_str();
    // Without a password Redis would answer its own pod only; the NetworkPolicy says who reaches it.
    let mut lines = vec!["bind * -::*".to_owned(), "protected-mode no".to_owned(), format!("dir {MOUNT_PATH}")];
    if block.persistence {
        lines.push("appendonly yes".to_owned());
        lines.push("appendfsync everysec".to_owned());
    } else {
        lines.push("appendonly no".to_owned());
        lines.push("save \"\"".to_owned());
    }
    lines.push(format!("maxmemory {maxmemory}"));
    lines.push(format!("maxmemory-policy {policy}"));
    lines.into_iter().map(|line| line + "\n").collect()
}

fn container(block: &RedisBlock, resources: &Resources) -> Value {
    let image = block.image.clone().unwrap_or_else(|| format!("redis:{}-alpine", block.version));
    let mut args = vec!["redis-server".to_owned(), format!("{CONFIG_PATH}/redis.conf")];
    let mut env = Vec::new();
    if let Some(password) = &block.password {
        // redis-cli reads this variable, so the probes need no password in their words.
        env.push(password.env("REDISCLI_AUTH"));
        args.extend(["--requirepass".to_owned(), "$(REDISCLI_AUTH)".to_owned()]);
    }
    // redis-cli ends with 0 also when the server answers with an error such as LOADING. To be ready the answer must be the
    // right one; to be alive any answer will do, or a long script would get its server killed.
    let ready = ["sh", "-c", "test \"$(redis-cli ping)\" = PONG"];
    let mut container = json!({
        "image": image,
        "args": args,
        "resources": resources.object(),
        "startupProbe": exec_probe(&["redis-cli", "ping"], 2, 2, 30),
        "readinessProbe": exec_probe(&ready, 5, 3, 3),
        "livenessProbe": exec_probe(&["redis-cli", "ping"], 10, 5, 6),
        "volumeMounts": [{"name": "config", "mountPath": CONFIG_PATH, "readOnly": true}],
    });
    if !env.is_empty() {
        container["env"] = Value::from(env);
    }
    container
}

fn checks(block: &RedisBlock, maxmemory: i128, database: &Database<'_>) -> Vec<Check> {
    let password = block.password.as_ref().map(|password| password.object_and_key(database.context));
    let redis = |words: &[&str], expect: &str| CheckKind::Redis {
        workload: database.workload(),
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        expect: expect.to_owned(),
        password: password.clone(),
    };
    let mut checks = vec![database.check("answers", redis(&["PING"], "PONG"))];
    if block.persistence {
        checks.push(database.check("persists", redis(&["CONFIG", "GET", "appendonly"], "appendonly\nyes")));
    }
    let policy = block.maxmemory_policy.as_str();
    let expect = format!("maxmemory-policy\n{policy}");
    checks.push(database.check("evicts as declared", redis(&["CONFIG", "GET", "maxmemory-policy"], &expect)));
    let expect = format!("maxmemory\n{maxmemory}");
    checks.push(database.check("keeps to its memory", redis(&["CONFIG", "GET", "maxmemory"], &expect)));
    checks
}

#[cfg(test)]
mod tests {
    use super::super::expand;
    use super::super::tests::yaml;
    use super::*;

    const CONTEXT: ServiceContext<'_> =
        ServiceContext { stack: "mathison", namespace: "mathison-system", name: "redis" };

    fn expansion(block: &Value) -> Expansion {
        expand("redis", block, &CONTEXT).unwrap()
    }

    fn lines(remarks: &[Remark]) -> String {
        remarks
            .iter()
            .map(|remark| {
                format!("{}: {} ({})\n", remark.pointer, remark.message, remark.hint.as_deref().unwrap_or("-"))
            })
            .collect()
    }

    fn problems(block: &Value) -> String {
        lines(&expand("redis", block, &CONTEXT).unwrap_err())
    }

    fn config(block: &Value) -> String {
        expansion(block).manifests[0].object()["data"]["redis.conf"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_defaults_make_these_objects() {
        insta::assert_snapshot!(yaml(&expansion(&json!({})).manifests), @r#"
        apiVersion: v1
        data:
          redis.conf: |
            bind * -::*
            protected-mode no
            dir /data
            appendonly yes
            appendfsync everysec
            maxmemory 161061273
            maxmemory-policy allkeys-lru
        kind: ConfigMap
        metadata:
          labels:
            app.kubernetes.io/component: cache
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: redis
            app.kubernetes.io/part-of: mathison
          name: redis-config
          namespace: mathison-system
        ---
        apiVersion: v1
        kind: Service
        metadata:
          labels:
            app.kubernetes.io/component: cache
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: redis
            app.kubernetes.io/part-of: mathison
          name: redis-headless
          namespace: mathison-system
        spec:
          clusterIP: None
          ports:
          - name: redis
            port: 6379
            protocol: TCP
            targetPort: redis
          selector:
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/name: redis
          type: ClusterIP
        ---
        apiVersion: v1
        kind: Service
        metadata:
          labels:
            app.kubernetes.io/component: cache
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: redis
            app.kubernetes.io/part-of: mathison
          name: redis
          namespace: mathison-system
        spec:
          ports:
          - name: redis
            port: 6379
            protocol: TCP
            targetPort: redis
          selector:
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/name: redis
          type: ClusterIP
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          labels:
            app.kubernetes.io/component: cache
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: redis
            app.kubernetes.io/part-of: mathison
          name: redis
          namespace: mathison-system
        spec:
          ingress:
          - from:
            - podSelector:
                matchLabels:
                  app.kubernetes.io/part-of: mathison
            ports:
            - port: 6379
              protocol: TCP
          podSelector:
            matchLabels:
              app.kubernetes.io/instance: mathison
              app.kubernetes.io/name: redis
          policyTypes:
          - Ingress
        ---
        apiVersion: apps/v1
        kind: StatefulSet
        metadata:
          labels:
            app.kubernetes.io/component: cache
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: redis
            app.kubernetes.io/part-of: mathison
          name: redis
          namespace: mathison-system
        spec:
          persistentVolumeClaimRetentionPolicy:
            whenDeleted: Retain
            whenScaled: Retain
          replicas: 1
          selector:
            matchLabels:
              app.kubernetes.io/instance: mathison
              app.kubernetes.io/name: redis
          serviceName: redis-headless
          template:
            metadata:
              annotations:
                mathison.dev/config-checksum: sha256:a588e02858cbad9c772e533cc647611e655e94f5750ddb094df3577949908673
              labels:
                app.kubernetes.io/component: cache
                app.kubernetes.io/instance: mathison
                app.kubernetes.io/managed-by: mathison
                app.kubernetes.io/name: redis
                app.kubernetes.io/part-of: mathison
            spec:
              automountServiceAccountToken: false
              containers:
              - args:
                - redis-server
                - /etc/redis/redis.conf
                image: redis:7-alpine
                livenessProbe:
                  exec:
                    command:
                    - redis-cli
                    - ping
                  failureThreshold: 6
                  periodSeconds: 10
                  timeoutSeconds: 5
                name: redis
                ports:
                - containerPort: 6379
                  name: redis
                  protocol: TCP
                readinessProbe:
                  exec:
                    command:
                    - sh
                    - -c
                    - test "$(redis-cli ping)" = PONG
                  failureThreshold: 3
                  periodSeconds: 5
                  timeoutSeconds: 3
                resources:
                  limits:
                    cpu: 250m
                    memory: 256Mi
                  requests:
                    cpu: 50m
                    memory: 64Mi
                securityContext:
                  allowPrivilegeEscalation: false
                  capabilities:
                    drop:
                    - ALL
                startupProbe:
                  exec:
                    command:
                    - redis-cli
                    - ping
                  failureThreshold: 30
                  periodSeconds: 2
                  timeoutSeconds: 2
                volumeMounts:
                - mountPath: /data
                  name: data
                - mountPath: /etc/redis
                  name: config
                  readOnly: true
              enableServiceLinks: false
              securityContext:
                fsGroup: 1000
                fsGroupChangePolicy: OnRootMismatch
                runAsGroup: 1000
                runAsNonRoot: true
                runAsUser: 999
                seccompProfile:
                  type: RuntimeDefault
              terminationGracePeriodSeconds: 30
              volumes:
              - configMap:
                  name: redis-config
                name: config
          volumeClaimTemplates:
          - apiVersion: v1
            kind: PersistentVolumeClaim
            metadata:
              labels:
                app.kubernetes.io/component: cache
                app.kubernetes.io/instance: mathison
                app.kubernetes.io/managed-by: mathison
                app.kubernetes.io/name: redis
                app.kubernetes.io/part-of: mathison
                mathison.dev/stack: mathison.mathison-system
              name: data
            spec:
              accessModes:
              - ReadWriteOnce
              resources:
                requests:
                  storage: 1Gi
        "#);
    }

    #[test]
    fn the_checks_ask_for_what_people_rely_on() {
        let names: Vec<String> = expansion(&json!({})).checks.into_iter().map(|check| check.name).collect();
        insta::assert_snapshot!(names.join("\n"), @"
        redis is ready
        redis answers
        redis persists
        redis evicts as declared
        redis keeps to its memory
        redis has endpoints
        redis resolves
        redis has the declared resources
        redis has its limits in force
        redis has its claim bound
        redis survives a restart
        ");
    }

    /// Trap: `maxmemory` at or above the container's limit ends in kills.
    #[test]
    fn maxmemory_leaves_room_below_the_limit() {
        assert!(config(&json!({})).contains(&format!("maxmemory {}\n", 256_i64 * 1024 * 1024 * 60 / 100)));
        let limited = json!({"resources": {"limits": {"memory": "1Gi"}}});
        assert!(config(&limited).contains(&format!("maxmemory {}\n", 1024_i64 * 1024 * 1024 * 60 / 100)));
        insta::assert_snapshot!(problems(&json!({"maxmemory": "256Mi"})), @"/maxmemory: `256Mi` is not below the memory limit of 268435456 bytes: Redis would be killed (leave room for the rewrite of the append-only file: about 60% of `resources.limits.memory`)");
    }

    /// Trap: `allkeys-lru` may evict BullMQ's job keys.
    #[test]
    fn a_policy_that_evicts_any_key_is_warned_about() {
        insta::assert_snapshot!(lines(&expansion(&json!({})).warnings), @"/maxmemoryPolicy: `allkeys-lru` may evict the keys of BullMQ's jobs (if queues live here, write `maxmemoryPolicy: noeviction`)");
        assert_eq!(expansion(&json!({"maxmemoryPolicy": "noeviction"})).warnings, []);
        insta::assert_snapshot!(
            lines(&expansion(&json!({"maxmemory": "240Mi", "maxmemoryPolicy": "volatile-ttl"})).warnings),
            @"/maxmemory: little room is left for the rewrite of the append-only file (about 60% of `resources.limits.memory` is safe)"
        );
    }

    #[test]
    fn another_setting_changes_the_pod_template() {
        let annotations =
            |block| expansion(&block).manifests[4].object()["spec"]["template"]["metadata"]["annotations"].clone();
        assert_ne!(annotations(json!({})), annotations(json!({"maxmemoryPolicy": "noeviction"})));
    }

    #[test]
    fn a_password_comes_from_the_secret_for_server_probes_and_checks() {
        let expansion = expansion(&json!({"password": "mathison-secrets/REDIS_PASSWORD"}));
        let container = &expansion.manifests[4].object()["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(
            container["args"],
            json!(["redis-server", "/etc/redis/redis.conf", "--requirepass", "$(REDISCLI_AUTH)"])
        );
        assert_eq!(container["env"][0]["valueFrom"]["secretKeyRef"]["key"], "REDIS_PASSWORD");
        let with_password = expansion.checks.iter().filter(|check| {
            matches!(&check.kind, CheckKind::Redis { password: Some((secret, key)), .. }
                if secret.name == "mathison-secrets" && key == "REDIS_PASSWORD")
        });
        assert_eq!(with_password.count(), 4);
    }

    #[test]
    fn without_persistence_there_is_no_claim_and_nothing_asks_for_one() {
        let expansion = expansion(&json!({"persistence": false}));
        let object = expansion.manifests[4].object();
        assert_eq!(object["spec"].get("volumeClaimTemplates"), None);
        assert_eq!(object["spec"]["template"]["spec"]["volumes"][1], json!({"name": "data", "emptyDir": {}}));
        let names: Vec<&str> = expansion.checks.iter().map(|check| &*check.name).collect();
        assert!(!names.iter().any(|name| name.contains("claim") || name.contains("persists")), "{names:?}");
        assert!(config(&json!({"persistence": false})).contains("appendonly no\nsave \"\"\n"));
    }

    #[test]
    fn bad_values_are_all_named_at_once() {
        insta::assert_snapshot!(
            problems(&json!({"version": 5, "storage": "x", "resources": {"requests": {"memory": "1Gi"}}, "password": "p"})),
            @"
        /version: Redis 5 is not supported (the versions are 7, 8)
        /storage: `x` is no quantity: it must be a number with an optional suffix, such as `500m`, `2` or `1Gi` (-)
        /resources/limits/memory: the memory limit `256Mi` is below the request `1Gi` (raise the limit or lower the request)
        /password: must name a Secret and a key of it, as `SECRET/KEY` (for example `mathison-secrets/POSTGRES_PASSWORD`; the value itself never stands in the file)
        "
        );
    }
}
