//! The rendered configuration in a real sshd, in namespaces of its own, with the capabilities that are
//! said to be enough.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mck_server_config::sshd::{
    Bastion, CAPABILITIES, ClientHost, Forwarding, LoginUser, PublicKey, TERMINAL_CAPABILITIES,
    accounts, authorized_key_line, check_command_line, client_command_line, command_line,
    known_hosts_line, render, render_client_config,
};
use support::{run, run_well, words};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6nEVmQQmXzXKgwOCdaeKkzjJmNzpVGuv3q8kTJgXTt mck\n";

fn bastion(address: IpAddr) -> Bastion {
    Bastion {
        address,
        port: 22,
        user: "bastion".to_owned(),
        host_key_file: "/etc/ssh/mck/host_key".to_owned(),
        authorized_keys_file: "/etc/ssh/mck/authorized_keys".to_owned(),
        forwarding: Forwarding::WhereTheNetworkAllows,
        terminal: true,
        max_auth_tries: 3,
    }
}

fn hosts(port: u16) -> Vec<ClientHost> {
    let host = |alias: &str, jump: Option<&str>| ClientHost {
        alias: alias.to_owned(),
        address: Ipv4Addr::LOCALHOST.into(),
        port,
        user: "bastion".to_owned(),
        jump: jump.map(str::to_owned),
    };
    vec![host("bastion", None), host("behind", Some("bastion"))]
}

#[test]
fn renders_server_accounts_and_client() {
    let mut server = bastion("172.31.0.20".parse().unwrap());
    insta::assert_snapshot!("sshd_config", render(&server).unwrap());
    server.forwarding = Forwarding::Only(vec!["172.31.3.10:22".parse().unwrap()]);
    assert!(
        render(&server)
            .unwrap()
            .contains("PermitOpen 172.31.3.10:22\n")
    );
    server.user = "bastion\nPermitRootLogin yes".to_owned();
    assert!(render(&server).is_err());
    let files = accounts(&LoginUser::bastion()).unwrap();
    insta::assert_snapshot!(
        "accounts",
        [files.passwd, files.group, files.shadow].join("---\n")
    );
    for name in ["root", "a:b", "", "A", "x\ny"] {
        let user = LoginUser {
            name: name.to_owned(),
            ..LoginUser::bastion()
        };
        assert!(accounts(&user).is_err(), "{name:?}");
    }
    let client = render_client_config(&hosts(2222), "/state/id", "/state/known_hosts").unwrap();
    insta::assert_snapshot!("client_config", client);
    insta::assert_debug_snapshot!(
        "command_lines",
        (
            command_line("/etc/ssh/mck/sshd_config"),
            check_command_line("/etc/ssh/mck/sshd_config"),
            client_command_line("/state/ssh_config", "bastion", &words(["uptime"])).unwrap(),
        )
    );
}

#[test]
fn keys_are_read_and_written() {
    let key: PublicKey = KEY.parse().unwrap();
    let address: IpAddr = "172.31.0.20".parse().unwrap();
    insta::assert_snapshot!(
        "key_lines",
        [
            authorized_key_line(&key, true),
            authorized_key_line(&key, false),
            known_hosts_line(address, 22, &key),
            known_hosts_line(address, 2222, &key),
        ]
        .concat()
    );
    for bad in [
        "",
        "ssh-rsa AAAA",
        "ssh-ed25519 AAAA",
        &KEY.replace("EVm", "E!m"),
        "x",
    ] {
        assert!(bad.parse::<PublicKey>().is_err(), "{bad:?}");
    }
}

/// Writes everything that the container would have mounted.
fn write_files(folder: &Path) {
    let write = |name: &str, mode: u32, text: String| {
        std::fs::write(folder.join(name), text).unwrap();
        std::fs::set_permissions(folder.join(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    for name in ["host_key", "id"] {
        let path = folder.join(name);
        let line = [
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-f",
            path.to_str().unwrap(),
        ];
        run_well(&words(line));
    }
    let key = |name: &str| -> PublicKey {
        std::fs::read_to_string(folder.join(name))
            .unwrap()
            .parse()
            .unwrap()
    };
    let files = accounts(&LoginUser::bastion()).unwrap();
    write("passwd", 0o644, files.passwd);
    write("group", 0o644, files.group);
    write("shadow", 0o640, files.shadow);
    write(
        "authorized_keys",
        0o644,
        authorized_key_line(&key("id.pub"), true),
    );
    let host_key = key("host_key.pub");
    write(
        "known_hosts",
        0o600,
        known_hosts_line(Ipv4Addr::LOCALHOST.into(), 22, &host_key),
    );
    write(
        "sshd_config",
        0o644,
        render(&bastion(Ipv4Addr::LOCALHOST.into())).unwrap(),
    );
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let client = render_client_config(&hosts(22), &path("id"), &path("known_hosts")).unwrap();
    write("ssh_config", 0o600, client);
}

/// Runs a script next to a bastion in its own mount, network and process namespaces; all that it
/// starts dies with the script.
fn with_bastion(capabilities: &[&str], script: &str) -> String {
    let folder = support::folder();
    write_files(folder.path());
    let bounding: String = capabilities
        .iter()
        .map(|capability| {
            format!(
                ",+{}",
                capability.trim_start_matches("CAP_").to_ascii_lowercase()
            )
        })
        .collect();
    let server = command_line("/etc/ssh/mck/sshd_config").join(" ");
    let check = check_command_line("/etc/ssh/mck/sshd_config").join(" ");
    let client = client_command_line("ssh_config", "bastion", &[]).unwrap();
    let client = client[..client.len() - 2].join(" ");
    let script = format!(
        "set -e
cd {folder}
for file in passwd group shadow; do mount --bind $file /etc/$file; done
mount -t tmpfs -o mode=755 tmpfs /etc/ssh
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd /etc/ssh/mck
cp -p sshd_config host_key authorized_keys /etc/ssh/mck
ip link set lo up
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
{check}
setpriv --bounding-set=-all{bounding} --inh-caps=-all --no-new-privs {server} 2>log &
for try in $(seq 100); do grep -qs listening log && break; sleep 0.02; done
login() {{ {client} -o BatchMode=yes \"$@\" 2>&1; }}
{script}
",
        folder = folder.path().display(),
    );
    let output = run(&words([
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "private",
        "bash",
        "-c",
        &script,
    ]));
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{}{errors}{log}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

#[test]
fn one_logs_in_with_the_key_and_forwards() {
    let output = with_bastion(
        &CAPABILITIES,
        "login bastion id -un
login bastion grep CapEff /proc/self/status
login behind echo through the bastion
socat TCP-LISTEN:9000,bind=127.0.0.1,reuseaddr SYSTEM:'echo forwarded' &
for try in $(seq 100); do ss -ltn | grep -q :9000 && break; sleep 0.02; done
login -W 127.0.0.1:9000 bastion </dev/null",
    );
    let expected = "bastion\nCapEff:\t0000000000000000\nthrough the bastion\nforwarded\n";
    assert_eq!(output, expected);
}

#[test]
fn nobody_else_logs_in() {
    let output = with_bastion(
        &CAPABILITIES,
        "login -l root bastion true || echo no root
ssh-keygen -q -t ed25519 -N '' -f other
login -i other -o IdentityFile=none bastion true || echo no password
sed -i 's/ssh-ed25519 .*/ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6nEVmQQmXzXKgwOCdaeKkzjJmNzpVGuv3q8kTJgXTt/' known_hosts
login bastion true >/dev/null || echo no other host",
    );
    assert!(
        output.contains("no root\n") && output.contains("no other host\n"),
        "{output}"
    );
    assert!(output.contains("Permission denied (publickey)"), "{output}");
}

#[test]
fn a_terminal_needs_its_capabilities() {
    let script = "login -tt bastion tty || echo refused";
    let all = [&CAPABILITIES[..], &TERMINAL_CAPABILITIES[..]].concat();
    let output = with_bastion(&all, script);
    assert!(output.starts_with("/dev/pts/"), "{output}");
    for missing in TERMINAL_CAPABILITIES {
        let fewer: Vec<&str> = all
            .iter()
            .copied()
            .filter(|name| *name != missing)
            .collect();
        let output = with_bastion(&fewer, script);
        assert!(output.ends_with("refused\n"), "without {missing}: {output}");
    }
}
