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
mod exit_codes;
mod failures;
mod interrupted;
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
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    for entry in std::fs::read_dir(folder).expect("list the suite") {
        let path = entry.expect("read an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
        let is_module = path.extension().is_some_and(|extension| extension == "rs") || path.join("mod.rs").is_file();
        if is_module && name != "main" {
            assert!(include_str!("main.rs").contains(&format!("\nmod {name};")), "main.rs does not name `{name}`");
        }
    }
}
