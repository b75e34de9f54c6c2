//! Whole runs in memory, on a clock that stands still: replayable from a seed, faults and all.

use std::path::Path;
use std::time::Duration;

use mathison::command::simulation::{Beginning, Simulated, Simulation};
use mathison::failure::ExitStatus;
use mathison::stack::{self, Settings, Stack};
use serde_json::Value;

fn shipped() -> Stack {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/mathison.yaml");
    stack::load(&file, &Settings::default()).expect("the stack that we ship").stack
}

fn beginning(seed: u64, faults: Option<&str>) -> Beginning {
    Beginning {
        seed,
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
        faults: faults.map(|spec| spec.parse().expect("faults")),
        timeout: Duration::from_secs(600),
        parallelism: 10,
    }
}

/// Runs on one thread whose clock goes on only when all wait.
fn simulate<T>(life: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().expect("a runtime").block_on(life)
}

/// A world's whole life: a stack applied, applied again, and what was there then; destroyed.
#[derive(Debug, PartialEq)]
struct Life {
    runs: Vec<Simulated>,
    held: Vec<Value>,
}

fn live(seed: u64) -> Life {
    simulate(async {
        let stack = shipped();
        let mut world = Simulation::begin(beginning(seed, None)).await.expect("a world");
        let mut runs = vec![world.apply(&stack).await.expect("an apply"), world.apply(&stack).await.expect("an apply")];
        let held = HELD.iter().map(|path| world.ask("GET", path, None).expect("a list")).collect();
        runs.push(world.destroy(&stack).await.expect("a destroy"));
        Life { runs, held }
    })
}

const HELD: &[&str] = &[
    "/api/v1/pods",
    "/api/v1/secrets",
    "/api/v1/configmaps",
    "/api/v1/services",
    "/apis/apps/v1/statefulsets",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/api/v1/events",
];

/// The names of all that was there, but of Events: there may be more of them.
fn names(held: &[Value]) -> Vec<String> {
    let lists = held.iter().filter(|list| list["kind"] != "EventList");
    let objects =
        lists.flat_map(|list| list["items"].as_array().expect("a list").iter().map(move |object| (list, object)));
    objects.map(|(list, object)| format!("{} {}", list["kind"], object["metadata"]["name"])).collect()
}

#[test]
fn the_shipped_stack_lives_a_whole_life() {
    let life = live(1);
    let ends: Vec<_> = life.runs.iter().map(|run| run.status).collect();
    assert_eq!(ends, [ExitStatus::Done; 3], "{life:#?}");
    assert!(life.runs[1].plan.contains("No changes."), "{}", life.runs[1].plan);
    // Its pods took a while by their clock, and next to nothing by ours.
    let pods = life.held[0]["items"].as_array().expect("pods");
    assert!(pods.iter().all(|pod| pod["status"]["phase"] == "Running"), "{pods:#?}");
}

#[test]
fn a_seed_gives_the_same_bytes_again() {
    let life = live(7);
    assert_eq!(life, live(7));
    assert_ne!(life.held, live(8).held, "another seed gives other names");
}

/// Whatever goes wrong, repeating the apply makes it good, and what then is there is what was asked for, once.
#[test]
fn what_goes_wrong_on_purpose_is_made_good_by_repeating_it() {
    let wanted = names(&live(0).held);
    let mut disturbed = 0;
    for seed in 0..40 {
        let faults = "error=8%,lost=4%,conflict=4%,watch-cut=20%,watch-expired=10%,delay=1ms..3s@20%";
        let life = || {
            simulate(async {
                let stack = shipped();
                let mut world = Simulation::begin(beginning(seed, Some(faults))).await?;
                let mut told = Vec::new();
                for _ in 0..10 {
                    match world.apply(&stack).await {
                        Ok(run) if run.status == ExitStatus::Done => {
                            let held: Vec<_> =
                                HELD.iter().map(|path| world.ask("GET", path, None).expect("a list")).collect();
                            return Ok((told, held, world.requests()));
                        }
                        Ok(run) => told.push(run.events),
                        Err(failure) => told.push(failure.chain.join(": ")),
                    }
                }
                panic!("seed {seed} never ends well:\n{}", told.join("\n"))
            })
        };
        let ended: Result<_, mathison::failure::Failure> = life();
        // A world whose first question is not answered is none.
        let Ok((told, held, requests)) = ended else { continue };
        disturbed += usize::from(!told.is_empty());
        assert_eq!(names(&held), wanted, "seed {seed}: {}", told.join("\n"));
        if seed % 10 == 0 {
            let again = life().expect("what began once begins again");
            assert_eq!((told, held, requests), again, "seed {seed} gives the same bytes again");
        }
    }
    assert!(disturbed > 3, "only {disturbed} of 40 were disturbed");
}
