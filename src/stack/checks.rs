//! The `checks` part: questions of the file's own, beside those that come with the services.

use std::collections::BTreeMap;

use super::file::CheckBlock;
use super::nearest::listed;
use super::origin::Locator;
use super::targets::{NotFound, Targets};
use crate::resource::ObjectRef;
use crate::service::{AccessRule, Check, CheckKind};
use crate::yaml::{Problems, escape_pointer};

/// A question that is only an address: its key, the address, and what is asked of the object there.
type PlainQuestion<'a> = (&'a str, &'a Option<String>, fn(ObjectRef) -> CheckKind);

/// Reads the file's checks and adds those of the services.
pub(super) fn read(
    blocks: &BTreeMap<String, CheckBlock>,
    targets: &Targets<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, Check> {
    let mut checks: BTreeMap<String, Check> = targets
        .services
        .values()
        .flat_map(|service| &service.checks)
        .map(|check| (check.name.clone(), check.clone()))
        .collect();
    for (name, block) in blocks {
        let pointer = format!("/checks/{}", escape_pointer(name));
        if checks.contains_key(name) {
            let message = format!("a service already has a check called `{name}`");
            problems.push(locator.key_error(&pointer, message).hint("choose another name"));
        }
        let mut reader = Reader { block, targets, locator, problems, pointer: &pointer };
        reader.check_keys();
        if let Some((kind, about)) = reader.kind() {
            let disruptive = matches!(kind, CheckKind::SurvivesRestart(_));
            checks.insert(name.clone(), Check { name: name.clone(), kind, about, disruptive });
        }
    }
    checks
}

struct Reader<'a> {
    block: &'a CheckBlock,
    targets: &'a Targets<'a>,
    locator: &'a Locator<'a>,
    problems: &'a mut Problems,
    pointer: &'a str,
}

impl Reader<'_> {
    /// Refuses keys that say nothing about the question that is asked.
    fn check_keys(&mut self) {
        let block = self.block;
        let (question, useful): (&str, &[&str]) = if block.sql.is_some() {
            ("sql", &["in", "expect", "user", "database", "container"])
        } else if block.redis.is_some() {
            ("redis", &["in", "expect"])
        } else if block.resolves.is_some() {
            ("resolves", &["in"])
        } else if block.access.is_some() {
            ("access", &["allowed"])
        } else {
            let plain = ["ready", "endpoints", "bound", "resources", "survivesRestart"];
            let asked = |key: &&str| self.locator.root().at_pointer(&format!("{}/{key}", self.pointer)).is_some();
            (plain.into_iter().find(asked).unwrap_or("this"), &[])
        };
        for key in ["in", "expect", "user", "database", "container", "allowed"] {
            let at = format!("{}/{key}", self.pointer);
            if self.locator.root().at_pointer(&at).is_some() && !useful.contains(&key) {
                let hint = if useful.is_empty() {
                    "take it away".to_owned()
                } else {
                    format!("it takes {}", listed(useful.iter().copied(), "and"))
                };
                self.problems
                    .push(self.locator.key_error(&at, format!("`{key}` says nothing about `{question}`")).hint(hint));
            }
        }
    }

    fn kind(&mut self) -> Option<(CheckKind, Vec<ObjectRef>)> {
        let block = self.block;
        if let Some(query) = &block.sql {
            return self.sql(query);
        }
        if let Some(command) = &block.redis {
            return self.redis(command);
        }
        if let Some(host) = &block.resolves {
            let workload = self.workload()?;
            return Some((CheckKind::Resolves { workload: workload.clone(), host: host.clone() }, vec![workload]));
        }
        if let Some(address) = &block.access {
            let account = self.object("access", address)?;
            let rule = |rule: &super::file::AccessBlock| AccessRule {
                group: rule.group.clone(),
                resource: rule.resource.clone(),
                verbs: rule.verbs.clone(),
            };
            let allowed = block.allowed.iter().map(rule).collect();
            return Some((CheckKind::Access { account: account.clone(), allowed }, vec![account]));
        }
        let plain: [PlainQuestion<'_>; 5] = [
            ("ready", &block.ready, CheckKind::Ready),
            ("endpoints", &block.endpoints, CheckKind::Endpoints),
            ("bound", &block.bound, CheckKind::ClaimBound),
            ("resources", &block.resources, CheckKind::Resources),
            ("survivesRestart", &block.survives_restart, CheckKind::SurvivesRestart),
        ];
        let (key, address, kind) =
            plain.into_iter().find_map(|(key, address, kind)| Some((key, address.as_ref()?, kind)))?;
        let object = self.object(key, address)?;
        Some((kind(object.clone()), vec![object]))
    }

    fn sql(&mut self, query: &str) -> Option<(CheckKind, Vec<ObjectRef>)> {
        let workload = self.workload()?;
        // The service's own check knows whom to ask as.
        let known = self.own_checks().find_map(|check| match &check.kind {
            CheckKind::Sql { user, database, container, .. } => {
                Some((user.clone(), database.clone(), container.clone()))
            }
            _ => None,
        });
        let (known_user, known_database, known_container) =
            known.map_or((None, None, None), |(user, database, container)| (Some(user), Some(database), container));
        let user = self.block.user.clone().or(known_user);
        let database = self.block.database.clone().or(known_database);
        let (Some(user), Some(database)) = (user, database) else {
            let message = "a query needs `user` and `database` where `in` is no PostgreSQL service";
            self.problems.push(self.locator.key_error(&format!("{}/sql", self.pointer), message));
            return None;
        };
        let kind = CheckKind::Sql {
            workload: workload.clone(),
            container: self.block.container.clone().or(known_container),
            user,
            database,
            query: query.to_owned(),
            expect: self.block.expect.clone(),
            password: None,
        };
        Some((kind, vec![workload]))
    }

    fn redis(&mut self, command: &str) -> Option<(CheckKind, Vec<ObjectRef>)> {
        let workload = self.workload()?;
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let answer =
            if words.len() == 1 && words[0].eq_ignore_ascii_case("ping") { Some("PONG".to_owned()) } else { None };
        let Some(expect) = self.block.expect.clone().or(answer) else {
            let problem = self.locator.key_error(&format!("{}/redis", self.pointer), "the key `expect` is missing");
            self.problems.push(problem.hint("`expect`: the answer that must come"));
            return None;
        };
        let password = self.own_checks().find_map(|check| match &check.kind {
            CheckKind::Redis { password, .. } => password.clone(),
            _ => None,
        });
        Some((CheckKind::Redis { workload: workload.clone(), command: words, expect, password }, vec![workload]))
    }

    fn own_checks(&self) -> impl Iterator<Item = &Check> {
        let service = self.block.r#in.as_ref().and_then(|name| self.targets.services.get(name));
        service.into_iter().flat_map(|service| &service.checks)
    }

    fn workload(&mut self) -> Option<ObjectRef> {
        let Some(text) = &self.block.r#in else {
            let problem = self.locator.key_error(self.pointer, "the key `in` is missing");
            self.problems.push(
                problem.hint("`in`: the service, or the address of the workload, in whose pod the question is asked"),
            );
            return None;
        };
        let found = self.targets.workload(text);
        let workload = self.found("in", found)?;
        if !["StatefulSet", "Deployment", "DaemonSet", "ReplicaSet", "Pod"].contains(&workload.kind.as_str()) {
            let message = format!("a {} has no pods to ask in", workload.kind);
            self.problems.push(self.locator.error(&format!("{}/in", self.pointer), message));
            return None;
        }
        Some(workload)
    }

    fn object(&mut self, key: &str, address: &str) -> Option<ObjectRef> {
        let found = self.targets.resource(address).map(|(_, object)| object.clone());
        let object = self.found(key, found)?;
        let kind = match key {
            "endpoints" => "Service",
            "bound" => "PersistentVolumeClaim",
            "access" => "ServiceAccount",
            _ => return Some(object),
        };
        if object.kind != kind {
            let message = format!("`{key}` is about a {kind}, this is a {}", object.kind);
            self.problems.push(self.locator.error(&format!("{}/{key}", self.pointer), message));
            return None;
        }
        Some(object)
    }

    fn found(&mut self, key: &str, found: Result<ObjectRef, NotFound>) -> Option<ObjectRef> {
        match found {
            Ok(object) => Some(object),
            Err(not_found) => {
                if let Some((message, hint)) = not_found {
                    self.problems
                        .push(self.locator.error(&format!("{}/{key}", self.pointer), message).maybe_hint(hint));
                }
                None
            }
        }
    }
}
