//! What a watch tells of a sequence, on both servers.

use serde_json::{Value, json};

use super::difference;
use super::normal::Normal;
use super::request::{Answerer, Reply, Request};

/// The name of the object that ends a watch: it is made last.
pub const END: &str = "end";

/// Reads what happened in a collection since a version, on both servers, and lists what differs. What is watched ends with
/// an object that is made for it from `base`; where that cannot be made nothing is compared, and `None` returned.
pub fn compared(
    servers: [(&dyn Answerer, &str); 2],
    normals: [&mut Normal; 2],
    collection: &str,
    selector: &str,
    base: &Value,
) -> Option<Vec<String>> {
    let mut end = base.clone();
    end["metadata"]["name"] = json!(END);
    end["metadata"]["labels"] = json!({"app": "1"});
    let mut told = Vec::new();
    for ((server, since), normal) in servers.into_iter().zip(normals) {
        let made = server.answer(&Request::post(collection, &end));
        if made.code != 201 {
            return None;
        }
        let query = format!("watch=true&resourceVersion={since}&timeoutSeconds=5{selector}");
        let events = server.watch(&Request::get(format!("{collection}?{query}")), &|event| {
            event.pointer("/object/metadata/name").is_some_and(|name| *name == END)
        });
        let reply = Reply { code: 200, warnings: Vec::new(), body: json!({"events": events}) };
        told.push(normal.reply(&reply));
    }
    Some(difference::differences(&told[0], &told[1]))
}
