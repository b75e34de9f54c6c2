//! The loop of a run: starts what may start, hears what happened, records it, and goes on until nothing is left.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::order::{Order, Work};
use super::task::{self, Task};
use super::{AskContext, Fact, Outcome, Record, Stop, Walk};
use crate::cluster::Watches;
use crate::event::{Event, ResourceEnd};
use crate::graph::NodeId;
use crate::plan::{Action, Change, Plan};
use crate::verify::{CheckOutcome, CheckResult};

/// How long one check may take: a query that answers at all answers sooner.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// How a task ended.
enum Finished {
    Resource(ResourceEnd),
    Check(CheckOutcome),
}

/// A node that was started and has not ended.
struct InFlight {
    id: NodeId,
    work: Work,
    started: Instant,
    /// True once its write is recorded: then it is only waited for.
    written: bool,
}

/// The walk while it goes on.
struct Running<'a> {
    plan: &'a Plan,
    events: mpsc::UnboundedSender<Event>,
    record: &'a mut (dyn FnMut(Record) -> Result<(), String> + Send),
    heard: mpsc::UnboundedReceiver<Record>,
    order: Order,
    tasks: JoinSet<Finished>,
    in_flight: HashMap<Id, InFlight>,
    outcome: Outcome,
}

/// Walks a plan to its end, or to where it must stop.
pub async fn run(walk: Walk<'_>) -> Outcome {
    let began = Instant::now();
    let Walk { cluster, plan, label, checks, declared, keyed, find_secret, options, mut stop, events, record } = walk;
    let with_checks = options.run_checks && options.wait;
    let (records, heard) = mpsc::unbounded_channel();
    let task = Task {
        watches: Watches::new(cluster.clone(), &label),
        cluster,
        events: events.clone(),
        records,
        label: label.1,
        keyed,
        timeout: options.timeout,
        wait: options.wait,
        started: began,
        stop: stop.clone(),
    };
    let mut running = Running {
        plan,
        events,
        record,
        heard,
        order: Order::new(plan, with_checks, options.wait),
        tasks: JoinSet::new(),
        in_flight: HashMap::new(),
        outcome: Outcome::default(),
    };
    running.tell(Event::RunStarted {
        resources: running.order.changes(),
        checks: if with_checks { checks.len() } else { 0 },
    });
    for refused in plan.changes.iter().filter(|change| change.action == Action::Refuse) {
        running.fail(&NodeId::Resource(refused.address.clone()));
    }
    let permits = Arc::new(Semaphore::new(options.parallelism));
    let mut stopping = Stop::No;
    loop {
        let may_start = stopping == Stop::No && running.may_start();
        if !may_start && running.tasks.is_empty() {
            break;
        }
        // A node is started only once there is a place for its write, so that what was not started needs no undoing
        // when the run stops.
        let permit = tokio::select! {
            biased;
            // First: tasks end because of it, and what they say must not be heard before.
            Ok(()) = stop.changed() => {
                stopping = (*stop.borrow()).max(stopping);
                running.outcome.interrupted = true;
                if stopping == Stop::Now {
                    break;
                }
                running.tell(Event::Stopping { in_flight: running.in_flight.len() });
                continue;
            }
            Some(fact) = running.heard.recv() => {
                running.write_down(fact);
                continue;
            }
            Some(joined) = running.tasks.join_next_with_id() => {
                running.joined(joined);
                continue;
            }
            Ok(permit) = Arc::clone(&permits).acquire_owned(), if may_start => permit,
        };
        // Whoever gave the place back handed its record over before.
        running.write_all_down();
        if !running.may_start() {
            continue;
        }
        let Some((id, work)) = running.order.start() else { continue };
        let task = Task { started: Instant::now(), ..task.clone() };
        let started = task.started;
        let handle = match (work, &id) {
            (Work::Change(index), _) => {
                let change = plan.changes[index].clone();
                running.tasks.spawn(async move { Finished::Resource(task::resource(&task, &change, permit).await) })
            }
            (Work::Check, NodeId::Check(name)) if checks.contains_key(name) => {
                let (check, find_secret, declared) = (checks[name].clone(), find_secret.clone(), Arc::clone(&declared));
                running.tasks.spawn(async move {
                    let _permit = permit;
                    let timeout = CHECK_TIMEOUT.min(task.timeout);
                    let context =
                        AskContext { declared: &declared, find_secret: &find_secret, timeout, disruptive: false };
                    Finished::Check(task::check(&task, &check, &context).await)
                })
            }
            _ => continue,
        };
        running.in_flight.insert(handle.id(), InFlight { id, work, started, written: false });
    }
    running.end().await;
    if options.run_checks && !options.wait {
        for name in checks.keys() {
            running.check_ended(name, CheckOutcome::Skipped("nothing was waited for".to_owned()), Duration::ZERO);
        }
    }
    running.tell(Event::RunFinished { elapsed: began.elapsed() });
    running.outcome
}

impl Running<'_> {
    /// Tells a fact; a reporter that is gone is no reason to stop.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn may_start(&self) -> bool {
        self.outcome.record_error.is_none() && self.order.is_ready()
    }

    fn change(&self, index: usize) -> &Change {
        &self.plan.changes[index]
    }

    fn write_down(&mut self, fact: Record) {
        if matches!(fact.fact, Fact::Applied(_)) {
            let plan = self.plan;
            let is_its = |about: &&mut InFlight| match about.work {
                Work::Change(index) => plan.changes[index].object == fact.object,
                _ => false,
            };
            if let Some(about) = self.in_flight.values_mut().find(is_its) {
                about.written = true;
            }
        }
        if let Err(why) = (self.record)(fact) {
            self.outcome.record_error.get_or_insert(why);
        }
    }

    fn write_all_down(&mut self) {
        while let Ok(fact) = self.heard.try_recv() {
            self.write_down(fact);
        }
    }

    /// Takes notice of a task that ended; one that was cut off stays in flight.
    fn joined(&mut self, joined: Result<(Id, Finished), JoinError>) {
        self.write_all_down();
        let (task, finished) = match joined {
            Ok((task, finished)) => (task, Some(finished)),
            Err(error) if error.is_cancelled() => return,
            Err(error) => (error.id(), None),
        };
        let Some(about) = self.in_flight.remove(&task) else { return };
        // A worker that panicked is a failed resource, not a lost run.
        let panicked = || "a worker of Mathison panicked; please report it with the lines above".to_owned();
        let elapsed = about.started.elapsed();
        match (about.work, &about.id) {
            (Work::Change(index), id) => {
                let end = match finished {
                    Some(Finished::Resource(end)) => end,
                    _ => ResourceEnd::Unknown(panicked()),
                };
                let is_done = end == ResourceEnd::Done;
                self.resource_ended(index, end, elapsed);
                if is_done { self.order.done(id) } else { self.fail(id) }
            }
            (Work::Check, id @ NodeId::Check(name)) => {
                let outcome = match finished {
                    Some(Finished::Check(outcome)) => outcome,
                    _ => CheckOutcome::Failed(panicked()),
                };
                self.check_ended(name, outcome, elapsed);
                self.order.done(id);
            }
            _ => {}
        }
    }

    /// Gives up what waits for a node that is not done.
    fn fail(&mut self, id: &NodeId) {
        for (lost, work) in self.order.failed(id) {
            self.give_up(&lost, work, Some(id));
        }
    }

    /// Ends what is still under way, and tells of all that was not done. What was answered before is recorded all the same.
    async fn end(&mut self) {
        self.tasks.abort_all();
        while let Some(joined) = self.tasks.join_next_with_id().await {
            self.joined(joined);
        }
        self.write_all_down();
        let mut cut_off: Vec<InFlight> = self.in_flight.drain().map(|(_, about)| about).collect();
        cut_off.sort_by(|one, other| one.id.cmp(&other.id));
        for about in cut_off {
            match about.work {
                Work::Change(index) if about.written || self.change(index).action == Action::NoChange => {
                    let end = ResourceEnd::NotReady("the run was stopped".to_owned());
                    self.resource_ended(index, end, about.started.elapsed());
                }
                Work::Change(index) => {
                    let end = ResourceEnd::Unknown("the run was stopped while it was in flight".to_owned());
                    self.resource_ended(index, end, about.started.elapsed());
                }
                work => self.give_up(&about.id, work, None),
            }
        }
        for (id, work) in self.order.abandon() {
            self.give_up(&id, work, None);
        }
    }

    fn give_up(&mut self, id: &NodeId, work: Work, because_of: Option<&NodeId>) {
        match (work, id) {
            (Work::Change(index), _) => {
                let end = match because_of {
                    Some(failed) => ResourceEnd::Skipped { because_of: failed.to_string() },
                    None => ResourceEnd::NotStarted,
                };
                self.resource_ended(index, end, Duration::ZERO);
            }
            (Work::Check, NodeId::Check(name)) => {
                let why = match because_of {
                    Some(failed) => format!("it waits for {failed}"),
                    None => "the run was stopped".to_owned(),
                };
                self.check_ended(name, CheckOutcome::Skipped(why), Duration::ZERO);
            }
            _ => {}
        }
    }

    fn check_ended(&mut self, name: &str, outcome: CheckOutcome, elapsed: Duration) {
        self.tell(Event::CheckFinished { name: name.to_owned(), outcome: outcome.clone(), elapsed });
        self.outcome.checks.push(CheckResult { name: name.to_owned(), outcome, elapsed });
    }

    fn resource_ended(&mut self, index: usize, end: ResourceEnd, elapsed: Duration) {
        let Change { address, action, .. } = self.change(index);
        let (address, action) = (address.clone(), *action);
        self.tell(Event::ResourceFinished { address: address.clone(), action, end: end.clone(), elapsed });
        self.outcome.ends.insert(address, (action, end));
    }
}
