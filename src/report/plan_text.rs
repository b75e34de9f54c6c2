//! A plan for the person who has to approve it: first one line a change, then the details, last one line to grep for.

use super::field_text::FieldWriter;
use super::line::{Line, counted, last_line, sentence};
use super::step::next_steps;
use super::style::{Meaning, Options};
use super::words::{action_words, attribution_words, certainty_words, conflict_words, consequence_words, reason_words};
use crate::plan::{Action, Certainty, Change, Conflict, Plan, Reason};

/// Returns a plan as text. The last line, `Plan: 1 to create, …`, sums it up. `kubectl` is how that speaks to the same server,
/// where a hint is to be typed.
#[must_use]
pub fn plan_text(plan: &Plan, kubectl: &str, options: &Options) -> String {
    let mut out = String::new();
    write_list(&mut out, plan, options);
    write_details(&mut out, plan, kubectl, options);
    write_checks(&mut out, plan, options);
    write_remarks(&mut out, plan, options);
    if !out.is_empty() {
        out.push('\n');
    }
    last_line(&mut out, options, plan_summary(plan));
    out
}

/// Returns the last line of a plan, which scripts may look for.
fn plan_summary(plan: &Plan) -> String {
    let counts = plan.counts();
    if !plan.has_changes() {
        let nothing = if plan.destroy { "Nothing to destroy." } else { "No changes. Everything is as declared." };
        return if counts.keep > 0 { format!("{nothing} {} kept.", counts.keep) } else { nothing.to_owned() };
    }
    let always = if plan.destroy {
        format!("Destroy: {} to delete", counts.delete)
    } else {
        format!("Plan: {} to create, {} to update, {} to delete", counts.create, counts.update, counts.delete)
    };
    let rest =
        [(counts.adopt, "adopted"), (counts.forget, "forgotten"), (counts.keep, "kept"), (counts.refuse, "refused")];
    let rest: String =
        rest.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {count} {word}")).collect();
    format!("{always}{rest}.")
}

/// Tells whether a line says how sure the result is: only where something is written, and not of each create that the
/// server adds its defaults to it, which is said once.
fn shows_certainty(change: &Change) -> bool {
    matches!(change.action, Action::Create | Action::Update | Action::Adopt) && !gets_defaults(change)
}

fn gets_defaults(change: &Change) -> bool {
    change.action == Action::Create
        && matches!(&change.certainty, Certainty::AfterApply(why) if why == Certainty::DEFAULTS)
}

/// Returns `+ ADDRESS  create: REASON (CERTAINTY)`.
fn change_line(change: &Change, address_width: usize) -> Line {
    let words = action_words(change.action);
    let meaning = Meaning::of(change.action);
    let verb = match change.action {
        // These are to be seen by somebody who skims, also without colour.
        Action::Delete => "DELETE",
        Action::Refuse => "REFUSED",
        Action::NoChange => words.done,
        _ => words.verb,
    };
    let line = Line::new()
        .paint(meaning, words.symbol)
        .text(" ")
        .paint(if change.action == Action::Delete { meaning } else { Meaning::Strong }, change.address.as_str())
        .text(" ".repeat(address_width.saturating_sub(change.address.as_str().len())))
        .text("  ")
        .paint(meaning, verb)
        .text(format!(": {}", reason_words(change)));
    if shows_certainty(change) {
        line.paint(Meaning::Quiet, format!(" ({})", certainty_words(&change.certainty)))
    } else {
        line
    }
}

/// What nothing happens to is only counted, unless it does not do what it should.
fn is_worth_a_line(change: &Change) -> bool {
    change.action != Action::NoChange || matches!(change.reason, Reason::NotReady(_))
}

fn write_list(out: &mut String, plan: &Plan, options: &Options) {
    let listed: Vec<&Change> =
        plan.changes.iter().filter(|change| options.verbose || is_worth_a_line(change)).collect();
    let widest = listed.iter().map(|change| change.address.as_str().len()).max().unwrap_or(0);
    // In columns only if that costs no line its place: a table that wraps reads worse than a ragged list.
    let fits = |change: &&Change| change_line(change, widest).width().saturating_add(2) <= options.width;
    let address_width = if listed.iter().all(fits) { widest } else { 0 };
    for change in &listed {
        change_line(change, address_width).write(out, options, 2, 6);
    }
    let unchanged = plan.counts().unchanged;
    if unchanged > 0 && !options.verbose {
        Line::new().paint(Meaning::Quiet, format!("  {unchanged} unchanged")).write(out, options, 2, 4);
    }
}

fn write_details(out: &mut String, plan: &Plan, kubectl: &str, options: &Options) {
    let mut fields = FieldWriter::new(options);
    let mut hidden = 0;
    for change in &plan.changes {
        let shows_fields = options.verbose || change.action != Action::Create;
        if !shows_fields && !change.diff.is_empty() {
            hidden += 1;
        }
        let mut block = String::new();
        if shows_fields {
            write_fields(&mut block, change, &mut fields);
        }
        write_facts(&mut block, change, kubectl, options);
        if !block.is_empty() {
            out.push('\n');
            let words = action_words(change.action);
            let meaning = Meaning::of(change.action);
            let verb = match change.action {
                Action::NoChange | Action::Keep | Action::Refuse => words.done,
                _ => words.verb,
            };
            Line::new()
                .paint(meaning, words.symbol)
                .text(" ")
                .paint(Meaning::Strong, change.address.as_str())
                .text(format!(" {verb}"))
                .write(out, options, 0, 4);
            out.push_str(&block);
        }
    }
    let adds_defaults = plan.changes.iter().any(gets_defaults);
    if hidden > 0 || adds_defaults || fields.shortened {
        out.push('\n');
    }
    if hidden > 0 {
        let text = format!("-v lists the fields of {} to create.", counted(hidden, "resource"));
        Line::new().paint(Meaning::Quiet, text).write(out, options, 0, 0);
    }
    if adds_defaults {
        let text = "Defaults that the server adds to what is created are known after the apply.";
        Line::new().paint(Meaning::Quiet, text).write(out, options, 0, 0);
    }
    if fields.shortened {
        Line::new().paint(Meaning::Quiet, "Values with … in them are whole in --json.").write(out, options, 0, 0);
    }
}

fn write_fields(out: &mut String, change: &Change, fields: &mut FieldWriter<'_>) {
    for field in &change.diff {
        fields.write(out, field, 4);
        if let Some(by) = &field.by {
            let end = if is_taken_back(&change.reason) { ", taken back" } else { "" };
            Line::new().paint(Meaning::Foreign, format!("{}{end}", attribution_words(by))).write(
                out,
                fields.options,
                8,
                10,
            );
        }
    }
}

fn is_taken_back(reason: &Reason) -> bool {
    matches!(reason, Reason::TakeBack | Reason::DesiredChangedAndTakeBack)
}

/// Writes all that a change says beside its fields.
fn write_facts(out: &mut String, change: &Change, kubectl: &str, options: &Options) {
    // What is taken back is told at its field already.
    let told =
        |conflict: &&Conflict| change.diff.iter().any(|field| field.path == conflict.field && field.by.is_some());
    for conflict in change.forced.iter().filter(|conflict| !told(conflict)) {
        Line::new()
            .paint(Meaning::Foreign, "taken over: ")
            .text(format!("{}, granted", conflict_words(conflict)))
            .write(out, options, 4, 6);
    }
    for consequence in &change.consequences {
        Line::new().paint(Meaning::Warning, "* ").text(consequence_words(consequence)).write(out, options, 4, 6);
    }
    match &change.reason {
        Reason::Conflict(conflicts) => {
            for conflict in conflicts {
                Line::new().paint(Meaning::Foreign, conflict_words(conflict)).write(out, options, 4, 6);
            }
        }
        Reason::Rejected(message) | Reason::Unreadable(message) => {
            for line in message.lines().filter(|line| !line.trim().is_empty()) {
                Line::new().paint(Meaning::Bad, line).write(out, options, 4, 6);
            }
        }
        _ if change.action == Action::Refuse => {
            Line::new().paint(Meaning::Bad, reason_words(change)).write(out, options, 4, 6);
        }
        _ => {}
    }
    if matches!(change.action, Action::Refuse | Action::Keep | Action::Forget) {
        for step in next_steps(change, kubectl) {
            let line = Line::new().paint(Meaning::Strong, "hint: ").text(&step.words);
            let line = match &step.literal {
                Some(literal) => line.text(": ").unbroken(literal),
                None => line,
            };
            line.write(out, options, 4, 6);
        }
    }
}

fn write_checks(out: &mut String, plan: &Plan, options: &Options) {
    if plan.destroy || plan.checks.is_empty() {
        return;
    }
    out.push('\n');
    let end = if options.verbose { ":" } else { "." };
    sentence(out, options, 0, format!("{} after the apply{end}", run_after(plan.checks.len())));
    if options.verbose {
        for (name, waits_for) in &plan.checks {
            let nodes: Vec<String> = waits_for.iter().map(ToString::to_string).collect();
            let after = if nodes.is_empty() { String::new() } else { format!(", after {}", nodes.join(", ")) };
            Line::new().text(name).paint(Meaning::Quiet, after).write(out, options, 2, 4);
        }
    }
}

fn run_after(checks: usize) -> String {
    format!("{} {}", counted(checks, "check"), if checks == 1 { "runs" } else { "run" })
}

fn write_remarks(out: &mut String, plan: &Plan, options: &Options) {
    let counts = plan.counts();
    if counts.delete + counts.refuse + plan.warnings.len() > 0 {
        out.push('\n');
    }
    for warning in &plan.warnings {
        Line::new().paint(Meaning::Warning, "warning: ").text(warning).write(out, options, 0, 2);
    }
    if counts.delete > 0 {
        let text = format!("{} will be DELETED. This cannot be undone.", counted(counts.delete, "resource"));
        Line::new().paint(Meaning::Delete, text).write(out, options, 0, 0);
    }
    if counts.refuse > 0 {
        let text = format!("{} refused. Nothing is applied until that is settled.", counted(counts.refuse, "change"));
        Line::new().paint(Meaning::Bad, text).write(out, options, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diff::is_invisible;
    use crate::report::{Palette, samples};

    const PLAIN: Options = Options::plain(80);

    #[test]
    fn a_first_plan_lists_what_it_creates() {
        insta::assert_snapshot!(plan_text(&samples::first(), "kubectl --context kind-dev", &PLAIN), @r#"
          + access.ServiceAccount/mathison    create: missing
          + config.ConfigMap/mathison-config  create: missing
          + postgres.StatefulSet/postgres     create: missing
            1 unchanged

        -v lists the fields of 1 resource to create.
        Defaults that the server adds to what is created are known after the apply.

        2 checks run after the apply.

        Plan: 3 to create, 0 to update, 0 to delete.
        "#);
    }

    #[test]
    fn an_update_shows_fields_hands_and_consequences() {
        insta::assert_snapshot!(plan_text(&samples::updates(), "kubectl --context kind-dev", &PLAIN), @r#"
          ~ config.ConfigMap/init  update: the stack file changed (proved)
          ~ secrets.Secret/mathison-secrets  update: the stack file or a value's source
              changed (proved)
          ~ postgres.StatefulSet/postgres  update: the stack file changed; changed by
              kubectl-edit, taken back (server)
          > redis.Service/redis  adopt: ours by label and manager, not recorded (proved)
          - manifest.ConfigMap/motd  DELETE: it left the stack file
          . manifest.ConfigMap/gone  forget: recorded, and gone from the cluster already
            1 unchanged

        ~ config.ConfigMap/init update
            ~ .data["init.sh"]:
                @@ -1,4 +1,4 @@
                  set -e
                  echo one
                - echo two
                + echo 2
                  echo three
            - .metadata.labels.team: "a"
            * the pods of postgres.StatefulSet/postgres do not restart, and see the
              change only once they do

        ~ secrets.Secret/mathison-secrets update
            ~ .data.DATABASE_URL: (sensitive)

        ~ postgres.StatefulSet/postgres update
            ~ .spec.replicas: 2 → 1
                set by kubectl-edit at 2026-11-20T08:15:00Z, taken back
            ~ .spec.template.spec.containers[name="postgres"].image:
                - "registry.example.com/team/pgvector/pgvector:pg16-bookworm"
                + "registry.example.com/team/pgvector…88796a5b4c3d2e1f02f0e1d3c4b5a6978"
            taken over: .metadata.labels.team: set by kubectl-label at
              2026-11-20T08:15:00Z, granted
            * its pod restarts
            * the volume claim data-postgres-0 is kept, and its data with it

        > redis.Service/redis adopt
            + .spec.clusterIP: (known after the apply)

        Values with … in them are whole in --json.

        warning: `allkeys-lru` may evict job keys.
        1 resource will be DELETED. This cannot be undone.

        Plan: 0 to create, 3 to update, 1 to delete, 1 adopted, 1 forgotten.
        "#);
    }

    #[test]
    fn refusals_say_what_to_do_next() {
        insta::assert_snapshot!(plan_text(&samples::refusals(), "kubectl --context kind-dev", &PLAIN), @r#"
          ! manifest.Deployment/web  REFUSED: 1 field belongs to hpa-controller
          ! manifest.ConfigMap/motd  REFUSED: it exists already and belongs to the stack
              `other.team-b`
          ! redis.StatefulSet/redis  REFUSED: the server would refuse it
          ! manifest.Widget.example.com/w1  REFUSED: the server does not know its kind,
              and the stack does not define it

        ! manifest.Deployment/web refused
            .spec.replicas: set by hpa-controller at 2026-11-20T08:15:00Z
            hint: to take it this once: --grant=hpa-controller:.spec.replicas
            hint: to take it always, write in the stack file:
              grant: {manifest.Deployment/web: [{manager: hpa-controller, field: .spec.replicas}]}
            hint: to leave it to them, write in the stack file:
              ignore: {manifest.Deployment/web: [.spec.replicas]}

        ! manifest.ConfigMap/motd refused
            it exists already and belongs to the stack `other.team-b`
            hint: to take it into this stack: --adopt=manifest.ConfigMap/motd
            hint: to leave it alone, give the resource another name in the stack file

        ! redis.StatefulSet/redis refused
            admission webhook "quota" denied the request:
            \u{1b}[31mlimits too high
            hint: correct the resource in the stack file, then plan again
            hint: where the field is immutable, undo the change: replacing is not
              supported yet

        ! manifest.Widget.example.com/w1 refused
            the server does not know its kind, and the stack does not define it
            hint: add the CustomResourceDefinition of Widget.example.com to `manifests`,
              or install it first

        4 changes refused. Nothing is applied until that is settled.

        Plan: 0 to create, 0 to update, 0 to delete, 4 refused.
        "#);
    }

    #[test]
    fn a_destroy_speaks_of_what_goes_and_what_stays() {
        insta::assert_snapshot!(plan_text(&samples::destroy(), "kubectl --context kind-dev", &PLAIN), @r#"
          - postgres.StatefulSet/postgres  DELETE: the stack is destroyed
          - config.ConfigMap/mathison-config  DELETE: the stack is destroyed
          = postgres.PersistentVolumeClaim/backup  keep: it holds data
          = namespace.Namespace/mathison-system  keep: used, but not made by this stack

        - postgres.StatefulSet/postgres delete
            * the volume claim data-postgres-0 is kept, and its data with it

        = postgres.PersistentVolumeClaim/backup kept
            hint: to delete it with its data:
              --allow-data-loss=postgres.PersistentVolumeClaim/backup

        2 resources will be DELETED. This cannot be undone.

        Destroy: 2 to delete, 2 kept.
        "#);
    }

    #[test]
    fn no_changes_fit_on_two_lines() {
        insta::assert_snapshot!(plan_text(&samples::unchanged(), "kubectl --context kind-dev", &PLAIN), @r#"
            2 unchanged

        No changes. Everything is as declared.
        "#);
    }

    #[test]
    fn verbose_lists_what_is_otherwise_counted() {
        let options = Options { verbose: true, ..PLAIN };
        insta::assert_snapshot!(plan_text(&samples::first(), "kubectl --context kind-dev", &options), @r#"
            namespace.Namespace/mathison-system  unchanged: used, but not made by this
              stack
          + access.ServiceAccount/mathison  create: missing
          + config.ConfigMap/mathison-config  create: missing
          + postgres.StatefulSet/postgres  create: missing

        + config.ConfigMap/mathison-config create
            + .data.DATABASE_HOST: "postgres"
            + .data["init.sql"]:
                + CREATE EXTENSION vector;
                + SELECT 1;

        Defaults that the server adds to what is created are known after the apply.

        2 checks run after the apply:
          postgres answers, after postgres.StatefulSet/postgres
          redis answers

        Plan: 3 to create, 0 to update, 0 to delete.
        "#);
    }

    #[test]
    fn colours_only_add_to_what_the_text_says() {
        let options = Options { palette: Palette::color(), ..PLAIN };
        let coloured = plan_text(&samples::destroy(), "kubectl --context kind-dev", &options);
        insta::assert_snapshot!(coloured.replace('\u{1b}', "ESC"), @r#"
          ESC[1mESC[31m-ESC[0m ESC[1mESC[31mpostgres.StatefulSet/postgresESC[0m  ESC[1mESC[31mDELETEESC[0m: the stack is destroyed
          ESC[1mESC[31m-ESC[0m ESC[1mESC[31mconfig.ConfigMap/mathison-configESC[0m  ESC[1mESC[31mDELETEESC[0m: the stack is destroyed
          ESC[34m=ESC[0m ESC[1mpostgres.PersistentVolumeClaim/backupESC[0m  ESC[34mkeepESC[0m: it holds data
          ESC[34m=ESC[0m ESC[1mnamespace.Namespace/mathison-systemESC[0m  ESC[34mkeepESC[0m: used, but not made by this stack

        ESC[1mESC[31m-ESC[0m ESC[1mpostgres.StatefulSet/postgresESC[0m delete
            ESC[33m* ESC[0mthe volume claim data-postgres-0 is kept, and its data with it

        ESC[34m=ESC[0m ESC[1mpostgres.PersistentVolumeClaim/backupESC[0m kept
            ESC[1mhint:ESC[0m to delete it with its data:
              --allow-data-loss=postgres.PersistentVolumeClaim/backup

        ESC[1mESC[31m2 resources will be DELETED. This cannot be undone.ESC[0m

        ESC[1mDestroy: 2 to delete, 2 kept.ESC[0m
        "#);
        assert_eq!(
            samples::without_colours(&coloured),
            plan_text(&samples::destroy(), "kubectl --context kind-dev", &PLAIN)
        );
    }

    #[test]
    fn the_objects_to_be_sent_are_never_shown() {
        let mut plan = samples::first();
        plan.changes[2].manifest = Some(samples::secret_manifest("canary"));
        let options = Options { verbose: true, ..PLAIN };
        assert!(!plan_text(&plan, "kubectl --context kind-dev", &options).contains("canary"));
        assert!(!crate::report::plan_json(&plan).contains("canary"));
    }

    proptest! {
        #[test]
        fn no_plan_acts_on_a_terminal(plan in samples::any_plan(), width in 20_usize..200, verbose: bool) {
            let text = plan_text(&plan, "kubectl --context kind-dev", &Options { width, verbose, ..PLAIN });
            prop_assert!(text.chars().all(|character| character == '\n' || !is_invisible(character)), "{text:?}");
            prop_assert_eq!(text.lines().last().unwrap(), plan_summary(&plan));
        }
    }
}
