//! Help texts.

use crate::harness::Place;

/// Every command with a help text of its own.
const COMMANDS: [&[&str]; 42] = [
    &["init"],
    &["check"],
    &["schema"],
    &["show"],
    &["plan"],
    &["apply"],
    &["drift"],
    &["doctor"],
    &["up"],
    &["stop"],
    &["build"],
    &["releases"],
    &["deploy"],
    &["rollback"],
    &["scale"],
    &["drill"],
    &["status"],
    &["logs"],
    &["exec"],
    &["run"],
    &["ssh"],
    &["db"],
    &["db", "shell"],
    &["db", "export"],
    &["db", "import"],
    &["db", "snapshot"],
    &["db", "snapshots"],
    &["db", "verify"],
    &["db", "restore"],
    &["db", "delete-snapshot"],
    &["db", "failover"],
    &["cache"],
    &["cache", "flush"],
    &["secret"],
    &["secret", "set"],
    &["secret", "list"],
    &["secret", "show"],
    &["emulate"],
    &["emulate", "ecs"],
    &["events"],
    &["destroy"],
    &["completions"],
];

#[test]
fn the_program() {
    insta::assert_snapshot!(Place::empty().run(&["--help"]));
}

#[test]
fn every_command() {
    let place = Place::empty();
    let mut all = String::new();
    for command in COMMANDS {
        let arguments = [command, &["--help"]].concat();
        let outcome = place.run(&arguments).expect(0);
        assert_eq!(outcome.stderr, "");
        // The global options are the same for all.
        let (own, global) = outcome.stdout.split_once("Global options:").unwrap();
        assert!(global.contains("--environment"));
        all.push_str(&format!(
            "===== mck {}\n{}\n",
            command.join(" "),
            own.trim_end()
        ));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn nothing_typed_is_answered_with_help() {
    let outcome = Place::empty().run(&[]).expect(2);
    assert!(outcome.stderr.contains("Usage: mck"), "{outcome}");
}

#[test]
fn the_version() {
    let outcome = Place::empty().run(&["--version"]).expect(0);
    assert_eq!(outcome.stdout, "mck [VERSION]\n");
}

#[test]
fn completions_for_every_shell() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = place.run(&["completions", shell]).expect(0);
        assert!(outcome.stdout.contains("destroy"), "{shell}");
        assert!(!outcome.stdout.contains("supervise"), "{shell}");
    }
}
