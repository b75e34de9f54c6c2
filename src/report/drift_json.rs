//! Drift for programs.

use serde::Serialize;

use super::drift_counts::DriftCounts;
use super::json::{BaseJson, FORMAT_VERSION, FieldJson, ObjectJson, ShownJson, document_text};
use crate::drift::{DriftKind, DriftReport, FieldDrift, ResourceDrift, ResourceState};

#[derive(Serialize)]
struct DriftJson<'a> {
    format_version: &'static str,
    base: BaseJson<'a>,
    /// True if anything counts as drift.
    drift: bool,
    counts: CountsJson<'a>,
    /// In the order of their addresses; clean ones too.
    resources: Vec<ResourceJson<'a>>,
}

#[derive(Serialize)]
struct CountsJson<'a> {
    fields: usize,
    resources: usize,
    deleted: usize,
    recreated: usize,
    pending: usize,
    added: usize,
    muted: usize,
    not_applied: usize,
    left_the_file: usize,
    unreadable: usize,
    managers: Vec<&'a str>,
}

#[derive(Serialize)]
struct ResourceJson<'a> {
    address: &'a str,
    object: ObjectJson<'a>,
    /// `clean`, `changed`, `deleted`, `recreated`, `not_applied`, `left_the_file` or `unreadable`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    exclusive: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldDriftJson<'a>>,
}

#[derive(Serialize)]
struct FieldDriftJson<'a> {
    /// `drift`, `pending`, `both` or `added`.
    kind: &'static str,
    /// True if it makes the command exit with 2.
    counts: bool,
    /// Recorded value before, live value after.
    #[serde(flatten)]
    change: FieldJson<'a>,
    /// What the file asks for, where that differs from what was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<ShownJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<MutedJson<'a>>,
}

#[derive(Serialize)]
struct MutedJson<'a> {
    reason: &'a str,
    until: &'a str,
}

/// Returns a drift report as a JSON document of format 1.0.
#[must_use]
pub fn drift_json(report: &DriftReport) -> String {
    let counts = DriftCounts::of(report);
    document_text(&DriftJson {
        format_version: FORMAT_VERSION,
        base: (&report.base).into(),
        drift: report.has_drift(),
        counts: CountsJson {
            fields: counts.fields,
            resources: counts.resources,
            deleted: counts.deleted,
            recreated: counts.recreated,
            pending: counts.pending,
            added: counts.added,
            muted: counts.muted,
            not_applied: counts.not_applied,
            left_the_file: counts.left_the_file,
            unreadable: counts.unreadable,
            managers: counts.managers.iter().map(String::as_str).collect(),
        },
        resources: report.resources.iter().map(resource_json).collect(),
    })
}

fn resource_json(resource: &ResourceDrift) -> ResourceJson<'_> {
    let (state, why, fields) = match &resource.state {
        ResourceState::Clean => ("clean", None, [].as_slice()),
        ResourceState::Changed(fields) => ("changed", None, fields.as_slice()),
        ResourceState::Deleted => ("deleted", None, [].as_slice()),
        ResourceState::Recreated => ("recreated", None, [].as_slice()),
        ResourceState::NotApplied => ("not_applied", None, [].as_slice()),
        ResourceState::LeftTheFile => ("left_the_file", None, [].as_slice()),
        ResourceState::Unreadable(why) => ("unreadable", Some(why.as_str()), [].as_slice()),
    };
    ResourceJson {
        address: resource.address.as_str(),
        object: (&resource.object).into(),
        state,
        why,
        exclusive: resource.exclusive,
        fields: fields.iter().map(|field| field_json(resource, field)).collect(),
    }
}

fn field_json<'a>(resource: &ResourceDrift, field: &'a FieldDrift) -> FieldDriftJson<'a> {
    FieldDriftJson {
        kind: match field.kind {
            DriftKind::Drift => "drift",
            DriftKind::Pending => "pending",
            DriftKind::Both => "both",
            DriftKind::Added => "added",
        },
        counts: resource.counts(field),
        change: (&field.change).into(),
        desired: field.desired.as_ref().map(Into::into),
        muted: field.muted.as_ref().map(|(reason, until)| MutedJson { reason, until }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drift_text::sample_report;

    #[test]
    fn drift_is_told_field_by_field() {
        let mut report = sample_report();
        report.resources.truncate(2);
        insta::assert_snapshot!(drift_json(&report), @r#"
        {
          "format_version": "1.0",
          "base": {
            "stack": "mathison",
            "namespace": "mathison-system",
            "stack_digest": "sha256:0707070707070707070707070707070707070707070707070707070707070707",
            "cluster": "0a1b2c3d-1111-2222-3333-444455556666",
            "lineage": "quiet-river",
            "serial": 3
          },
          "drift": true,
          "counts": {
            "fields": 2,
            "resources": 1,
            "deleted": 1,
            "recreated": 0,
            "pending": 2,
            "added": 1,
            "muted": 1,
            "not_applied": 0,
            "left_the_file": 0,
            "unreadable": 0,
            "managers": [
              "kubectl",
              "kubectl-edit"
            ]
          },
          "resources": [
            {
              "address": "config.ConfigMap/mathison-config",
              "object": {
                "group": "",
                "kind": "ConfigMap",
                "namespace": "mathison-system",
                "name": "mathison-config"
              },
              "state": "deleted",
              "exclusive": false
            },
            {
              "address": "postgres.StatefulSet/postgres",
              "object": {
                "group": "apps",
                "kind": "StatefulSet",
                "namespace": "mathison-system",
                "name": "postgres"
              },
              "state": "changed",
              "exclusive": false,
              "fields": [
                {
                  "kind": "drift",
                  "counts": true,
                  "path": ".spec.replicas",
                  "before": {
                    "value": 1
                  },
                  "after": {
                    "value": 3
                  },
                  "by": {
                    "manager": "kubectl",
                    "operation": "Update",
                    "subresource": "scale",
                    "time": "2026-11-20T08:15:00Z"
                  }
                },
                {
                  "kind": "both",
                  "counts": true,
                  "path": ".spec.paused",
                  "before": {
                    "value": 1
                  },
                  "after": {
                    "value": 2
                  },
                  "by": {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "time": "2026-11-20T08:15:00Z"
                  },
                  "desired": {
                    "value": 4
                  }
                },
                {
                  "kind": "pending",
                  "counts": false,
                  "path": ".spec.minReadySeconds",
                  "before": {
                    "value": 5
                  },
                  "after": {
                    "value": 5
                  },
                  "desired": {
                    "value": 9
                  }
                },
                {
                  "kind": "added",
                  "counts": false,
                  "path": ".metadata.labels.team",
                  "after": {
                    "value": "x"
                  },
                  "by": {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "time": "2026-11-20T08:15:00Z"
                  }
                },
                {
                  "kind": "drift",
                  "counts": false,
                  "path": ".metadata.labels.tier",
                  "before": {
                    "value": "a"
                  },
                  "after": {
                    "value": "b"
                  },
                  "by": {
                    "manager": "kubectl-edit",
                    "operation": "Update",
                    "time": "2026-11-20T08:15:00Z"
                  },
                  "muted": {
                    "reason": "load test",
                    "until": "2026-12-31"
                  }
                }
              ]
            }
          ]
        }
        "#);
    }
}
