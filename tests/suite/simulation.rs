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

/// A world's whole life: made, applied, applied again, and what it held then; destroyed.
#[derive(Debug, PartialEq)]
struct Life {
    runs: Vec<Simulated>,
    held: Vec<Value>,
}

fn live(beginning: Beginning) -> Life {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let stack = shipped();
        let mut world = Simulation::begin(beginning).await.expect("a world");
        let mut runs = vec![world.apply(&stack).await.expect("an apply"), world.apply(&stack).await.expect("an apply")];
        let held =
            ["/api/v1/pods", "/api/v1/secrets", "/apis/apps/v1/statefulsets", "/api/v1/events", "/api/v1/configmaps"];
        let held = held.iter().map(|path| world.ask("GET", path, None).expect("a list")).collect();
        runs.push(world.destroy(&stack).await.expect("a destroy"));
        Life { runs, held }
    })
}

#[test]
fn the_shipped_stack_lives_a_whole_life() {
    let life = live(beginning(1, None));
    let ends: Vec<_> = life.runs.iter().map(|run| run.status).collect();
    assert_eq!(ends, [ExitStatus::Done; 3], "{life:#?}");
    assert!(life.runs[1].plan.contains("No changes."), "{}", life.runs[1].plan);
}

#[test]
fn a_seed_gives_the_same_bytes_again() {
    assert_eq!(live(beginning(7, None)), live(beginning(7, None)));
    assert_ne!(live(beginning(7, None)).held, live(beginning(8, None)).held);
}
