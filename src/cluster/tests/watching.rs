use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::fake::{Answer, FakeServer, absent, forbidden, object, page, status};
use crate::cluster::{ClusterError, Follower, Seen, Watches};
use crate::live::Live;
use crate::resource::ObjectRef;

fn deployment(name: &str) -> ObjectRef {
    ObjectRef::new("apps", "Deployment", Some("shop"), name)
}

fn live(name: &str, version: u64) -> Value {
    object("apps/v1", "Deployment", Some("shop"), name, version)
}

fn event(kind: &str, object: Value) -> Value {
    json!({"type": kind, "object": object})
}

fn watches(server: &FakeServer) -> Watches {
    let label = ("mathison.dev/stack".to_owned(), "shop.shop".to_owned());
    Watches::polling_every(server.cluster(), &label, Duration::from_micros(10))
}

async fn next(follower: &mut Follower) -> String {
    match tokio::time::timeout(Duration::from_secs(10), follower.next()).await {
        Ok(Ok(Seen::Live(live))) => format!("live {}", live.resource_version()),
        Ok(Ok(Seen::Gone)) => "gone".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "nothing".to_owned(),
    }
}

/// States in between may be left out, so what counts is where it ends.
async fn until(follower: &mut Follower, last: &str) {
    loop {
        let state = next(follower).await;
        if state == last {
            return;
        }
        assert!(state.starts_with("live") || state == "gone", "{state} instead of {last}");
    }
}

#[tokio::test]
async fn a_watch_goes_on_from_where_it_was_cut_and_lists_again_where_that_was_forgotten() {
    let expired = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"});
    let server = FakeServer::scripted([
        page(vec![live("web", 3)], None, 5),
        Answer::Events(vec![event("MODIFIED", live("web", 6)), event("BOOKMARK", live("", 8))]),
        Answer::Events(vec![event("ERROR", expired)]),
        page(vec![live("web", 9)], None, 10),
        Answer::Events(vec![event("DELETED", live("web", 12))]),
        Answer::Never,
    ]);
    let watches = watches(&server);
    let mut follower = watches.follow(&deployment("web"), "apps/v1", None);
    until(&mut follower, "gone").await;
    let lines = server.lines();
    assert!(lines[0].starts_with("GET /apis/apps/v1/namespaces/shop/deployments?labelSelector="), "{}", lines[0]);
    let versions: Vec<_> = lines.iter().filter_map(|line| line.split("&resourceVersion=").nth(1)).take(3).collect();
    assert_eq!(versions, ["5", "8", "10"], "the bookmark counts, and the second list");
}

#[tokio::test]
async fn many_who_follow_share_one_watch() {
    let server = FakeServer::scripted([page(vec![live("a", 3), live("b", 4)], None, 5), Answer::Never]);
    let watches = watches(&server);
    let mut a = watches.follow(&deployment("a"), "apps/v1", None);
    let mut b = watches.follow(&deployment("b"), "apps/v1", None);
    let mut missing = watches.follow(&deployment("c"), "apps/v1", None);
    assert_eq!((next(&mut a).await, next(&mut b).await), ("live 3".to_owned(), "live 4".to_owned()));
    assert_eq!(next(&mut missing).await, "gone");
    let mut late = watches.follow(&deployment("a"), "apps/v1", None);
    assert_eq!(next(&mut late).await, "live 3", "the current state comes first");
}

#[tokio::test]
async fn what_was_written_is_shown_at_once_even_if_the_list_is_older() {
    let server = FakeServer::scripted([
        page(Vec::new(), None, 5),
        Answer::Events(vec![event("ADDED", live("web", 7)), event("MODIFIED", live("web", 8))]),
        Answer::Never,
    ]);
    let watches = watches(&server);
    let written = Live { object: live("web", 7) };
    let mut follower = watches.follow(&deployment("web"), "apps/v1", Some(&written));
    assert_eq!(next(&mut follower).await, "live 7");
    assert_eq!(next(&mut follower).await, "live 8", "and is never gone in between");
}

#[tokio::test]
async fn where_watching_is_forbidden_it_lists_again_and_again() {
    let mut version = 0;
    let server = FakeServer::new(move |seen| {
        if seen.line.contains("watch=true") {
            return forbidden();
        }
        version += 1;
        page(vec![live("web", version)], None, version)
    });
    let watches = watches(&server);
    let mut follower = watches.follow(&deployment("web"), "apps/v1", None);
    until(&mut follower, "live 5").await;
    assert_eq!(server.lines().iter().filter(|line| line.contains("watch=true")).count(), 1);
}

#[tokio::test]
async fn where_listing_is_forbidden_too_the_followed_objects_are_read() {
    let mut reads = 0;
    let server = FakeServer::new(move |seen| {
        if !seen.line.contains("/deployments/web") {
            return forbidden();
        }
        reads += 1;
        if reads < 3 { Answer::Json(200, live("web", reads)) } else { absent("deployments", "web") }
    });
    let watches = watches(&server);
    let mut follower = watches.follow(&deployment("web"), "apps/v1", None);
    until(&mut follower, "gone").await;
    assert!(
        server.lines().iter().all(|line| !line.contains("watch=true")),
        "what may not be listed may not be watched"
    );
}

#[tokio::test]
async fn what_ends_a_watch_for_good_is_told_to_all_and_the_next_who_follows_begins_anew() {
    let server = FakeServer::scripted([
        status(401, "Unauthorized", "Unauthorized", json!({})),
        page(vec![live("web", 3)], None, 5),
        Answer::Never,
    ]);
    let watches = watches(&server);
    let mut follower = watches.follow(&deployment("web"), "apps/v1", None);
    let error = follower.next().await.unwrap_err();
    assert!(matches!(error, ClusterError::Unauthorized { .. }), "{error:?}");
    let mut again = watches.follow(&deployment("web"), "apps/v1", None);
    assert_eq!(next(&mut again).await, "live 3");
}

#[tokio::test]
async fn a_server_that_fails_for_a_while_is_waited_for() {
    let server = FakeServer::scripted([
        page(vec![live("web", 3)], None, 5),
        Answer::Text(503, "restarting"),
        page(vec![live("web", 9)], None, 10),
        Answer::Never,
    ]);
    let watches = watches(&server);
    let mut follower = watches.follow(&deployment("web"), "apps/v1", None);
    until(&mut follower, "live 9").await;
}
