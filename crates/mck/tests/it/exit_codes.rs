//! Each kind of failure has its exit code and its way out.

use std::{fs::File, net::TcpListener};

use crate::harness::{FULL, Place};

fn with_ports(http: u16, https: u16) -> Place {
    Place::with(&format!(
        "project = \"exit-codes\"\n[app.shop]\npreset = \"storefront\"\nsource = \".\"\n\
         [environment.local.local]\nhttp-port = {http}\nhttps-port = {https}\n"
    ))
}

#[test]
fn not_root() {
    let place = Place::with(FULL);
    for verb in [
        &["up"] as &[_],
        &["stop"],
        &["status"],
        &["logs"],
        &["events"],
        &["destroy"],
        &["build"],
        &["releases"],
        &["deploy"],
        &["rollback"],
        &["scale", "shop", "2"],
        &["drill", "deploy-good"],
    ] {
        let outcome = place.finish(&mut place.as_nobody(verb)).expect(3);
        assert!(
            outcome.stderr.contains("hint: run it with `sudo`"),
            "{outcome}"
        );
    }
}

#[test]
fn an_environment_for_aws_does_not_run_here() {
    insta::assert_snapshot!(Place::with(FULL).run(&["up", "--environment", "production"]));
}

#[test]
fn a_port_that_is_taken_names_its_holder_and_leaves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = with_ports(port, port.checked_add(1).unwrap_or(1024));
    let outcome = place.run(&["up"]).expect(5);
    let holder = format!("(process {})", std::process::id());
    assert!(outcome.stderr.contains(&holder), "{outcome}");
    assert!(outcome.stderr.contains("http-port"), "{outcome}");
    assert!(!place.state().exists());
}

#[test]
fn a_machine_that_has_everything() {
    let [http, https] = [(); 2].map(|()| mck_test_ports::reserve());
    let findings = with_ports(http, https).run(&["doctor", "--json"]).json();
    let found = |name: &str| {
        let all = findings.as_array().unwrap();
        all.iter()
            .find(|finding| finding["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(found("haproxy")["status"], "ok");
    assert_eq!(found("overlayfs")["detail"], "works");
    assert_eq!(found("php redis")["area"], "php-extension");
}

#[test]
fn code_that_is_not_there() {
    let place = with_ports(1, 2);
    place.write(
        "magecloudkit.toml",
        &place.read("magecloudkit.toml").replace("\".\"", "\"src\""),
    );
    insta::assert_snapshot!(place.run(&["up"]));
}

#[test]
fn a_state_folder_that_cannot_be_made() {
    let place = with_ports(1, 2);
    place.write("file", "");
    let mut command = place.command(&["up"]);
    command.env("MCK_STATE_DIR", place.path().join("file/state"));
    let outcome = place.finish(&mut command).expect(6);
    assert!(outcome.stderr.contains("MCK_STATE_DIR"), "{outcome}");
}

#[test]
fn what_does_not_run_is_told_with_what_starts_it() {
    let place = Place::with(FULL);
    for verb in [
        &["status"] as &[_],
        &["stop"],
        &["exec", "--", "true"],
        &["deploy"],
        &["deploy", "--stop"],
        &["rollback"],
        &["scale", "shop", "2"],
        &["drill", "deploy-good", "--yes"],
        &["db", "export"],
    ] {
        let outcome = place.run(verb).expect(9);
        assert!(
            outcome.stderr.contains("hint: `mck up` starts it"),
            "{outcome}"
        );
    }
}

#[test]
fn a_secret_that_only_the_user_knows_must_be_set_first() {
    let place = Place::with(&FULL.replace(
        "[environment.local]",
        "[environment.local.local]\nhttp-port = 1\nhttps-port = 2",
    ));
    let outcome = place.run(&["up"]).expect(14);
    assert!(
        outcome
            .stderr
            .contains("`mck secret set stripe-secret-key`"),
        "{outcome}"
    );
}

#[test]
fn destroying_needs_a_word_and_what_is_not_there_is_destroyed_already() {
    let place = Place::with(FULL);
    place.run(&["destroy"]).expect(0);
    std::fs::create_dir_all(place.state().join("demo-local")).unwrap();
    let outcome = place.run(&["destroy"]).expect(2);
    assert!(
        outcome.stderr.contains("hint: give it with `--yes`"),
        "{outcome}"
    );
    assert!(place.state().join("demo-local").exists());
    place.run(&["destroy", "--yes"]).expect(0);
    assert!(!place.state().exists());
}

#[test]
fn secrets_come_from_the_standard_input_and_are_never_shown_to_a_pipe() {
    let place = Place::with(FULL);
    let mut set = place.command(&["secret", "set", "stripe-secret-key"]);
    place.feed(&mut set, "sk_live_1\n").expect(0);
    assert_eq!(
        place.read("state/demo-local/secrets/stripe-secret-key"),
        "sk_live_1"
    );

    let listed = place.run(&["secret", "list"]).expect(0);
    assert!(!listed.stdout.contains("sk_live_1"));
    insta::assert_snapshot!(listed);
    let values = place.run(&["secret", "list", "--json"]).json();
    let known = values.as_array().unwrap();
    assert!(
        known
            .iter()
            .any(|it| it["name"] == "stripe-secret-key" && it["set"] == true)
    );

    let shown = place
        .run(&["secret", "show", "stripe-secret-key"])
        .expect(2);
    assert!(!shown.stdout.contains("sk_live_1"));
    let mut terminal = place.on_terminal(&["secret", "show", "stripe-secret-key"]);
    assert_eq!(
        place.finish(&mut terminal).expect(0).stdout.trim(),
        "sk_live_1"
    );

    let mut unknown = place.command(&["secret", "set", "stripe-secret-ky"]);
    let outcome = place.feed(&mut unknown, "x").expect(11);
    assert!(
        outcome.stderr.contains("did you mean `stripe-secret-key`?"),
        "{outcome}"
    );
    let mut empty = place.command(&["secret", "set", "stripe-secret-key"]);
    place.feed(&mut empty, "\n").expect(2);
}

#[test]
fn secrets_are_for_root_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with(FULL);
    let mut set = place.command(&["secret", "set", "stripe-secret-key"]);
    place.feed(&mut set, "x").expect(0);
    for (path, mode) in [
        ("state/demo-local/secrets", 0o700),
        ("state/demo-local/secrets/stripe-secret-key", 0o600),
    ] {
        let found = File::open(place.path().join(path))
            .unwrap()
            .metadata()
            .unwrap();
        assert_eq!(found.permissions().mode() & 0o777, mode, "{path}");
    }
}

#[test]
fn a_wrong_command_line() {
    let place = Place::with(FULL);
    insta::assert_snapshot!(place.run(&["satus"]));
    insta::assert_snapshot!(place.run(&["logs", "--since", "3 weeks"]));
    place.run(&["exec", "shop"]).expect(2);
    place.run(&["show", "--quiet", "--verbose"]).expect(2);
}
