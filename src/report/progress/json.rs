//! JSON lines, for programs. Every line is an object with `format_version` and `type`; the last one is the `summary`.

use std::io::{self, Write};

use serde::Serialize;

use super::tally::{Summary, Tally};
use crate::event::{Event, ResourceEnd};
use crate::report::json::{FORMAT_VERSION, line_text};
use crate::report::verify_json::{CountsJson, OutcomeJson};
use crate::report::words::action_words;
use crate::resource::Address;

pub(super) struct JsonLines {
    out: Box<dyn Write + Send>,
}

#[derive(Serialize)]
struct LineJson<'a> {
    format_version: &'static str,
    #[serde(flatten)]
    event: EventJson<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum EventJson<'a> {
    RunStarted {
        resources: usize,
        checks: usize,
    },
    ResourceStarted {
        address: &'a str,
        action: &'static str,
    },
    ResourceWritten {
        address: &'a str,
    },
    ResourceWaiting {
        address: &'a str,
        why: &'a str,
        elapsed_ms: u128,
    },
    ResourceFinished {
        address: &'a str,
        action: &'static str,
        /// `done`, `failed`, `not_ready`, `moved`, `skipped`, `not_started` or `unknown`.
        end: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        because_of: Option<&'a str>,
        elapsed_ms: u128,
    },
    CheckStarted {
        name: &'a str,
    },
    CheckFinished {
        name: &'a str,
        #[serde(flatten)]
        outcome: OutcomeJson<'a>,
        elapsed_ms: u128,
    },
    Stopping {
        in_flight: usize,
    },
    Note {
        text: &'a str,
    },
    RunFinished {
        elapsed_ms: u128,
    },
    Summary {
        /// `complete`, `checks_failed`, `interrupted` or `failed`.
        result: &'static str,
        destroy: bool,
        created: usize,
        updated: usize,
        adopted: usize,
        deleted: usize,
        forgotten: usize,
        unchanged: usize,
        kept: usize,
        failed: usize,
        not_ready: usize,
        moved: usize,
        skipped: usize,
        not_started: usize,
        unknown: usize,
        checks: CountsJson,
    },
}

impl JsonLines {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out }
    }

    pub(super) fn report(&mut self, event: &Event) -> io::Result<()> {
        self.write(event_json(event))
    }

    pub(super) fn finish(&mut self, tally: &Tally, summary: &Summary) -> io::Result<()> {
        self.write(EventJson::Summary {
            result: tally.result_code(summary),
            destroy: summary.destroy,
            created: tally.created,
            updated: tally.updated,
            adopted: tally.adopted,
            deleted: tally.deleted,
            forgotten: tally.forgotten,
            unchanged: summary.unchanged,
            kept: summary.kept,
            failed: tally.failed,
            not_ready: tally.not_ready,
            moved: tally.moved,
            skipped: tally.skipped,
            not_started: tally.not_started,
            unknown: tally.unknown,
            checks: tally.checks.into(),
        })
    }

    fn write(&mut self, event: EventJson<'_>) -> io::Result<()> {
        let line = line_text(&LineJson { format_version: FORMAT_VERSION, event });
        self.out.write_all(format!("{line}\n").as_bytes())?;
        self.out.flush()
    }
}

fn event_json(event: &Event) -> EventJson<'_> {
    let text = Address::as_str;
    match event {
        Event::RunStarted { resources, checks } => EventJson::RunStarted { resources: *resources, checks: *checks },
        Event::ResourceStarted { address, action } => {
            EventJson::ResourceStarted { address: text(address), action: action_words(*action).code }
        }
        Event::ResourceWritten { address } => EventJson::ResourceWritten { address: text(address) },
        Event::ResourceWaiting { address, why, elapsed } => {
            EventJson::ResourceWaiting { address: text(address), why, elapsed_ms: elapsed.as_millis() }
        }
        Event::ResourceFinished { address, action, end, elapsed } => {
            let (end, why, because_of) = match end {
                ResourceEnd::Done => ("done", None, None),
                ResourceEnd::Failed(why) => ("failed", Some(why.as_str()), None),
                ResourceEnd::NotReady(why) => ("not_ready", Some(why.as_str()), None),
                ResourceEnd::Moved(why) => ("moved", Some(why.as_str()), None),
                ResourceEnd::Skipped { because_of } => ("skipped", None, Some(because_of.as_str())),
                ResourceEnd::NotStarted => ("not_started", None, None),
                ResourceEnd::Unknown(why) => ("unknown", Some(why.as_str()), None),
            };
            EventJson::ResourceFinished {
                address: text(address),
                action: action_words(*action).code,
                end,
                why,
                because_of,
                elapsed_ms: elapsed.as_millis(),
            }
        }
        Event::CheckStarted { name } => EventJson::CheckStarted { name },
        Event::CheckFinished { name, outcome, elapsed } => {
            EventJson::CheckFinished { name, outcome: outcome.into(), elapsed_ms: elapsed.as_millis() }
        }
        Event::Stopping { in_flight } => EventJson::Stopping { in_flight: *in_flight },
        Event::Note { text } => EventJson::Note { text },
        Event::RunFinished { elapsed } => EventJson::RunFinished { elapsed_ms: elapsed.as_millis() },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reporter;
    use super::super::tally::samples::{Capture, events};
    use super::*;

    #[test]
    fn every_event_is_one_json_object_on_one_line() {
        let capture = Capture::default();
        let mut reporter = Reporter::json(capture.writer());
        for event in events() {
            reporter.report(&event).unwrap();
        }
        reporter.finish(&Summary { unchanged: 2, ..Summary::default() }).unwrap();
        for line in capture.text().lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["format_version"], "1.0");
        }
        insta::assert_snapshot!(capture.text(), @r#"
        {"format_version":"1.0","type":"run_started","resources":3,"checks":3}
        {"format_version":"1.0","type":"resource_started","address":"postgres.StatefulSet/postgres","action":"create"}
        {"format_version":"1.0","type":"resource_written","address":"postgres.StatefulSet/postgres"}
        {"format_version":"1.0","type":"resource_waiting","address":"postgres.StatefulSet/postgres","why":"0/1 replicas ready; postgres-0: image pull","elapsed_ms":10000}
        {"format_version":"1.0","type":"resource_started","address":"redis.StatefulSet/redis","action":"update"}
        {"format_version":"1.0","type":"resource_finished","address":"postgres.StatefulSet/postgres","action":"create","end":"done","elapsed_ms":12000}
        {"format_version":"1.0","type":"resource_written","address":"redis.StatefulSet/redis"}
        {"format_version":"1.0","type":"resource_finished","address":"redis.StatefulSet/redis","action":"update","end":"not_ready","why":"\u001b[2J crash loop","elapsed_ms":65000}
        {"format_version":"1.0","type":"stopping","in_flight":1}
        {"format_version":"1.0","type":"note","text":"The right to watch pods is missing; listing them instead."}
        {"format_version":"1.0","type":"resource_finished","address":"redis.Service/redis","action":"create","end":"skipped","because_of":"redis.StatefulSet/redis","elapsed_ms":0}
        {"format_version":"1.0","type":"check_started","name":"postgres answers"}
        {"format_version":"1.0","type":"check_finished","name":"postgres answers","outcome":"passed","elapsed_ms":300}
        {"format_version":"1.0","type":"check_finished","name":"redis answers","outcome":"failed","why":"no pod is ready","elapsed_ms":300}
        {"format_version":"1.0","type":"check_finished","name":"vector works","outcome":"skipped","why":"no container can be asked here","elapsed_ms":300}
        {"format_version":"1.0","type":"run_finished","elapsed_ms":70000}
        {"format_version":"1.0","type":"summary","result":"interrupted","destroy":false,"created":1,"updated":0,"adopted":0,"deleted":0,"forgotten":0,"unchanged":2,"kept":0,"failed":0,"not_ready":1,"moved":0,"skipped":1,"not_started":0,"unknown":0,"checks":{"passed":1,"failed":1,"skipped":1}}
        "#);
    }
}
