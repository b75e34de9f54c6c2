//! What `plan --json` and `drift --json` say, as far as tests ask for it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::environment::TestEnv;

/// A plan as programs read it.
pub struct Planned {
    changes: Vec<Value>,
}

impl Planned {
    /// Plans a stack with these further words.
    #[track_caller]
    pub fn of(environment: &TestEnv, line: &str) -> Self {
        let output = environment.run(&format!("plan {line} --json")).expect_code(0);
        let value: Value = serde_json::from_str(&output.stdout)
            .unwrap_or_else(|error| panic!("`plan --json` prints one JSON document: {error}\n{output}"));
        let changes = value["changes"].as_array().unwrap_or_else(|| panic!("a plan has `changes`\n{output}")).clone();
        Self { changes }
    }

    /// Returns the actions by address, but for those that do nothing.
    pub fn actions(&self) -> BTreeMap<String, String> {
        let changes = self.changes.iter().filter(|change| change["action"] != "no_change");
        changes.map(|change| (text(&change["address"]), text(&change["action"]))).collect()
    }

    /// Returns the paths of the fields that differ at this address.
    pub fn fields(&self, address: &str) -> Vec<String> {
        let change = self.changes.iter().find(|change| change["address"] == address);
        let diff = change.and_then(|change| change["diff"].as_array()).cloned().unwrap_or_default();
        diff.iter().map(|field| text(&field["path"])).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
