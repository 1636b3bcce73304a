//! What `mck show` shows.

use std::fmt::Write as _;

use mck_blueprint::views::{Table, View};

use crate::support;

fn text(tables: &[Table]) -> String {
    let mut out = String::new();
    for table in tables {
        assert!(
            table
                .rows
                .iter()
                .all(|row| row.len() == table.columns.len()),
            "{}: a cell for each column",
            table.title
        );
        writeln!(out, "# {}\n{}", table.title, table.columns.join(" | "))
            .expect("a text takes all");
        for row in &table.rows {
            writeln!(out, "{}", row.join(" | ")).expect("a text takes all");
        }
        out.push('\n');
    }
    out
}

#[test]
fn every_view_of_a_blueprint_with_everything() {
    let blueprint = support::blueprint("production", include_str!("settings/everything.toml"));
    let mut all = text(&[blueprint.summary()]);
    for view in View::ALL {
        assert_eq!(View::from_name(view.name()), Some(view));
        let tables = blueprint.tables(view);
        assert!(!tables.is_empty(), "{}", view.name());
        all.push_str(&text(&tables));
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("views", all);
    });
}

#[test]
fn there_is_no_view_of_another_name() {
    assert_eq!(View::from_name("nothing"), None);
}
