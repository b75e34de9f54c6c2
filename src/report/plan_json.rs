//! A plan for programs, and the digest by which one that was reviewed is recognised.

use serde::Serialize;

use super::json::{BaseJson, ConflictJson, FORMAT_VERSION, FieldJson, ObjectJson, document_text};
use super::words::{action_words, certainty_words, consequence_words, reason_code, reason_words};
use crate::plan::{Certainty, Change, Consequence, Counts, Plan, Reason};
use crate::resource::Digest;

/// The whole document.
#[derive(Serialize)]
struct PlanJson<'a> {
    format_version: &'static str,
    /// What `apply --plan-digest` takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_digest: Option<String>,
    base: BaseJson<'a>,
    destroy: bool,
    with_extra_manifests: bool,
    /// True if an apply would write anything.
    has_changes: bool,
    counts: CountsJson,
    /// In the order of the dependencies; deletes last.
    changes: Vec<ChangeJson<'a>>,
    /// By name.
    checks: Vec<CheckJson<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct CountsJson {
    create: usize,
    update: usize,
    adopt: usize,
    delete: usize,
    keep: usize,
    forget: usize,
    refuse: usize,
    unchanged: usize,
}

impl From<Counts> for CountsJson {
    fn from(counts: Counts) -> Self {
        let Counts { create, update, adopt, delete, keep, forget, refuse, unchanged } = counts;
        Self { create, update, adopt, delete, keep, forget, refuse, unchanged }
    }
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    address: &'a str,
    object: ObjectJson<'a>,
    api_version: &'a str,
    /// `no_change`, `create`, `update`, `adopt`, `delete`, `keep`, `forget` or `refuse`.
    action: &'static str,
    reason: ReasonJson<'a>,
    diff: Vec<FieldJson<'a>>,
    /// Fields that are taken from another manager, each granted or taken back.
    forced: Vec<ConflictJson<'a>>,
    consequences: Vec<ConsequenceJson<'a>>,
    certainty: CertaintyJson<'a>,
    depends_on: Vec<String>,
    protect: bool,
    /// Only in what the digest is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<SeenJson<'a>>,
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    code: &'static str,
    /// For people; its wording may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
    /// Who has the object, for `taken_by_others`.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    /// The server's words, or why, for `rejected`, `unreadable` and `not_ready`.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// For `conflict`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<ConflictJson<'a>>,
}

#[derive(Serialize)]
struct ConsequenceJson<'a> {
    /// `pods_restart`, `pods_do_not_restart`, `volume_kept` or `note`.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct CertaintyJson<'a> {
    /// `proved`, `server`, `schema_only` or `after_apply`.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    name: &'a str,
    depends_on: Vec<String>,
}

/// The live object that the plan is about.
#[derive(Serialize)]
struct SeenJson<'a> {
    uid: Option<&'a str>,
    concerned: Option<String>,
}

/// For whom the document is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Whoever reads `--json`.
    Program,
    /// The digest: without what changes while the plan stays the same (state's serial and lineage, the times at which
    /// others wrote, what is ready just now, our wording), but with which objects it saw.
    Digest,
}

/// Returns a plan as a JSON document of format 1.0. It holds no secret: the plan is masked already, and its manifests stay
/// out.
#[must_use]
pub fn plan_json(plan: &Plan) -> String {
    let mut document = document(plan, Reader::Program);
    document.plan_digest = Some(plan_digest(plan).to_string());
    document_text(&document)
}

/// Returns the digest of what a reviewer approves. The same stack on the same cluster gives the same.
#[must_use]
pub fn plan_digest(plan: &Plan) -> Digest {
    // Fields in the order in which they are declared, not sorted: nobody else computes it.
    Digest::of(&document(plan, Reader::Digest))
}

fn document(plan: &Plan, reader: Reader) -> PlanJson<'_> {
    let mut base = BaseJson::from(&plan.base);
    if reader == Reader::Digest {
        base.lineage = None;
        base.serial = None;
    }
    PlanJson {
        format_version: FORMAT_VERSION,
        plan_digest: None,
        base,
        destroy: plan.destroy,
        with_extra_manifests: plan.with_extra_manifests,
        has_changes: plan.has_changes(),
        counts: plan.counts().into(),
        changes: plan.changes.iter().map(|change| change_json(change, reader)).collect(),
        checks: plan
            .checks
            .iter()
            .map(|(name, nodes)| CheckJson { name, depends_on: nodes.iter().map(ToString::to_string).collect() })
            .collect(),
        warnings: if reader == Reader::Digest { &[] } else { &plan.warnings },
    }
}

fn change_json(change: &Change, reader: Reader) -> ChangeJson<'_> {
    let reason = match &change.reason {
        Reason::NotReady(_) if reader == Reader::Digest => &Reason::UpToDate,
        reason => reason,
    };
    let words = |sentence: String| (reader == Reader::Program).then_some(sentence);
    let conflicts = |conflicts| conflicts_json(conflicts, reader);
    let (certainty, why) = match &change.certainty {
        Certainty::Proved => ("proved", None),
        Certainty::Server => ("server", None),
        Certainty::SchemaOnly => ("schema_only", None),
        Certainty::AfterApply(why) => ("after_apply", Some(why.as_str())),
    };
    let mut diff: Vec<FieldJson<'_>> = change.diff.iter().map(Into::into).collect();
    if reader == Reader::Digest {
        diff.iter_mut().filter_map(|field| field.by.as_mut()).for_each(|by| by.time = None);
    }
    ChangeJson {
        address: change.address.as_str(),
        object: (&change.object).into(),
        api_version: &change.api_version,
        action: action_words(change.action).code,
        reason: ReasonJson {
            code: reason_code(reason),
            sentence: words(reason_words(change)),
            owner: match reason {
                Reason::TakenByOthers { owner } => Some(owner),
                _ => None,
            },
            message: match reason {
                Reason::Rejected(message) | Reason::Unreadable(message) | Reason::NotReady(message) => Some(message),
                _ => None,
            },
            conflicts: match reason {
                Reason::Conflict(list) => conflicts(list),
                _ => Vec::new(),
            },
        },
        diff,
        forced: conflicts(&change.forced),
        consequences: change
            .consequences
            .iter()
            .map(|consequence| ConsequenceJson {
                sentence: words(consequence_words(consequence)),
                ..consequence.into()
            })
            .collect(),
        certainty: CertaintyJson { code: certainty, why, sentence: words(certainty_words(&change.certainty)) },
        depends_on: change.depends_on.iter().map(ToString::to_string).collect(),
        protect: change.protect,
        seen: (reader == Reader::Digest).then(|| SeenJson {
            uid: change.precondition.uid.as_deref(),
            concerned: change.precondition.concerned.map(|digest| digest.to_string()),
        }),
    }
}

fn conflicts_json(conflicts: &[crate::plan::Conflict], reader: Reader) -> Vec<ConflictJson<'_>> {
    let mut list: Vec<ConflictJson<'_>> = conflicts.iter().map(Into::into).collect();
    if reader == Reader::Digest {
        list.iter_mut().for_each(|conflict| conflict.by.time = None);
    }
    list
}

impl<'a> From<&'a Consequence> for ConsequenceJson<'a> {
    fn from(consequence: &'a Consequence) -> Self {
        let none = Self { code: "", sentence: None, replicas: None, workload: None, claim: None, note: None };
        match consequence {
            Consequence::PodsRestart { replicas } => Self { code: "pods_restart", replicas: Some(*replicas), ..none },
            Consequence::PodsDoNotRestart { workload } => {
                Self { code: "pods_do_not_restart", workload: Some(workload.as_str()), ..none }
            }
            Consequence::VolumeKept { claim } => Self { code: "volume_kept", claim: Some(claim), ..none },
            Consequence::Note(text) => Self { code: "note", note: Some(text), ..none },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::report::samples;
    use crate::state::{Lineage, Serial};

    #[test]
    fn a_plan_is_told_with_codes_and_sentences() {
        insta::assert_snapshot!(plan_json(&samples::take_back()), @r#"
        {
          "format_version": "1.0",
          "plan_digest": "sha256:1ec302a8b1770cb81f89af70aa58d8c3178719d6e85f4c5bf355b624b6d414e4",
          "base": {
            "stack": "mathison",
            "namespace": "mathison-system",
            "stack_digest": "sha256:0707070707070707070707070707070707070707070707070707070707070707",
            "cluster": "0a1b2c3d-1111-2222-3333-444455556666",
            "lineage": "quiet-river",
            "serial": 3
          },
          "destroy": false,
          "with_extra_manifests": false,
          "has_changes": true,
          "counts": {
            "create": 0,
            "update": 1,
            "adopt": 0,
            "delete": 0,
            "keep": 0,
            "forget": 0,
            "refuse": 0,
            "unchanged": 0
          },
          "changes": [
            {
              "address": "postgres.StatefulSet/postgres",
              "object": {
                "group": "apps",
                "kind": "StatefulSet",
                "namespace": "mathison-system",
                "name": "postgres"
              },
              "api_version": "apps/v1",
              "action": "update",
              "reason": {
                "code": "take_back",
                "sentence": "changed by kubectl-edit, taken back"
              },
              "diff": [
                {
                  "path": ".spec.replicas",
                  "before": {
                    "value": 2
                  },
                  "after": {
                    "value": 1
                  },
                  "by": {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "time": "2026-11-20T08:15:00Z"
                  }
                }
              ],
              "forced": [
                {
                  "field": ".spec.replicas",
                  "by": {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "time": "2026-11-20T08:15:00Z"
                  }
                }
              ],
              "consequences": [
                {
                  "code": "pods_restart",
                  "sentence": "its pod restarts",
                  "replicas": 1
                }
              ],
              "certainty": {
                "code": "proved",
                "sentence": "proved"
              },
              "depends_on": [],
              "protect": false
            }
          ],
          "checks": [
            {
              "name": "postgres answers",
              "depends_on": []
            }
          ],
          "warnings": []
        }
        "#);
    }

    #[test]
    fn a_conflict_and_a_secret_are_told_field_by_field() {
        let document: Value = serde_json::from_str(&plan_json(&samples::refusals())).unwrap();
        assert_eq!(document["counts"]["refuse"], json!(4));
        assert_eq!(document["changes"][0]["reason"]["code"], json!("conflict"));
        assert_eq!(document["changes"][0]["reason"]["conflicts"][0]["by"]["manager"], json!("hpa-controller"));
        let updates: Value = serde_json::from_str(&plan_json(&samples::updates())).unwrap();
        let secret = updates["changes"].as_array().unwrap().iter().find(|change| change["object"]["kind"] == "Secret");
        assert_eq!(secret.unwrap()["diff"][0]["after"], json!({"sensitive": true}));
    }

    #[test]
    fn the_digest_stays_while_only_volatile_things_change() {
        let plan = samples::take_back();
        let mut later = plan.clone();
        later.base.serial = Serial(99);
        later.base.lineage = Some(Lineage("another".to_owned()));
        later.changes[0].precondition.resource_version = Some("12345".to_owned());
        for field in &mut later.changes[0].diff {
            field.by.as_mut().unwrap().time = Some("2030-01-01T00:00:00Z".to_owned());
        }
        assert_eq!(plan_digest(&later), plan_digest(&plan));
        // Pods come and go between a review and its apply.
        let mut ready = samples::unchanged();
        let mut waiting = ready.clone();
        waiting.changes[0].reason = Reason::NotReady("0/1 replicas ready".to_owned());
        assert_eq!(plan_digest(&waiting), plan_digest(&ready));
        ready.changes[0].reason = Reason::RecordOnly;
        assert_ne!(plan_digest(&waiting), plan_digest(&ready));
    }

    #[test]
    fn the_digest_changes_with_whatever_a_reviewer_looks_at() {
        let plan = samples::take_back();
        let changed = |edit: &dyn Fn(&mut Plan)| {
            let mut other = plan.clone();
            edit(&mut other);
            plan_digest(&other) != plan_digest(&plan)
        };
        assert!(changed(&|plan| plan.changes[0].diff[0].after = None));
        assert!(changed(&|plan| plan.changes[0].precondition.uid = Some("another".to_owned())));
        assert!(changed(&|plan| plan.changes[0].diff[0].by.as_mut().unwrap().manager = "x".to_owned()));
        assert!(changed(&|plan| plan.base.cluster.0 = "another".to_owned()));
        assert!(changed(&|plan| plan.destroy = true));
        assert!(changed(&|plan| plan.checks.clear()));
    }

    proptest! {
        #[test]
        fn any_plan_is_valid_json(plan in samples::any_plan()) {
            let document: Value = serde_json::from_str(&plan_json(&plan)).unwrap();
            prop_assert_eq!(document["changes"].as_array().unwrap().len(), plan.changes.len());
            prop_assert_eq!(&document["plan_digest"], &Value::from(plan_digest(&plan).to_string()));
        }
    }
}
