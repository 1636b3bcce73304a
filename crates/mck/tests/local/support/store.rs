//! A store: an environment of its own that is gone when the test ends, however it ends.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use mck_environment::EnvironmentFile;
use mck_local::{id::EnvironmentId, layout::Layout, network, secrets::SecretStore, wait};
use serde_json::Value;

use super::{
    http::Browser,
    leftovers,
    process::{Finished, Running, kill, run},
};

/// How many environments are up at once.
const AT_ONCE: usize = 2;
/// How long an environment may take until it is as it should be, on a busy machine.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

static FREE: Mutex<usize> = Mutex::new(AT_ONCE);
static FREED: Condvar = Condvar::new();

/// The right to have environments up.
pub struct Slots(usize);

impl Slots {
    /// Waits until so many more environments may be up.
    pub fn take(count: usize) -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREED
            .wait_while(free, |free| *free < count)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= count;
        Self(count)
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        *FREE.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        FREED.notify_all();
    }
}

/// What the environment file says besides names and ports.
#[derive(Debug, Clone, Copy)]
pub enum File<'a> {
    /// The example shop, and more.
    Storefront(&'a str),
    /// Nothing but this.
    Text(&'a str),
    /// What `mck init` writes for an app.
    Init(&'a str),
}

/// An environment of a test's own.
pub struct Store {
    /// What all that it makes is named after.
    pub id: EnvironmentId,
    /// Where its file is.
    pub folder: PathBuf,
    /// Where its state is.
    pub state: PathBuf,
    /// The host's port for HTTP.
    pub http: u16,
    /// The host's port for HTTPS.
    pub https: u16,
    top: tempfile::TempDir,
    mounted: bool,
    _slots: Slots,
}

impl Store {
    /// A store that is not up yet; `name` has at most 8 letters.
    pub fn new(name: &str, file: File<'_>) -> Self {
        Self::with_slots(name, file, Slots::take(1))
    }

    /// As [`Store::new`], where the right to be up was taken before.
    pub fn with_slots(name: &str, file: File<'_>, slots: Slots) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests make namespaces and containers: run them as root"
        );
        let project = format!("e2e-{name}-{}", std::process::id());
        let top = tempfile::Builder::new()
            .prefix("e2e-")
            .tempdir_in("/tmp")
            .unwrap();
        let [http, https] = [(); 2].map(|()| mck_test_ports::reserve());
        let store = Self {
            id: EnvironmentId::new(format!("{project}-local")).unwrap(),
            folder: top.path().join("project"),
            state: top.path().join("state"),
            http,
            https,
            top,
            mounted: false,
            _slots: slots,
        };
        fs::create_dir(&store.folder).unwrap();
        fs::create_dir(store.temporary()).unwrap();
        store.write(&store.text(&project, file));
        store
    }

    /// The example shop, up and healthy.
    pub fn storefront(name: &str) -> Self {
        let store = Self::new(name, File::Storefront(""));
        store.up();
        store
    }

    fn text(&self, project: &str, file: File<'_>) -> String {
        let ports = format!(
            "\n[environment.local.local]\nhttp-port = {}\nhttps-port = {}\ninternet = false\n",
            self.http, self.https
        );
        let head = format!("project = \"{project}\"\n\n");
        match file {
            File::Storefront(more) => {
                let source = super::storefront_source();
                let app = format!("[app.shop]\npreset = \"storefront\"\nsource = \"{source}\"\n");
                format!("{head}{app}{more}{ports}")
            }
            File::Text(text) => format!("{head}{text}{ports}"),
            File::Init(app) => {
                self.mck(&["init", "--app", app, "--name", project]).good();
                fs::read_to_string(self.file()).unwrap() + &ports
            }
        }
    }

    /// The environment file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("magecloudkit.toml")
    }

    /// Writes the environment file.
    pub fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    /// The folder that programs are told to put temporary files into.
    pub fn temporary(&self) -> PathBuf {
        self.top.path().join("tmp")
    }

    /// The environment's folders and files.
    pub fn layout(&self) -> Layout {
        Layout::new(&self.state, self.id.clone())
    }

    /// Puts the state folder on a disk of its own of so many MiB.
    pub fn mount_state(&mut self, mib: u32) {
        fs::create_dir(&self.state).unwrap();
        let size = format!("size={mib}m,mode=0700");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &size, "tmpfs"]);
        run(command.arg(&self.state)).good();
        self.mounted = true;
    }

    /// A `mck` command that is not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mck"));
        command.args(arguments);
        self.surround(&mut command);
        command
    }

    /// Gives a command the environment's surroundings.
    pub fn surround(&self, command: &mut Command) {
        command
            .current_dir(&self.folder)
            .env("MCK_STATE_DIR", &self.state)
            .env("TMPDIR", self.temporary())
            .env_remove("MCK_FILE")
            .env_remove("MCK_ENVIRONMENT");
    }

    /// Starts `mck`.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// Runs `mck` to its end.
    #[track_caller]
    pub fn mck(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments))
    }

    /// Brings it up; all must be well.
    #[track_caller]
    pub fn up(&self) -> Finished {
        let finished = self.mck(&["up"]);
        if finished.code == Some(0) {
            return finished;
        }
        let events = self.mck(&["events"]).out;
        let status = self.mck(&["status"]);
        panic!(
            "{finished:#?}\n{events}\n{}\n{}",
            status.out,
            self.last_words()
        );
    }

    /// The last lines of all logs.
    pub fn last_words(&self) -> String {
        let log = self.layout().supervisor_log();
        let supervisor = fs::read_to_string(log).unwrap_or_default();
        let lines = self.mck(&["logs"]).out;
        let lines: Vec<&str> = lines.lines().rev().take(40).collect();
        let lines: Vec<&str> = lines.into_iter().rev().collect();
        format!("supervisor:\n{supervisor}\n{}", lines.join("\n"))
    }

    /// How it is.
    #[track_caller]
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.mck(&["status", "--json"]).good()).unwrap()
    }

    /// Waits until all is as it should be, and `more` as well.
    #[track_caller]
    pub fn wait_for(&self, what: &str, mut more: impl FnMut(&Value) -> bool) -> Duration {
        let begin = Instant::now();
        let settled = wait::until(SETTLES_WITHIN, || {
            wait::pause(Duration::from_millis(20));
            let status = self.status();
            (status["settled"] == true && more(&status)).then_some(())
        });
        if settled.is_none() {
            let status = self.status();
            // What is wrong comes last: a log that is cut short keeps its end.
            panic!(
                "{what}: {status:#}\n{}\n{}\n{what}, but:\n{}",
                self.last_words(),
                self.mck(&["events"]).out,
                unfinished(&status)
            );
        }
        begin.elapsed()
    }

    /// The first process of each container.
    pub fn pids(&self) -> BTreeMap<String, u32> {
        let bundles = fs::read_dir(self.layout().bundles()).into_iter().flatten();
        bundles
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let pid = fs::read_to_string(entry.path().join("pid")).ok()?;
                Some((
                    entry.file_name().into_string().ok()?,
                    pid.trim().parse().ok()?,
                ))
            })
            .collect()
    }

    /// The supervisor's process, if there is one.
    pub fn supervisor(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.layout().supervisor_lock()).ok()?;
        let pid = pid.trim().parse().ok()?;
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&command)
            .contains("supervise")
            .then_some(pid)
    }

    /// The ids of an app's own tasks.
    pub fn tasks(&self, app: &str) -> Vec<String> {
        let status = self.status();
        let apps = status["apps"].as_array().unwrap().clone();
        let found = apps.iter().find(|it| it["name"] == app).unwrap();
        let tasks = found["tasks"].as_array().unwrap().iter();
        tasks
            .filter(|task| task["purpose"].is_null())
            .map(|task| task["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The ids of tasks that have containers, where no supervisor can be asked.
    pub fn tasks_without_supervisor(&self) -> Vec<String> {
        let containers = self.pids().into_keys();
        containers
            .filter_map(|name| name.strip_suffix(".php-fpm").map(str::to_owned))
            .collect()
    }

    /// The value of a secret.
    #[track_caller]
    pub fn secret(&self, name: &str) -> String {
        let secrets = SecretStore::new(self.layout().secrets());
        secrets.get(name).unwrap().unwrap()
    }

    /// A visitor of an app.
    pub fn visitor(&self, app: &str) -> Browser {
        Browser::new(self.http, &format!("{app}.localhost:{}", self.http))
    }

    /// The blueprint that comes of the file.
    pub fn blueprint(&self) -> mck_blueprint::Blueprint {
        let text = fs::read(self.file()).unwrap();
        let file = EnvironmentFile::parse("magecloudkit.toml", &text).unwrap();
        mck_blueprint::Blueprint::plan(&file.environment("local").unwrap()).unwrap()
    }

    /// Removes it; it must go without a trace.
    #[track_caller]
    pub fn destroy(&self) -> Finished {
        let finished = self.mck(&["destroy", "--yes"]);
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        finished
    }

    /// The folder with all that the test has.
    pub fn top(&self) -> &Path {
        self.top.path()
    }
}

/// What of a status is not as it should be, a line each; tasks are all told.
fn unfinished(status: &Value) -> String {
    let mut lines = vec![format!(
        "settled: {}, problem: {}",
        status["settled"], status["problem"]
    )];
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let components = list(&status["components"]);
    for it in components.iter().filter(|it| it["state"] != "ready") {
        lines.push(format!("{}: {} {}", it["name"], it["state"], it["detail"]));
    }
    for app in list(&status["apps"]) {
        let deployments = list(&app["deployments"]);
        let last = deployments.last().map(|it| &it["state"]);
        lines.push(format!(
            "{}: {} of {} healthy, deployment: {}",
            app["name"],
            app["healthy"],
            app["desired"],
            last.unwrap_or(&Value::Null)
        ));
        for task in list(&app["tasks"]) {
            lines.push(format!(
                "{} on {}: {} {} {} {}",
                task["id"],
                task["server"],
                task["state"],
                task["detail"],
                task["purpose"],
                task["created"]
            ));
        }
    }
    lines.join("\n")
}

impl Drop for Store {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        let destroyed = self
            .command(&["destroy", "--yes"])
            .output()
            .is_ok_and(|output| output.status.success());
        if !destroyed {
            for pid in leftovers::processes(&self.id, self.top.path()).into_keys() {
                kill(pid);
            }
            let _ = network::teardown(&self.id);
        }
        leftovers::unmount_below(&self.state);
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.state).status();
        }
        assert!(
            destroyed || panicking,
            "`mck destroy` failed at the end of a test"
        );
    }
}
