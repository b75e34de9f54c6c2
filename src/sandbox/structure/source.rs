//! Makes the table out of the Go sources that the API server is compiled from. Only for the test that keeps it up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ssa::builtin_kinds;

const RELEASE: &str = "v0.35.4";

/// Types whose JSON is their own affair: nothing is to be read of their fields.
const OPAQUE: [&str; 12] = [
    "resource.Quantity",
    "intstr.IntOrString",
    "runtime.RawExtension",
    "runtime.Object",
    "meta.v1.Time",
    "meta.v1.MicroTime",
    "meta.v1.Duration",
    "meta.v1.FieldsV1",
    "apiextensions.v1.JSON",
    "apiextensions.v1.JSONSchemaPropsOrArray",
    "apiextensions.v1.JSONSchemaPropsOrBool",
    "apiextensions.v1.JSONSchemaPropsOrStringArray",
];

/// What an opaque type is made of nevertheless.
const INSIDE_OPAQUE: [&str; 1] = ["apiextensions.v1.JSONSchemaProps"];

#[derive(Default)]
struct Sources {
    /// Line of the table by type; embedded structures are still named.
    types: BTreeMap<String, Declared>,
}

enum Declared {
    /// Another name for the same type.
    Alias(String),
    Other(String),
    Structure(Vec<Member>),
}

#[derive(Clone)]
enum Member {
    Embedded(String),
    Field { name: String, go_type: String, rest: String },
}

/// Returns the whole table.
pub(super) fn table() -> anyhow::Result<String> {
    let output = Command::new("go").args(["env", "GOMODCACHE"]).output()?;
    let modules = PathBuf::from(String::from_utf8(output.stdout)?.trim()).join("k8s.io");
    let mut packages: BTreeSet<(String, String)> =
        builtin_kinds().map(|kind| (super::package_of_group(&kind.group).to_owned(), kind.version)).collect();
    for other in ["authentication", "authorization", "policy", "autoscaling", "meta"] {
        packages.insert((other.to_owned(), "v1".to_owned()));
    }
    let mut sources = Sources::default();
    for (package, version) in &packages {
        let folder = match package.as_str() {
            "meta" => "apimachinery@R/pkg/apis/meta".to_owned(),
            "apiextensions" => "apiextensions-apiserver@R/pkg/apis/apiextensions".to_owned(),
            "apiregistration" => "kube-aggregator@R/pkg/apis/apiregistration".to_owned(),
            other => format!("api@R/{other}"),
        };
        let folder = modules.join(folder.replace("@R", &format!("@{RELEASE}"))).join(version);
        sources.read_folder(&folder, &format!("{package}.{version}"))?;
    }
    sources.read_folder(&modules.join(format!("apimachinery@{RELEASE}/pkg/types")), "types")?;
    Ok(sources.table())
}

impl Sources {
    fn read_folder(&mut self, folder: &Path, package: &str) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".go") && !name.ends_with("_test.go") && !name.contains("generated") {
                self.read_file(&std::fs::read_to_string(&path)?, package);
            }
        }
        Ok(())
    }

    fn read_file(&mut self, text: &str, package: &str) {
        let mut imports: BTreeMap<String, String> = BTreeMap::new();
        let mut current: Option<(String, Vec<Member>)> = None;
        let mut in_comment = false;
        for line in text.lines() {
            let line = line.trim();
            if in_comment {
                in_comment = !line.ends_with("*/");
                continue;
            }
            if line.starts_with("/*") {
                in_comment = !line.ends_with("*/");
                continue;
            }
            if line.starts_with("//") || line.is_empty() {
                continue;
            }
            if let Some((name, members)) = &mut current {
                if line == "}" {
                    let name = format!("{package}.{name}");
                    self.types.insert(name, Declared::Structure(std::mem::take(members)));
                    current = None;
                } else {
                    members.extend(member(line, package, &imports));
                }
                continue;
            }
            if let Some((alias, path)) = import(line) {
                imports.insert(alias, path);
            } else if let Some(rest) = line.strip_prefix("type ") {
                let (name, what) = rest.split_once(' ').unwrap_or_default();
                match what {
                    "struct {" => current = Some((name.to_owned(), Vec::new())),
                    "struct{}" => {
                        self.types.insert(format!("{package}.{name}"), Declared::Structure(Vec::new()));
                    }
                    what if what.starts_with("interface") || what.starts_with("func") => {}
                    what if what.starts_with("= ") => {
                        let what = qualified(what.trim_start_matches("= "), package, &imports);
                        self.types.insert(format!("{package}.{name}"), Declared::Alias(what));
                    }
                    what => {
                        let what = what.split(" //").next().unwrap_or_default().trim();
                        let what = qualified(what, package, &imports);
                        self.types.insert(format!("{package}.{name}"), Declared::Other(what));
                    }
                }
            }
        }
    }

    fn members(&self, name: &str) -> Vec<Member> {
        let Some(Declared::Structure(members)) = self.types.get(name) else { return Vec::new() };
        members
            .iter()
            .flat_map(|member| match member {
                // The path of a field in messages names what it is embedded in.
                Member::Embedded(inner) => {
                    let short = inner.rsplit('.').next().unwrap_or_default();
                    let within =
                        |name: &str| if short == "TypeMeta" { name.to_owned() } else { format!("{short}.{name}") };
                    let mut members = self.members(inner);
                    for member in &mut members {
                        if let Member::Field { name, .. } = member {
                            *name = within(name);
                        }
                    }
                    members
                }
                Member::Field { name, go_type, rest } => {
                    vec![Member::Field { name: name.clone(), go_type: self.unaliased(go_type), rest: rest.clone() }]
                }
            })
            .collect()
    }

    fn unaliased(&self, go_type: &str) -> String {
        let mut go_type = go_type.to_owned();
        for name in names_in(&go_type) {
            if let Some(Declared::Alias(other)) = self.types.get(&name) {
                go_type = go_type.replace(&name, other);
            }
        }
        go_type
    }

    fn table(&self) -> String {
        let is_root = |name: &str, declared: &Declared| match declared {
            Declared::Structure(members) => {
                !name.ends_with("List")
                    && members
                        .iter()
                        .any(|member| matches!(member, Member::Embedded(inner) if inner == "meta.v1.TypeMeta"))
            }
            Declared::Other(_) | Declared::Alias(_) => false,
        };
        let roots = self.types.iter().filter(|(name, declared)| is_root(name, declared)).map(|(name, _)| name.clone());
        let mut wanted: Vec<String> = roots.chain(INSIDE_OPAQUE.map(str::to_owned)).collect();
        let mut lines: BTreeMap<String, String> = BTreeMap::new();
        while let Some(name) = wanted.pop() {
            if lines.contains_key(&name) || OPAQUE.contains(&name.as_str()) {
                continue;
            }
            let (package, _) = name.rsplit_once('.').unwrap_or_default();
            let near = |go_type: &str| go_type.replace(&format!("{package}."), ".");
            let line = match self.types.get(&name) {
                None | Some(Declared::Alias(_)) => continue,
                Some(Declared::Other(what)) => {
                    wanted.extend(names_in(what));
                    format!("={}", near(what))
                }
                Some(Declared::Structure(_)) => {
                    let mut fields = Vec::new();
                    for member in self.members(&name) {
                        if let Member::Field { name, go_type, rest } = member {
                            wanted.extend(names_in(&go_type));
                            fields.push(format!("{name}:{}{rest}", near(&go_type)));
                        }
                    }
                    fields.join(" ")
                }
            };
            lines.insert(name, line);
        }
        lines.iter().map(|(name, line)| format!("{name}\t{line}\n")).collect()
    }
}

/// Reads a line of a structure; fields that have no JSON are left out.
fn member(line: &str, package: &str, imports: &BTreeMap<String, String>) -> Option<Member> {
    let (declaration, tags) = line.split_once('`').unwrap_or((line, ""));
    let declaration = declaration.split("//").next().unwrap_or_default();
    let words: Vec<&str> = declaration.split_whitespace().collect();
    let tag = |key: &str| tags.split_once(&format!("{key}:\"")).and_then(|(_, rest)| rest.split('"').next());
    let json = tag("json").unwrap_or_default();
    let (name, options) = json.split_once(',').unwrap_or((json, ""));
    if words.len() == 1 && name.is_empty() {
        return Some(Member::Embedded(qualified(words[0].trim_start_matches('*'), package, imports)));
    }
    if name.is_empty() || name == "-" {
        return None;
    }
    let mut rest = String::new();
    let options: Vec<&str> = options.split(',').collect();
    if options.contains(&"omitempty") {
        rest.push('?');
    }
    if options.contains(&"omitzero") {
        rest.push('!');
    }
    if let Some(strategy) = tag("patchStrategy") {
        rest.push_str(&format!("~{strategy}/{}", tag("patchMergeKey").unwrap_or_default()));
    }
    Some(Member::Field { name: name.to_owned(), go_type: qualified(words.last()?, package, imports), rest })
}

fn import(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("import ").unwrap_or(line);
    let (alias, path) = line.strip_suffix('"')?.split_once('"')?;
    let package = match path.strip_prefix("k8s.io/")? {
        "apimachinery/pkg/apis/meta/v1" => "meta.v1".to_owned(),
        path if path.starts_with("api/") => path.strip_prefix("api/")?.replace('/', "."),
        path => path.rsplit('/').next()?.to_owned(),
    };
    let alias = match alias.trim() {
        "" => path.rsplit('/').next()?,
        alias => alias,
    };
    Some((alias.to_owned(), package))
}

/// Writes a type with its packages as the table names them.
fn qualified(go_type: &str, package: &str, imports: &BTreeMap<String, String>) -> String {
    const BASIC: [&str; 12] =
        ["string", "bool", "int", "int32", "int64", "uint8", "uint32", "uint64", "float32", "float64", "byte", "any"];
    if let Some(rest) = go_type.strip_prefix('*') {
        return format!("*{}", qualified(rest, package, imports));
    }
    if let Some(rest) = go_type.strip_prefix("[]") {
        return format!("[]{}", qualified(rest, package, imports));
    }
    if let Some((key, rest)) = go_type.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
        return format!("map[{}]{}", qualified(key, package, imports), qualified(rest, package, imports));
    }
    if go_type == "interface{}" {
        return "any".to_owned();
    }
    if BASIC.contains(&go_type) {
        return go_type.replace("byte", "uint8");
    }
    match go_type.split_once('.') {
        Some((alias, name)) => format!("{}.{name}", imports.get(alias).map_or(alias, String::as_str)),
        None => format!("{package}.{go_type}"),
    }
}

fn names_in(go_type: &str) -> Vec<String> {
    let words = go_type.split(|character: char| "*[]".contains(character));
    words.filter(|word| word.contains('.')).map(str::to_owned).collect()
}
