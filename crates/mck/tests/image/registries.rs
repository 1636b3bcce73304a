//! `mck build` and registries that want to know who asks: ECR's login, passwords, tokens, and
//! certificates of an authority of one's own. Each test is in namespaces of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    harness::{Outcome, Place},
    image_support::{Blob, Layer, Layout, Registry, run, skopeo_copy},
    stand_in::{Kind, beside, tool},
    token_server::TokenServer,
};

/// The registry of moto's account.
const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
/// The password that moto's `GetAuthorizationToken` gives, and its bcrypt digest.
const ECR_PASSWORD: &str = "123456789012-auth-token";
const ECR_DIGEST: &str = "$2b$04$IK4ibz9vb32tu3FZ1u198.fUvmDNcVhJ.rJvtSdDXs23uOiCn6z0u";
/// A password, and its bcrypt digest.
const PASSWORD: &str = "correct-horse";
const DIGEST: &str = "$2b$04$bj7QQKxgh2/fwmMMyzUQcumsR3jyBA7sGTpJaaT/CiOJsrQGXqbDq";

/// An app of code, or of an image.
const CODE: &str = "source = \"source\"";

/// A small image that has what a base image needs to be built on.
fn write_base(folder: &Path, content: &str) -> Layout {
    let users = b"root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n";
    let layer = Layer::new()
        .folder("etc", 0o755)
        .file("etc/passwd", 0o644, users)
        .file("content", 0o644, content.as_bytes());
    Layout::write(folder, "{}", &[(Blob::Gzip, layer.bytes())])
}

/// A project with an app of `what`, and with `rest` in its file.
fn project(what: &str, rest: &str) -> Place {
    let place = Place::with(&format!(
        "project = \"built\"\n[app.shop]\npreset = \"php\"\n{what}\ndatabase = \"\"\n\
         php.document-root = \"public\"\nhealth-check.path = \"/health.php\"\n{rest}"
    ));
    place.write("source/public/index.php", "<?php echo 'one';");
    place.write("source/vendor/autoload.php", "<?php");
    place
}

/// Runs the program as somebody with an account and with these variables.
fn mck(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut command = place.command(arguments);
    command.env("XDG_CACHE_HOME", place.path().join("cache"));
    command.env("AWS_DEFAULT_REGION", "us-east-1");
    for (name, value) in std::env::vars() {
        if name.starts_with("AWS_") {
            command.env(name, value);
        }
    }
    command.envs(variables.iter().copied());
    place.finish(&mut command)
}

#[track_caller]
fn report(outcome: &Outcome) -> Value {
    assert_eq!(outcome.code, 0, "{outcome}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn image<'a>(report: &'a Value, name: &str) -> &'a Value {
    let images = report["images"].as_array().unwrap();
    images.iter().find(|it| it["name"] == name).unwrap()
}

/// The sizes of what was sent of an image.
fn sent(image: &Value) -> usize {
    let blobs = image["push"]["blobs"].as_array().unwrap();
    blobs.iter().filter(|it| it["sent"] == true).count()
}

/// Digests of an image's layers of one kind.
fn layers<'a>(image: &'a Value, kind: &str) -> Vec<&'a str> {
    let layers = image["layers"].as_array().unwrap().iter();
    let of_kind = layers.filter(|it| it["kind"] == kind);
    of_kind.map(|it| it["digest"].as_str().unwrap()).collect()
}

#[test]
fn one_release_is_there_for_two_environments_of_different_configuration() {
    let name = "registries::one_release_is_there_for_two_environments_of_different_configuration";
    beside(Kind::Moto, name, || {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start(folder.path());
        let host = format!("127.0.0.1:{}", registry.port);
        let base = write_base(&folder.path().join("base"), "base").reference();
        let rest = format!(
            "[base-image]\nnginx = \"{base}\"\nphp-fpm = \"{base}\"\n\
             [environment.production]\n\
             [environment.staging]\napp.shop.php.memory-limit = \"512MiB\"\n"
        );
        let place = project(CODE, &rest);
        let build = |environment: &str| {
            let arguments = ["build", "-e", environment, "--registry", &host, "--json"];
            report(&mck(&place, &arguments, &[]))
        };
        let (production, staging) = (build("production"), build("staging"));
        assert_eq!(production["release"], staging["release"]);
        let php = [&production, &staging].map(|it| image(it, "php-fpm"));
        assert_ne!(php[0]["digest"], php[1]["digest"]);
        assert_ne!(
            layers(php[0], "configuration"),
            layers(php[1], "configuration")
        );
        for kind in ["base", "vendor", "release"] {
            assert_eq!(layers(php[0], kind).len(), 1, "{kind}");
            assert_eq!(layers(php[0], kind), layers(php[1], kind), "{kind}");
        }
        // Configuration and description: the rest is taken over from the other environment's.
        assert_eq!(sent(php[1]), 2, "{staging}");
        assert_eq!(sent(image(&staging, "nginx")), 0, "nothing of it differs");
        assert_eq!(sent(image(&build("production"), "php-fpm")), 0);

        for (environment, report) in [("production", &production), ("staging", &staging)] {
            for name in ["nginx", "php-fpm"] {
                put_into_ecr(image(report, name));
            }
            let releases = mck(&place, &["releases", "-e", environment, "--json"], &[]);
            let releases: Value = serde_json::from_str(&releases.stdout).unwrap();
            assert_eq!(
                releases[0]["releases"][0]["id"], report["release"],
                "{releases}"
            );
        }
    });
}

/// Puts the manifest that was pushed into the repository of that name in ECR.
fn put_into_ecr(image: &Value) {
    let place = image["place"].as_str().unwrap();
    let mut skopeo = Command::new("skopeo");
    skopeo.args([
        "inspect",
        "--raw",
        "--tls-verify=false",
        &format!("docker://{place}"),
    ]);
    let manifest = String::from_utf8(run("skopeo", &mut skopeo)).unwrap();
    let (_, name) = place.split_once('/').unwrap();
    let (name, tag) = name.rsplit_once(':').unwrap();
    let aws = |arguments: &[&str]| {
        let mut command = Command::new(tool("clients", "aws"));
        command
            .args(["--region", "us-east-1", "ecr"])
            .args(arguments);
        run("awscli", &mut command);
    };
    aws(&["create-repository", "--repository-name", name]);
    let put = ["put-image", "--repository-name", name, "--image-tag", tag];
    aws(&[&put[..], &["--image-manifest", &manifest]].concat());
}

/// An authority, and a certificate of it for this machine and ECR's name.
struct Authority {
    folder: PathBuf,
}

impl Authority {
    fn new(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        let openssl = |arguments: &[&str]| {
            run("openssl", Command::new("openssl").args(arguments));
        };
        let new = ["req", "-newkey", "rsa:2048", "-nodes"];
        let authority = ["-x509", "-days", "2", "-subj", "/CN=test authority"];
        let out = ["-keyout", &path("ca.key"), "-out", &path("ca.pem")];
        openssl(&[&new[..], &authority, &out].concat());
        let out = ["-keyout", &path("server.key"), "-out", &path("server.csr")];
        openssl(&[&new[..], &["-subj", "/CN=registry"], &out].concat());
        let names = format!("subjectAltName=DNS:{ECR},IP:127.0.0.1\n");
        fs::write(folder.join("names"), names).unwrap();
        let request = path("server.csr");
        let sign = [
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            &request,
            "-CAcreateserial",
        ];
        let by = ["-CA", &path("ca.pem"), "-CAkey", &path("ca.key")];
        let out = ["-extfile", &path("names"), "-out", &path("server.pem")];
        openssl(&[&sign[..], &by, &out].concat());
        Self {
            folder: folder.to_owned(),
        }
    }

    fn file(&self) -> String {
        self.folder.join("ca.pem").display().to_string()
    }

    fn tls(&self) -> String {
        let path = |name: &str| self.folder.join(name).display().to_string();
        format!(
            "  tls:\n    certificate: {}\n    key: {}\n",
            path("server.pem"),
            path("server.key")
        )
    }
}

/// docker-registry with a configuration; ends with this value.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Guarded {
    fn start(folder: &Path, port: u16, tls: &str, auth: &str) -> Self {
        let config = folder.join("registry.yml");
        let storage = folder.join("storage");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  \
             addr: 127.0.0.1:{port}\n{tls}auth:\n{auth}",
            storage.display()
        );
        fs::write(&config, text).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("registry.log")).unwrap())
            .spawn()
            .expect("install Debian's package docker-registry");
        let connect = || std::net::TcpStream::connect(("127.0.0.1", port)).ok();
        let guarded = Self(process);
        mck_local::wait::until(Duration::from_secs(20), connect).expect("the registry listens");
        guarded
    }
}

/// Who may come in: one user with a password of this digest.
fn htpasswd(folder: &Path, user: &str, digest: &str) -> String {
    let path = folder.join("htpasswd");
    fs::write(&path, format!("{user}:{digest}\n")).unwrap();
    format!(
        "  htpasswd:\n    realm: test\n    path: {}\n",
        path.display()
    )
}

fn skopeo_login(from: &str, to: &str, user: &str, authority: &str) {
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["copy", "--quiet", "--dest-creds", user, from, to]);
    run("skopeo", skopeo.env("SSL_CERT_FILE", authority));
}

#[test]
fn images_go_to_ecr_with_the_login_that_it_gives() {
    let name = "registries::images_go_to_ecr_with_the_login_that_it_gives";
    beside(Kind::Moto, name, || {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts");
        fs::write(&hosts, format!("127.0.0.1 localhost {ECR}\n")).unwrap();
        let mut mount = Command::new("mount");
        run("mount", mount.arg("--bind").arg(&hosts).arg("/etc/hosts"));
        let authority = Authority::new(folder.path());
        let trust = authority.file();
        let auth = htpasswd(folder.path(), "AWS", ECR_DIGEST);
        let registry = Guarded::start(folder.path(), 443, &authority.tls(), &auth);
        let base = write_base(&folder.path().join("base"), "base");
        let remote = format!("{ECR}/base/web:1");
        let user = format!("AWS:{ECR_PASSWORD}");
        skopeo_login(
            &base.reference(),
            &format!("docker://{remote}"),
            &user,
            &trust,
        );

        let rest = format!(
            "[base-image]\nnginx = \"{remote}\"\nphp-fpm = \"{remote}\"\n[environment.production]\n"
        );
        let place = project(CODE, &rest);
        let build = ["build", "-e", "production", "--json"];
        let trusting = [("SSL_CERT_FILE", trust.as_str())];
        let first = report(&mck(&place, &build, &trusting));
        let release = first["release"].as_str().unwrap();
        let pushed = image(&first, "php-fpm");
        assert_eq!(
            pushed["place"],
            format!("{ECR}/built/production/shop/php-fpm:{release}")
        );
        assert_eq!(
            sent(image(&report(&mck(&place, &build, &trusting)), "php-fpm")),
            0
        );

        let strange = mck(&place, &build, &[]);
        assert_eq!(strange.code, 26, "{strange}");
        assert!(strange.stderr.contains("UnknownIssuer"), "{strange}");

        drop(registry);
        let auth = htpasswd(folder.path(), "AWS", DIGEST);
        let _other = Guarded::start(folder.path(), 443, &authority.tls(), &auth);
        let refused = mck(&place, &build, &trusting);
        assert_eq!(refused.code, 26, "{refused}");
        assert!(refused.stderr.contains("with 401"), "{refused}");
        assert_no_password(&refused);
    });
}

#[track_caller]
fn assert_no_password(outcome: &Outcome) {
    for secret in [ECR_PASSWORD, PASSWORD, "QVdTOj", "dXNlcj"] {
        assert!(!outcome.stderr.contains(secret), "{outcome}");
        assert!(!outcome.stdout.contains(secret), "{outcome}");
    }
}

/// What a login leaves for `user` with a password.
fn login(folder: &Path, host: &str, password: &str) -> String {
    let mut encode = Command::new("sh");
    let line = format!("printf %s 'user:{password}' | base64 --wrap=0");
    let encoded = run("coreutils", encode.args(["-c", &line]));
    let encoded = String::from_utf8(encoded).unwrap();
    let path = folder.join("auth.json");
    fs::write(
        &path,
        format!(r#"{{"auths":{{"{host}":{{"auth":"{encoded}"}}}}}}"#),
    )
    .unwrap();
    path.display().to_string()
}

/// Builds for the registry as `user`, first with a wrong password.
fn build_as_user(folder: &Path, host: &str, trust: &str) {
    let base = write_base(&folder.join("base"), "base");
    let remote = format!("{host}/base/web:1");
    let user = format!("user:{PASSWORD}");
    let mut skopeo = Command::new("skopeo");
    skopeo.args([
        "copy",
        "--quiet",
        "--dest-tls-verify=false",
        "--dest-creds",
        &user,
    ]);
    skopeo.args([base.reference(), format!("docker://{remote}")]);
    run("skopeo", &mut skopeo);
    // An image of the user's own, which the kit's files are put on.
    let own = format!("image = \"{remote}\"");
    let place = project(&own, "[environment.production]\n");
    let build = ["build", "-e", "production", "--registry", host, "--json"];

    let wrong = login(folder, host, "wrong-horse");
    let variables = [
        ("SSL_CERT_FILE", trust),
        ("REGISTRY_AUTH_FILE", wrong.as_str()),
    ];
    let refused = mck(&place, &build, &variables);
    assert_eq!(refused.code, 26, "{refused}");
    assert!(refused.stderr.contains("`docker login`"), "{refused}");
    assert_no_password(&refused);

    let right = login(folder, host, PASSWORD);
    let variables = [
        ("SSL_CERT_FILE", trust),
        ("REGISTRY_AUTH_FILE", right.as_str()),
    ];
    let first = report(&mck(&place, &build, &variables));
    for name in ["nginx", "php-fpm"] {
        let made = image(&first, name);
        let base = made["layers"][0]["digest"].as_str().unwrap();
        assert_eq!(layers(made, "base"), [base]);
        assert_eq!(layers(made, "configuration").len(), 1);
        assert!(layers(made, "release").is_empty(), "{made}");
    }
    let again = report(&mck(&place, &build, &variables));
    assert_eq!(first["release"], again["release"]);
    assert_eq!(sent(image(&again, "nginx")), 0);
}

#[test]
fn a_registry_with_passwords_and_a_certificate_of_ones_own_authority_is_used() {
    let name =
        "registries::a_registry_with_passwords_and_a_certificate_of_ones_own_authority_is_used";
    beside(Kind::Own, name, || {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let port = mck_test_ports::reserve();
        let auth = htpasswd(folder.path(), "user", DIGEST);
        let _registry = Guarded::start(folder.path(), port, &authority.tls(), &auth);
        build_as_user(
            folder.path(),
            &format!("127.0.0.1:{port}"),
            &authority.file(),
        );
    });
}

#[test]
fn a_registry_that_wants_tokens_gets_them() {
    let name = "registries::a_registry_that_wants_tokens_gets_them";
    beside(Kind::Own, name, || {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let tokens = TokenServer::start(folder.path(), &format!("user:{PASSWORD}"));
        let port = mck_test_ports::reserve();
        let auth = format!(
            "  token:\n    realm: http://127.0.0.1:{}/token\n    service: test\n    issuer: test\n    \
             rootcertbundle: {}\n",
            tokens.port,
            authority.file()
        );
        let _registry = Guarded::start(folder.path(), port, "", &auth);
        build_as_user(folder.path(), &format!("127.0.0.1:{port}"), "/dev/null");
    });
}

#[test]
fn a_changed_image_of_the_user_s_own_is_another_release() {
    let name = "registries::a_changed_image_of_the_user_s_own_is_another_release";
    beside(Kind::Own, name, || {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::start(folder.path());
        let host = format!("127.0.0.1:{}", registry.port);
        let remote = format!("{host}/team/site:1");
        let own = format!("image = \"{remote}\"");
        let place = project(&own, "[environment.production]\n");
        let releases = ["one", "two"].map(|content| {
            let base = write_base(&folder.path().join(content), content);
            skopeo_copy(&base.reference(), &format!("docker://{remote}"));
            let build = ["build", "-e", "production", "--registry", &host, "--json"];
            report(&mck(&place, &build, &[]))["release"].clone()
        });
        assert_ne!(releases[0], releases[1]);
        assert_eq!(releases[0].as_str().map(str::len), Some(12));
    });
}
