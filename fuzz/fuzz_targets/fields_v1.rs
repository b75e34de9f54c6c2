//! `metadata.managedFields[].fieldsV1`, as JSON: what can be read is written and read as the same set again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mathison::ssa::FieldSet;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let Ok(set) = FieldSet::from_fields_v1(&value) else { return };
    let written = set.to_fields_v1();
    let again = FieldSet::from_fields_v1(&written).expect("what was written can be read");
    assert_eq!(again, set);
    assert_eq!(again.to_fields_v1(), written);
    assert_eq!(set.iter().count(), set.len());
    assert_eq!(set.iter().collect::<FieldSet>(), set);
    assert_eq!(set.union(&set), set);
    assert_eq!(set.intersection(&set), set);
    assert!(set.difference(&set).is_empty());
});
