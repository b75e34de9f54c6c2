//! Text from a cluster, made safe to print: a terminal must never execute what somebody put into a label.

use std::borrow::Cow;

/// Tells whether a character would act on a terminal, or hide, instead of being seen: control characters (escape codes
/// begin with one), bidirectional overrides, zero-width and tag characters, and the separators that break lines.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Returns `text` with every invisible character written out (`\n`, `\t`, `\u{1b}`). What comes back is one line, and
/// passing it through again changes nothing.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_invisible(character) {
            // `escape_debug` leaves some of these alone, since they are printable by its measure.
            match character {
                '\n' | '\t' | '\r' => safe.extend(character.escape_default()),
                _ => safe.extend(character.escape_unicode()),
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terminal_escapes_are_written_out() {
        assert_eq!(visible("a\u{1b}[31mred\u{7}"), r"a\u{1b}[31mred\u{7}");
        assert_eq!(visible("line\nnext\ttab\r"), r"line\nnext\ttab\r");
        assert_eq!(visible("\u{9b}2J"), r"\u{9b}2J");
    }

    #[test]
    fn what_hides_or_reorders_text_is_written_out() {
        assert_eq!(visible("user\u{202e}nimda"), r"user\u{202e}nimda");
        assert_eq!(visible("a\u{200b}b\u{e0041}"), r"a\u{200b}b\u{e0041}");
    }

    #[test]
    fn plain_text_of_any_language_stays() {
        for text in ["postgres", "größe → 2", "数据库", "c:\\temp"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }

    proptest! {
        #[test]
        fn nothing_invisible_is_left_and_a_second_pass_changes_nothing(text in any::<String>()) {
            let once = visible(&text).into_owned();
            prop_assert!(!once.contains(is_invisible));
            prop_assert_eq!(visible(&once), once.as_str());
        }
    }
}
