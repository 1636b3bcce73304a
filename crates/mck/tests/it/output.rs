//! Colour, terminals, pipes, verbosity.

use std::process::Stdio;

use crate::harness::{FULL, Place};

const ESCAPE: char = '\u{1b}';

#[test]
fn a_pipe_gets_no_colour() {
    let outcome = Place::with(FULL).run(&["show"]).expect(0);
    assert!(!outcome.stdout.contains(ESCAPE));
}

#[test]
fn colour_can_be_asked_for() {
    let place = Place::with(FULL);
    let outcome = place.run(&["show", "--color", "always"]).expect(0);
    assert!(outcome.stdout.contains(ESCAPE));
    let mut forced = place.command(&["show"]);
    assert!(
        place
            .finish(forced.env("CLICOLOR_FORCE", "1"))
            .stdout
            .contains(ESCAPE)
    );
}

#[test]
fn a_terminal_gets_colour_unless_someone_objects() {
    let place = Place::with(FULL);
    let painted = |arguments: &[&str], variable: Option<(&str, &str)>| {
        let mut command = place.on_terminal(arguments);
        command.envs(variable);
        place.finish(&mut command).expect(0).stdout.contains(ESCAPE)
    };
    assert!(painted(&["show"], None));
    assert!(!painted(&["show"], Some(("NO_COLOR", "1"))));
    assert!(!painted(&["show"], Some(("CLICOLOR", "0"))));
    assert!(!painted(&["show"], Some(("TERM", "dumb"))));
    assert!(!painted(&["show", "--color", "never"], None));
}

#[test]
fn tables_fit_the_terminal() {
    let place = Place::with(FULL);
    let mut command = place.on_terminal(&["show", "access", "--color", "never"]);
    let outcome = place.finish(&mut command).expect(0);
    for line in outcome.stdout.lines() {
        assert!(line.trim_end().chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let place = Place::with(FULL);
    let mut child = place
        .command(&["show", "blueprint", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    let place = Place::with(FULL);
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = place.command(&["show"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there is no room for the output"), "{said}");
}

#[test]
fn quiet_keeps_results_and_errors() {
    let place = Place::empty();
    let outcome = place.run(&["init", "--name", "a", "--quiet"]).expect(0);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    let outcome = place.run(&["init", "--name", "a", "--quiet"]).expect(15);
    assert!(outcome.stderr.starts_with("error: "), "{outcome}");
    let outcome = place.run(&["show", "--quiet"]).expect(0);
    assert!(outcome.stdout.contains("a (local)"), "{outcome}");
}
