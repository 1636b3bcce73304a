//! `mck build` of an environment on AWS, on a base of Debian's packages: to a registry and to
//! a folder. Needs Debian's package mmdebstrap and a mirror of its packages.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    harness::Place,
    image_support::{Blob, Layout, Registry, listing, run},
    site::Site,
};

/// A file whose apps are built for AWS.
const FILE: &str = r#"
project = "built"

[app.shop]
preset = "php"
source = "source"
database = ""

[app.shop.php]
document-root = "public"

[app.shop.health-check]
path = "/health.php"

[environment.production]
target = "aws"
region = "eu-west-1"
"#;

/// What the kit's Dockerfiles install, with commas between.
fn packages() -> String {
    let of = |name: &str| {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../images");
        let text = fs::read_to_string(top.join(name).join("Dockerfile")).unwrap();
        let text = text.replace("\\\n", " ");
        let (_, rest) = text.split_once("apt-get install").unwrap();
        let words = rest.split("&&").next().unwrap().split_whitespace();
        let names = words.filter(|it| !it.starts_with('-'));
        names.collect::<Vec<&str>>().join(",")
    };
    format!("{},{}", of("nginx"), of("php-fpm"))
}

/// An image with the packages of nginx' and php-fpm's base images, as one layer.
fn write_base(folder: &Path) -> Layout {
    let archive = folder.join("base.tar");
    let mut debootstrap = Command::new("mmdebstrap");
    debootstrap
        .args(["--quiet", "--variant=essential", "--mode=root"])
        .arg(format!("--include={}", packages()))
        .args(
            ["doc", "man", "locale"].map(|it| format!("--dpkgopt=path-exclude=/usr/share/{it}/*")),
        )
        .args(["bookworm"])
        .arg(&archive)
        .arg("http://deb.debian.org/debian");
    run("mmdebstrap", &mut debootstrap);
    let layer = fs::read(&archive).unwrap();
    fs::remove_file(archive).unwrap();
    let execution =
        r#"{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}"#;
    Layout::write(&folder.join("base"), execution, &[(Blob::Plain, layer)])
}

/// A project in a folder of its own.
fn project(page: &str) -> Place {
    let place = Place::with(FILE);
    place.write("source/public/index.php", page);
    place.write("source/public/health.php", "<?php echo 'healthy';");
    place.write(
        "source/vendor/autoload.php",
        "<?php const VENDOR = 'packages';",
    );
    place
}

/// Builds; gives what is reported.
#[track_caller]
fn build(place: &Place, base: &Layout, arguments: &[&str]) -> Value {
    let base = base.reference();
    let bases = format!("nginx={base},php-fpm={base}");
    let mut command = place.command(&["build", "-e", "production", "--base", &bases, "--json"]);
    command.env("XDG_CACHE_HOME", place.path().join("cache"));
    let outcome = place.finish(command.args(arguments));
    assert_eq!(outcome.code, 0, "{outcome}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// The blobs of an image that were sent, as `kind` of their layers.
fn sent(image: &Value) -> Vec<String> {
    let layers = image["layers"].as_array().unwrap();
    let kind = |digest: &Value| {
        let layer = layers.iter().find(|it| it["digest"] == *digest);
        layer
            .map_or("config", |it| it["kind"].as_str().unwrap())
            .to_owned()
    };
    let blobs = image["push"]["blobs"].as_array().unwrap().iter();
    let sent = blobs.filter(|it| it["sent"] == true);
    sent.map(|it| kind(&it["digest"])).collect()
}

fn image<'a>(report: &'a Value, base: &str) -> &'a Value {
    let images = report["images"].as_array().unwrap();
    images.iter().find(|it| it["name"] == base).unwrap()
}

#[test]
fn a_release_becomes_images_that_are_sent_once_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let base = write_base(folder.path());
    let registry = Registry::start(folder.path());
    let host = format!("127.0.0.1:{}", registry.port);
    let one = project("<?php require '../vendor/autoload.php'; echo 'one ', VENDOR;");

    let first = build(&one, &base, &["--registry", &host]);
    let all = ["base", "vendor", "release", "configuration", "config"];
    let own = ["configuration", "config"];
    assert_eq!(sent(image(&first, "nginx")), all);
    assert_eq!(sent(image(&first, "php-fpm")), own, "the rest is mounted");
    let again = build(&one, &base, &["--registry", &host]);
    assert!(sent(image(&again, "nginx")).is_empty(), "{again}");

    one.write("source/public/more.php", "<?php echo 'more';");
    let second = build(&one, &base, &["--registry", &host]);
    assert_ne!(first["release"], second["release"]);
    assert_eq!(sent(image(&second, "nginx")), ["release", "config"]);

    // The same tree elsewhere, and an older one: the same to the byte.
    let other = project("<?php require '../vendor/autoload.php'; echo 'one ', VENDOR;");
    other.write("source/public/more.php", "<?php echo 'more';");
    let outs = [&one, &other].map(|place| {
        let report = build(place, &base, &["--out", "out"]);
        assert_eq!(report["release"], second["release"]);
        listing(&place.path().join("out"))
    });
    assert!(!outs[0].is_empty());
    assert_eq!(outs[0], outs[1]);

    let php = image(&second, "php-fpm");
    let place = php["place"].as_str().unwrap();
    let mut skopeo = Command::new("skopeo");
    skopeo.args([
        "inspect",
        "--tls-verify=false",
        &format!("docker://{place}"),
    ]);
    let seen: Value = serde_json::from_slice(&run("skopeo", &mut skopeo)).unwrap();
    assert_eq!(seen["Digest"], php["digest"]);
    let label = &seen["Labels"]["mck.files.php-fpm"];
    assert_eq!(label.as_str().map(str::len), Some(64), "{seen}");

    let site = Site::of_app("built", &app_of_images(&one, &second));
    site.run(&["up"]);
    let page = site.page();
    // It comes in chunks.
    let is_whole = page
        .as_ref()
        .is_ok_and(|it| it.contains("\none packages\r"));
    assert!(is_whole, "{page:?}");
}

/// An app whose containers are those of the environment on AWS, as this machine runs them: images,
/// commands and users are the same; what its data stores would say is left out.
fn app_of_images(place: &Place, report: &Value) -> String {
    let shown = place.run(&["show", "apps", "-e", "production", "--json"]);
    assert_eq!(shown.code, 0, "{shown}");
    let apps: Value = serde_json::from_str(&shown.stdout).unwrap();
    let containers = apps.pointer("/apps/0/task-definition/containers").unwrap();
    let of = |container: &Value| {
        let name = container["name"].as_str().unwrap();
        let place = &image(report, name)["place"];
        let port = container["port"].as_u64();
        let lines = [
            format!("[app.shop.container.{name}]\nimage = {place}"),
            format!("command = {}", container["command"]),
            format!("user = {}", container["user"]),
            format!(
                "capabilities = {}",
                container["capabilities"].to_string().replace("CAP_", "")
            ),
            port.map_or_else(String::new, |port| format!("port = {port}")),
            // Where PHP finds the configuration in the image.
            "environment = { PHPRC = \"/etc/magecloudkit\" }".to_owned(),
        ];
        lines.join("\n")
    };
    let containers: Vec<String> = containers.as_array().unwrap().iter().map(of).collect();
    format!(
        "[app.shop]\ndatabase = \"\"\n[app.shop.health-check]\npath = \"/\"\n{}",
        containers.join("\n")
    )
}

#[test]
fn what_a_build_lacks_is_told() {
    let place = project("<?php");
    let command = |arguments: &[&str]| {
        let mut command = place.command(&["build", "-e", "production", "--out", "out"]);
        command.env("XDG_CACHE_HOME", place.path().join("cache"));
        place.finish(command.args(arguments))
    };
    let no_base = command(&[]);
    assert_eq!(no_base.code, 2, "{no_base}");
    assert!(no_base.stderr.contains("nginx, php-fpm"), "{no_base}");
    // A port that nobody listens on.
    let nobody = format!("127.0.0.1:{}/base:1", mck_test_ports::reserve());
    let bases = format!("nginx={nobody},php-fpm={nobody}");
    let unreachable = command(&["--base", &bases]);
    assert_eq!(unreachable.code, 26, "{unreachable}");
    assert!(
        unreachable.stderr.contains("could not reach the registry"),
        "{unreachable}"
    );
}
