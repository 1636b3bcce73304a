//! What never becomes as it should be, and why.

use std::{fs, process::Command};

use crate::support::{File, Store, add_token, everything_of, kill, run, tokens};

fn php_app(store_name: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Store) {
    let source = tempfile::tempdir().unwrap();
    for (path, text) in files {
        fs::write(source.path().join(path), text).unwrap();
    }
    let app = format!(
        "[app.shop]\npreset = \"php\"\nsource = \"{}\"\n\
         [app.shop.health-check]\npath = \"/\"\ngrace-period = \"2s\"\n",
        source.path().display()
    );
    let store = Store::new(store_name, File::Text(&app));
    (source, store)
}

const FINE: &str = "<?php echo 'fine';";

#[test]
fn a_health_check_that_fails_is_told_with_its_answer_until_it_is_mended() {
    let broken = "<?php error_log('no licence for this shop'); http_response_code(500);";
    let (source, store) = php_app("unwell", &[("index.php", broken)]);
    let up = store.mck(&["up"]).failed(10);
    let up = up.telling("500");
    assert!(
        up.err.contains("no licence for this shop"),
        "its last words: {up:#?}"
    );
    let status = store.status();
    assert_eq!(status["settled"], false);
    assert_eq!(status["apps"][0]["healthy"], 0);

    fs::write(source.path().join("index.php"), FINE).unwrap();
    store.up();
    assert_eq!(store.visitor("shop").get("/").expect(200).text(), "fine");
    store.destroy();
    everything_of(&store).assert_none();
}

#[test]
fn a_php_fpm_that_ends_at_once_is_told_with_its_last_words() {
    let (_source, store) = php_app("ends", &[("index.php", FINE)]);
    let text = fs::read_to_string(store.file()).unwrap();
    let broken = "[app.shop.container.php-fpm]\ncommand = [\"sh\", \"-c\", \"echo the licence is over >&2; exit 5\"]\n";
    store.write(&text.replace(
        "[app.shop.health-check]",
        &format!("{broken}[app.shop.health-check]"),
    ));
    let up = store.mck(&["up"]).failed(10);
    let up = up.telling("the licence is over");
    assert!(up.err.contains("shop"), "{up:#?}");
    store.destroy();
    everything_of(&store).assert_none();
}

#[test]
fn an_install_hook_that_fails_is_told_with_its_last_words() {
    let (_source, store) = php_app("hook", &[("index.php", FINE)]);
    let text = fs::read_to_string(store.file()).unwrap();
    let hook = "[app.shop.hooks]\ninstall = [\"sh\", \"-c\", \"echo no room for the catalogue >&2; exit 3\"]\n";
    store.write(&text.replace(
        "[app.shop.health-check]",
        &format!("{hook}[app.shop.health-check]"),
    ));
    let up = store.mck(&["up"]).failed(12);
    let up = up.telling("no room for the catalogue");
    assert!(up.err.contains('3'), "its exit code: {up:#?}");
    assert_eq!(
        store.status()["apps"][0]["healthy"],
        0,
        "no traffic before it is installed"
    );

    store.write(&text);
    store.up();
    store.visitor("shop").get("/").expect(200);
}

#[test]
fn a_database_that_refuses_says_why_and_keeps_its_data() {
    let store = Store::storefront("db");
    assert!(add_token(&mut store.visitor("shop"), "kept"));
    store.mck(&["stop"]).good();
    let file = store.layout().data("db-0").join("ibdata1");
    let aside = store.top().join("ibdata1");
    run(Command::new("cp").arg("-a").arg(&file).arg(&aside)).good();
    fs::write(&file, vec![0x55; 65_536]).unwrap();
    let up = store.mck(&["up"]).failed(10).telling("db-0");
    assert!(
        up.err.contains("ibdata1") || up.err.contains("InnoDB"),
        "its last words: {up:#?}"
    );
    store.mck(&["stop"]).good();
    run(Command::new("cp").arg("-a").arg(&aside).arg(&file)).good();
    store.up();
    assert_eq!(tokens(&mut store.visitor("shop")), ["kept"]);
}

/// A crashed run leaves containers, or a part of them, without a supervisor.
#[test]
fn the_leftover_of_a_crashed_run_is_taken_over() {
    let store = Store::storefront("crashed");
    kill(store.supervisor().unwrap());
    let pids = store.pids();
    for (name, pid) in &pids {
        if name.starts_with("redis")
            || name == "bastion"
            || name.contains("nginx")
            || name.starts_with("lb-")
        {
            kill(*pid);
        }
    }
    store.up();
    store.wait_for("the leftover of a crashed run", |_| true);
    store.visitor("shop").get("/").expect(200);
    assert_eq!(store.pids()["db-0"], pids["db-0"], "what ran goes on");
    store.mck(&["ssh", "bastion", "--", "true"]).good();
    store.mck(&["ssh", "app-1", "--", "true"]).good();
}
