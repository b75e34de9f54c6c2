//! The loop of a run: starts what may start, hears what happened, records it, and goes on until nothing is left.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::order::{Order, Work};
use super::{AskContext, Fact, Outcome, Record, Stop, Walk, ask, remove, wait, write};
use crate::cluster::{Cluster, Watches};
use crate::event::{Event, ResourceEnd};
use crate::graph::NodeId;
use crate::plan::{Action, Change};
use crate::resource::{Address, ObjectRef};
use crate::verify::{Check, CheckOutcome, CheckResult};

/// How long one check may take: a query that answers at all answers sooner.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a failed check is asked again right after an apply, and how often.
const PATIENCE: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// What a task needs of the run.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) cluster: Cluster,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) records: mpsc::UnboundedSender<Record>,
    /// The value of the label that our objects carry.
    pub(super) label: String,
    pub(super) watches: Watches,
    pub(super) keyed: super::Keyed,
    pub(super) timeout: Duration,
    pub(super) wait: bool,
    pub(super) started: Instant,
}

impl Task {
    /// Tells a fact; a reporter that is gone is no reason to stop.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Hands a record to the loop, which writes it down.
    pub(super) fn record(&self, change: &Change, fact: Fact) {
        let _ = self.records.send(Record { object: change.object.clone(), fact });
    }
}

/// A change that was started and has not ended.
struct InFlight {
    address: Address,
    action: Action,
    object: ObjectRef,
    /// True once its write is recorded: then it is only waited for.
    written: bool,
}

impl InFlight {
    /// How it ends where the run ends before it does.
    fn cut_off(&self) -> ResourceEnd {
        if self.written {
            ResourceEnd::Failed("it was written and recorded, but the run was stopped before it was ready".to_owned())
        } else {
            ResourceEnd::Unknown("the run was stopped while it was in flight".to_owned())
        }
    }
}

enum Finished {
    Resource { address: Address, action: Action, end: ResourceEnd, elapsed: Duration },
    Check(CheckResult),
}

/// Walks a plan to its end, or to where it must stop.
pub async fn run(walk: Walk<'_>) -> Outcome {
    let began = Instant::now();
    let Walk { cluster, plan, label, checks, declared, keyed, find_secret, options, mut stop, events, record } = walk;
    let with_checks = options.run_checks && options.wait;
    let mut order = Order::new(plan, with_checks, options.wait);
    let (records, mut heard) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(options.parallelism));
    let watches = Watches::new(cluster.clone(), &label);
    let mut outcome = Outcome::default();
    let resources = plan.changes.iter().filter(|change| super::order::is_work(change)).count();
    let check_count = if with_checks { checks.len() } else { 0 };
    let _ = events.send(Event::RunStarted { resources, checks: check_count });
    let mut tasks: JoinSet<Finished> = JoinSet::new();
    let mut nodes: HashMap<Id, NodeId> = HashMap::new();
    let mut in_flight: BTreeMap<NodeId, Option<InFlight>> = BTreeMap::new();
    let mut stopping = Stop::No;
    for refused in plan.changes.iter().filter(|change| change.action == Action::Refuse) {
        let id = NodeId::Resource(refused.address.clone());
        for (lost, work) in order.failed(&id) {
            give_up(&mut outcome, &events, plan, &lost, work, Some(&id));
        }
    }
    loop {
        let may_start = stopping == Stop::No && outcome.record_error.is_none() && order.is_ready();
        if !may_start && tasks.is_empty() {
            break;
        }
        // A node is started only once there is a place for its write, so that what was not started needs no undoing
        // when the run stops.
        let permit = tokio::select! {
            biased;
            Some(fact) = heard.recv() => {
                write_down(record, fact, &mut outcome, &mut in_flight);
                continue;
            }
            Some(joined) = tasks.join_next_with_id() => {
                while let Ok(fact) = heard.try_recv() {
                    write_down(record, fact, &mut outcome, &mut in_flight);
                }
                let (task, finished) = match joined {
                    Ok((task, finished)) => (task, Some(finished)),
                    Err(error) => (error.id(), None),
                };
                let Some(id) = nodes.remove(&task) else { continue };
                let about = in_flight.remove(&id).flatten();
                let finished = finished.unwrap_or_else(|| panicked(&id, about));
                finish(&mut order, &mut outcome, &events, plan, &id, finished);
                continue;
            }
            Ok(()) = stop.changed() => {
                stopping = (*stop.borrow()).max(stopping);
                outcome.interrupted = true;
                if stopping == Stop::Now {
                    break;
                }
                let _ = events.send(Event::Stopping { in_flight: in_flight.len() });
                continue;
            }
            Ok(permit) = Arc::clone(&permits).acquire_owned(), if may_start => permit,
        };
        {
            let Some((id, work)) = order.start() else { continue };
            let task = Task {
                cluster: cluster.clone(),
                events: events.clone(),
                records: records.clone(),
                label: label.1.clone(),
                watches: watches.clone(),
                keyed: keyed.clone(),
                timeout: options.timeout,
                wait: options.wait,
                started: Instant::now(),
            };
            match (work, &id) {
                (Work::Change(index), _) => {
                    let change = plan.changes[index].clone();
                    let about = InFlight {
                        address: change.address.clone(),
                        action: change.action,
                        object: change.object.clone(),
                        written: false,
                    };
                    in_flight.insert(id.clone(), Some(about));
                    let node = id.clone();
                    let handle = tasks.spawn(async move {
                        let end = resource(&task, &change, permit).await;
                        let elapsed = task.started.elapsed();
                        Finished::Resource { address: change.address.clone(), action: change.action, end, elapsed }
                    });
                    nodes.insert(handle.id(), node);
                }
                (Work::Check, NodeId::Check(name)) => {
                    let Some(check) = checks.get(name).cloned() else { continue };
                    in_flight.insert(id.clone(), None);
                    let (find_secret, declared) = (find_secret.clone(), Arc::clone(&declared));
                    let node = id.clone();
                    let handle = tasks.spawn(async move {
                        let _permit = permit;
                        task.tell(Event::CheckStarted { name: check.name.clone() });
                        let timeout = CHECK_TIMEOUT.min(task.timeout);
                        let context = AskContext { declared: &declared, find_secret: &find_secret, timeout };
                        let answer = ask_patiently(&task.cluster, &check, &context).await;
                        let elapsed = task.started.elapsed();
                        Finished::Check(CheckResult { name: check.name, outcome: answer, elapsed })
                    });
                    nodes.insert(handle.id(), node);
                }
                _ => {}
            }
        }
    }
    // What was answered before the end is recorded all the same.
    tasks.shutdown().await;
    while let Ok(fact) = heard.try_recv() {
        write_down(record, fact, &mut outcome, &mut in_flight);
    }
    for about in in_flight.into_values().flatten() {
        let end = about.cut_off();
        tell_end(&events, &mut outcome, about.address, about.action, end, Duration::ZERO);
    }
    for (id, work) in order.abandon() {
        give_up(&mut outcome, &events, plan, &id, work, None);
    }
    if options.run_checks && !options.wait {
        for name in checks.keys() {
            tell_skipped(&mut outcome, &events, name, "nothing was waited for".to_owned());
        }
    }
    let _ = events.send(Event::RunFinished { elapsed: began.elapsed() });
    outcome
}

/// Asks until the answer is good or patience ends: what was just applied takes effect a moment after it is stored (the
/// API server's authorizer follows roles by watch, endpoints follow pods).
async fn ask_patiently(cluster: &Cluster, check: &Check, context: &AskContext<'_>) -> CheckOutcome {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let outcome = ask(cluster, check, context).await;
        if !matches!(outcome, CheckOutcome::Failed(_)) || tokio::time::Instant::now() + ASK_AGAIN > end {
            return outcome;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Does one change, from the first request to readiness.
async fn resource(task: &Task, change: &Change, permit: OwnedSemaphorePermit) -> ResourceEnd {
    task.tell(Event::ResourceStarted { address: change.address.clone(), action: change.action });
    match change.action {
        Action::Create | Action::Update | Action::Adopt => match write::write(task, change, permit).await {
            Ok(live) => {
                task.tell(Event::ResourceWritten { address: change.address.clone() });
                if task.wait { wait::until_ready(task, change, live).await } else { ResourceEnd::Done }
            }
            Err(end) => end,
        },
        Action::Delete => remove::remove(task, change, permit).await,
        Action::Forget => {
            task.record(change, Fact::Removed);
            ResourceEnd::Done
        }
        Action::NoChange => {
            drop(permit);
            wait::until_live_is_ready(task, change).await
        }
        Action::Keep | Action::Refuse => ResourceEnd::Done,
    }
}

fn write_down(
    record: &mut (dyn FnMut(Record) -> Result<(), String> + Send),
    fact: Record,
    outcome: &mut Outcome,
    in_flight: &mut BTreeMap<NodeId, Option<InFlight>>,
) {
    if matches!(fact.fact, Fact::Applied(_))
        && let Some(about) = in_flight.values_mut().flatten().find(|about| about.object == fact.object)
    {
        about.written = true;
    }
    if let Err(why) = record(fact) {
        outcome.record_error.get_or_insert(why);
    }
}

fn finish(
    order: &mut Order,
    outcome: &mut Outcome,
    events: &mpsc::UnboundedSender<Event>,
    plan: &crate::plan::Plan,
    id: &NodeId,
    finished: Finished,
) {
    match finished {
        Finished::Check(result) => {
            let _ = events.send(Event::CheckFinished {
                name: result.name.clone(),
                outcome: result.outcome.clone(),
                elapsed: result.elapsed,
            });
            outcome.checks.push(result);
            order.done(id);
        }
        Finished::Resource { address, action, end, elapsed } => {
            let good = end == ResourceEnd::Done;
            tell_end(events, outcome, address, action, end, elapsed);
            if good {
                order.done(id);
            } else {
                for (lost, work) in order.failed(id) {
                    give_up(outcome, events, plan, &lost, work, Some(id));
                }
            }
        }
    }
}

/// A worker that panicked is a failed resource, not a lost run.
fn panicked(id: &NodeId, about: Option<InFlight>) -> Finished {
    let words = "a worker of Mathison panicked; please report it with the lines above";
    match about {
        Some(InFlight { address, action, .. }) => {
            Finished::Resource { address, action, end: ResourceEnd::Unknown(words.to_owned()), elapsed: Duration::ZERO }
        }
        None => Finished::Check(CheckResult {
            name: id.to_string().trim_start_matches("check/").to_owned(),
            outcome: CheckOutcome::Failed(words.to_owned()),
            elapsed: Duration::ZERO,
        }),
    }
}

fn give_up(
    outcome: &mut Outcome,
    events: &mpsc::UnboundedSender<Event>,
    plan: &crate::plan::Plan,
    id: &NodeId,
    work: Work,
    because_of: Option<&NodeId>,
) {
    match (work, id) {
        (Work::Change(index), _) => {
            let change = &plan.changes[index];
            let end = match because_of {
                Some(failed) => ResourceEnd::Skipped { because_of: failed.to_string() },
                None => ResourceEnd::NotStarted,
            };
            tell_end(events, outcome, change.address.clone(), change.action, end, Duration::ZERO);
        }
        (Work::Check, NodeId::Check(name)) => {
            let why = match because_of {
                Some(failed) => format!("{failed} failed"),
                None => "the run was stopped".to_owned(),
            };
            tell_skipped(outcome, events, name, why);
        }
        _ => {}
    }
}

fn tell_skipped(outcome: &mut Outcome, events: &mpsc::UnboundedSender<Event>, name: &str, why: String) {
    let result = CheckResult { name: name.to_owned(), outcome: CheckOutcome::Skipped(why), elapsed: Duration::ZERO };
    let _ = events.send(Event::CheckFinished {
        name: result.name.clone(),
        outcome: result.outcome.clone(),
        elapsed: result.elapsed,
    });
    outcome.checks.push(result);
}

fn tell_end(
    events: &mpsc::UnboundedSender<Event>,
    outcome: &mut Outcome,
    address: Address,
    action: Action,
    end: ResourceEnd,
    elapsed: Duration,
) {
    let _ = events.send(Event::ResourceFinished { address: address.clone(), action, end: end.clone(), elapsed });
    outcome.ends.insert(address, (action, end));
}
