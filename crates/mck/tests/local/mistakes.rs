//! What is wrong before anything begins: a sentence, a way out, a code, and nothing made.

use std::{fs, net::TcpListener, path::Path, process::Command};

use crate::support::{File, Finished, Slots, Store, everything_of, run};

/// A store that never comes up, and so takes no place of one that does.
fn store(name: &str) -> Store {
    Store::with_slots(name, File::Storefront(""), Slots::take(0))
}

#[test]
fn not_root() {
    let store = store("nobody");
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(store.top())).good();
    // Nobody may look into a home folder, where the program may be: it gets a copy.
    let program = store.top().join("mck");
    fs::copy(env!("CARGO_BIN_EXE_mck"), &program).unwrap();
    for verb in ["up", "stop", "status", "logs", "events"] {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .args([program.to_str().unwrap(), verb]);
        store.surround(&mut command);
        run(&mut command).failed(3).telling("sudo");
    }
    everything_of(&store).assert_none();
}

#[test]
fn a_port_that_is_taken() {
    let store = store("port");
    let _listener = TcpListener::bind(("127.0.0.1", store.https)).unwrap();
    let up = store.mck(&["up"]).failed(5);
    let up = up.telling(&format!("127.0.0.1:{}", store.https));
    // The program that has it is this test.
    up.telling("local");
    everything_of(&store).assert_none_but_folder(&store);
}

#[test]
fn a_state_folder_that_can_not_be_written_to() {
    let mut store = store("readonly");
    store.mount_state(16);
    run(Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(&store.state))
    .good();
    store.mck(&["up"]).failed(6).telling("MCK_STATE_DIR");
    let mut below_a_file = store.command(&["up"]);
    below_a_file.env("MCK_STATE_DIR", store.file().join("below"));
    run(&mut below_a_file).failed(6);
    everything_of(&store).assert_none_but_folder(&store);
}

#[test]
fn a_disk_with_too_little_room() {
    let mut store = store("small");
    store.mount_state(64);
    store.mck(&["up"]).failed(7).telling("MiB");
    everything_of(&store).assert_none_but_folder(&store);
}

/// Runs `mck up` where files of the machine are hidden, in a mount namespace of its own.
fn up_with(store: &Store, preparation: &str) -> Finished {
    let script = format!(
        "set -e\n{preparation}\nexec '{}' up",
        env!("CARGO_BIN_EXE_mck")
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    store.surround(&mut command);
    run(&mut command)
}

#[test]
fn a_program_that_is_missing() {
    let store = store("program");
    let nothing = store.top().join("nothing");
    fs::write(&nothing, "").unwrap();
    let hide = |paths: &[&str]| {
        let there = paths.iter().filter(|path| Path::new(path).exists());
        let lines: Vec<String> = there
            .map(|path| format!("mount --bind {} {path}", nothing.display()))
            .collect();
        lines.join("\n")
    };
    for (paths, package) in [
        (&["/usr/bin/crun", "/usr/sbin/runc"][..], "crun"),
        (&["/usr/sbin/nft"], "nftables"),
        (&["/usr/sbin/haproxy"], "haproxy"),
        (&["/usr/bin/conmon"], "conmon"),
        (&["/usr/sbin/mariadbd"], "mariadb-server"),
        (&["/usr/bin/redis-server"], "redis-server"),
        (&["/usr/sbin/nginx"], "nginx"),
        (&["/usr/sbin/php-fpm8.2"], "php8.2-fpm"),
        (&["/usr/sbin/sshd"], "openssh-server"),
        (&["/usr/sbin/dnsmasq"], "dnsmasq"),
    ] {
        let up = up_with(&store, &hide(paths)).failed(4).telling(package);
        up.telling("mck up --install");
    }
    everything_of(&store).assert_none_but_folder(&store);
}

#[test]
fn a_php_extension_that_is_missing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/magento2");
    let app = format!(
        "[app.shop]\npreset = \"magento2\"\nsource = \"{}\"\n",
        folder.display()
    );
    let store = Store::with_slots("php", File::Text(&app), Slots::take(0));
    let extensions = run(Command::new("php").args(["-r", "echo ini_get('extension_dir');"])).good();
    let fewer = store.top().join("extensions");
    let preparation = format!(
        "cp -a {extensions} {fewer}\nrm {fewer}/bcmath.so\nmount --bind {fewer} {extensions}",
        fewer = fewer.display()
    );
    up_with(&store, &preparation)
        .failed(4)
        .telling("php8.2-bcmath");
    everything_of(&store).assert_none_but_folder(&store);
}

#[test]
fn a_file_with_mistakes() {
    let store = store("file");
    let good = fs::read_to_string(store.file()).unwrap();
    store.write(&good.replace("preset", "prset"));
    let up = store.mck(&["up"]).with_code(1);
    let up = up.telling("prset").telling("preset");
    assert!(up.err.contains("magecloudkit.toml:"), "a place: {up:#?}");
    store.write(&good.replace("[app.shop]", "[app.shop"));
    store.mck(&["check"]).with_code(1);
    fs::remove_file(store.file()).unwrap();
    store.mck(&["up"]).failed(1).telling("mck init");
    store.write(&good);
    store.mck(&["up", "--environment", "prodction"]).failed(11);
    store.mck(&["up", "--no-such-option"]).with_code(2);
    let elsewhere = store.mck(&["status"]).failed(9);
    elsewhere.telling("mck up");
    everything_of(&store).assert_none();
}

#[test]
fn a_secret_that_only_a_person_knows() {
    let more = "secrets = { STRIPE_KEY = \"stripe-key\" }\n[secret.stripe-key]\ndescription = \"Stripe\"\n";
    let store = Store::with_slots("secret", File::Storefront(more), Slots::take(0));
    store
        .mck(&["up"])
        .failed(14)
        .telling("mck secret set stripe-key");
    everything_of(&store).assert_none_but_folder(&store);
}

#[test]
fn a_source_that_is_not_there() {
    let app = "[app.shop]\npreset = \"storefront\"\nsource = \"nowhere\"\n";
    let store = Store::with_slots("source", File::Text(app), Slots::take(0));
    let up = store.mck(&["up"]).failed(1);
    up.telling("nowhere");
    everything_of(&store).assert_none();
}
