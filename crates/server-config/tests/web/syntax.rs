//! The real programs read every rendered file.

use mck_server_config::web_preset::{WebApp, WebPreset};
use proptest::prelude::*;
use std::process::Command;

fn assert_accepted(command: &mut Command, what: &str) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("the tests need {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn nginx_php_fpm_and_php_accept_every_file() {
    for preset in WebPreset::ALL {
        let spec = WebApp::new(preset).spec();
        let folder = tempfile::tempdir().unwrap();
        for file in spec.nginx.files.iter().chain(&spec.php.files) {
            let name = file.path.rsplit('/').next().unwrap();
            let path = folder.path().join(name);
            let content = kept_inside(&file.content, folder.path());
            std::fs::write(&path, content).unwrap();
            if name == "nginx.conf" {
                assert_accepted(
                    Command::new("unshare")
                        .args(["--net", "nginx", "-tc"])
                        .arg(&path),
                    "nginx",
                );
            } else if name == "php-fpm.conf" {
                // As root php-fpm asks for a user, which an unprivileged one ignores.
                let mut options = std::fs::read_to_string(&path).unwrap();
                options.push_str("user = www-data\n");
                std::fs::write(&path, options).unwrap();
                assert_accepted(Command::new("php-fpm8.2").arg("-ty").arg(&path), "php-fpm");
            } else if name.ends_with(".sh") {
                assert_accepted(Command::new("sh").arg("-n").arg(&path), name);
            } else if name.ends_with(".php") {
                assert_accepted(Command::new("php").arg("-l").arg(&path), name);
            } else {
                assert_php_reads(&path);
            }
        }
    }
}

/// nginx -t opens the logs and makes its folders: they must not be the machine's.
fn kept_inside(content: &str, folder: &std::path::Path) -> String {
    content
        .replace("/tmp/", &format!("{}/", folder.display()))
        .replace("/proc/self/fd/2", "/dev/null")
        .replace("/dev/stdout", "/dev/null")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nginx_accepts_any_shape_of_a_php_app(
        document_root in r#"[A-Za-z0-9é .;+@(){}|'"\\-]{0,20}"#,
        front_controller in r#"[A-Za-z0-9é .;+@(){}|'"\\-]{1,20}\.php"#,
        entry_points in proptest::collection::vec(r#"[a-z(){}"\\]{1,8}/[a-z;' ]{1,8}\.php"#, 0..3),
        ports in (1_u16..=u16::MAX, 1_u16..=u16::MAX),
        networks in proptest::collection::hash_set((any::<u32>(), 0_u8..=32), 0..4),
    ) {
        let mut app = WebApp::new(WebPreset::Php);
        app.plain_php.document_root = document_root;
        app.plain_php.front_controller = front_controller;
        app.plain_php.php_entry_points = entry_points;
        (app.port, app.status_port) = ports;
        app.trusted_proxies = networks
            .into_iter()
            .map(|(address, length)| ipnet::Ipv4Net::new(address.into(), length).unwrap().trunc().into())
            .collect();
        app.trusted_proxies.sort();
        app.trusted_proxies.dedup();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.conf");
        let content = &app.spec().nginx.files[0].content;
        let content = kept_inside(content, folder.path());
        std::fs::write(&path, content).unwrap();
        // -t binds the ports, which another program may have.
        assert_accepted(
            Command::new("unshare").args(["--net", "nginx", "-tc"]).arg(&path),
            &std::fs::read_to_string(&path).unwrap(),
        );
    }
}

/// PHP reports a bad `php.ini` and goes on, with the settings before the fault only.
fn assert_php_reads(path: &std::path::Path) {
    let output = Command::new("php")
        .arg("-c")
        .arg(path)
        .args([
            "-r",
            "echo get_cfg_var('memory_limit'), ' ', get_cfg_var('opcache.consistency_checks');",
        ])
        .output()
        .expect("the tests need the `php` program");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let values = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(values.ends_with("M 0"), "{path:?}: {values}");
}
