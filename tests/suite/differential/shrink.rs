//! The least of a script that still shows a difference.

use serde_json::Value;

use super::script::Script;
use super::step::Body;

/// How often a script is asked again at most.
const TRIES: usize = 150;

/// Leaves out of a script whatever it shows the same without: steps, parts of queries, changes, fields.
pub fn shrunk(script: &Script, shows: impl FnMut(&Script) -> bool) -> Script {
    let mut work = Work { least: script.clone(), tries: 0, shows };
    work.steps();
    for step in 0..work.least.steps.len() {
        work.query(step);
        match &work.least.steps[step].body {
            Body::Current(_) => work.edits(step),
            Body::Text(text) => {
                if let Ok(value) = serde_json::from_str(text) {
                    work.fields(step, &value, &mut Vec::new());
                }
            }
        }
    }
    work.least
}

struct Work<F> {
    least: Script,
    tries: usize,
    shows: F,
}

impl<F: FnMut(&Script) -> bool> Work<F> {
    fn try_with(&mut self, change: impl FnOnce(&mut Script)) -> bool {
        if self.tries == TRIES {
            return false;
        }
        self.tries += 1;
        let mut smaller = self.least.clone();
        change(&mut smaller);
        let shows = (self.shows)(&smaller);
        if shows {
            self.least = smaller;
        }
        shows
    }

    /// All but the last, which is the one that shows it.
    fn steps(&mut self) {
        let mut at = self.least.steps.len().saturating_sub(1);
        while at > 0 {
            at -= 1;
            self.try_with(|script| drop(script.steps.remove(at)));
        }
    }

    fn query(&mut self, step: usize) {
        let path = self.least.steps[step].path.clone();
        let Some((path, query)) = path.split_once('?') else { return };
        let mut words: Vec<&str> = query.split('&').filter(|word| !word.is_empty()).collect();
        for at in (0..words.len()).rev() {
            let mut fewer = words.clone();
            fewer.remove(at);
            if self.try_with(|script| script.steps[step].path = format!("{path}?{}", fewer.join("&"))) {
                words = fewer;
            }
        }
    }

    fn edits(&mut self, step: usize) {
        let Body::Current(edits) = &self.least.steps[step].body else { return };
        for at in (0..edits.len()).rev() {
            self.try_with(|script| {
                if let Body::Current(edits) = &mut script.steps[step].body {
                    edits.remove(at);
                }
            });
        }
    }

    /// Leaves out what is inside a value, from the outside in.
    fn fields(&mut self, step: usize, value: &Value, path: &mut Vec<String>) {
        let inside: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().rev().map(|(index, value)| (index.to_string(), value)).collect()
            }
            _ => return,
        };
        for (name, below) in inside {
            let of_identity = path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind");
            path.push(name);
            let gone = !of_identity && self.try_with(|script| leave_out(&mut script.steps[step].body, path));
            if !gone {
                self.fields(step, below, path);
            }
            path.pop();
        }
    }
}

fn leave_out(body: &mut Body, path: &[String]) {
    let Body::Text(text) = body else { return };
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return };
    super::mutation::Edit::Remove(path.to_vec()).make(&mut value);
    *text = value.to_string();
}

#[test]
fn a_script_shrinks_to_what_shows_the_difference() {
    let step = |path: &str, body: Value| super::step::Step {
        method: "PATCH".to_owned(),
        path: path.to_owned(),
        content: String::new(),
        accept: String::new(),
        body: Body::Text(body.to_string()),
        about: None,
        is_idle: false,
    };
    let steps = vec![
        step("/a", serde_json::json!({})),
        step("/b?x=1&y=2", serde_json::json!({"kind": "K", "m": 1, "spec": {"a": [1, 2, 3], "b": 4}})),
        step("/c", serde_json::json!({})),
        step("/d", serde_json::json!({})),
    ];
    let script = Script { about: String::new(), kind: "/K".to_owned(), collection: String::new(), steps };
    let shows = |script: &Script| {
        script.steps.iter().any(|step| {
            let Body::Text(text) = &step.body else { return false };
            step.path.contains("y=2") && text.contains('2') && text.contains("\"a\"")
        })
    };
    let least = shrunk(&script, shows);
    let told: Vec<_> = least.steps.iter().map(|step| (step.path.as_str(), format!("{:?}", step.body))).collect();
    assert_eq!(
        told,
        [("/b?y=2", r#"Text("{\"kind\":\"K\",\"spec\":{\"a\":[2]}}")"#.to_owned()), ("/d", r#"Text("{}")"#.to_owned())]
    );
}
