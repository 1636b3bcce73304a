//! Whatever the bytes are, the check ends with a file or with a report.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fmt::Write;

use mck_environment::EnvironmentFile;
use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

const GOOD: [&str; 3] = [
    include_str!("good/everything.toml"),
    include_str!("good/free_form.toml"),
    include_str!("good/inherits.toml"),
];

/// Parses, checks and renders; says what was rendered.
fn report(bytes: &[u8]) -> String {
    let checked = EnvironmentFile::parse("f.toml", bytes).and_then(|file| file.check());
    let Err(wrong) = checked else {
        return String::new();
    };
    assert!(!wrong.is_empty());
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut out, &wrong).unwrap();
    write!(out, "{}", wrong.to_json()).unwrap();
    out
}

/// A change of a text: what stands at a place, for so many bytes, is replaced.
fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, String)>> {
    let written = prop_oneof![
        Just(String::new()),
        "[\\[\\]{}=.,\"'#\n a-z0-9-]{1,4}",
        prop::sample::select(vec![
            "\"\"\"",
            "= -1\n",
            "99999999999999999999",
            "nan",
            "[a.b]\n",
            "é"
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, written), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_give_a_file_or_a_report(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        report(&bytes);
    }

    #[test]
    fn any_text_of_toml_signs_gives_a_file_or_a_report(text in "[\\[\\]{}=.,\"'#\n\r\t a-c0-9é_-]{0,200}") {
        report(text.as_bytes());
    }

    #[test]
    fn any_change_of_a_good_file_gives_a_file_or_a_report(which in 0..GOOD.len(), edits in edits()) {
        let mut bytes = GOOD[which].as_bytes().to_vec();
        for (place, length, written) in edits {
            let start = place.index(bytes.len());
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, written.into_bytes());
        }
        report(&bytes);
    }

    #[test]
    fn a_secret_never_shows_whatever_else_is_broken(
        edits in edits(),
        name in prop::sample::select(vec!["DB_PASSWORD", "api-key", "token", "\"x_SECRET\"", "AUTH_KEY"]),
        table in prop::sample::select(vec!["database", "app.shop.environment", "nothing", "local"]),
    ) {
        let line = format!("\n[{table}]\n{name} = \"zQ7vX9kW2pL4\"\n");
        let mut before = GOOD[1].as_bytes()[..300].to_vec();
        for (place, length, written) in edits {
            let start = place.index(before.len());
            let end = (start + length).min(before.len());
            before.splice(start..end, written.into_bytes());
        }
        // A quote that is left open would make the line a part of another text.
        before.extend(b"\n");
        let text = String::from_utf8_lossy(&before).replace("\"\"\"", "").replace("'''", "");
        let shown = report((text + &line).as_bytes());
        prop_assert!(!shown.contains("zQ7vX9kW2pL4"), "{}", shown);
    }
}
