//! User data: as it was, and as Bash and ShellCheck read it.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

use std::{collections::BTreeSet, env, fs, io::Write, path::Path, process::Command};

use mck_server_config::user_data::{
    MAXIMUM_BYTES, app_server::AppServer, bastion::Bastion, hardening, jenkins::Jenkins,
};
use mck_server_config::user_data::{app_server, bastion, jenkins};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6nEVmQQmXzXKgwOCdaeKkzjJmNzpVGuv3q8kTJgXTt ann";

fn app_server(keys: &[String]) -> String {
    app_server::render(&AppServer {
        cluster: "shop-production-app",
        log_group: "/mck/shop/production/cluster/app",
        warm_pool: false,
        authorized_keys: keys,
    })
    .unwrap()
}

fn bastion(keys: &[String]) -> String {
    bastion::render(&Bastion {
        log_group: "/mck/shop/production/bastion",
        authorized_keys: keys,
    })
    .unwrap()
}

fn jenkins_script(plugins: &[String]) -> Result<String, mck_server_config::text::UnsafeText> {
    jenkins::render(&Jenkins {
        region: "us-east-1",
        log_group: "/mck/shop/production/jenkins",
        home: "/mnt/jenkins",
        port: 8080,
        host: Some("ci.example.com"),
        java_version: 21,
        version: None,
        plugins,
    })
}

/// As the stack puts it together.
fn jenkins() -> String {
    let plugins = ["git", "workflow-aggregator", "job-dsl", "amazon-ecr"].map(str::to_owned);
    let mut text = jenkins::preamble();
    for variable in jenkins::VARIABLES {
        text.push_str(&format!("{variable}='value'\n"));
    }
    text + &jenkins_script(&plugins).unwrap()
}

/// The script that the Bastion's cloud-config writes.
fn bastion_setup(config: &str) -> String {
    let (_, entry) = config
        .split_once("- path: /usr/local/sbin/set-up-bastion\n")
        .unwrap();
    let (_, content) = entry.split_once("content: |\n").unwrap();
    let (content, _) = content.split_once("runcmd:\n").unwrap();
    content
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect()
}

fn all() -> [(&'static str, String); 5] {
    let keys = [KEY.to_owned()];
    [
        ("app-server", app_server(&[])),
        ("app-server-with-keys", app_server(&keys)),
        ("bastion", bastion(&keys)),
        ("bastion-setup", bastion_setup(&bastion(&keys))),
        ("jenkins", jenkins()),
    ]
}

#[test]
fn user_data_is_as_it_was() {
    insta::assert_snapshot!("user_data_app_server", app_server(&[]));
    insta::assert_snapshot!("user_data_bastion", bastion(&[KEY.to_owned()]));
    insta::assert_snapshot!("user_data_jenkins", jenkins());
    assert!(app_server(&[KEY.to_owned()]).contains("/home/ec2-user/.ssh/authorized_keys"));
    assert!(!app_server(&[]).contains("ec2-user/.ssh"));
}

#[test]
fn user_data_is_short_enough() {
    let keys: Vec<String> = (0..20).map(|_| KEY.to_owned()).collect();
    for (name, text) in [
        ("app server", app_server(&keys)),
        ("bastion", bastion(&keys)),
        ("jenkins", jenkins()),
    ] {
        // What the stack puts before Jenkins' script is a little more than `value`.
        let length = text.len() + 512;
        assert!(length <= MAXIMUM_BYTES, "{name}: {length} bytes");
    }
}

#[test]
fn shells_read_every_script() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in all() {
        if !text.starts_with("#!") {
            continue;
        }
        let path = folder.path().join(name);
        fs::File::create(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let syntax = Command::new("bash").arg("-n").arg(&path).output().unwrap();
        assert!(syntax.status.success(), "{name}: {syntax:?}");
        let lint = Command::new("shellcheck")
            .args(["--norc", "--shell=bash"])
            .arg(&path)
            .output()
            .unwrap_or_else(|error| panic!("the tests need shellcheck: {error}"));
        let said = String::from_utf8_lossy(&lint.stdout);
        assert!(lint.status.success(), "{name}: {said}");
    }
}

/// The content of a file that a script writes.
fn written(script: &str, path: &str) -> String {
    let (_, rest) = script.split_once(&format!("{path} <<'END'\n")).unwrap();
    rest.split_once("\nEND\n").unwrap().0.to_owned() + "\n"
}

#[test]
fn sshd_takes_its_hardening() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let setup = bastion_setup(&bastion(&[]));
    for (script, user, forwarding) in [
        (&app_server(&[]), "ec2-user", "no"),
        (&setup, "ubuntu", "local"),
    ] {
        let mut config = format!("HostKey {}\n", key.display());
        config += &written(script, "/etc/ssh/sshd_config.d/10-mck.conf");
        config += &written(script, "/etc/ssh/sshd_config.d/11-mck.conf");
        let path = folder.path().join("sshd_config");
        fs::write(&path, config).unwrap();
        let read = Command::new("/usr/sbin/sshd")
            .args(["-T", "-f"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&read.stdout);
        assert!(read.status.success(), "{read:?}");
        assert_eq!(String::from_utf8_lossy(&read.stderr), "");
        for line in [
            "passwordauthentication no".to_owned(),
            "permitrootlogin no".to_owned(),
            "maxauthtries 4".to_owned(),
            "clientaliveinterval 300".to_owned(),
            format!("allowusers {user}"),
            format!("allowtcpforwarding {forwarding}"),
        ] {
            assert!(said.lines().any(|it| it == line), "{line}\n{said}");
        }
    }
}

#[test]
fn files_inside_the_scripts_end_where_they_should() {
    for (name, text) in all() {
        let opened = text.matches("<<'END'\n").count();
        let ended = text.lines().filter(|line| line.trim() == "END").count();
        assert_eq!(opened, ended, "{name}");
    }
}

#[test]
fn what_would_change_a_script_is_refused() {
    let bad = "x'\nrm -rf /".to_owned();
    let server = AppServer {
        cluster: &bad,
        log_group: "/a",
        warm_pool: false,
        authorized_keys: &[],
    };
    assert!(app_server::render(&server).is_err());
    let server = AppServer {
        cluster: "a",
        authorized_keys: std::slice::from_ref(&bad),
        ..server
    };
    assert!(app_server::render(&server).is_err());
    assert!(
        bastion::render(&Bastion {
            log_group: "/a",
            authorized_keys: std::slice::from_ref(&bad),
        })
        .is_err()
    );
    assert!(jenkins_script(&[bad]).is_err());
}

/// Numbers of the benchmark's recommendations, in its order (CIS Amazon Linux 2023 Benchmark 1.0.0).
const RECOMMENDATIONS: &str = include_str!("cis-amazon-linux-2023.txt");

#[test]
fn every_recommendation_is_treated_once_for_every_server() {
    let known: Vec<&str> = RECOMMENDATIONS.split_whitespace().collect();
    let position = |number: &str| {
        let found = known.iter().position(|it| *it == number);
        found.unwrap_or_else(|| panic!("the benchmark has no {number}"))
    };
    for role in [
        hardening::Role::AppServer,
        hardening::Role::Bastion,
        hardening::Role::Jenkins,
    ] {
        let mut treated = BTreeSet::new();
        for setting in hardening::settings().filter(|it| it.roles.contains(&role)) {
            let numbers = setting.recommendations.split(", ");
            for span in numbers.filter(|it| *it != "—") {
                let (first, last) = span.split_once('–').unwrap_or((span, span));
                for number in &known[position(first)..=position(last)] {
                    assert!(
                        treated.insert(*number),
                        "{role:?}: {number} is treated twice"
                    );
                }
            }
        }
        let missing: Vec<_> = known.iter().filter(|it| !treated.contains(*it)).collect();
        assert!(
            missing.is_empty(),
            "{role:?}: nothing is said of {missing:?}"
        );
    }
}

#[test]
fn the_page_on_hardening_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hardening.md");
    let wanted = hardening::document();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/hardening.md is stale: write it again with \
         `UPDATE_DOCS=1 cargo test -p mck-server-config --test user_data`"
    );
}
