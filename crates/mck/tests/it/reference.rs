//! The committed reference pages are those of this program.

use std::{fs, path::Path};

use crate::harness::Place;

#[test]
fn the_committed_pages_are_those_of_this_program() {
    let place = Place::empty();
    place.run(&["reference", "docs"]).expect(0);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for page in [
        "exit-codes.md",
        "reference/cli.md",
        "reference/environment-variables.md",
        "reference/magecloudkit.toml.md",
        "reference/magecloudkit.schema.json",
    ] {
        let expected = place.read(&format!("docs/{page}"));
        let found = fs::read_to_string(committed.join(page)).unwrap_or_default();
        assert!(
            found == expected,
            "docs/{page} is stale: write it again with `cargo run -- reference docs`"
        );
    }
}
