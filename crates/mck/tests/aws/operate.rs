//! Looking at and acting on an environment on AWS.

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use serde_json::{Value, json};

use crate::{
    run::{self, Outcome, outcome},
    stand_in::{Kind, PORT, beside, tool},
};

const SEEDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws/operate.py");
/// The log group of the app `shop`.
const GROUP: &str = "/mck/shop/production/app/shop";
/// A token that must be seen nowhere but in the plugin's environment.
const TOKEN: &str = "AAEAAcTokenOfTheSession";

fn command(arguments: &[&str]) -> Command {
    run::command("smallest.toml", arguments)
}

fn mck(arguments: &[&str]) -> Outcome {
    outcome(&mut command(arguments))
}

fn seeder(arguments: &[&str]) -> Command {
    let mut command = Command::new(tool("stand-ins", "python"));
    command
        .args([SEEDER, arguments[0], GROUP])
        .args(&arguments[1..]);
    command
}

fn seed(arguments: &[&str]) {
    let output = seeder(arguments).output().expect("Python runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
}

#[test]
fn logs_are_read_over_pages_and_followed_without_loss() {
    let name = "operate::logs_are_read_over_pages_and_followed_without_loss";
    beside(Kind::Moto, name, || {
        let none = mck(&["logs", "shop"]);
        assert_eq!((none.code, none.out.as_str()), (0, ""), "{}", none.err);
        assert!(none.err.contains("There are no logs yet"), "{}", none.err);
        seed(&["logs"]);
        let read = mck(&["logs", "shop-01234567", "--since", "1h", "--json"]);
        assert_eq!(read.code, 0, "{}", read.err);
        let lines = read.out.lines();
        let lines: Vec<Value> = lines
            .map(|it| serde_json::from_str(it).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 10_050);
        assert_eq!(lines[0]["container"], "shop-01234567.php-fpm");
        let texts: HashSet<&str> = lines.iter().filter_map(|it| it["text"].as_str()).collect();
        assert_eq!(texts.len(), 10_050, "no line is told twice");
        let nginx = mck(&["logs", "shop-fedcba98.nginx"]);
        assert!(
            nginx.out.contains("shop-fedcba98.nginx of another task"),
            "{}",
            nginx.out
        );
        assert_eq!(nginx.out.lines().count(), 1);
        assert_eq!(mck(&["logs", "shpo"]).code, 11);
        followed();
    });
}

fn followed() {
    let mut child = command(&["logs", "shop", "-f"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is ours")).lines();
    let mut until = |text: &str| {
        let read = lines.by_ref().map_while(Result::ok);
        let mut before = Vec::new();
        for line in read {
            if line.ends_with(text) {
                return before;
            }
            before.push(line);
        }
        panic!("{text} did not come");
    };
    assert_eq!(until("of another task").len(), 10_050);
    seed(&["line", "first"]);
    assert_eq!(until("first"), [""; 0], "what was told is not told again");
    seed(&["line", "second"]);
    assert_eq!(until("second"), [""; 0]);
    child.kill().expect("it runs");
    let _ = child.wait();
}

#[test]
fn a_service_is_told_scaled_and_runs_commands() {
    let name = "operate::a_service_is_told_scaled_and_runs_commands";
    beside(Kind::Moto, name, || {
        let nothing = mck(&["status"]);
        assert_eq!(nothing.code, 9, "{}", nothing.err);
        assert!(
            nothing.err.contains("`mck apply -e production`"),
            "{}",
            nothing.err
        );
        assert_eq!(mck(&["scale", "shop", "3"]).code, 9);
        assert_eq!(mck(&["run", "shop", "--", "php", "-v"]).code, 9);
        assert_eq!(mck(&["cache", "flush"]).code, 9);
        seed(&["service"]);
        let status: Value = serde_json::from_str(&mck(&["status", "--json"]).out).expect("JSON");
        let app = &status["apps"][0];
        assert_eq!(
            (&app["release"], &app["desired"]),
            (&json!("r1"), &json!(2))
        );
        assert!(
            status["servers"][0]["id"]
                .as_str()
                .is_some_and(|it| it.starts_with("i-"))
        );
        let scaled = mck(&["scale", "shop", "3"]);
        assert_eq!(scaled.code, 0, "{}", scaled.err);
        let status = mck(&["status"]);
        assert!(status.out.contains("of 3"), "{}", status.out);
        let beyond = mck(&["scale", "shop", "99"]);
        assert_eq!(beyond.code, 2);
        assert!(
            beyond.err.contains("change `tasks` in the file"),
            "{}",
            beyond.err
        );
        let servers = mck(&["scale", "--cluster", "app", "3"]);
        assert_eq!(servers.code, 2);
        assert!(servers.err.contains("follow the tasks"), "{}", servers.err);
        assert_eq!(mck(&["events"]).code, 0);
        ran();
    });
}

fn ran() {
    let ended = |family: &str, arguments: &[&str]| {
        let mut ending = seeder(&["end-command", family])
            .spawn()
            .expect("Python runs");
        let ran = mck(arguments);
        assert!(ending.wait().expect("it ends").success());
        ran
    };
    let ran = ended("run", &["run", "shop", "--", "echo", "two words"]);
    // moto says 0 of every task that ended.
    assert_eq!(ran.code, 0, "{}", ran.err);
    // After what lets the command find the app's configuration.
    assert!(
        ran.out.contains(r#""start", "echo", "two words"]"#),
        "{}",
        ran.out
    );
    // The hook's own definition says what it does.
    let flushed = ended("hook_cache-flush", &["cache", "flush"]);
    assert_eq!(flushed.code, 0, "{}", flushed.err);
    assert!(
        flushed.err.contains("shop: runs its cache flush"),
        "{}",
        flushed.err
    );
    assert!(
        flushed.err.contains("The caches are empty."),
        "{}",
        flushed.err
    );
    assert!(!flushed.out.contains("command"), "{}", flushed.out);
}

#[test]
fn the_plugin_gets_the_session_without_showing_its_token() {
    let name = "operate::the_plugin_gets_the_session_without_showing_its_token";
    beside(Kind::Own, name, || {
        let listener = TcpListener::bind(("127.0.0.1", PORT)).expect("the port is free here");
        // It ends with the process.
        thread::spawn(move || listener.incoming().flatten().for_each(answer));
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path();
        let with_plugin = |arguments: &[&str]| outcome(command(arguments).env("PATH", path));
        let missing = with_plugin(&["ssh"]);
        assert_eq!(missing.code, 4, "{}", missing.err);
        assert!(
            missing.err.contains("session-manager-plugin.deb"),
            "{}",
            missing.err
        );
        plugin(path, "1.2.463.0");
        let old = with_plugin(&["ssh"]);
        assert_eq!(old.code, 4);
        assert!(
            old.err.contains("install 1.2.497.0 or later"),
            "{}",
            old.err
        );
        plugin(path, "1.2.707.0");
        for (arguments, target) in [
            (&["ssh"][..], "i-0123456789abcdef0"),
            (
                &["exec", "shop", "--", "sh", "-c", "echo 'two words'"][..],
                "ecs:shop-production-app_0123456789abcdef_0123456789abcdef-77",
            ),
        ] {
            let opened = with_plugin(arguments);
            assert_eq!(opened.code, 7, "the plugin's own exit code: {}", opened.err);
            let told: Vec<&str> = opened.out.lines().collect();
            assert_eq!(told[0], "AWS_SSM_START_SESSION_RESPONSE");
            assert_eq!(
                (told[1], told[2], told[3]),
                ("us-east-1", "StartSession", "")
            );
            assert_eq!(told[4], json!({ "Target": target }).to_string());
            assert!(told[5].starts_with("http://127.0.0.1"), "{}", told[5]);
            assert!(!told[..6].concat().contains(TOKEN) && !opened.err.contains(TOKEN));
            let session: Value = serde_json::from_str(told[6]).expect("JSON");
            assert_eq!(session["TokenValue"], TOKEN);
        }
        let unknown = with_plugin(&["exec", "shop-00000000", "--", "sh"]);
        assert_eq!(unknown.code, 11);
        assert!(
            unknown.err.contains("`shop-01234567.php-fpm`"),
            "{}",
            unknown.err
        );
    });
}

/// A program that tells its arguments and the session in its environment.
fn plugin(folder: &Path, version: &str) {
    let program = folder.join("session-manager-plugin");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo {version} && exit\n\
         printf '%s\\n' \"$@\" \"$AWS_SSM_START_SESSION_RESPONSE\"\nexit 7\n"
    );
    fs::write(&program, text).expect("it can be written");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&program, mode).expect("it is ours");
}

/// Answers one call as AWS does. No stand-in opens sessions.
fn answer(mut stream: TcpStream) {
    let request = read_request(&mut stream);
    let body = if request.contains("GetCallerIdentity") {
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>".to_owned()
    } else if request.contains("Action=DescribeStacks") {
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult><Stacks><member><StackName>shop-production-network</StackName><CreationTime>2026-11-24T12:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Outputs><member><OutputKey>BastionInstanceId</OutputKey><OutputValue>i-0123456789abcdef0</OutputValue></member></Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>".to_owned()
    } else {
        json_answer(&request).to_string()
    };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}

fn json_answer(request: &str) -> Value {
    let task = "arn:aws:ecs:us-east-1:123456789012:task/shop-production-app/0123456789abcdef";
    let url = "wss://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/ann-0123";
    let session = json!({ "sessionId": "ann-0123", "streamUrl": url, "tokenValue": TOKEN });
    let is = |operation: &str| {
        request
            .to_ascii_lowercase()
            .contains(&operation.to_ascii_lowercase())
    };
    if is(".StartSession") {
        json!({ "SessionId": "ann-0123", "StreamUrl": url, "TokenValue": TOKEN })
    } else if is(".ExecuteCommand") {
        let line = r#""command":"sh -c 'echo '\\''two words'\\'''""#;
        assert!(request.contains(line), "{request}");
        json!({ "session": session, "taskArn": task })
    } else if is(".DescribeServices") {
        json!({ "services": [{ "serviceName": "shop", "status": "ACTIVE" }] })
    } else if is(".ListTasks") {
        json!({ "taskArns": [task] })
    } else {
        let container = |name: &str, id: u8| json!({ "name": name, "runtimeId": format!("0123456789abcdef-{id}"), "lastStatus": "RUNNING" });
        json!({ "tasks": [{
            "taskArn": task,
            "lastStatus": "RUNNING",
            "containers": [container("nginx", 76), container("php-fpm", 77)],
        }] })
    }
}

/// A request's head and body.
pub fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let count = stream.read(&mut piece).unwrap_or(0);
        bytes.extend(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if count == 0 {
                return text;
            }
            continue;
        };
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|it| it.strip_prefix("content-length: "));
        let length: usize = length.and_then(|it| it.trim().parse().ok()).unwrap_or(0);
        if count == 0 || body.len() >= length {
            return text;
        }
    }
}
