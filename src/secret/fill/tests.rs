use serde_json::json;

use super::*;
use crate::secret::{Entropy, TemplatePart};

fn optional_env(variable: &str, optional: bool) -> Source {
    Source::Env { variable: variable.to_owned(), optional }
}

fn generated() -> Source {
    Source::Generate { entropy: Entropy::Bytes(3) }
}

fn template(text: &str) -> Source {
    let parts = text.split('}').flat_map(|piece| {
        let (plain, key) = piece.split_once("${").map_or((piece, None), |(plain, key)| (plain, Some(key)));
        let plain = (!plain.is_empty()).then(|| TemplatePart::Text(plain.to_owned()));
        plain.into_iter().chain(key.map(|key| TemplatePart::parse(key).unwrap()))
    });
    Source::Template(parts.collect())
}

/// A world with one variable, one file and one foreign key.
struct World {
    require_sources: bool,
}

const APPLY: World = World { require_sources: true };
const PLAN: World = World { require_sources: false };

fn all_ones(buffer: &mut [u8]) {
    buffer.fill(0xff);
}

impl World {
    /// Fills the keys and tells in lines what became of each: fate and value, or the error.
    fn tell(&self, keys: &[(&str, Source)], live: &[(&str, &str)]) -> String {
        let spec = SecretSpec {
            object: ObjectRef::new("", "Secret", Some("n"), "s"),
            keys: keys.iter().map(|(key, source)| ((*key).to_owned(), source.clone())).collect(),
        };
        let live: Map<String, Value> = live
            .iter()
            .map(|(key, value)| {
                let value = SecretValue::from((*value).to_owned());
                ((*key).to_owned(), json!(value.to_base64().as_str()))
            })
            .collect();
        let sources = Sources {
            env: &|name| match name {
                "SET" => Some("from-env".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            },
            file: &|path| match path.to_str() {
                Some("there") => Ok(Some(b"from-file\n".to_vec())),
                Some("forbidden") => Err(io::ErrorKind::PermissionDenied.into()),
                _ => Ok(None),
            },
            existing: &|secret, key| (secret.name == "other" && key == "k").then(|| "from-other".to_owned().into()),
            require_sources: self.require_sources,
        };
        match fill(&spec, Some(&live), &sources, &mut all_ones) {
            Ok(filled) => filled
                .fates
                .iter()
                .map(|(key, fate)| {
                    let value = filled
                        .data
                        .get(key)
                        .map_or("-".into(), |value| String::from_utf8_lossy(value.expose()).into_owned());
                    format!("{key}: {fate:?} {value}\n")
                })
                .collect(),
            Err(errors) => errors.iter().map(|error| format!("{error}: {}\n", error.problem)).collect(),
        }
    }
}

#[test]
fn a_generated_value_is_drawn_once_and_kept() {
    let keys = [("A", generated()), ("B", generated())];
    insta::assert_snapshot!(APPLY.tell(&keys, &[("A", "live")]), @"
    A: Kept live
    B: Generated ____
    ");
}

#[test]
fn an_empty_value_is_a_placeholder_and_counts_as_absent() {
    let keys = [("A", generated()), ("B", optional_env("EMPTY", true)), ("C", optional_env("EMPTY", true))];
    insta::assert_snapshot!(APPLY.tell(&keys, &[("A", ""), ("B", "live"), ("C", "")]), @"
    A: Generated ____
    B: KeptSourceAbsent live
    C: AbsentOptional -
    ");
}

#[test]
fn a_source_wins_over_the_live_value_and_its_absence_changes_nothing() {
    let other = ObjectRef::new("", "Secret", Some("n"), "other");
    let existing = |key: &str| Source::Existing { secret: other.clone(), key: key.to_owned(), optional: false };
    let file = |path: &str| Source::File { path: path.into(), optional: false };
    let keys = [
        ("ENV", optional_env("SET", false)),
        ("ENV_ABSENT", optional_env("UNSET", false)),
        ("EXISTING", existing("k")),
        ("EXISTING_ABSENT", existing("gone")),
        ("FILE", file("there")),
        ("FILE_ABSENT", file("gone")),
    ];
    let live: Vec<(&str, &str)> = keys.iter().map(|(key, _)| (*key, "live")).collect();
    insta::assert_snapshot!(APPLY.tell(&keys, &live), @"
    ENV: Fetched from-env
    ENV_ABSENT: KeptSourceAbsent live
    EXISTING: Fetched from-other
    EXISTING_ABSENT: KeptSourceAbsent live
    FILE: Fetched from-file
    FILE_ABSENT: KeptSourceAbsent live
    ");
}

#[test]
fn an_apply_names_every_source_it_misses() {
    let other = ObjectRef::new("", "Secret", Some("n"), "other");
    let keys = [
        ("A", optional_env("UNSET", false)),
        ("B", Source::File { path: "gone".into(), optional: false }),
        ("C", Source::File { path: "forbidden".into(), optional: false }),
        ("D", Source::Existing { secret: other, key: "gone".to_owned(), optional: false }),
        ("E", Source::Generate { entropy: Entropy::Bytes(0) }),
        ("F", template("over ${A}")),
    ];
    insta::assert_snapshot!(APPLY.tell(&keys, &[]), @"
    key `A` of Secret n/s cannot be filled: the environment variable `UNSET` is not set
    key `B` of Secret n/s cannot be filled: the file `gone` does not exist or is empty
    key `C` of Secret n/s cannot be filled: the file `forbidden` cannot be read
    key `D` of Secret n/s cannot be filled: Secret n/other has no key `gone`
    key `E` of Secret n/s cannot be filled: the length must be from 1 to 1024, not 0
    ");
}

#[test]
fn a_plan_needs_no_sources() {
    let keys = [
        ("A", optional_env("UNSET", false)),
        ("B", Source::File { path: "forbidden".into(), optional: false }),
        ("C", generated()),
        ("OVER_A", template("${A}")),
        ("OVER_C", template("${C}")),
        ("OVER_TEXT", template("text")),
    ];
    insta::assert_snapshot!(PLAN.tell(&keys, &[]), @"
    A: Unknown -
    B: Unknown -
    C: Generated ____
    OVER_A: Unknown -
    OVER_C: Derived ____
    OVER_TEXT: Derived text
    ");
}

#[test]
fn what_derives_from_a_value_follows_it() {
    let keys = [
        ("PASSWORD", generated()),
        ("URL", template("pg://u:${urlencode(PASSWORD)}@h")),
        ("URL_TWICE", template("${URL} ${URL}")),
    ];
    insta::assert_snapshot!(APPLY.tell(&keys, &[("PASSWORD", "a/b"), ("URL", "stale")]), @"
    PASSWORD: Kept a/b
    URL: Derived pg://u:a%2Fb@h
    URL_TWICE: Derived pg://u:a%2Fb@h pg://u:a%2Fb@h
    ");
}

#[test]
fn a_template_over_what_is_not_there_is_refused_in_clear_words() {
    let keys = [
        ("KEY", optional_env("UNSET", true)),
        ("OVER", template("${KEY}")),
        ("UNKNOWN", template("${NOWHERE}")),
        ("ROUND", template("${TRIP}")),
        ("TRIP", template("${ROUND}")),
    ];
    insta::assert_snapshot!(APPLY.tell(&keys, &[]), @"
    key `OVER` of Secret n/s cannot be filled: its template needs `KEY`, which is optional and has no value; set its source, or leave the template out
    key `ROUND` of Secret n/s cannot be filled: its template needs itself, through `TRIP`
    key `TRIP` of Secret n/s cannot be filled: its template needs itself, through `ROUND`
    key `UNKNOWN` of Secret n/s cannot be filled: its template names `NOWHERE`, which is no key of this Secret
    ");
}

#[test]
fn live_data_that_is_no_base64_is_refused_without_showing_it() {
    let spec = SecretSpec {
        object: ObjectRef::new("", "Secret", None, "s"),
        keys: BTreeMap::from([("A".to_owned(), generated())]),
    };
    let live = json!({"A": "not base64!"});
    let sources = Sources { env: &|_| None, file: &|_| Ok(None), existing: &|_, _| None, require_sources: true };
    let errors = fill(&spec, live.as_object(), &sources, &mut all_ones).unwrap_err();
    assert!(matches!(errors[0].problem, SecretProblem::LiveNotBase64));
    assert!(!format!("{errors:?}").contains("not base64!"));
}

#[test]
fn no_form_of_what_was_filled_shows_a_value() {
    let spec = SecretSpec {
        object: ObjectRef::new("", "Secret", None, "s"),
        keys: BTreeMap::from([("A".to_owned(), optional_env("SET", false))]),
    };
    let sources = Sources {
        env: &|_| Some("canary".to_owned()),
        file: &|_| Ok(None),
        existing: &|_, _| None,
        require_sources: true,
    };
    let filled = fill(&spec, None, &sources, &mut all_ones).unwrap();
    assert_eq!(filled.data["A"].expose(), b"canary");
    assert!(!format!("{filled:?}").contains("canary"));
    assert_eq!(filled.to_object_data()["A"], "Y2FuYXJ5");
}

#[test]
fn filling_again_over_its_own_result_changes_nothing() {
    let spec = SecretSpec {
        object: ObjectRef::new("", "Secret", None, "s"),
        keys: BTreeMap::from([
            ("PASSWORD".to_owned(), generated()),
            ("KEY".to_owned(), optional_env("SET", true)),
            ("URL".to_owned(), template("${KEY}:${urlencode(PASSWORD)}")),
        ]),
    };
    let sources = |require_sources| Sources {
        env: &|_| Some("k".to_owned()),
        file: &|_| Ok(None),
        existing: &|_, _| None,
        require_sources,
    };
    let mut next = 0_u8;
    let mut random = |buffer: &mut [u8]| {
        next += 1;
        buffer.fill(next);
    };
    let first = fill(&spec, None, &sources(true), &mut random).unwrap();
    let live = first.to_object_data();
    let second = fill(&spec, Some(&live), &sources(true), &mut random).unwrap();
    assert_eq!(second.data, first.data);
    let planned = fill(&spec, Some(&live), &sources(false), &mut random).unwrap();
    assert_eq!(planned.data, first.data);
    assert_eq!(planned.fates["PASSWORD"], Fate::Kept);
}
