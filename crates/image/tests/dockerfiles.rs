//! The kit's base images, `images/*/Dockerfile`: what they install is what the presets' containers run
//! and what PHP must have. They are read by hadolint; no Docker builds them here.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use mck_blueprint::{
    Blueprint,
    model::{App, Container},
};
use mck_environment::EnvironmentFile;
use mck_server_config::{php_extensions::required_php_extensions, web_preset::WebPreset};

/// Programs that tasks begin with or that the kit puts before them, and Debian's package of each.
const PROGRAMS: [(&str, &str); 6] = [
    ("nginx", "nginx-light"),
    ("php-fpm8.2", "php8.2-fpm"),
    ("php", "php8.2-cli"),
    ("flock", "util-linux"),
    ("timeout", "coreutils"),
    // Debian's `dash` is essential: it is in every image.
    ("sh", ""),
];

const PRESETS: [(&str, WebPreset); 5] = [
    ("magento2", WebPreset::Magento2),
    ("magento1", WebPreset::Magento1),
    ("wordpress", WebPreset::WordPress),
    ("storefront", WebPreset::Storefront),
    ("php", WebPreset::Php),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../images")
}

fn dockerfile(name: &str) -> String {
    fs::read_to_string(folder().join(name).join("Dockerfile")).unwrap()
}

/// The packages that a Dockerfile installs.
fn packages(name: &str) -> BTreeSet<String> {
    let text = dockerfile(name).replace("\\\n", " ");
    let (_, rest) = text.split_once("apt-get install").unwrap();
    let words = rest.split("&&").next().unwrap().split_whitespace();
    words
        .filter(|it| !it.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

fn app(preset: &str) -> App {
    let text = format!(
        "project = \"shop\"\n[app.shop]\npreset = \"{preset}\"\nsource = \".\"\n\
         job.work = {{ command = [\"php\", \"work.php\"], schedule = \"rate(5 minutes)\" }}\n\
         [environment.production]\n"
    );
    let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).unwrap();
    let mut blueprint = Blueprint::plan(&file.environment("production").unwrap()).unwrap();
    blueprint.apps.remove(0)
}

fn lines<'a>(dockerfile: &'a str, word: &str) -> Vec<&'a str> {
    let lines = dockerfile.lines();
    lines
        .filter_map(|line| line.strip_prefix(word))
        .map(str::trim)
        .collect()
}

#[test]
fn every_base_image_of_a_preset_has_a_dockerfile() {
    let there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    for (preset, _) in PRESETS {
        let app = app(preset);
        let containers = app.task_definition.containers.iter();
        let bases: BTreeSet<String> = containers
            .filter_map(Container::made_image)
            .map(str::to_owned)
            .collect();
        assert_eq!(bases, there, "{preset}");
    }
}

#[test]
fn php_has_every_extension_that_a_preset_needs() {
    let there = packages("php-fpm");
    for (preset, of) in PRESETS {
        for extension in required_php_extensions(of) {
            let package = extension.debian_package;
            assert!(
                there.contains(package),
                "{preset} needs {} of {package}",
                extension.name
            );
        }
    }
}

#[test]
fn images_have_the_programs_that_their_containers_run() {
    let known = BTreeMap::from(PROGRAMS);
    for (preset, _) in PRESETS {
        let app = app(preset);
        let containers = &app.task_definition.containers;
        let image = |name: &str| {
            let container = containers.iter().find(|it| it.name == name);
            container
                .and_then(Container::made_image)
                .unwrap()
                .to_owned()
        };
        let own = containers.iter().map(|it| (image(&it.name), &it.command));
        let hooks = app
            .hooks
            .iter()
            .map(|it| (image(&it.container), &it.command));
        let jobs = app
            .jobs
            .iter()
            .map(|it| (image(&it.container), &it.command));
        let mut wanted: BTreeSet<(String, String)> = own
            .chain(hooks)
            .chain(jobs)
            .map(|(image, command)| (image, command[0].clone()))
            .collect();
        // A job that must not run twice takes a lock, and each has its time.
        for job in &app.jobs {
            wanted.extend(["flock", "timeout"].map(|it| (image(&job.container), it.to_owned())));
        }
        for (image, program) in wanted {
            let name = program.rsplit('/').next().unwrap();
            let package = known.get(name);
            let package = package.unwrap_or_else(|| panic!("{preset} runs {program}"));
            let there = packages(&image);
            assert!(
                package.is_empty() || there.contains(*package),
                "{preset} runs {program} of {package} in {image}"
            );
        }
    }
}

#[test]
fn images_end_as_their_containers_do_and_are_of_one_debian() {
    for (preset, _) in PRESETS {
        for container in &app(preset).task_definition.containers {
            let image = container.made_image().unwrap();
            let text = dockerfile(image);
            assert_eq!(
                lines(&text, "STOPSIGNAL"),
                [container.stop_signal.as_str()],
                "{image}"
            );
            assert_eq!(lines(&text, "FROM"), ["debian:12-slim"], "{image}");
            // What runs, and as whom, is the task definition's to say.
            for word in ["CMD", "ENTRYPOINT", "USER", "WORKDIR", "VOLUME"] {
                assert!(lines(&text, word).is_empty(), "{image}: {word}");
            }
        }
    }
}

#[test]
fn hadolint_finds_nothing() {
    let tools = std::env::var_os("MCK_AWS_TOOLS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/aws-tools"),
        PathBuf::from,
    );
    let hadolint = tools.join("pipelines/bin/hadolint");
    assert!(hadolint.exists(), "run scripts/aws-tools/install");
    let run = |path: PathBuf| Command::new(&hadolint).arg(path).output().unwrap();
    for name in ["nginx", "php-fpm"] {
        let output = run(folder().join(name).join("Dockerfile"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
    }
    let bad = tempfile::tempdir().unwrap();
    let path = bad.path().join("Dockerfile");
    fs::write(&path, "FROM debian\nRUN cd / && apt-get install nginx\n").unwrap();
    assert!(!run(path).status.success(), "it sees mistakes");
}
