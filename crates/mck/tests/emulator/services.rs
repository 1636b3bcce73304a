//! The services of AWS that a deployment asks beside ECS, by a server that stands in for them.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mck_local::wait::pause;
use serde_json::Value;

use crate::{
    gateway::Gateway,
    store::{Outcome, Store},
};

/// The environment `production` of a store's file, as if it were in an account: its service is the
/// store that runs here.
const PRODUCTION: &str = "production";

/// ECS by the emulator; Parameter Store, ECR, Secrets Manager, CloudWatch Logs and STS by moto.
pub struct Services<'a> {
    store: &'a Store,
    server: Child,
    emulator: Child,
    endpoint: String,
    ecs: String,
    /// What the program's calls go through.
    pub gateway: Gateway,
    /// More variables of the program's.
    pub variables: Vec<(&'static str, String)>,
}

impl Drop for Services<'_> {
    fn drop(&mut self) {
        for child in [&mut self.server, &mut self.emulator] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl<'a> Services<'a> {
    pub fn beside(store: &'a Store) -> Self {
        Self::with(store, &[])
    }

    /// The same before anything was deployed: there is no service.
    pub fn before_the_first_deployment(store: &'a Store) -> Self {
        Self::with(store, &["--without-services"])
    }

    fn with(store: &'a Store, options: &[&str]) -> Self {
        let port = mck_test_ports::reserve();
        let server: PathBuf = tools().join("stand-ins/bin/moto_server");
        let mut command = Command::new(server);
        command
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .current_dir(store.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = command.spawn().expect("scripts/aws-tools/install was run");
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60));
            pause(Duration::from_millis(50));
        }
        let (emulator, ecs) = emulate(store, options);
        let gateway = Gateway::before(&ecs, &format!("127.0.0.1:{port}"));
        Self {
            store,
            server,
            emulator,
            endpoint: format!("http://127.0.0.1:{port}"),
            ecs: format!("http://{ecs}"),
            gateway,
            variables: Vec::new(),
        }
    }

    /// A command of ours on the environment in the account.
    pub fn mck(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    /// The same, to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.store.command(arguments);
        command
            .env("MCK_ENVIRONMENT", PRODUCTION)
            .envs(in_account(&self.gateway.others, &self.gateway.ecs))
            .envs(self.variables.iter().cloned());
        command
    }

    /// The same, which is killed as soon as it has said something on its standard error.
    pub fn killed_when_said(&self, arguments: &[&str], word: &str) {
        let mut child = self
            .command(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains(word)),
            "{word} was never said"
        );
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Where ECS is, and where all else; without what stands between.
    pub fn endpoints(&self) -> [&str; 2] {
        [&self.ecs, &self.endpoint]
    }

    /// Where all but ECS is, for commands that do not look at the variable: those of RDS.
    pub fn at_endpoint(&self) -> [&str; 2] {
        ["--endpoint-url", &self.endpoint]
    }

    /// What `aws …` answers.
    pub fn aws(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(tools().join("clients/bin/aws"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.store.path());
        command.envs(in_account(&self.endpoint, &self.ecs));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "aws {arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Makes the repositories of an app's images.
    pub fn make_repositories(&self, names: &[String]) {
        for name in names {
            self.aws(&["ecr", "create-repository", "--repository-name", name]);
        }
    }

    /// Pushes images of a release.
    pub fn push(&self, names: &[String], release: &str) {
        let digest = format!("sha256:{release:0>64}");
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": { "mediaType": "x", "size": 7, "digest": digest },
            "layers": [{ "mediaType": "x", "size": 1_000, "digest": digest }],
        });
        for name in names {
            let put = ["ecr", "put-image", "--repository-name", name];
            let manifest = manifest.to_string();
            let rest = ["--image-tag", release, "--image-manifest", &manifest];
            self.aws(&[&put[..], &rest].concat());
        }
    }

    /// Keeps a secret.
    pub fn keep_secret(&self, name: &str, value: &str) {
        let create = ["secretsmanager", "create-secret", "--name", name];
        self.aws(&[&create[..], &["--secret-string", value]].concat());
    }

    pub fn write_parameter(&self, name: &str, value: &str) {
        let put = ["ssm", "put-parameter", "--name", name, "--value", value];
        self.aws(&[&put[..], &["--type", "String", "--overwrite"]].concat());
    }

    pub fn parameter(&self, name: &str) -> String {
        let parameter = self.aws(&["ssm", "get-parameter", "--name", name]);
        parameter["Parameter"]["Value"].as_str().unwrap().to_owned()
    }
}

/// The variables with which a program of AWS's, or ours, finds the account.
fn in_account(endpoint: &str, ecs: &str) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ENDPOINT_URL_ECS", ecs),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
}

/// Starts the emulator, and gives where it listens.
fn emulate(store: &Store, options: &[&str]) -> (Child, String) {
    let mut command = store.command(&["emulate", "ecs", "--as", PRODUCTION]);
    command.args(["--listen", "127.0.0.1:0"]).args(options);
    let mut emulator = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let stdout = emulator.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let endpoint = line.trim().strip_prefix("AWS_ENDPOINT_URL_ECS=http://");
    (emulator, endpoint.unwrap().to_owned())
}

/// Where AWS's tools and stand-ins are.
pub fn tools() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/aws-tools");
    std::env::var_os("MCK_AWS_TOOLS").map_or(default, PathBuf::from)
}
