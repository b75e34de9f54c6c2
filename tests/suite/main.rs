//! The one integration binary: every binary links the whole program, so there is one.
//!
//! `cargo test` runs what needs nothing but cargo. What needs an API server is ignored, and says so;
//! `cargo test --test suite -- --ignored` runs it against the testbed (`tests/testbed/testbed api up`).

/// Makes a module of tests of functions that take `&Server`: one test for each kind of server.
macro_rules! on_each_server {
    ($($body:ident),+ $(,)?) => {
        mod real {
            $(
                #[test]
                #[ignore = "needs the testbed (tests/testbed/testbed api up)"]
                fn $body() {
                    super::$body(&crate::support::cluster::Server::real());
                }
            )+
        }
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
mod schema;
mod servers;
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
