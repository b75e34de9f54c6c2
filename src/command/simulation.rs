//! Whole runs against a control plane in memory: the same plan, walk, record and checks as of a command, without a process,
//! a socket or a file.
//!
//! On a runtime of one thread whose clock stands still until all wait (tokio's `start_paused`), a run takes milliseconds
//! however long its pods take to start, and the same seed gives the same bytes: names, times, order of events, faults.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::prepare::{Purpose, prepare};
use super::randomness::Randomness;
use super::session::{Session, failed};
use super::{record, walk};
use crate::apply::{Options as WalkOptions, Record, Stop};
use crate::cli::{Environment, PolicyRequest};
use crate::cluster::{Cluster, ConnectOptions, Endpoint, RequestCounts};
use crate::event::Event;
use crate::failure::{ExitStatus, Failure};
use crate::report::{self, Header, Options as ReportOptions, Reporter};
use crate::sandbox::answer::Answer;
use crate::sandbox::error::SandboxError;
use crate::sandbox::faults::{Faults, Faulty};
use crate::sandbox::plane::{ControlPlane, Options};
use crate::sandbox::server::InMemory;
use crate::stack::Stack;
use crate::state::{Lineage, State};

/// What a simulated world begins with.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// What names, identities, passwords, waits between tries and faults are drawn from.
    pub seed: u64,
    /// The time at which its clock starts.
    pub now: Timestamp,
    /// What goes wrong on purpose.
    pub faults: Option<Faults>,
    /// How long a run waits for one object to become ready, in the world's own time.
    pub timeout: Duration,
    /// Writes under way at once.
    pub parallelism: usize,
}

/// A control plane with its controllers, what it holds, and what is recorded of it.
pub struct Simulation {
    plane: ControlPlane,
    cluster: Cluster,
    identity: String,
    beginning: Beginning,
    /// None before the first run, and after one that removed all.
    state: Option<State>,
    runs: u64,
}

/// What came of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// The plan, as it is shown.
    pub plan: String,
    /// What happened, as `--json` tells it: one object a line.
    pub events: String,
    /// How a command would have ended.
    pub status: ExitStatus,
}

impl Simulation {
    /// Makes a world. Must be called on a tokio runtime, on which its controllers run.
    ///
    /// # Errors
    /// If the control plane cannot be made, or does not answer.
    pub async fn begin(beginning: Beginning) -> Result<Self, Failure> {
        let making =
            |error: &SandboxError| Failure::because(ExitStatus::Error, "failed to make a control plane", error);
        let options = Options { folder: None, controllers: true, seed: beginning.seed, now: beginning.now };
        let plane = ControlPlane::open(&options).map_err(|error| making(&error))?;
        plane.start();
        let mut handler = plane.local();
        if let Some(faults) = &beginning.faults {
            handler = Arc::new(Faulty::new(handler, *faults, beginning.seed));
        }
        let endpoint = Endpoint { context: Some("simulation".to_owned()), server: "in memory".to_owned() };
        let options = ConnectOptions {
            seed: beginning.seed,
            parallelism: beginning.parallelism,
            cache: None,
            ..ConnectOptions::default()
        };
        let cluster = Cluster::in_process(InMemory(handler), endpoint, &options);
        let identity =
            cluster.identity().await.map_err(|error| failed("failed to find out which cluster this is", &error))?;
        Ok(Self { plane, cluster, identity: identity.0.clone(), beginning, state: None, runs: 0 })
    }

    /// Plans and applies a stack, as `mathison apply --auto-approve` does.
    ///
    /// # Errors
    /// If no plan could be made. What fails while it is carried out stands in what came of the run.
    pub async fn apply(&mut self, stack: &Stack) -> Result<Simulated, Failure> {
        self.run(stack, Purpose::Apply).await
    }

    /// Plans and removes all of a stack, as `mathison destroy --auto-approve` does.
    ///
    /// # Errors
    /// If no plan could be made.
    pub async fn destroy(&mut self, stack: &Stack) -> Result<Simulated, Failure> {
        self.run(stack, Purpose::Destroy).await
    }

    /// Requests that were made so far.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.cluster.requests()
    }

    /// Asks the control plane, beside the engine: what a user or another program would do meanwhile.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Value> {
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
        match self.plane.local().answer(request.body(body).ok()?) {
            Answer::Whole(answer) => serde_json::from_slice(answer.body()).ok(),
            _ => None,
        }
    }

    async fn run(&mut self, stack: &Stack, purpose: Purpose) -> Result<Simulated, Failure> {
        let prepared =
            prepare(self.session(stack), &PolicyRequest::default(), purpose, &Environment::default()).await?;
        let plan = report::plan_text(&prepared.plan, &prepared.session.kubectl, &ReportOptions::plain(usize::MAX));
        if let Some(failure) = super::plan::refused(&prepared.plan) {
            return Err(failure);
        }
        let (events, heard) = mpsc::unbounded_channel();
        let told = Told::default();
        let mut reporter = Reporter::json(Box::new(told.clone()));
        let options = WalkOptions {
            timeout: self.beginning.timeout,
            wait: true,
            run_checks: purpose != Purpose::Destroy,
            parallelism: self.beginning.parallelism,
        };
        // Nobody asks it to stop; the sender lives as long as the run.
        let (_stop, stop) = watch::channel(Stop::No);
        let mut state = prepared.session.state.clone();
        let mut record = |fact: Record| {
            record::take(&mut state, fact);
            Ok(())
        };
        let way = walk::Way { cluster: self.cluster.clone(), options, stop, events };
        let (outcome, ()) = tokio::join!(walk::carry_out(&prepared, way, &mut record), tell(heard, &mut reporter));
        let settled = walk::is_settled(&outcome);
        if settled {
            record::conclude(&mut state, &prepared);
        }
        // It only writes to memory.
        let _ = reporter.finish(&walk::summary(&prepared.plan, settled));
        let gone = settled && prepared.plan.destroy && state.is_empty();
        self.state = (!gone).then_some(state);
        Ok(Simulated { plan, events: told.text(), status: walk::status(&outcome, false) })
    }

    fn session(&mut self, stack: &Stack) -> Session {
        self.runs += 1;
        let mut randomness = Randomness::of_seed(self.beginning.seed ^ self.runs);
        let lineage = Lineage(randomness.name());
        let state_exists = self.state.is_some();
        let state =
            self.state.take().unwrap_or_else(|| State::new(&stack.name, &stack.namespace, &self.identity, lineage));
        let header = Header {
            context: "simulation".to_owned(),
            server: "in memory".to_owned(),
            namespace: stack.namespace.clone(),
            stack: stack.name.clone(),
            file: stack.file.clone(),
            state: "in memory".to_owned(),
        };
        Session::new(stack.clone(), self.cluster.clone(), randomness, state, state_exists, header)
    }
}

/// Hears events until nobody can tell any more.
async fn tell(mut heard: mpsc::UnboundedReceiver<Event>, reporter: &mut Reporter) {
    while let Some(event) = heard.recv().await {
        let _ = reporter.report(&event);
    }
}

/// What was told, shared with who tells it.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Told {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
