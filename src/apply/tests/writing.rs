//! One object: created, updated, forced.

use serde_json::{Value, json};

use super::cluster::{Run, path_of};
use crate::cluster::fake::{Answer, status};
use crate::event::ResourceEnd;
use crate::plan::Plan;
use crate::plan::tests::World;
use crate::plan::tests::world::{LATER, config_map};

/// A stack of one ConfigMap in a namespace that is there already.
fn world(data: Value) -> World {
    let mut world = World::of(&[]);
    world.apply().declare(&[config_map("motd", data)]);
    world
}

fn live(world: &mut World) -> Value {
    world.live("ConfigMap", "motd").clone()
}

/// An object that was applied with `a: 1`, and the plan that makes it 2.
fn edited() -> (Value, Plan) {
    let mut world = world(json!({"a": "1"}));
    world.apply().declare(&[config_map("motd", json!({"a": "2"}))]);
    (live(&mut world), world.plan())
}

/// The same, after somebody took `a`.
fn taken() -> (World, Value, Plan) {
    let mut world = world(json!({"a": "1"}));
    world.apply().write("kubectl-edit", &config_map("motd", json!({"a": "9"})), LATER);
    let (object, plan) = (live(&mut world), world.plan());
    (world, object, plan)
}

#[tokio::test]
async fn a_create_can_only_create_and_is_recorded() {
    let mut run = Run::new(&[], |_, _| None);
    let ended = run.walk(&world(json!({"a": "1"})).plan()).await;
    assert_eq!(ended.ends(), "Create manifest.ConfigMap/motd: Done");
    assert_eq!(ended.facts(), ["motd: applied uid uid-of-motd"]);
    assert_eq!(run.bodies("PATCH")[0]["metadata"]["resourceVersion"], "1");
}

#[tokio::test]
async fn a_create_of_what_somebody_made_meanwhile_stops_and_leaves_it() {
    let mut theirs = World::of(&[]);
    theirs.write("helm", &config_map("motd", json!({"z": "1"})), LATER);
    theirs.write("helm", &config_map("motd", json!({"z": "2"})), LATER);
    let object = theirs.live("ConfigMap", "motd").clone();
    let mut run = Run::new(std::slice::from_ref(&object), |_, _| None);
    let ended = run.walk(&world(json!({"a": "1"})).plan()).await;
    assert!(ended.ends().contains("Moved(\"the plan saw that it does not exist"), "{}", ended.ends());
    assert!(matches!(ended.facts().as_slice(), [fact] if fact.starts_with("motd: Failed")), "{:?}", ended.facts());
    assert_eq!(run.objects.lock().unwrap()[&path_of(&object)], object);
}

#[tokio::test]
async fn a_write_whose_reply_was_lost_is_our_own() {
    for (objects, plan) in [(Vec::new(), world(json!({"a": "1"})).plan()), {
        let (object, plan) = edited();
        (vec![object], plan)
    }] {
        let mut lost = false;
        let mut run = Run::new(&objects, move |seen, objects| {
            if lost || !seen.line.starts_with("PATCH") {
                return None;
            }
            lost = true;
            let sent = crate::resource::Manifest::new({
                let mut sent = seen.body.clone();
                sent["metadata"].as_object_mut().unwrap().retain(|key, _| key != "uid" && key != "resourceVersion");
                sent
            });
            let sent = sent.unwrap();
            let path = path_of(sent.object());
            let schema = crate::ssa::builtin("", "v1", "ConfigMap").unwrap();
            let made = crate::ssa::apply(&schema, objects.get(&path), sent.object(), "mathison").unwrap();
            let mut made = made.object.into_owned();
            made["metadata"]["uid"] = objects.get(&path).map_or(json!("u"), |live| live["metadata"]["uid"].clone());
            made["metadata"]["resourceVersion"] = json!("77");
            objects.insert(path, made);
            Some(Answer::Reset)
        });
        let ended = run.walk(&plan).await;
        assert!(ended.ends().ends_with("Done"), "{}", ended.ends());
        assert!(ended.facts()[0].starts_with("motd: applied"), "{:?}", ended.facts());
    }
}

#[tokio::test]
async fn a_refused_write_that_may_have_been_our_own_and_cannot_be_looked_at_is_unknown() {
    let (object, edit) = edited();
    for (objects, plan) in [(Vec::new(), world(json!({"a": "1"})).plan()), (vec![object], edit)] {
        let mut run = Run::new(&objects, |seen, _| {
            Some(match seen.line.split(' ').next() {
                Some("PATCH") => status(409, "Conflict", "the object has been modified", json!({"name": "motd"})),
                _ => status(403, "Forbidden", "no right", json!({"name": "motd"})),
            })
        });
        let ended = run.walk(&plan).await;
        let (_, end) = ended.outcome.ends.values().next().unwrap();
        assert!(matches!(end, ResourceEnd::Unknown(why) if why.contains("cannot be read")), "{end:?}");
        assert!(ended.facts()[0].starts_with("motd: Unknown"), "{:?}", ended.facts());
    }
}

#[tokio::test]
async fn an_update_carries_uid_and_version_and_looks_again_only_if_it_must() {
    let (object, plan) = edited();
    let mut run = Run::new(std::slice::from_ref(&object), |_, _| None);
    assert!(run.walk(&plan).await.ends().ends_with("Done"));
    assert_eq!(run.server.lines().len(), 1, "{:?}", run.server.lines());
    assert_eq!(run.bodies("PATCH")[0]["metadata"]["uid"], object["metadata"]["uid"]);
    assert!(!run.server.lines()[0].contains("force=true"), "nobody's field is to be taken: {:?}", run.server.lines());

    let mut elsewhere = object.clone();
    elsewhere["metadata"]["resourceVersion"] = json!("50");
    elsewhere["metadata"]["annotations"] = json!({"seen": "yes"});
    let mut run = Run::new(&[elsewhere], |_, _| None);
    assert!(run.walk(&plan).await.ends().ends_with("Done"), "what the plan is not about may move");
}

#[tokio::test]
async fn an_update_of_what_moved_stops() {
    let (object, plan) = edited();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut object = object.clone();
        object["metadata"]["resourceVersion"] = json!("50");
        change(&mut object);
        object
    };
    for (live, words) in [
        (vec![changed(&|object| object["metadata"]["uid"] = json!("other"))], "made anew"),
        (vec![changed(&|object| object["data"]["a"] = json!("8"))], "the values that the plan is about changed"),
    ] {
        let mut run = Run::new(&live, |_, _| None);
        let ended = run.walk(&plan).await;
        let (_, end) = ended.outcome.ends.values().next().unwrap();
        assert!(matches!(end, ResourceEnd::Moved(why) if why.contains(words)), "{end:?}");
        assert_eq!(run.objects.lock().unwrap().values().next(), live.first());
    }
}

#[tokio::test]
async fn a_forced_write_looks_first_and_takes_exactly_what_was_planned() {
    let (_, object, plan) = taken();
    let mut run = Run::new(&[object], |_, _| None);
    let ended = run.walk(&plan).await;
    assert!(ended.ends().ends_with("Done"), "{}", ended.ends());
    let lines = run.server.lines();
    assert!(lines[0].starts_with("GET") && lines[1].contains("force=true"), "{lines:?}");
}

#[tokio::test]
async fn a_forced_write_takes_nothing_that_somebody_took_since_the_plan() {
    let same_field = config_map("motd", json!({"a": "9"}));
    let mut other_field = same_field.clone();
    other_field["metadata"]["labels"] = json!({"mathison.dev/stack": "mine"});
    for (manager, config) in [("kubectl-edit", &other_field), ("helm", &same_field), ("helm", &other_field)] {
        let (mut world, _, plan) = taken();
        world.write(manager, config, LATER);
        let object = live(&mut world);
        let mut run = Run::new(std::slice::from_ref(&object), |_, _| None);
        let ended = run.walk(&plan).await;
        assert!(ended.ends().contains("which the plan did not see"), "{manager}: {}", ended.ends());
        assert_eq!(run.writes(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_forced_write_goes_on_when_only_the_version_moved_and_gives_up_some_time() {
    for (moves, good) in [(1, true), (100, false)] {
        let (_, object, plan) = taken();
        let mut left = moves;
        let mut run = Run::new(&[object], move |seen, objects| {
            if seen.line.starts_with("PATCH") && left > 0 {
                left -= 1;
                let live = objects.values_mut().next().unwrap();
                live["metadata"]["resourceVersion"] = json!((1000 - left).to_string());
            }
            None
        });
        let ended = run.walk(&plan).await;
        assert_eq!(ended.ends().ends_with("Done"), good, "{}", ended.ends());
        assert_eq!(ended.ends().contains("kept changing"), !good, "{}", ended.ends());
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_the_servers_words() {
    let mut run = Run::new(&[], |seen, _| {
        seen.line.starts_with("PATCH").then(|| status(422, "Invalid", "data is too long", json!({})))
    });
    let ended = run.walk(&world(json!({"a": "1"})).plan()).await;
    assert!(ended.ends().contains("Failed(") && ended.ends().contains("data is too long"), "{}", ended.ends());
}

#[tokio::test(start_paused = true)]
async fn a_write_of_which_no_answer_comes_is_unknown_and_recorded_as_that() {
    let (object, update) = edited();
    let mut leaving = world(json!({"a": "1"}));
    leaving.apply().declare(&[]);
    for (objects, plan) in [
        (Vec::new(), world(json!({"a": "1"})).plan()),
        (vec![object], update),
        (vec![live(&mut leaving)], leaving.plan()),
    ] {
        let mut run = Run::new(&objects, |seen, _| (!seen.line.starts_with("GET")).then_some(Answer::Reset));
        let ended = run.walk(&plan).await;
        assert!(ended.ends().contains("Unknown("), "{}", ended.ends());
        assert!(matches!(ended.facts().as_slice(), [fact] if fact.starts_with("motd: Unknown")), "{:?}", ended.facts());
    }
}
