//! What a right stack file becomes.

use std::path::Path;

use mathison::resource::Address;
use mathison::stack::{Loaded, OutputSource, Settings, Stack, load, load_text};

fn stack(text: &str, settings: &Settings) -> Stack {
    match load_text("stack.yaml", text, Path::new("tests"), settings) {
        Ok(Loaded { stack, .. }) => stack,
        Err(error) => panic!("{error}\n{}", error.render(false, 140).unwrap_or_default()),
    }
}

fn addresses(stack: &Stack) -> Vec<&str> {
    stack.resources.keys().map(Address::as_str).collect()
}

#[test]
fn the_stack_of_mathison_holds_its_backing_services() {
    let loaded = load(Path::new("stacks/mathison.yaml"), &Settings::default()).unwrap();
    let stack = loaded.stack;
    for address in [
        "namespace.Namespace/mathison-system",
        "secrets.Secret/mathison-secrets",
        "config.ConfigMap/mathison-config",
        "access.ClusterRole/mathison",
        "postgres.StatefulSet/postgres",
        "redis.StatefulSet/redis",
    ] {
        assert!(stack.resources.contains_key(&Address::from_text(address)), "{address}: {:?}", addresses(&stack));
    }
    for (address, desired) in &stack.resources {
        assert_eq!(desired.manifest.label("mathison.dev/stack"), Some("mathison.mathison-system"), "{address}");
        assert_eq!(desired.manifest.label("app.kubernetes.io/managed-by"), Some("mathison"), "{address}");
    }
    let config = &stack.resources[&Address::from_text("config.ConfigMap/mathison-config")];
    let mentions: Vec<&str> = config.mentions.iter().map(Address::as_str).collect();
    assert_eq!(mentions, ["postgres.StatefulSet/postgres", "redis.StatefulSet/redis"]);
    assert_eq!(stack.secrets.len(), 1);
    assert!(stack.checks.contains_key("vectors have a distance"));
    assert!(matches!(stack.outputs["DATABASE_URL"], OutputSource::SecretKey { .. }));
}

#[test]
fn the_last_word_on_an_input_is_the_command_line() {
    let text = "stack: demo\nnamespace: demo\ninputs: { n: { type: integer, default: 1 } }\n\
                environments: { production: { n: 2 } }\noutputs: { N: \"n is ${inputs.n}, $${kept}\" }\n";
    let output = |settings: &Settings| match stack(text, settings).outputs.remove("N") {
        Some(OutputSource::Text(text)) => text,
        other => panic!("{other:?}"),
    };
    let mut settings = Settings::default();
    assert_eq!(output(&settings), "n is 1, ${kept}");
    settings.environment = Some("production".into());
    assert_eq!(output(&settings), "n is 2, ${kept}");
    settings.env_inputs.insert("N".into(), "3".into());
    assert_eq!(output(&settings), "n is 3, ${kept}");
    settings.var_files.push(("vars.yaml".into(), "n: 4".into()));
    assert_eq!(output(&settings), "n is 4, ${kept}");
    settings.set.push(("n".into(), "5".into()));
    assert_eq!(output(&settings), "n is 5, ${kept}");
}

#[test]
fn scope_decides_who_gets_the_namespace() {
    let text = "stack: demo\nnamespace: demo\nmanifests:\n\
                - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a } }\n\
                - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: other } }\n\
                - inline: { apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: { name: fast, namespace: demo }, provisioner: x }\n\
                - inline: { apiVersion: example.com/v1, kind: Widget, metadata: { name: w } }\n";
    let stack = stack(text, &Settings::default());
    assert_eq!(
        addresses(&stack),
        [
            "manifest.ConfigMap/a",
            "manifest.ConfigMap/other/a",
            "manifest.StorageClass/fast",
            "manifest.Widget.example.com/w",
            "namespace.Namespace/demo"
        ]
    );
    let class = &stack.resources[&Address::from_text("manifest.StorageClass/fast")];
    assert_eq!(class.manifest.namespace(), None);
}

#[test]
fn manifests_from_outside_join_and_may_hold_secrets() {
    let settings = Settings {
        extra_manifests: Some(vec![(
            "<stdin>".into(),
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: demo}\n---\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: hunter2}\n".into(),
        )]),
        ..Settings::default()
    };
    let with = stack("stack: demo\nnamespace: demo\n", &settings);
    assert!(with.with_extra_manifests);
    assert_eq!(addresses(&with), ["manifest.Namespace/demo", "manifest.Secret/s"]);
    let without = stack("stack: demo\nnamespace: demo\n", &Settings::default());
    assert_eq!(addresses(&without), ["namespace.Namespace/demo"]);
    assert_ne!(with.digest, without.digest);
}

/// Such is what a failed `helm template | mathison apply STACK --manifests -` reads.
#[test]
fn manifests_from_outside_that_hold_nothing_are_refused() {
    let sources: [Vec<(String, String)>; 3] =
        [vec![], vec![("<stdin>".into(), String::new())], vec![("<stdin>".into(), "# nothing\n---\n".into())]];
    for source in sources {
        let settings = Settings { extra_manifests: Some(source), ..Settings::default() };
        let error = load_text("stack.yaml", "stack: demo\nnamespace: demo\n", Path::new(""), &settings).unwrap_err();
        let shown = error.render(false, 140).unwrap();
        assert!(shown.contains("it gave no object") && shown.contains("--manifests none"), "{shown}");
    }
}

#[test]
fn a_comment_changes_no_digest_and_a_value_does() {
    let digest = |text: &str| stack(text, &Settings::default()).digest;
    let first = digest("stack: demo\nnamespace: demo\noutputs: { A: b }\n");
    assert_eq!(first, digest("# hello\nnamespace: demo\nstack: demo\noutputs:\n  A: b\n"));
    assert_ne!(first, digest("stack: demo\nnamespace: demo\noutputs: { A: c }\n"));
}

#[test]
fn a_stack_file_that_is_not_there_is_named_with_a_near_one() {
    let error = load(Path::new("stacks/mathisn.yaml"), &Settings::default()).unwrap_err();
    assert_eq!(error.to_string(), "there is no stack file `stacks/mathisn.yaml`");
    let mathison::stack::LoadError::NotFound { hint, .. } = error else { panic!("{error:?}") };
    assert_eq!(hint, "did you mean `stacks/mathison.yaml`?");
}

#[test]
fn no_digest_follows_what_is_in_a_secret_from_outside() {
    let digest = |value: &str| {
        let noted = format!(
            "metadata: {{name: s, annotations: {{kubectl.kubernetes.io/last-applied-configuration: {value}}}}}"
        );
        let text = format!("apiVersion: v1\nkind: Secret\n{noted}\nstringData: {{k: {value}}}\n");
        let settings = Settings { extra_manifests: Some(vec![("<stdin>".into(), text)]), ..Settings::default() };
        stack("stack: demo\nnamespace: demo\n", &settings).digest
    };
    assert_eq!(digest("hunter2"), digest("hunter3"));
}

/// Of a flag nobody can tell whether `1` is a number or a text.
#[test]
fn a_word_of_an_enum_is_the_same_from_the_file_and_from_a_flag() {
    let text = "stack: demo\nnamespace: demo\ninputs: { n: { type: quantity, default: 2, enum: [1, 2, 1Gi] } }\n\
                outputs: { N: \"n is ${inputs.n}\" }\n";
    for value in ["1", "1Gi"] {
        let settings = Settings { set: vec![("n".into(), value.into())], ..Settings::default() };
        assert_eq!(stack(text, &settings).outputs["N"], OutputSource::Text(format!("n is {value}")));
    }
}
