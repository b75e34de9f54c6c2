//! The one integration binary: every binary links the whole program, so there is one.
//!
//! `cargo test` runs what needs nothing but cargo: that is also every test of a cluster, against a sandbox that the test
//! itself serves. The same tests against a real API server are ignored, and say so; `cargo test --test suite -- --ignored`
//! runs them against the testbed (`tests/testbed/testbed api up`, `bare up` for `differential`, `node up` for `node`).

/// Makes two tests of each function that takes `&Server`: one on a sandbox, one on the testbed's kube-apiserver.
macro_rules! on_each_server {
    ($($body:ident),+ $(,)?) => {
        $(
            mod $body {
                #[test]
                fn on_the_sandbox() {
                    super::$body(&crate::support::cluster::Server::sandbox());
                }

                #[test]
                #[ignore = "needs the testbed (tests/testbed/testbed api up)"]
                fn on_kube_apiserver() {
                    super::$body(&crate::support::cluster::Server::real());
                }
            }
        )+
    };
}

/// Makes a test of each function that takes `&Server` and cannot be run on a sandbox; where it is used stands why.
macro_rules! on_the_real_server {
    ($($body:ident),+ $(,)?) => {
        $(
            mod $body {
                #[test]
                #[ignore = "needs the testbed (tests/testbed/testbed api up)"]
                fn on_kube_apiserver() {
                    super::$body(&crate::support::cluster::Server::real());
                }
            }
        )+
    };
}

mod budget;
mod canaries;
mod defaults;
mod differential;
mod exit_codes;
mod failures;
mod interrupted;
mod kubectl;
mod lifecycle;
mod node;
mod sandbox;
mod sandbox_faults;
mod sandbox_words;
mod schema;
mod schemas;
mod servers;
mod simulation;
mod stack_files;
mod stacks;
mod structure;
mod support;
mod wrong_stacks;

/// A file of the suite that no `mod` names is compiled by nobody, and its tests never fail.
#[test]
fn every_file_of_the_suite_is_part_of_it() {
    let suite = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let mut folders = vec![(suite.join("main.rs"), suite)];
    while let Some((root, folder)) = folders.pop() {
        let text = std::fs::read_to_string(&root).expect("read the root of a module");
        for entry in std::fs::read_dir(folder).expect("list a folder of the suite") {
            let path = entry.expect("read an entry").path();
            let inner = path.join("mod.rs");
            if inner.is_file() {
                folders.push((inner, path.clone()));
            } else if path == root || path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name in UTF-8");
            let is_named = text.lines().any(|line| line.trim_start_matches("pub ") == format!("mod {name};"));
            assert!(is_named, "{} does not name `{name}`", root.display());
        }
    }
}
