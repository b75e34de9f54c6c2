//! Drift for people: what changed, who changed it, when and how.

use super::drift_counts::DriftCounts;
use super::field_text::FieldWriter;
use super::line::{Line, counted, last_line};
use super::style::{Meaning, Options};
use super::value_text::shown_text;
use super::words::full_attribution_words;
use crate::diff::{FieldChange, Shown};
use crate::drift::{DriftKind, DriftReport, FieldDrift, ResourceDrift, ResourceState};

/// Returns a drift report as text. The last line sums it up: `Drift: 2 fields in 1 resource (kubectl-edit).` or `No drift.`
#[must_use]
pub fn drift_text(report: &DriftReport, options: &Options) -> String {
    let mut out = String::new();
    let mut fields = FieldWriter::new(options);
    let mut clean = 0;
    for resource in &report.resources {
        if resource.state == ResourceState::Clean {
            clean += 1;
            if !options.verbose {
                continue;
            }
        }
        write_resource(&mut out, resource, &mut fields);
    }
    if clean > 0 && !options.verbose {
        let text = format!("{} as recorded", counted(clean, "resource"));
        Line::new().paint(Meaning::Quiet, text).write(&mut out, options, 2, 4);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    if fields.shortened {
        Line::new().paint(Meaning::Quiet, "Values with … in them are whole in --json.").write(&mut out, options, 0, 0);
    }
    let counts = DriftCounts::of(report);
    if let Some(besides) = besides(&counts, report.has_drift()) {
        Line::new().text(besides).write(&mut out, options, 0, 2);
    }
    last_line(&mut out, options, drift_summary(&counts, report.has_drift()));
    out
}

fn drift_summary(counts: &DriftCounts, has_drift: bool) -> String {
    if !has_drift {
        return match counts.unreadable {
            0 => "No drift.".to_owned(),
            unreadable => format!("No drift found, but {} could not be read.", counted(unreadable, "resource")),
        };
    }
    let mut parts = Vec::new();
    if counts.fields > 0 {
        parts.push(format!("{} in {}", counted(counts.fields, "field"), counted(counts.resources, "resource")));
    }
    for (count, word) in [(counts.deleted, "deleted"), (counts.recreated, "recreated")] {
        if count > 0 {
            parts.push(format!("{} {word}", counted(count, "resource")));
        }
    }
    let managers = match counts.managers.len() {
        0 => String::new(),
        _ => format!(" ({})", counts.managers.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
    };
    format!("Drift: {}{managers}.", parts.join(", "))
}

/// Returns what was found and is no drift.
fn besides(counts: &DriftCounts, has_drift: bool) -> Option<String> {
    let parts: Vec<String> = [
        (counts.pending, "field", "pending (changed in the file)"),
        (counts.added, "field", "added by others"),
        (counts.muted, "field", "muted"),
        (counts.not_applied, "resource", "never applied"),
        (counts.left_the_file, "resource", "no longer in the file"),
        (if has_drift { counts.unreadable } else { 0 }, "resource", "not readable"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, noun, words)| format!("{} {words}", counted(count, noun)))
    .collect();
    (!parts.is_empty()).then(|| format!("Besides: {}.", parts.join(", ")))
}

fn write_resource(out: &mut String, resource: &ResourceDrift, fields: &mut FieldWriter<'_>) {
    let (symbol, meaning, words) = match &resource.state {
        ResourceState::Clean => (" ", Meaning::Quiet, "as recorded".to_owned()),
        ResourceState::Changed(list) if list.iter().all(|field| field.kind == DriftKind::Pending) => {
            ("~", Meaning::Update, "pending".to_owned())
        }
        ResourceState::Changed(_) => ("~", Meaning::Foreign, "changed".to_owned()),
        ResourceState::Deleted => ("-", Meaning::Delete, "DELETED by somebody; an apply makes it anew".to_owned()),
        ResourceState::Recreated => (
            "!",
            Meaning::Bad,
            "RECREATED: deleted and made anew by somebody; `mathison plan` says what an apply would do".to_owned(),
        ),
        ResourceState::NotApplied => ("+", Meaning::Create, "never applied; an apply creates it".to_owned()),
        ResourceState::LeftTheFile => {
            ("-", Meaning::Update, "no longer in the file; an apply deletes or keeps it".to_owned())
        }
        ResourceState::Unreadable(why) => ("?", Meaning::Bad, format!("could not be read: {why}")),
    };
    Line::new()
        .paint(meaning, symbol)
        .text(" ")
        .paint(Meaning::Strong, resource.address.as_str())
        .text(format!("  {words}"))
        .write(out, fields.options, 2, 6);
    if let ResourceState::Changed(list) = &resource.state {
        for field in list {
            write_field(out, resource, field, fields);
        }
    }
}

fn write_field(out: &mut String, resource: &ResourceDrift, field: &FieldDrift, fields: &mut FieldWriter<'_>) {
    // A pending field has the recorded value still; what is of interest is where it is going.
    let pending = FieldChange { after: field.desired.clone(), by: None, ..field.change.clone() };
    let shown = if field.kind == DriftKind::Pending { &pending } else { &field.change };
    fields.write(out, shown, 6);
    let hand = match (&field.change.by, &field.change.after) {
        (Some(by), Some(_)) => format!("set by {}", full_attribution_words(by)),
        // The server keeps no trace of who removes a field.
        (Some(by), None) => format!("removed; last written by {}", full_attribution_words(by)),
        (None, Some(_)) => "set by an unknown hand".to_owned(),
        (None, None) => "removed by an unknown hand".to_owned(),
    };
    let desired = field.desired.as_ref().map_or_else(|| "no longer asks for it".to_owned(), asks_for);
    let (meaning, label, words) = match field.kind {
        DriftKind::Drift => (Meaning::Foreign, "drift", hand),
        DriftKind::Pending => (Meaning::Update, "pending", "the file changed; an apply writes it".to_owned()),
        DriftKind::Both => (Meaning::Foreign, "both", format!("{hand}; the file changed too and {desired}")),
        DriftKind::Added if resource.exclusive => {
            (Meaning::Foreign, "added", format!("{hand}; not declared, an apply removes it"))
        }
        DriftKind::Added => (Meaning::Quiet, "added", format!("{hand}; not declared, left alone")),
    };
    Line::new().paint(meaning, label).text(format!(": {words}")).write(out, fields.options, 10, 12);
    if let Some((reason, until)) = &field.muted {
        Line::new().paint(Meaning::Quiet, "muted").text(format!(" until {until}: {reason}")).write(
            out,
            fields.options,
            10,
            12,
        );
    }
}

fn asks_for(desired: &Shown) -> String {
    format!("asks for {}", shown_text(desired))
}

#[cfg(test)]
pub(super) fn sample_report() -> DriftReport {
    use serde_json::json;

    use super::samples::{base, by, change, field};
    use crate::plan::{Action, Reason};

    let resource = |service: &str, kind: &str, name: &str, state| {
        let change = change(service, kind, name, Action::NoChange, Reason::UpToDate);
        ResourceDrift { address: change.address, object: change.object, state, exclusive: false }
    };
    let drift = |kind, change: FieldChange, desired: Option<serde_json::Value>| FieldDrift {
        kind,
        change,
        desired: desired.map(Shown::Plain),
        muted: None,
    };
    let by_edit = |change: FieldChange| FieldChange { by: Some(by("kubectl-edit", None)), ..change };
    let by_scale = |change: FieldChange| FieldChange { by: Some(by("kubectl", Some("scale"))), ..change };
    let muted = FieldDrift {
        muted: Some(("load test".to_owned(), "2026-12-31".to_owned())),
        ..drift(DriftKind::Drift, by_edit(field(".metadata.labels.tier", json!("a"), json!("b"))), None)
    };
    DriftReport {
        base: base(),
        resources: vec![
            resource("config", "ConfigMap", "mathison-config", ResourceState::Deleted),
            resource(
                "postgres",
                "StatefulSet",
                "postgres",
                ResourceState::Changed(vec![
                    drift(DriftKind::Drift, by_scale(field(".spec.replicas", json!(1), json!(3))), None),
                    drift(DriftKind::Both, by_edit(field(".spec.paused", json!(1), json!(2))), Some(json!(4))),
                    drift(DriftKind::Pending, field(".spec.minReadySeconds", json!(5), json!(5)), Some(json!(9))),
                    drift(DriftKind::Added, by_edit(field(".metadata.labels.team", json!(null), json!("x"))), None),
                    muted,
                ]),
            ),
            resource("redis", "Service", "redis", ResourceState::Recreated),
            resource("redis", "ConfigMap", "redis", ResourceState::NotApplied),
            resource("redis", "StatefulSet", "redis", ResourceState::Clean),
            resource("secrets", "Secret", "mathison-secrets", ResourceState::Unreadable("forbidden".to_owned())),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_says_who_when_and_how() {
        insta::assert_snapshot!(drift_text(&sample_report(), &Options::plain(80)), @r#"
          - config.ConfigMap/mathison-config  DELETED by somebody; an apply makes it
              anew
          ~ postgres.StatefulSet/postgres  changed
              ~ .spec.replicas: 1 → 3
                  drift: set by kubectl (Update of scale) at 2026-11-20T08:15:00Z
              ~ .spec.paused: 1 → 2
                  both: set by kubectl-edit (Update) at 2026-11-20T08:15:00Z; the file
                    changed too and asks for 4
              ~ .spec.minReadySeconds: 5 → 9
                  pending: the file changed; an apply writes it
              + .metadata.labels.team: "x"
                  added: set by kubectl-edit (Update) at 2026-11-20T08:15:00Z; not
                    declared, left alone
              ~ .metadata.labels.tier: "a" → "b"
                  drift: set by kubectl-edit (Update) at 2026-11-20T08:15:00Z
                  muted until 2026-12-31: load test
          ! redis.Service/redis  RECREATED: deleted and made anew by somebody; `mathison
              plan` says what an apply would do
          + redis.ConfigMap/redis  never applied; an apply creates it
          ? secrets.Secret/mathison-secrets  could not be read: forbidden
          1 resource as recorded

        Besides: 2 fields pending (changed in the file), 1 field added by others, 1
          field muted, 1 resource never applied, 1 resource not readable.
        Drift: 2 fields in 1 resource, 1 resource deleted, 1 resource recreated (kubectl, kubectl-edit).
        "#);
    }

    #[test]
    fn nobody_is_said_to_have_set_what_is_gone() {
        let mut report = sample_report();
        let ResourceState::Changed(fields) = &mut report.resources[1].state else { panic!() };
        fields.truncate(2);
        fields.iter_mut().for_each(|field| field.change.after = None);
        fields[1].change.by = None;
        let text = drift_text(&report, &Options::plain(120));
        assert!(text.contains("drift: removed; last written by kubectl (Update of scale) at 2026"), "{text}");
        assert!(text.contains("both: removed by an unknown hand; the file changed too"), "{text}");
    }

    #[test]
    fn no_drift_is_one_line() {
        let mut report = sample_report();
        report.resources.clear();
        assert_eq!(drift_text(&report, &Options::plain(80)), "No drift.\n");
    }

    #[test]
    fn what_could_not_be_read_is_never_called_clean() {
        let mut report = sample_report();
        report.resources.retain(|resource| matches!(resource.state, ResourceState::Unreadable(_)));
        let text = drift_text(&report, &Options::plain(80));
        assert!(text.ends_with("\nNo drift found, but 1 resource could not be read.\n"), "{text}");
    }
}
