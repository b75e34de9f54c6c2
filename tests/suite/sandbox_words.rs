//! What the sandbox says to who uses it: what it does not do, who has it, and what it leaves alone.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::cluster::eventually;
use crate::support::environment::TestEnv;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

const STACK: &str = "stack: words
namespace: words
services:
  cache: { type: redis }
";

fn with_stack() -> TestEnv {
    let environment = TestEnv::new();
    environment.write("stack.yaml", STACK);
    environment
}

#[test]
fn what_needs_a_container_is_skipped_for_that_one_reason() {
    let environment = with_stack();
    environment
        .run("apply stack.yaml --sandbox --auto-approve")
        .expect_code(0)
        .expect_text(&[
            "  context  mathison-sandbox (sandbox in .mathison/sandbox, runs no containers)\n",
            "check cache answers: SKIPPED: the sandbox runs no containers\n",
            "check cache is ready: passed\n",
        ])
        .expect_no_text(&["501", "failed", "cannot"]);
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0);
    environment.run("verify stack.yaml --sandbox --require-all-checks").expect_code(3);
    // The way to delete what is kept leads to this server and to no other.
    environment
        .run("destroy stack.yaml --sandbox --auto-approve")
        .expect_code(0)
        .expect_text(&["kubectl --kubeconfig .mathison/sandbox/kubeconfig delete namespace words"]);
}

#[test]
fn a_reset_removes_what_was_recorded_too() {
    let environment = with_stack();
    environment.run("apply stack.yaml --sandbox=here --auto-approve --no-wait").expect_code(0);
    assert!(environment.path("here/state").is_dir());
    insta::assert_snapshot!(environment.run("sandbox status --dir here"), @r"
    ----- stdout -----
    there is a sandbox in here; nobody serves it
    ----- exit code 0 -----
    ");
    insta::assert_snapshot!(environment.run("sandbox status --dir here --json"), @r#"
    ----- stdout -----
    {
      "format_version": "1.0",
      "folder": "here",
      "exists": true
    }
    ----- exit code 0 -----
    "#);
    environment.run("sandbox reset --dir here").expect_code(64);
    environment.run("sandbox reset --dir here --auto-approve").expect_code(0);
    let left: Vec<_> =
        fs::read_dir(environment.path("here")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["sandbox.lock"], "the lock is what others may be about to take");
    insta::assert_snapshot!(environment.run("sandbox status --dir here"), @r"
    ----- stdout -----
    there is no sandbox in here
    ----- exit code 0 -----
    ");
}

/// Holds the lock of a sandbox as a process that works on it does.
fn hold(folder: &Path) -> File {
    let lock = File::options().write(true).open(folder.join("sandbox.lock")).expect("the lock");
    lock.lock().expect("nobody has it");
    fs::write(folder.join("sandbox.lock"), "4711").expect("write it");
    lock
}

#[test]
fn who_has_the_folder_is_named() {
    let environment = with_stack();
    environment.run("plan stack.yaml --sandbox").expect_code(0);
    let held = hold(&environment.path(".mathison/sandbox"));
    insta::assert_snapshot!(environment.run("plan stack.yaml --sandbox"), @r"
    ----- stderr -----
    error: failed to open the sandbox; nothing was written
      caused by: the sandbox in `.mathison/sandbox` is in use by process 4711
    hint: wait until it ends; several commands at once share what `mathison sandbox serve` serves
    ----- exit code 5 -----
    ");
    insta::assert_snapshot!(environment.run("sandbox serve"), @r"
    ----- stderr -----
    error: failed to open the sandbox; nothing was written
      caused by: the sandbox in `.mathison/sandbox` is in use by process 4711
    hint: wait until it ends; several commands at once share what `mathison sandbox serve` serves
    ----- exit code 5 -----
    ");
    insta::assert_snapshot!(environment.run("sandbox reset --auto-approve"), @r"
    ----- stderr -----
    error: failed to remove the sandbox
      caused by: the sandbox in `.mathison/sandbox` is in use by process 4711
    hint: wait until it ends; several commands at once share what `mathison sandbox serve` serves
    ----- exit code 5 -----
    ");
    drop(held);
    environment.run("plan stack.yaml --sandbox").expect_code(0);
}

#[test]
fn what_is_no_sandbox_is_left_alone() {
    let environment = with_stack();
    // A lock is not rare, and no sign of a sandbox.
    environment.write("thesis/chapter-1", "mine").write("thesis/lock", "1").write("thesis/state/chapter-2", "mine too");
    insta::assert_snapshot!(environment.run("plan stack.yaml --sandbox=thesis"), @r"
    ----- stderr -----
    error: failed to open the sandbox; nothing was written
      caused by: `thesis` holds other files and no sandbox; name an empty or a new folder, so that nothing of yours is touched
    ----- exit code 1 -----
    ");
    insta::assert_snapshot!(environment.run("sandbox reset --dir thesis --auto-approve"), @r"
    ----- stderr -----
    error: failed to remove the sandbox
      caused by: `thesis` holds other files and no sandbox; name an empty or a new folder, so that nothing of yours is touched
    ----- exit code 1 -----
    ");
    insta::assert_snapshot!(environment.run("plan stack.yaml --sandbox=stack.yaml"), @r"
    ----- stderr -----
    error: failed to open the sandbox; nothing was written
      caused by: cannot read the folder `stack.yaml`
      caused by: Not a directory (os error 20)
    hint: name a folder
    ----- exit code 1 -----
    ");
    assert_eq!(environment.read("thesis/chapter-1"), "mine");
    environment.run("sandbox status --dir thesis").expect_code(0).expect_text(&["there is no sandbox in thesis\n"]);
}

#[test]
fn a_damaged_store_is_refused_with_the_way_out() {
    let environment = with_stack();
    environment.run("plan stack.yaml --sandbox=here").expect_code(0);
    let store = environment.path("here/store.redb");
    let mut bytes = fs::read(&store).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&store, bytes).unwrap();
    environment.run("plan stack.yaml --sandbox=here").expect_code(1).expect_text(&[
        "is damaged: ",
        "hint: nothing but this sandbox is lost by `mathison sandbox reset --dir here`\n",
    ]);
    environment.run("sandbox reset --dir here --auto-approve").expect_code(0);
    environment.run("plan stack.yaml --sandbox=here").expect_code(0);
}

#[test]
fn a_kubeconfig_that_cannot_be_written_is_told_before_anything_is_served() {
    let environment = with_stack();
    insta::assert_snapshot!(environment.run("sandbox serve --kubeconfig nowhere/config"), @r"
    ----- stderr -----
    error: failed to serve the sandbox
      caused by: cannot write `nowhere/config`
      caused by: No such file or directory (os error 2)
    hint: see that its folder is there, or name another place
    ----- exit code 1 -----
    ");
}

#[test]
fn wrong_words_are_usage() {
    let environment = with_stack();
    insta::assert_snapshot!(environment.run("plan --sandbox here stack.yaml"), @r"
    ----- stderr -----
    error: unexpected argument 'stack.yaml' found

      tip: a folder for the sandbox is given with an equals sign: '--sandbox=DIR'

    Usage: mathison plan [OPTIONS] <STACK>

    For more information, try '--help'.
    ----- exit code 64 -----
    ");
    insta::assert_snapshot!(environment.run("plan stack.yaml --sandbox --context kind-dev"), @r"
    ----- stderr -----
    error: the argument '--sandbox[=<DIR>]' cannot be used with '--context <NAME>'

    Usage: mathison plan --sandbox[=<DIR>] <STACK>

    For more information, try '--help'.
    ----- exit code 64 -----
    ");
}

/// A colon separates the files of `KUBECONFIG`, and is a letter of a folder's name as any other.
#[test]
fn a_folder_is_served_whatever_its_name() {
    let environment = with_stack();
    let serving = environment.mathison(["sandbox", "serve", "--dir", "a:b c"]).within(PATIENCE).start();
    eventually("it is served", PATIENCE, || serving.said("serving the sandbox in"));
    environment
        .mathison(["apply", "stack.yaml", "--sandbox=a:b c", "--auto-approve"])
        .finish()
        .expect_code(0)
        .expect_text(&["a:b c"]);
    serving.signal(Signal::TERM);
    serving.finish().expect_code(0);
}
