//! What of a drift report counts as drift.

use std::collections::BTreeSet;

use crate::drift::{DriftKind, DriftReport, FieldDrift, ResourceDrift, ResourceState};

/// How much drifted, and what does not count as drift.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DriftCounts {
    /// Fields that somebody else changed, or added where the stack says `exclusive`.
    pub(super) fields: usize,
    /// Resources with such fields.
    pub(super) resources: usize,
    /// Resources that are gone.
    pub(super) deleted: usize,
    /// Resources that somebody deleted and made anew.
    pub(super) recreated: usize,
    /// Field managers whose hand it was.
    pub(super) managers: BTreeSet<String>,
    /// Fields that only we changed, in the file.
    pub(super) pending: usize,
    /// Fields that others added and that are none of our business.
    pub(super) added: usize,
    /// Drifted fields that the stack mutes.
    pub(super) muted: usize,
    /// Resources in the file that were never applied.
    pub(super) not_applied: usize,
    /// Recorded resources that left the file.
    pub(super) left_the_file: usize,
    /// Resources that could not be read.
    pub(super) unreadable: usize,
}

impl DriftCounts {
    /// Counts a report.
    pub(super) fn of(report: &DriftReport) -> Self {
        let mut counts = Self::default();
        for resource in &report.resources {
            match &resource.state {
                ResourceState::Clean => {}
                ResourceState::Changed(fields) => counts.add_fields(resource, fields),
                ResourceState::Deleted => counts.deleted += 1,
                ResourceState::Recreated => counts.recreated += 1,
                ResourceState::NotApplied => counts.not_applied += 1,
                ResourceState::LeftTheFile => counts.left_the_file += 1,
                ResourceState::Unreadable(_) => counts.unreadable += 1,
            }
        }
        counts
    }

    fn add_fields(&mut self, resource: &ResourceDrift, fields: &[FieldDrift]) {
        let before = self.fields;
        for field in fields {
            if resource.counts(field) {
                self.fields += 1;
                self.managers.extend(field.change.by.iter().map(|by| by.manager.clone()));
            } else if field.muted.is_some() {
                self.muted += 1;
            } else if field.kind == DriftKind::Added {
                self.added += 1;
            }
            if matches!(field.kind, DriftKind::Pending | DriftKind::Both) {
                self.pending += 1;
            }
        }
        self.resources += usize::from(self.fields > before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drift_text::sample_report;

    #[test]
    fn only_the_changes_of_others_count_and_muted_ones_do_not() {
        let counts = DriftCounts::of(&sample_report());
        assert_eq!((counts.fields, counts.resources, counts.deleted, counts.recreated), (2, 1, 1, 1));
        assert_eq!((counts.pending, counts.added, counts.muted, counts.unreadable), (2, 1, 1, 1));
    }

    #[test]
    fn added_fields_count_where_the_stack_is_exclusive() {
        let mut report = sample_report();
        report.resources.iter_mut().for_each(|resource| resource.exclusive = true);
        assert_eq!(DriftCounts::of(&report).fields, 3);
    }
}
