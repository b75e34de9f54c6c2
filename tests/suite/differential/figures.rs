//! What a run comes to, in figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::step::OPERATIONS;

/// Differences that are told in full; a goal that is missed by more is not read to its end anyway.
const TOLD: usize = 1_000;

#[derive(Default)]
pub struct Figures {
    pub sequences: u64,
    pub requests: u64,
    /// Answers by their code.
    codes: BTreeMap<u16, u64>,
    /// Requests by kind and operation.
    operations: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// Sequences whose watches were compared.
    watches: u64,
    foreseen: Foreseen,
    unforeseen: Vec<String>,
    /// Of these, what the core had no doubt of.
    pub disproved: Vec<String>,
    pub unexplained: Vec<String>,
    /// The same of sequences that no run had before.
    pub fresh: Vec<String>,
    /// What differed once, and not when it was asked again.
    pub chance: Vec<String>,
    /// Sequences that ended where the real server hung up.
    pub hung_up: Vec<String>,
}

/// Applies that the core foresaw, without a doubt or with one, and those that it leaves to validation.
#[derive(Default, Clone, Copy)]
pub struct Foreseen {
    pub proved: u64,
    pub doubted: u64,
    pub refused: u64,
}

/// What one sequence met.
#[derive(Default)]
pub struct Met {
    pub kind: String,
    /// Each request: what it asked for, and the code of the answer.
    pub asked: Vec<(&'static str, u16)>,
    pub watched: bool,
    pub foreseen: Foreseen,
    /// Applies that the core did not foresee.
    pub unforeseen: Vec<String>,
    /// Of these, what it had no doubt of.
    pub disproved: Vec<String>,
    pub is_fresh: bool,
    pub unexplained: Option<String>,
    pub chance: Option<String>,
    pub hung_up: Option<String>,
}

impl Figures {
    pub fn add(&mut self, met: Met) {
        self.sequences += 1;
        self.requests += met.asked.len() as u64;
        self.watches += u64::from(met.watched);
        self.foreseen.proved += met.foreseen.proved;
        self.foreseen.doubted += met.foreseen.doubted;
        self.foreseen.refused += met.foreseen.refused;
        self.unforeseen.extend(met.unforeseen);
        if met.is_fresh { &mut self.chance } else { &mut self.disproved }.extend(met.disproved);
        let of_kind = self.operations.entry(met.kind).or_default();
        for (operation, code) in met.asked {
            *of_kind.entry(operation).or_default() += 1;
            *self.codes.entry(code).or_default() += 1;
        }
        if met.is_fresh { &mut self.fresh } else { &mut self.unexplained }.extend(met.unexplained);
        self.chance.extend(met.chance);
        self.hung_up.extend(met.hung_up);
    }

    /// Tells whether the core foresaw most applies. Of 723 in one run it was 694 (`DIFFERENTIAL_FIRST=600000
    /// DIFFERENTIAL_SEQUENCES=1000`). Of the others many are what the server draws, and null where the core has nothing (Events, claims with a source), but not all: each is a line to be read.
    pub fn foresaw(&self) -> bool {
        self.unforeseen.len() as u64 * 10 <= self.foreseen.proved + self.foreseen.doubted
    }

    /// Kinds by operations, and how many requests of each there were.
    pub fn table(&self) -> String {
        let mut text = format!("| kind | {} |\n|---|{}\n", OPERATIONS.join(" | "), "--:|".repeat(OPERATIONS.len()));
        for (kind, counts) in &self.operations {
            let _ = write!(text, "| {} |", kind.trim_start_matches('/'));
            for operation in OPERATIONS {
                let _ = match counts.get(operation) {
                    Some(count) => write!(text, " {count} |"),
                    None => write!(text, " |"),
                };
            }
            text.push('\n');
        }
        text
    }

    pub fn tell(&self) {
        let mut text = String::new();
        for report in self.unexplained.iter().take(TOLD) {
            text.push_str(report);
        }
        for report in &self.fresh {
            let _ = write!(text, "new, to be mended: {report}");
        }
        for place in &self.hung_up {
            let _ = writeln!(text, "the real server hung up: {place}");
        }
        for report in &self.chance {
            let _ = write!(text, "not met again: {report}");
        }
        text.push_str(&self.table());
        for (code, count) in &self.codes {
            let _ = writeln!(text, "{code}: {count}, {:.1} %", *count as f64 * 100.0 / self.requests as f64);
        }
        for report in self.unforeseen.iter().take(TOLD) {
            let _ = writeln!(text, "not foreseen: {report}");
        }
        for report in self.disproved.iter().take(TOLD) {
            let _ = writeln!(text, "not foreseen, and without a doubt: {report}");
        }
        let Foreseen { proved, doubted, refused } = self.foreseen;
        let (wrong, disproved) = (self.unforeseen.len(), self.disproved.len());
        let _ = writeln!(
            text,
            "applies: {proved} foreseen without a doubt and {doubted} with one, {refused} refused by validation, {wrong} not \
             foreseen, {disproved} of them without a doubt"
        );
        let own = self.operations.keys().filter(|kind| kind.starts_with("differential.example.com/")).count();
        let built_in = self.operations.len() - own;
        let _ = writeln!(
            text,
            "{} sequences, {} requests, {} watches, {built_in} built-in kinds, {own} of our own",
            self.sequences, self.requests, self.watches
        );
        let _ = writeln!(text, "unexplained: {}, and {} of new sequences", self.unexplained.len(), self.fresh.len());
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}
