//! The real programs read every rendered file.

use mck_server_config::web_preset::{WebApp, WebPreset};
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
            // nginx -t opens the logs and makes its folders: they are not the machine's.
            let content = file
                .content
                .replace("/tmp/", &format!("{}/", folder.path().display()))
                .replace("/proc/self/fd/2", "/dev/null")
                .replace("/dev/stdout", "/dev/null");
            std::fs::write(&path, content).unwrap();
            if name == "nginx.conf" {
                assert_accepted(Command::new("nginx").arg("-tc").arg(&path), "nginx");
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
