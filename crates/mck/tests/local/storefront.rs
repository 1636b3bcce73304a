//! The main job: one file, one command, a shop.

use std::{fs, os::unix::fs::PermissionsExt, process::Command, time::Duration};

use serde_json::Value;

use crate::support::{
    Browser, File, HttpRequest, Store, add_token, log_in, run, storefront_source, tokens,
};

/// What all other verbs find in an environment that is up.
#[test]
fn one_file_to_a_running_shop() {
    let store = Store::new("shop", File::Storefront(""));
    let up = store.up();
    assert!(
        up.out
            .contains(&format!("http://shop.localhost:{}", store.http)),
        "{up:#?}"
    );
    assert!(up.out.contains("2 of 2 tasks healthy"), "{up:#?}");
    assert!(up.err.contains("mck stop"), "the next commands: {up:#?}");

    pages(&store);
    https(&store);
    administration(&store);
    second_up(&store);
    status(&store);
    logs(&store);
    events(&store);
    exec(&store);
    one_off_tasks(&store);
    names(&store);
    ssh(&store);
    database(&store);
    prepare(&store);
    cache(&store);
    secrets(&store);
    rotation(&store);
    unknown_names(&store);
}

fn pages(store: &Store) {
    let mut visitor = store.visitor("shop");
    assert!(visitor.get("/").expect(200).text().contains("/product/"));
    assert_eq!(visitor.get("/health_check.php").expect(200).status, 200);
    let revision = visitor.get("/REVISION.txt").expect(200).text();
    let status = store.status();
    assert_eq!(revision.trim(), status["apps"][0]["revision"]);
    let mut stranger = Browser::new(store.http, "nobody.localhost");
    assert_ne!(stranger.get("/").status, 200, "no app has this host");

    let mut hosts: Vec<String> = Vec::new();
    for _ in 0..40 {
        let answer = store.visitor("shop").get("/api/whoami").expect(200).json();
        hosts.push(answer["task_id"].as_str().unwrap().to_owned());
    }
    hosts.sort();
    hosts.dedup();
    let mut tasks = store.tasks("shop");
    tasks.sort();
    assert_eq!(hosts, tasks, "both tasks answer");
}

fn https(store: &Store) {
    let authority = store
        .layout()
        .keys()
        .join(mck_local::keys::files::AUTHORITY);
    let host = format!("shop.localhost:{}", store.https);
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{http_version}",
        "--cacert",
    ])
    .arg(authority)
    .args(["--resolve", &format!("{host}:127.0.0.1")])
    .arg(format!("https://{host}/"));
    assert_eq!(run(&mut curl).good(), "200 2");
    let mut stranger = Command::new("curl");
    stranger
        .args(["-sS", "--resolve", &format!("{host}:127.0.0.1")])
        .arg(format!("https://{host}/"));
    assert_eq!(
        run(&mut stranger).code,
        Some(60),
        "nobody else trusts the local authority"
    );
}

fn administration(store: &Store) {
    let mut admin = store.visitor("shop");
    admin.get("/admin").expect(303);
    log_in(&mut admin, &store.secret("shop-admin-password"));
    assert!(admin.get("/admin").expect(200).text().contains("Orders"));
}

fn second_up(store: &Store) {
    let (pids, supervisor) = (store.pids(), store.supervisor());
    let again = store.up();
    // Far below what coming up takes, on a busy machine too; docs/benchmarks.md has the figure.
    assert!(again.took < Duration::from_secs(2), "{again:#?}");
    assert_eq!(store.pids(), pids);
    assert_eq!(store.supervisor(), supervisor);
    assert!(supervisor.is_some());
}

fn status(store: &Store) {
    let status = store.status();
    assert_eq!(status["settled"], true);
    let components = status["components"].as_array().unwrap();
    let names: Vec<&str> = components
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    for name in [
        "network",
        "resolver",
        "bastion",
        "lb-a",
        "lb-b",
        "lb-c",
        "db-0",
        "db-1",
        "app-1",
        "app-2",
        "redis-cache-0",
        "redis-cache-1",
        "redis-session-0",
        "redis-session-1",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(
        components
            .iter()
            .all(|it| it["state"] == "ready" && it["restarts"] == 0)
    );
    let tasks = status["apps"][0]["tasks"].as_array().unwrap().clone();
    let mut zones: Vec<&Value> = tasks.iter().map(|task| &task["zone"]).collect();
    zones.dedup();
    assert_eq!(zones.len(), 2, "two tasks in two zones: {tasks:#?}");
    let text = store.mck(&["status"]).good();
    assert!(
        text.contains("shop.localhost") && text.contains("db-0"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no colour where nobody looks");
}

fn logs(store: &Store) {
    let mut visitor = store.visitor("shop");
    let asked = HttpRequest {
        method: "GET",
        path: "/search?q=find-me-in-the-log",
        ..HttpRequest::default()
    };
    visitor.ask(&asked).expect(200);
    let found = mck_local::wait::until(Duration::from_secs(5), || {
        let lines = store.mck(&["logs", "shop", "--since", "1m"]).good();
        lines.contains("find-me-in-the-log").then_some(())
    });
    assert!(found.is_some(), "{}", store.mck(&["logs", "shop"]).out);
    let lines = store.mck(&["logs", "db-0", "--json"]).good();
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(line["container"], "db-0");
    assert!(line["time"].is_string() && line["text"].is_string());
    for secret in [
        "shop-admin-password",
        "shop-database-password",
        "shop-crypt-key",
    ] {
        let value = store.secret(secret);
        assert!(
            !store.mck(&["logs"]).good().contains(&value),
            "{secret} is in a log"
        );
        assert!(
            !store.mck(&["events"]).good().contains(&value),
            "{secret} is in an event"
        );
    }
}

fn events(store: &Store) {
    let lines = store.mck(&["events", "--json"]).good();
    let events: Vec<Value> = lines
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert!(
        events.iter().any(|it| it["subject"] == "supervisor"),
        "{events:#?}"
    );
    assert!(events.iter().all(|it| it["level"] == "info"), "{events:#?}");
    assert!(store.mck(&["events"]).good().contains("supervisor"));
}

fn exec(store: &Store) {
    let tasks = store.tasks("shop");
    let host = store.mck(&["exec", "shop", "--", "hostname"]).good();
    assert!(
        tasks.contains(&host.trim().to_owned()),
        "{host} is none of {tasks:?}"
    );
    let of_task = store.mck(&["exec", &tasks[1], "--", "hostname"]).good();
    assert_eq!(of_task.trim(), tasks[1]);
    let nginx = format!("{}.nginx", tasks[0]);
    let command = ["exec", &nginx, "--", "sh", "-c", "cat /proc/1/comm; exit 7"];
    assert_eq!(store.mck(&command).with_code(7).out.trim(), "nginx");
    assert_eq!(
        store.mck(&["exec", "db-0", "--", "hostname"]).good().trim(),
        "db-0"
    );
    let user = store.mck(&["exec", "--", "id", "-un"]).good();
    assert_eq!(user.trim(), "www-data", "the only app, as its own user");
    let write = [
        "exec",
        "--",
        "sh",
        "-c",
        "echo x > /var/www/html/REVISION.txt",
    ];
    assert_ne!(
        store.mck(&write).code,
        Some(0),
        "a release can't be written to"
    );
    let state = store.state.display().to_string();
    let look = ["exec", "--", "ls", "-A", &state];
    assert_eq!(
        store.mck(&look).out,
        "",
        "a container does not see the state folder"
    );
}

fn one_off_tasks(store: &Store) {
    let version = store
        .mck(&["run", "shop", "--", "bin/magento", "--version"])
        .good();
    assert!(version.starts_with("Storefront"), "{version}");
    store
        .mck(&["run", "shop", "--", "bin/magento", "no-such-command"])
        .with_code(64);
    store.mck(&["run", "--", "sh", "-c", "exit 3"]).with_code(3);
    let environment = store.mck(&["run", "--", "env"]).good();
    assert!(
        environment.contains("MYSQL_HOST=db.us-east-1.magecloudkit.internal"),
        "{environment}"
    );
    store.wait_for("the one-off tasks are gone", |status| {
        status["apps"][0]["tasks"].as_array().unwrap().len() == 2
    });
}

/// The names of the architecture's table, as an app sees them.
fn names(store: &Store) {
    let blueprint = store.blueprint();
    let of_nodes = |nodes: &[mck_blueprint::model::Node]| -> Vec<String> {
        nodes.iter().map(|node| node.address.to_string()).collect()
    };
    let redis = |name: &str| {
        let cluster = blueprint.redis.iter().find(|it| it.name == name).unwrap();
        of_nodes(&cluster.members[..1])
    };
    let database = of_nodes(&blueprint.database.members);
    let targets = of_nodes(&blueprint.file_system.as_ref().unwrap().mount_targets);
    for (name, addresses) in [
        ("db", database[..1].to_vec()),
        ("db-ro", database[1..].to_vec()),
        ("redis-cache", redis("redis-cache")),
        ("redis-session", redis("redis-session")),
        ("media.efs", targets),
    ] {
        let name = format!("{name}.us-east-1.magecloudkit.internal");
        let found = store
            .mck(&["exec", "--", "getent", "ahostsv4", &name])
            .good();
        let mut found: Vec<&str> = found
            .lines()
            .filter_map(|it| it.split(' ').next())
            .collect();
        found.sort_unstable();
        found.dedup();
        let mut addresses = addresses;
        addresses.sort();
        assert_eq!(found, addresses, "{name}");
    }
    let nowhere = [
        "exec",
        "--",
        "getent",
        "hosts",
        "no.us-east-1.magecloudkit.internal",
    ];
    store.mck(&nowhere).with_code(2);
}

fn ssh(store: &Store) {
    store.mck(&["ssh", "bastion", "--", "true"]).good();
    store.mck(&["ssh", "--", "exit", "9"]).with_code(9);
    let name = store.mck(&["ssh", "app-1", "--", "hostname"]).good();
    assert_eq!(name.trim(), "app-1");
    let from = store
        .mck(&["ssh", "app-2", "--", "echo", "$SSH_CLIENT"])
        .good();
    let bastion = store.blueprint().bastion.unwrap().node.address.to_string();
    assert!(from.starts_with(&bastion), "through the Bastion: {from}");
}

fn database(store: &Store) {
    let mut visitor = store.visitor("shop");
    assert!(add_token(&mut visitor, "before-the-export"));
    let dump = store.folder.join("dump.sql");
    let path = dump.to_str().unwrap();
    store.mck(&["db", "export", "--output", path]).good();
    let text = fs::read_to_string(&dump).unwrap();
    assert!(text.contains("before-the-export"));
    assert!(add_token(&mut visitor, "after-the-export"));
    store.mck(&["db", "import", "--input", path]).good();
    assert_eq!(
        tokens(&mut visitor),
        ["before-the-export"],
        "as it was exported"
    );
    let mut shell = store.command(&["db", "shell"]);
    let shell = shell_with(&mut shell, "SELECT token FROM drill_token;\n");
    assert!(shell.contains("before-the-export"), "{shell}");
    let reader = store.mck(&[
        "exec", "--", "php", "-r",
        "$p = new PDO('mysql:host='.getenv('MYSQL_READER_HOST').';dbname='.getenv('MYSQL_DATABASE'), getenv('MYSQL_USER'), getenv('MYSQL_PASSWORD')); echo $p->query('SELECT token FROM drill_token')->fetchColumn();",
    ]);
    assert_eq!(reader.good(), "before-the-export", "the reader has it too");
}

/// Here schemas and users are made by themselves: the command says so, and changes nothing.
fn prepare(store: &Store) {
    let mut visitor = store.visitor("shop");
    let before = tokens(&mut visitor);
    assert!(!before.is_empty());
    let prepared = store.mck(&["db", "prepare"]);
    assert_eq!(prepared.code, Some(0), "{prepared:#?}");
    let note = "made and kept while the environment runs";
    assert!(prepared.err.contains(note), "{prepared:#?}");
    assert_eq!(tokens(&mut visitor), before);
}

fn shell_with(command: &mut Command, input: &str) -> String {
    use std::{io::Write, process::Stdio};
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn cache(store: &Store) {
    let hit = |visitor: &mut Browser| {
        let answer = visitor.get("/").expect(200);
        answer
            .header("X-Magento-Cache-Debug")
            .first()
            .map(|it| (*it).to_owned())
    };
    let mut visitor = store.visitor("shop");
    visitor.get("/").expect(200);
    assert_eq!(hit(&mut visitor).as_deref(), Some("HIT"));
    store.mck(&["cache", "flush"]).good();
    assert_eq!(hit(&mut visitor).as_deref(), Some("MISS"));
}

fn secrets(store: &Store) {
    let text = store.mck(&["secret", "list", "--json"]).good();
    let list: Value = serde_json::from_str(&text).unwrap();
    let list = list.as_array().unwrap();
    assert!(
        list.iter().any(|it| it["name"] == "shop-admin-password"),
        "{text}"
    );
    assert!(list.iter().all(|it| it["set"] == true), "{text}");
    assert!(!text.contains(&store.secret("shop-admin-password")));
    let show = store
        .mck(&["secret", "show", "shop-admin-password"])
        .with_code(2);
    assert_eq!(show.out, "", "not where a log could keep it");
    no_file_but_the_secrets_own(store, list);
    arguments_hold_no_secret(store, list);
}

/// A new value reaches the database and the app with the next `up`, though the file is the same; the
/// old one is worth nothing then.
fn rotation(store: &Store) {
    let name = "shop-database-password";
    let before = store.secret(name);
    let kept = tokens(&mut store.visitor("shop"));
    let rotated = store.mck(&["secret", "rotate", name]);
    for words in ["has a new value", "mck up"] {
        assert!(rotated.err.contains(words), "{rotated:#?}");
    }
    let after = store.secret(name);
    assert_ne!(after, before);
    store.up();
    store.wait_for("the tasks before are gone", |status| {
        let app = &status["apps"][0];
        app["tasks"].as_array().map(|tasks| tasks.len() as u64) == app["desired"].as_u64()
    });
    let told = store.mck(&["exec", "--", "printenv", "MYSQL_PASSWORD"]);
    assert_eq!(told.good().trim(), after);
    assert_eq!(tokens(&mut store.visitor("shop")), kept, "the data stays");
    let connect =
        format!("new PDO('mysql:host='.getenv('MYSQL_HOST'), getenv('MYSQL_USER'), '{before}');");
    let refused = store.mck(&["exec", "--", "php", "-r", &connect]);
    let told = [&refused.out, &refused.err];
    let is_denied = told.iter().any(|it| it.contains("Access denied"));
    assert!(is_denied, "{refused:#?}");
    let pids = store.pids();
    store.up();
    assert_eq!(store.pids(), pids, "once is enough");
}

/// A value is where secrets are kept, and in the bundle of the container that needs it: both for
/// root alone. A client's file in the memory of a task is gone with it.
fn no_file_but_the_secrets_own(store: &Store, list: &[Value]) {
    let layout = store.layout();
    for secret in list {
        let name = secret["name"].as_str().unwrap();
        let mut grep = Command::new("grep");
        // MariaDB's readers keep the password that they follow the writer with in `master.info`.
        grep.args(["--exclude=master.info"])
            .args(["-rlIF", "--binary-files=text", "--devices=skip", "-e"])
            .arg(store.secret(name))
            .args([
                layout.data(""),
                layout.logs(),
                layout.releases(),
                layout.events(),
            ]);
        let found = run(&mut grep);
        assert_eq!(found.out, "", "{name} is in a file");
    }
    let mode = fs::metadata(layout.top()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "nobody but root may look");
}

fn arguments_hold_no_secret(store: &Store, list: &[Value]) {
    let shown = run(Command::new("ps").args(["-eo", "args", "-ww"])).good();
    for secret in list {
        let value = store.secret(secret["name"].as_str().unwrap());
        assert!(!shown.contains(&value), "{secret} is in an argument list");
    }
}

fn unknown_names(store: &Store) {
    store
        .mck(&["exec", "shpo", "--", "true"])
        .failed(11)
        .telling("app-1");
    store
        .mck(&["run", "shpo", "--", "true"])
        .failed(11)
        .telling("did you mean `shop`");
    store
        .mck(&["ssh", "app-9", "--", "true"])
        .failed(11)
        .telling("app-1");
    store.mck(&["logs", "nothing-of-it"]).failed(11);
    store
        .mck(&["db", "export", "blog"])
        .failed(11)
        .telling("`shop`");
    store
        .mck(&["up", "--environment", "lokal"])
        .failed(11)
        .telling("local");
    store.mck(&["secret", "set", "nope"]).failed(11);
}

/// The source may change: another `up` runs what is there now.
#[test]
fn a_changed_source_is_released_by_the_next_up() {
    let source = tempfile::tempdir().unwrap();
    run(Command::new("cp")
        .args(["-a", &format!("{}/.", storefront_source())])
        .arg(source.path()))
    .good();
    let app = format!(
        "[app.shop]\npreset = \"storefront\"\nsource = \"{}\"\n",
        source.path().display()
    );
    let store = Store::new("source", File::Text(&app));
    store.up();
    let mut visitor = store.visitor("shop");
    let before = visitor.get("/REVISION.txt").expect(200).text();
    fs::write(source.path().join("pub/static/new.txt"), "new").unwrap();
    store.up();
    store.wait_for("the release is rolled out", |status| {
        status["apps"][0]["tasks"].as_array().unwrap().len() == 2
    });
    assert_eq!(visitor.get("/static/new.txt").expect(200).text(), "new");
    assert_ne!(visitor.get("/REVISION.txt").expect(200).text(), before);
}
