//! Tests of faults, through the transport without sockets.

use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::Instant;
use tower_service::Service as _;

use super::*;
use crate::sandbox::server::InMemory;

/// Counts what was done; a GET is a watch that goes on for ever.
#[derive(Default)]
struct Counts {
    done: AtomicU32,
    order: Mutex<Vec<String>>,
}

impl Handler for Counts {
    fn answer(&self, request: Request<Bytes>) -> Answer {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.order.lock().unwrap().push(request.uri().path().to_owned());
        if request.method() == Method::GET {
            let (parts, ()) = Response::new(()).into_parts();
            let events = stream::iter([Bytes::from("one\n")]).chain(stream::pending());
            return Answer::Stream(parts, events.boxed());
        }
        Answer::Whole(Response::new(Bytes::from("done")))
    }
}

fn faulty(spec: &str, seed: u64) -> (Arc<Counts>, InMemory) {
    let counts = Arc::new(Counts::default());
    let faulty = Faulty::new(Arc::clone(&counts) as Arc<dyn Handler>, spec.parse().unwrap(), seed);
    (counts, InMemory(Arc::new(faulty)))
}

fn request(method: &str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri("/api/v1/namespaces/a").body(Full::default()).unwrap()
}

/// Says what becomes of a number of requests.
async fn outcomes(spec: &str, seed: u64, count: usize) -> Vec<String> {
    let (_, mut service) = faulty(spec, seed);
    let mut outcomes = Vec::new();
    for _ in 0..count {
        outcomes.push(match service.call(request("PATCH")).await {
            Err(error) => error.to_string(),
            Ok(response) => {
                let after = response.headers().get("retry-after").map(|after| after.to_str().unwrap().to_owned());
                format!("{} {}", response.status().as_u16(), after.unwrap_or_default()).trim().to_owned()
            }
        });
    }
    outcomes
}

#[tokio::test(start_paused = true)]
async fn the_seed_and_the_number_of_a_request_decide_what_becomes_of_it() {
    let spec = "error=30%,lost=20%,conflict=20%,unauthorized=10%,delay=1ms..9ms@50%";
    let first = outcomes(spec, 7, 400).await;
    assert_eq!(first, outcomes(spec, 7, 400).await);
    assert_ne!(first, outcomes(spec, 8, 400).await);
    let seen: std::collections::BTreeSet<&str> = first.iter().map(String::as_str).collect();
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["200", "401", "409", "429 1", "500", "503", "504", "the connection was lost on purpose"]
    );
    let none = outcomes("", 7, 100).await;
    assert!(none.iter().all(|outcome| outcome == "200"));
}

#[tokio::test(start_paused = true)]
async fn a_share_is_about_what_it_says() {
    let lost = outcomes("lost-request=5%", 1, 10_000).await.iter().filter(|outcome| *outcome != "200").count();
    assert!((400..600).contains(&lost), "{lost}");
}

#[tokio::test]
async fn a_lost_reply_was_done_and_a_lost_request_was_not() {
    for (spec, done) in [("lost-request=100%", 0), ("lost-reply=100%", 1), ("error=100%", 0), ("conflict=100%", 0)] {
        let (counts, mut service) = faulty(spec, 1);
        let _ = service.call(request("PUT")).await;
        assert_eq!(counts.done.load(Ordering::Relaxed), done, "{spec}");
    }
    // Nobody can have written in between what is only read or deleted.
    let (counts, mut service) = faulty("conflict=100%", 1);
    assert_eq!(service.call(request("DELETE")).await.unwrap().status(), 200);
    assert_eq!(counts.done.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delay_passes_on_a_stopped_clock() {
    let (counts, mut service) = faulty("delay=3s..5s", 1);
    let began = Instant::now();
    assert_eq!(service.call(request("POST")).await.unwrap().status(), 200);
    assert!((3..=5).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(counts.done.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_an_error_or_breaks_off() {
    let (_, mut service) = faulty("watch-expired=100%", 3);
    let body = service.call(request("GET")).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let lines: Vec<&str> = std::str::from_utf8(&body).unwrap().lines().collect();
    assert_eq!(lines[0], "one");
    let event: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!((&event["type"], &event["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(event["object"]["reason"], "Expired");

    let (_, mut service) = faulty("watch-cut=100%", 3);
    let mut body = service.call(request("GET")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one\n");
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(body.frame().await.is_none());
}
