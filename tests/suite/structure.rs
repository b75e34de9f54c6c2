//! Holds the layout: who may import whom, who may name which crate, and how long a file may be.
//!
//! It reads the sources as text. What it looks for stands above the inline tests of a file; tests may use anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of this crate a module may import. `failure` and `command` may import all.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("resource", &[]),
    ("yaml", &[]),
    ("ssa", &["resource"]),
    ("live", &["resource"]),
    ("ready", &["resource"]),
    ("graph", &["resource"]),
    ("secret", &["resource"]),
    ("diff", &["resource", "ssa"]),
    ("service", &["resource", "secret"]),
    ("stack", &["resource", "service", "secret", "yaml", "ssa"]),
    ("state", &["resource"]),
    ("plan", &["resource", "stack", "state", "graph", "ssa", "diff", "live", "ready"]),
    ("drift", &["resource", "stack", "state", "graph", "ssa", "diff", "live", "plan"]),
    ("verify", &["resource", "stack", "live", "service", "ready"]),
    ("event", &["resource", "plan", "verify", "ready"]),
    ("cluster", &["resource", "live", "ssa"]),
    ("sandbox", &["resource", "yaml", "ssa", "ready"]),
    ("apply", &["resource", "live", "ssa", "plan", "state", "graph", "cluster", "ready", "verify", "secret", "event"]),
    ("report", &["resource", "diff", "plan", "drift", "verify", "event"]),
    ("cli", &["resource"]),
    ("main", &["cli", "command", "failure", "report"]),
];

/// May import every module.
const UNBOUND: &[&str] = &["command", "failure"];

/// What only these modules may name: a crate, or a door to the world.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("serde_saphyr::", &["yaml"]),
    ("serde_yaml::", &["yaml"]),
    ("annotate_snippets::", &["yaml", "stack", "failure", "report", "command"]),
    ("petgraph::", &["graph"]),
    ("similar::", &["diff"]),
    ("kube::", &["cluster"]),
    ("k8s_openapi::", &["cluster", "service", "ready"]),
    ("tokio::", &["main", "command", "apply", "cluster", "sandbox", "state"]),
    ("clap::", &["cli", "main"]),
    ("indicatif::", &["report"]),
    ("std::env::var", &["cli", "main"]),
    ("env::var", &["cli", "main"]),
    ("rand::", &["secret", "command", "apply", "cluster", "sandbox"]),
];

/// Deciding has no clock, no randomness and no hash order: the same input gives the same bytes.
const DETERMINISTIC: &[&str] =
    &["resource", "ssa", "live", "ready", "graph", "diff", "service", "stack", "plan", "drift", "verify", "sandbox"];
const INDETERMINATE: &[&str] = &["HashMap", "HashSet", "SystemTime", "Instant::now", "Timestamp::now", "rand::"];

/// Below which paths one of these is harmless, with the reason.
const HARMLESS: &[(&str, &str, &str)] = &[
    ("src/graph/", "HashMap", "found by key and never walked: 100,000 nodes in half the time of an ordered map"),
    ("src/sandbox/clock.rs", "Instant::now", "tokio's, which tests pause; all others are handed the time"),
    ("src/sandbox/api/watches.rs", "Instant::now", "tokio's, which tests pause"),
    ("src/sandbox/random.rs", "rand::", "from a seed that is handed in"),
    ("src/sandbox/plane.rs", "rand::", "secrets of a sandbox that is kept are nobody's to guess"),
    ("src/sandbox/custom/rules/values.rs", "HashMap", "the interpreter's own maps"),
];

/// Lines above the tests of a file.
const MOST_LINES: usize = 400;

/// Longer files, each with its reason.
const LONGER: &[(&str, &str)] =
    &[("tests/suite/wrong_stacks.rs", "a table of wrong stacks, each beside what is printed for it")];

/// One source file as the rules see it: its module, and its code without comments and tests.
struct Source {
    path: String,
    module: String,
    code: String,
    lines: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let above = text.find("\n#[cfg(test)]\nmod ").map_or(text, |place| &text[..place]);
        let code = above.lines().map(without_comment).collect::<Vec<_>>().join("\n");
        let module = path.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs");
        Self { path: path.to_owned(), module: module.to_owned(), code, lines: above.lines().count() }
    }

    fn breaches(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.module != "lib" && !UNBOUND.contains(&self.module.as_str()) {
            match MAY_IMPORT.iter().find(|(module, _)| *module == self.module) {
                None => found.push(format!("{}: `{}` is in no rule of this test", self.path, self.module)),
                Some((_, allowed)) => {
                    for import in self.imports() {
                        if import != self.module && !allowed.contains(&import.as_str()) {
                            found.push(format!("{}: `{}` may not import `{import}`", self.path, self.module));
                        }
                    }
                }
            }
        }
        if self.code.contains("super::super") {
            found.push(format!("{}: `super::super` hides who is imported", self.path));
        }
        for (name, modules) in ONLY_IN {
            if self.names(name) && !modules.contains(&self.module.as_str()) {
                found.push(format!("{}: only {} may name `{name}`", self.path, modules.join(", ")));
            }
        }
        if DETERMINISTIC.contains(&self.module.as_str()) {
            let harmless =
                |name: &str| HARMLESS.iter().any(|(path, what, _)| self.path.starts_with(path) && *what == name);
            for name in INDETERMINATE.iter().filter(|name| self.code.contains(**name) && !harmless(name)) {
                found.push(format!("{}: `{}` decides, so it has no `{name}`", self.path, self.module));
            }
        }
        if self.lines > MOST_LINES && !LONGER.iter().any(|(path, _)| *path == self.path) {
            found.push(format!("{}: {} lines above its tests, {MOST_LINES} are the most", self.path, self.lines));
        }
        found
    }

    /// Returns the modules of this crate that are named: after `crate::` or `mathison::`, also in braces; and after
    /// `super::` where that is the crate's root.
    fn imports(&self) -> BTreeSet<String> {
        let root = if self.module == "main" { "mathison::" } else { "crate::" };
        let is_below_root =
            [format!("src/{}.rs", self.module), format!("src/{}/mod.rs", self.module)].contains(&self.path);
        let of_parent = is_below_root.then(|| self.code.match_indices("super::")).into_iter().flatten();
        let mut modules = BTreeSet::new();
        for (place, root) in self.code.match_indices(root).chain(of_parent) {
            if self.code[..place].ends_with('$') || self.code[..place].ends_with(is_word) {
                continue;
            }
            let rest = &self.code[place + root.len()..];
            if let Some(list) = rest.strip_prefix('{') {
                modules.extend(top_level_names(list));
            } else {
                modules.insert(first_word(rest).to_owned());
            }
        }
        modules
    }

    /// Tells whether a path that begins with `name` is used, not one that merely ends with it.
    fn names(&self, name: &str) -> bool {
        let bare = name.trim_end_matches(':');
        let used = |text: &str, whole: &str| {
            text.match_indices(whole)
                .any(|(place, _)| !text[..place].ends_with(|before| is_word(before) || before == ':'))
        };
        used(&self.code, name) || self.code.contains(&format!("use {bare};"))
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn first_word(text: &str) -> &str {
    text.split(|character| !is_word(character)).next().unwrap_or_default()
}

/// Cuts a line at `//`, but not inside an address such as `https://…`.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(place, _)| !line[..*place].ends_with(':'));
    comment.map_or(line, |(place, _)| &line[..place])
}

/// Returns the first words of the entries of `a::b, c::{d, e}}…` up to the closing brace.
fn top_level_names(list: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut names = Vec::new();
    let mut entry = String::new();
    for character in list.chars() {
        match character {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut entry)),
            _ if depth == 0 => entry.push(character),
            _ => {}
        }
    }
    names.push(entry);
    names.iter().map(|entry| first_word(entry.trim()).to_owned()).filter(|name| !name.is_empty()).collect()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below a folder of the repository, by their paths in it.
fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder)
            .expect("list a folder of the repository")
            .map(|entry| entry.expect("read an entry of a folder").path())
        {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(!files.is_empty(), "nothing lies below `{folder}`: there is nothing to check");
    files.sort();
    files.iter().map(|path| path.strip_prefix(repository()).expect("it lies below").to_owned()).collect()
}

/// Returns the sources below a folder, but for modules that exist in tests only.
fn sources(folder: &str) -> Vec<Source> {
    let files =
        files_below(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let texts: Vec<(PathBuf, String)> = files
        .map(|path| {
            let text = fs::read_to_string(repository().join(&path)).expect("read a source");
            (path, text)
        })
        .collect();
    let tests: Vec<PathBuf> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_test = |path: &Path| tests.iter().any(|test| path.starts_with(test) || path == test.with_extension("rs"));
    let own = texts.iter().filter(|(path, _)| !is_test(path));
    own.map(|(path, text)| Source::new(&path.to_string_lossy(), text)).collect()
}

/// Returns the paths, without `.rs`, of the modules that `#[cfg(test)] mod NAME;` in this file names.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") => path.with_file_name(""),
        _ => path.with_extension(""),
    };
    let after = text.split("#[cfg(test)]\n").skip(1);
    let lines = after.filter_map(|rest| rest.lines().find(|line| !line.starts_with("#[")));
    let names = lines.filter_map(|line| line.trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| folder.join(name)).collect()
}

#[test]
fn the_sources_keep_to_the_layout() {
    let breaches: Vec<String> = sources("src").iter().flat_map(Source::breaches).collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn the_suite_and_the_benchmarks_have_short_files_too() {
    for source in ["tests/suite", "benches"].iter().flat_map(|folder| sources(folder)) {
        let excused = LONGER.iter().any(|(path, _)| *path == source.path);
        assert!(excused || source.lines <= MOST_LINES, "{}: {} lines above its tests", source.path, source.lines);
    }
}

#[test]
fn no_exception_outlives_its_reason() {
    let sources = sources("src");
    for (path, name, reason) in HARMLESS {
        let used = sources.iter().any(|source| source.path.starts_with(path) && source.code.contains(name));
        assert!(used, "{path} has no `{name}` any more: {reason}");
    }
    for (path, reason) in LONGER {
        let text = fs::read_to_string(repository().join(path)).unwrap_or_default();
        assert!(Source::new(path, &text).lines > MOST_LINES, "{path} is short enough by now: {reason}");
    }
}

#[test]
fn no_path_of_a_machine_stands_in_the_repository() {
    // Put together here, or this file would hold them.
    let paths = ["work", "Users", "home/runner"].map(|folder| format!("/{folder}/"));
    let folders = ["src", "stacks", "tests", "benches", "docs", ".ci", ".cargo"];
    let top = ["Cargo.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(PathBuf::from);
    for file in folders.iter().flat_map(|folder| files_below(folder)).chain(top) {
        let Ok(text) = fs::read_to_string(repository().join(&file)) else { continue };
        for path in &paths {
            assert!(!text.contains(path.as_str()), "{} holds a path below {path}", file.display());
        }
    }
}

mod the_checker {
    use std::path::{Path, PathBuf};

    use super::{Source, test_modules};

    #[test]
    fn leaves_out_modules_of_tests() {
        let text = "mod order;\n#[cfg(test)]\nmod sample;\n#[cfg(test)]\n#[path = \"x.rs\"]\npub(crate) mod tests;\n";
        let found = ["sample", "tests"].map(|name| PathBuf::from("src/graph").join(name));
        assert_eq!(test_modules(Path::new("src/graph/mod.rs"), text), found);
        assert_eq!(test_modules(Path::new("src/graph.rs"), text), found);
        assert_eq!(test_modules(Path::new("src/lib.rs"), "#[cfg(test)]\nmod tests {\n}\n"), Vec::<PathBuf>::new());
    }

    #[test]
    fn recognises_a_planted_breach() {
        let breach = |path: &str, text: &str| Source::new(path, text).breaches();
        let is_one = |path: &str, text: &str| assert_eq!(breach(path, text).len(), 1, "{path}: {text}");
        is_one("src/resource/name.rs", "use crate::plan::Plan;");
        is_one("src/graph/order.rs", "use crate::{resource::Address, cluster::Cluster};");
        is_one("src/graph/order.rs", "fn f() { crate::state::load(); }");
        is_one("src/plan/decide.rs", "use std::collections::HashMap;");
        is_one("src/sandbox/write/create.rs", "let now = Timestamp::now();");
        is_one("src/sandbox/controllers/job.rs", "use rand::Rng;");
        is_one("src/sandbox/api/objects.rs", "use kube::Client;");
        is_one("src/sandbox/plane.rs", "use crate::cluster::Cluster;");
        is_one("src/plan/decide.rs", "use super::super::stack;");
        is_one("src/plan/decide.rs", "use kube::Client;");
        is_one("src/stack/file.rs", "let value = serde_saphyr::from_str(text);");
        is_one("src/stack/inputs.rs", "std::env::var_os(name)");
        is_one("src/live.rs", "use super::plan::Plan;");
        is_one("src/diff/mod.rs", "use super::{plan::Plan, resource::Address};");
        is_one("src/novelty.rs", "");
        is_one("src/live.rs", &"\n".repeat(401));
        is_one("src/main.rs", "use mathison::cluster::Cluster;");
    }

    #[test]
    fn lets_pass_what_is_allowed() {
        let passes = |path: &str, text: &str| assert_eq!(Source::new(path, text).breaches(), Vec::<String>::new());
        passes("src/plan/decide.rs", "use crate::{resource::{Address, Digest}, stack::Stack, plan::Action};");
        passes(
            "src/graph/infer.rs",
            "/// See [`crate::plan::Plan`].\n// kube::Client does that.\nlet a = \"https://b\";",
        );
        passes("src/state/file.rs", "use crate::resource::Digest;\n#[cfg(test)]\nmod tests { use crate::plan::Plan; }");
        passes("src/report/text.rs", "mykube::y(); not_tokio::z(); a::kube::b();");
        passes("src/diff/text.rs", "use super::change::FieldChange;");
        passes("src/command/apply.rs", "use crate::cluster::Cluster;");
        passes("src/graph/objects.rs", "use std::collections::HashMap;");
        passes("src/cluster/connect.rs", "std::env::split_paths(list)");
        passes("src/lib.rs", "pub mod cluster;");
    }
}
