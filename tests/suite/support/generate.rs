//! Stacks of any size: applications of nine objects that refer to each other as real ones do.
//!
//! The same numbers give the same bytes. Secrets are not among the kinds, since a stack takes no values in clear text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

/// The kinds, each with the resource that requests name.
pub const KINDS: [(&str, &str); 9] = [
    ("ServiceAccount", "serviceaccounts"),
    ("Role", "roles.rbac.authorization.k8s.io"),
    ("RoleBinding", "rolebindings.rbac.authorization.k8s.io"),
    ("ConfigMap", "configmaps"),
    ("Service", "services"),
    ("Deployment", "deployments.apps"),
    ("CronJob", "cronjobs.batch"),
    ("NetworkPolicy", "networkpolicies.networking.k8s.io"),
    ("PodDisruptionBudget", "poddisruptionbudgets.policy"),
];

/// Name of the stack file among the files of a stack.
pub const STACK_FILE: &str = "stack.yaml";

/// Line that is in every object, for tests to change.
pub const REVISION: &str = "example.com/revision: \"1\"";

/// Returns the files of a stack of `count` objects: the stack file, and one file for each application.
pub fn stack(name: &str, namespace: &str, count: usize) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert(
        STACK_FILE.to_owned(),
        format!("stack: {name}\nnamespace: {namespace}\nmanifests:\n  - path: objects/\n"),
    );
    for application in 0..count.div_ceil(KINDS.len()) {
        let wanted = (count - application * KINDS.len()).min(KINDS.len());
        let objects: Vec<String> = KINDS[..wanted].iter().map(|(kind, _)| object(kind, application)).collect();
        files.insert(format!("objects/app-{application:04}.yaml"), objects.join("---\n"));
    }
    files
}

/// Writes the files of a stack into a folder.
pub fn write(files: &BTreeMap<String, String>, folder: &Path) {
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(parent).expect("make a folder of the stack");
        fs::write(&path, text).expect("write a file of the stack");
    }
}

/// Changes the revision of one object in each of the first `count` files, of another kind each time.
pub fn change(files: &mut BTreeMap<String, String>, count: usize) {
    let objects = files.iter_mut().filter(|(name, _)| name.starts_with("objects/"));
    for (index, (name, text)) in objects.take(count).enumerate() {
        let mut documents: Vec<String> = text.split("---\n").map(str::to_owned).collect();
        let document = documents.get_mut(index % KINDS.len()).expect("an application has all kinds");
        *document = document.replacen(REVISION, "example.com/revision: \"2\"", 1);
        let changed = documents.join("---\n");
        assert_ne!(*text, changed, "nothing changed in {name}");
        *text = changed;
    }
}

/// Returns a List of ConfigMaps that belong to nobody's stack, about 1 KB each.
pub fn foreign_config_maps(count: usize) -> String {
    let text = "somebody else's text, which no plan of ours should fetch. ".repeat(16);
    let items: Vec<_> = (0..count)
        .map(|index| {
            json!({ "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": format!("foreign-{index:05}"), "labels": { "app": "foreign" } },
                "data": { "text": text } })
        })
        .collect();
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

fn name(application: usize) -> String {
    format!("app-{application:04}")
}

fn object(kind: &str, application: usize) -> String {
    let name = name(application);
    match kind {
        "ServiceAccount" => head("v1", kind, &name, "identity") + "automountServiceAccountToken: false\n",
        "Role" => role(&name),
        "RoleBinding" => role_binding(&name),
        "ConfigMap" => config_map(&name, application),
        "Service" => service(&name),
        "Deployment" => deployment(&name, application),
        "CronJob" => cron_job(&name, application),
        "NetworkPolicy" => network_policy(&name, application),
        "PodDisruptionBudget" => pod_disruption_budget(&name),
        _ => unreachable!("not a kind of this generator: {kind}"),
    }
}

fn head(api_version: &str, kind: &str, name: &str, component: &str) -> String {
    format!(
        r#"apiVersion: {api_version}
kind: {kind}
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/instance: {name}-main
    app.kubernetes.io/component: {component}
    app.kubernetes.io/part-of: generated
    app.kubernetes.io/version: "2026.11"
  annotations:
    {REVISION}
    example.com/owner: team-{name}@example.com
    example.com/runbook: https://runbooks.example.com/generated/{name}/{component}
    example.com/description: >-
      The {component} of {name}, one of many applications that look alike. The text is as long as
      descriptions tend to be, so that an object has the size of those that people write by hand:
      who owns it, what it is for, what happens when it is gone, and whom to wake up for it.
"#
    )
}

fn role(name: &str) -> String {
    head("rbac.authorization.k8s.io/v1", "Role", name, "rights")
        + &format!(
            r#"rules:
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [{name}]
    verbs: [get, list, watch]
  - apiGroups: [""]
    resources: [pods, pods/log, endpoints]
    verbs: [get, list, watch]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    resourceNames: [{name}-leader]
    verbs: [get, update, patch]
"#
        )
}

fn role_binding(name: &str) -> String {
    head("rbac.authorization.k8s.io/v1", "RoleBinding", name, "rights")
        + &format!(
            r#"roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {name}
subjects:
  - kind: ServiceAccount
    name: {name}
"#
        )
}

fn config_map(name: &str, application: usize) -> String {
    let mut text = head("v1", "ConfigMap", name, "settings");
    let _ = write!(text, "data:\n  LOG_LEVEL: info\n  SHARD: \"{application}\"\n  settings.properties: |\n");
    for setting in 0..24 {
        let value = (application * 31 + setting * 17) % 1000;
        let _ = writeln!(text, "    {name}.module-{setting:02}.threshold.per.second = {value}");
    }
    text
}

fn service(name: &str) -> String {
    head("v1", "Service", name, "front")
        + &format!(
            r"spec:
  selector:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/instance: {name}-main
  ports:
    - {{ name: http, port: 80, targetPort: http }}
    - {{ name: metrics, port: 9090, targetPort: metrics }}
"
        )
}

fn deployment(name: &str, application: usize) -> String {
    // The one before it: a chain through all applications, without a cycle.
    let upstream = self::name(application.saturating_sub(1));
    head("apps/v1", "Deployment", name, "server")
        + &format!(
            r#"spec:
  replicas: 0
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
      app.kubernetes.io/instance: {name}-main
  strategy:
    type: RollingUpdate
    rollingUpdate: {{ maxSurge: 1, maxUnavailable: 0 }}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/instance: {name}-main
        app.kubernetes.io/part-of: generated
    spec:
      serviceAccountName: {name}
      terminationGracePeriodSeconds: 45
      securityContext: {{ runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001 }}
      containers:
        - name: server
          image: registry.example.com/generated/server:2026.11.{application}
          imagePullPolicy: IfNotPresent
          args: [--config=/etc/server/settings.properties, --listen=:8080]
          ports:
            - {{ name: http, containerPort: 8080 }}
            - {{ name: metrics, containerPort: 9090 }}
          envFrom:
            - configMapRef: {{ name: {name} }}
          env:
            - {{ name: UPSTREAM, value: "http://{upstream}" }}
            - name: POD_NAME
              valueFrom: {{ fieldRef: {{ fieldPath: metadata.name }} }}
          resources:
            requests: {{ cpu: 100m, memory: 128Mi }}
            limits: {{ cpu: "1", memory: 512Mi }}
          readinessProbe:
            httpGet: {{ path: /ready, port: http }}
            periodSeconds: 5
          livenessProbe:
            httpGet: {{ path: /live, port: http }}
            initialDelaySeconds: 10
          volumeMounts:
            - {{ name: settings, mountPath: /etc/server, readOnly: true }}
      volumes:
        - name: settings
          configMap: {{ name: {name}, defaultMode: 0444 }}
"#
        )
}

fn cron_job(name: &str, application: usize) -> String {
    let minute = application % 60;
    head("batch/v1", "CronJob", name, "sweeper")
        + &format!(
            r#"spec:
  schedule: "{minute} 3 * * *"
  suspend: true
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 1
  jobTemplate:
    spec:
      backoffLimit: 2
      template:
        spec:
          serviceAccountName: {name}
          restartPolicy: Never
          containers:
            - name: sweeper
              image: registry.example.com/generated/sweeper:2026.11
              envFrom:
                - configMapRef: {{ name: {name} }}
              env:
                - {{ name: SERVER, value: "http://{name}" }}
              resources:
                requests: {{ cpu: 50m, memory: 64Mi }}
                limits: {{ memory: 128Mi }}
"#
        )
}

fn network_policy(name: &str, application: usize) -> String {
    let downstream = self::name(application + 1);
    head("networking.k8s.io/v1", "NetworkPolicy", name, "rights")
        + &format!(
            r"spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {downstream}
      ports:
        - {{ port: http, protocol: TCP }}
    - ports:
        - {{ port: metrics, protocol: TCP }}
"
        )
}

fn pod_disruption_budget(name: &str) -> String {
    head("policy/v1", "PodDisruptionBudget", name, "rights")
        + &format!(
            r"spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
      app.kubernetes.io/instance: {name}-main
"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(files: &BTreeMap<String, String>) -> Vec<serde_json::Value> {
        let objects = files.iter().filter(|(name, _)| name.starts_with("objects/"));
        let texts = objects.flat_map(|(_, text)| text.split("---\n"));
        texts.map(|text| serde_yaml::from_str(text).expect("an object is YAML")).collect()
    }

    #[test]
    fn a_stack_has_as_many_objects_as_asked_of_nine_kinds_and_of_usual_size() {
        let files = stack("big", "here", 1000);
        let objects = documents(&files);
        assert_eq!(objects.len(), 1000);
        for (kind, _) in KINDS {
            let count = objects.iter().filter(|object| object["kind"] == kind).count();
            assert!((111..=112).contains(&count), "{count} of {kind}");
        }
        let size: usize = objects.iter().map(|object| object.to_string().len()).sum();
        assert!((1024..=2048).contains(&(size / objects.len())), "{} bytes on average", size / objects.len());
    }

    #[test]
    fn the_same_numbers_give_the_same_bytes() {
        assert_eq!(stack("big", "here", 100), stack("big", "here", 100));
    }

    #[test]
    fn a_change_is_one_object_in_each_file() {
        let mut files = stack("big", "here", 200);
        let before = documents(&files);
        change(&mut files, 10);
        let changed = before.iter().zip(documents(&files)).filter(|(before, after)| *before != after).count();
        assert_eq!(changed, 10);
    }
}
