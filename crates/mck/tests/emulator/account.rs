//! `mck emulate ecs` beside a store, and AWS's own command line that calls it.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use mck_local::wait::pause;
use serde_json::{Value, json};

use crate::store::Store;

/// What `aws` says of a refusal.
pub struct Refused(pub String);

/// The emulated account.
pub struct Account<'a> {
    store: &'a Store,
    emulator: Child,
    endpoint: String,
    pub cluster: String,
    pub family: String,
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

impl<'a> Account<'a> {
    pub fn of(store: &'a Store) -> Self {
        let (emulator, endpoint) = emulate(store);
        let mut account = Self {
            store,
            emulator,
            endpoint,
            cluster: String::new(),
            family: String::new(),
        };
        let clusters = account.aws(&["list-clusters"]);
        account.cluster = short(&clusters["clusterArns"][0]).to_owned();
        let definition = account.service()["taskDefinition"].clone();
        let (family, _) = short(&definition).split_once(':').unwrap();
        account.family = family.to_owned();
        account
    }

    /// Kills the emulator in the middle of whatever it does, and starts another.
    pub fn begin_again(&mut self) {
        self.emulator.kill().unwrap();
        self.emulator.wait().unwrap();
        (self.emulator, self.endpoint) = emulate(self.store);
    }

    pub fn endpoint(&self) -> &str {
        self.endpoint.strip_prefix("http://").unwrap()
    }

    /// What `aws ecs …` answers.
    pub fn aws(&self, arguments: &[&str]) -> Value {
        match self.try_aws(arguments) {
            Ok(answer) => answer,
            Err(Refused(words)) => panic!("aws ecs {arguments:?}: {words}"),
        }
    }

    pub fn refused(&self, arguments: &[&str]) -> String {
        match self.try_aws(arguments) {
            Ok(answer) => panic!("aws ecs {arguments:?}: {answer}"),
            Err(Refused(words)) => words,
        }
    }

    fn try_aws(&self, arguments: &[&str]) -> Result<Value, Refused> {
        let output = Command::new(tool())
            .arg("ecs")
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.store.path())
            .env("AWS_ENDPOINT_URL_ECS", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_MAX_ATTEMPTS", "1")
            .output()
            .expect("scripts/aws-tools/install has installed `clients`");
        if !output.status.success() {
            return Err(Refused(String::from_utf8(output.stderr).unwrap()));
        }
        if output.stdout.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// As [`Self::aws`], of the service's cluster.
    pub fn on_cluster(&self, operation: &str, arguments: &[&str]) -> Value {
        self.aws(&[&[operation, "--cluster", &self.cluster], arguments].concat())
    }

    pub fn service(&self) -> Value {
        let arguments = ["describe-services", "--services", "shop"];
        let cluster = ["--cluster", &self.cluster];
        self.aws(&[arguments.as_slice(), &cluster].concat())["services"][0].clone()
    }

    /// Registers the newest task definition again with another release, as a deployment's script does.
    pub fn register(&self, release: &str) -> String {
        let newest = self.aws(&[
            "describe-task-definition",
            "--task-definition",
            &self.family,
        ]);
        let newest = &newest["taskDefinition"];
        let mut containers = newest["containerDefinitions"].clone();
        for container in containers.as_array_mut().unwrap() {
            let image = container["image"].as_str().unwrap();
            let (repository, _) = image.rsplit_once(':').unwrap();
            container["image"] = json!(format!("{repository}:{release}"));
        }
        let request = json!({
            "family": self.family,
            "networkMode": newest["networkMode"],
            "taskRoleArn": newest["taskRoleArn"],
            "executionRoleArn": newest["executionRoleArn"],
            "containerDefinitions": containers,
        });
        let request = request.to_string();
        let registered = self.aws(&["register-task-definition", "--cli-input-json", &request]);
        let arn = &registered["taskDefinition"]["taskDefinitionArn"];
        arn.as_str().unwrap().to_owned()
    }

    pub fn deploy(&self, definition: &str) -> Value {
        let update = ["--service", "shop", "--task-definition", definition];
        self.on_cluster("update-service", &update)["service"].clone()
    }

    pub fn wait_until_stable(&self) {
        let wait = ["wait", "services-stable", "--services", "shop"];
        self.aws(&[wait.as_slice(), &["--cluster", &self.cluster]].concat());
    }

    /// Waits until the service is as it should be.
    pub fn wait_for(&self, is_as_it_should: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let service = self.service();
            if is_as_it_should(&service) {
                return service;
            }
            assert!(begin.elapsed() < Duration::from_secs(90), "{service:#}");
            pause(Duration::from_millis(200));
        }
    }

    pub fn tasks(&self, status: &str) -> Vec<String> {
        let list = ["--service-name", "shop", "--desired-status", status];
        let listed = self.on_cluster("list-tasks", &list);
        let arns = listed["taskArns"].as_array().unwrap();
        arns.iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect()
    }

    pub fn task(&self, arn: &str) -> Value {
        self.on_cluster("describe-tasks", &["--tasks", arn])["tasks"][0].clone()
    }
}

/// Starts the emulator, and gives its endpoint.
fn emulate(store: &Store) -> (Child, String) {
    let mut command = store.command(&["emulate", "ecs", "--listen", "127.0.0.1:0"]);
    let mut emulator = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let stdout = emulator.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let endpoint = line.trim().strip_prefix("AWS_ENDPOINT_URL_ECS=");
    (emulator, endpoint.unwrap().to_owned())
}

/// AWS's command line.
fn tool() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/aws-tools");
    let tools = std::env::var_os("MCK_AWS_TOOLS").map_or(default, PathBuf::from);
    tools.join("clients/bin/aws")
}

/// What an ARN ends with.
fn short(arn: &Value) -> &str {
    arn.as_str().unwrap().rsplit('/').next().unwrap()
}
