//! The written forms of the journal's values.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Intent, IntentAction, JournalHeader, JournalResult, Outcome, Recording};
use crate::resource::{Address, Digest};
use crate::state::record::{EntryRecord, ObjectRecord, moment_text, optional_digest_text};
use crate::state::{Lineage, Serial};

/// One of the four kinds of line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Body<'a> {
    Header(HeaderRecord<'a>),
    Intent(IntentRecord<'a>),
    Committed(CommittedRecord),
    Result(ResultRecord<'a>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HeaderRecord<'a> {
    pub(super) format: Cow<'a, str>,
    pub(super) version: u64,
    stack: Cow<'a, str>,
    namespace: Cow<'a, str>,
    cluster_uid: Cow<'a, str>,
    lineage: Cow<'a, str>,
    serial: u64,
    run_id: Cow<'a, str>,
    command: Cow<'a, str>,
    #[serde(with = "moment_text")]
    started: Timestamp,
    with_extra_manifests: bool,
    written_by: Cow<'a, str>,
}

impl<'a> HeaderRecord<'a> {
    pub(super) fn of(header: &'a JournalHeader, written_by: &'a str) -> Self {
        Self {
            format: Cow::Borrowed(super::FORMAT),
            version: super::VERSION,
            stack: Cow::Borrowed(&header.stack),
            namespace: Cow::Borrowed(&header.namespace),
            cluster_uid: Cow::Borrowed(&header.cluster),
            lineage: Cow::Borrowed(&header.lineage.0),
            serial: header.serial.0,
            run_id: Cow::Borrowed(&header.run_id),
            command: Cow::Borrowed(&header.command),
            started: header.started,
            with_extra_manifests: header.with_extra_manifests,
            written_by: Cow::Borrowed(written_by),
        }
    }

    pub(super) fn into_header(self) -> JournalHeader {
        JournalHeader {
            stack: self.stack.into_owned(),
            namespace: self.namespace.into_owned(),
            cluster: self.cluster_uid.into_owned(),
            lineage: Lineage(self.lineage.into_owned()),
            serial: Serial(self.serial),
            run_id: self.run_id.into_owned(),
            command: self.command.into_owned(),
            started: self.started,
            with_extra_manifests: self.with_extra_manifests,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommittedRecord {
    pub(super) intents: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ActionRecord {
    Create,
    Update,
    Adopt,
    Replace,
    Delete,
    Forget,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct IntentRecord<'a> {
    object: ObjectRecord<'a>,
    address: Cow<'a, str>,
    api_version: Cow<'a, str>,
    action: ActionRecord,
    #[serde(default, with = "optional_digest_text", skip_serializing_if = "Option::is_none")]
    desired: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_version: Option<Cow<'a, str>>,
    recorded: bool,
    depends_on: Vec<ObjectRecord<'a>>,
    protect: bool,
}

impl<'a> IntentRecord<'a> {
    pub(super) fn of(intent: &'a Intent) -> Self {
        Self {
            object: ObjectRecord::of(&intent.object),
            address: Cow::Borrowed(intent.address.as_str()),
            api_version: Cow::Borrowed(&intent.api_version),
            action: match intent.action {
                IntentAction::Create => ActionRecord::Create,
                IntentAction::Update => ActionRecord::Update,
                IntentAction::Adopt => ActionRecord::Adopt,
                IntentAction::Replace => ActionRecord::Replace,
                IntentAction::Delete => ActionRecord::Delete,
                IntentAction::Forget => ActionRecord::Forget,
            },
            desired: intent.desired,
            uid: intent.uid.as_deref().map(Cow::Borrowed),
            resource_version: intent.resource_version.as_deref().map(Cow::Borrowed),
            recorded: intent.recorded,
            depends_on: ObjectRecord::list(&intent.depends_on),
            protect: intent.protect,
        }
    }

    pub(super) fn into_intent(self) -> Intent {
        Intent {
            object: self.object.into_object(),
            address: Address::from_text(self.address),
            api_version: self.api_version.into_owned(),
            action: match self.action {
                ActionRecord::Create => IntentAction::Create,
                ActionRecord::Update => IntentAction::Update,
                ActionRecord::Adopt => IntentAction::Adopt,
                ActionRecord::Replace => IntentAction::Replace,
                ActionRecord::Delete => IntentAction::Delete,
                ActionRecord::Forget => IntentAction::Forget,
            },
            desired: self.desired,
            uid: self.uid.map(Cow::into_owned),
            resource_version: self.resource_version.map(Cow::into_owned),
            recorded: self.recorded,
            depends_on: self.depends_on.into_iter().map(ObjectRecord::into_object).collect(),
            protect: self.protect,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum OutcomeRecord {
    Done,
    Failed,
    Unknown,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RecordingRecord<'a> {
    Put(Box<EntryRecord<'a>>),
    Remove,
    Unchanged,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResultRecord<'a> {
    object: ObjectRecord<'a>,
    outcome: OutcomeRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Cow<'a, str>>,
    recording: RecordingRecord<'a>,
}

impl<'a> ResultRecord<'a> {
    pub(super) fn of(result: &'a JournalResult) -> Self {
        Self {
            object: ObjectRecord::of(&result.object),
            outcome: match result.outcome {
                Outcome::Done => OutcomeRecord::Done,
                Outcome::Failed => OutcomeRecord::Failed,
                Outcome::Unknown => OutcomeRecord::Unknown,
            },
            uid: result.uid.as_deref().map(Cow::Borrowed),
            recording: match &result.recording {
                Recording::Put(entry) => RecordingRecord::Put(Box::new(EntryRecord::of(&result.object, entry))),
                Recording::Remove => RecordingRecord::Remove,
                Recording::Unchanged => RecordingRecord::Unchanged,
            },
        }
    }

    pub(super) fn into_result(self) -> serde_json::Result<JournalResult> {
        Ok(JournalResult {
            object: self.object.into_object(),
            uid: self.uid.map(Cow::into_owned),
            outcome: match self.outcome {
                OutcomeRecord::Done => Outcome::Done,
                OutcomeRecord::Failed => Outcome::Failed,
                OutcomeRecord::Unknown => Outcome::Unknown,
            },
            recording: match self.recording {
                RecordingRecord::Put(entry) => Recording::Put(Box::new(entry.into_entry(true)?.1)),
                RecordingRecord::Remove => Recording::Remove,
                RecordingRecord::Unchanged => Recording::Unchanged,
            },
        })
    }
}
