//! Jenkins: Amazon Linux 2023 with its home on EFS, configured as code.

use std::fmt::Write;

use super::{
    cloudwatch_agent,
    hardening::{self, Role},
    script::Script,
    security_updates,
};
use crate::text::{UnsafeText, host_name, word};

/// Shell variables that the user data must set before this script: what only CloudFormation knows.
pub const VARIABLES: [&str; 3] = [FILE_SYSTEM, ACCESS_POINT, ADMIN_PASSWORD];

/// The id of the file system of Jenkins' home.
pub const FILE_SYSTEM: &str = "FILE_SYSTEM";
/// The id of the access point on it.
pub const ACCESS_POINT: &str = "ACCESS_POINT";
/// The ARN of the secret with the administrator's password.
pub const ADMIN_PASSWORD: &str = "ADMIN_PASSWORD";

/// The user and group id of Jenkins: the access point's, so that files belong to the same user on
/// every server.
pub const USER_ID: u32 = 2000;

/// The name of the administrator.
pub const ADMINISTRATOR: &str = "admin";

/// The key that signs Jenkins' packages since 2026 (jenkins.io, "Linux repository signing keys").
const REPOSITORY_KEY: &str = "5E386EADB55F01504CAE8BCF7198F4B714ABFC68";
/// Jenkins' long-term support releases for `dnf`.
const REPOSITORY: &str = "https://pkg.jenkins.io/rpm-stable";
/// The plugin installation manager (jenkinsci/plugin-installation-manager-tool), which takes the
/// versions that fit the installed Jenkins.
const PLUGIN_MANAGER: &str = "https://github.com/jenkinsci/plugin-installation-manager-tool/releases/download/2.15.0/jenkins-plugin-manager-2.15.0.jar";
/// Its SHA-256.
const PLUGIN_MANAGER_DIGEST: &str =
    "a86853ec2e2933f37a4b471ba65099b61e03c87a80c2ef8fe2315eb135672d43";
/// The plugin that reads the configuration; always installed.
const CONFIGURATION_PLUGIN: &str = "configuration-as-code";

/// Jenkins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jenkins<'a> {
    /// The region.
    pub region: &'a str,
    /// The log group of its system logs.
    pub log_group: &'a str,
    /// Where its home is mounted.
    pub home: &'a str,
    /// The port on which it listens.
    pub port: u16,
    /// Its public host name; with it links in mails and hooks are right.
    pub host: Option<&'a str>,
    /// The version of Java (Amazon Corretto).
    pub java_version: u8,
    /// Jenkins' version; none for the newest long-term support release.
    pub version: Option<&'a str>,
    /// Plugins, by their ids.
    pub plugins: &'a [String],
}

/// The script, without its first lines: [`preamble`] and the [`VARIABLES`] come before.
///
/// It ends with the first mistake: Jenkins without its home or its configuration must not start. The
/// load balancer then finds it unhealthy, and the Auto Scaling group tries again with a new server.
///
/// # Errors
/// [`UnsafeText`] when a name would change the meaning of the script.
pub fn render(jenkins: &Jenkins<'_>) -> Result<String, UnsafeText> {
    let mut script = Script::part();
    install(&mut script, jenkins)?;
    // Here a mistake costs a setting, not the server.
    script.line("set +e");
    script.append(&hardening::script(Role::Jenkins));
    security_updates::timer(&mut script);
    cloudwatch_agent::start(
        &mut script,
        word("the log group", jenkins.log_group)?,
        &[
            ("/var/log/jenkins/jenkins.log", "jenkins"),
            ("/var/log/dnf.log", "dnf"),
        ],
    );
    script.line("set -e");
    mount(&mut script, jenkins)?;
    configure(&mut script, jenkins)?;
    script.line("systemctl enable --now docker.service jenkins.service");
    Ok(script.text())
}

/// The first lines of the user data, before the [`VARIABLES`].
pub fn preamble() -> String {
    Script::that_stops().text()
}

fn install(script: &mut Script, jenkins: &Jenkins<'_>) -> Result<(), UnsafeText> {
    let package = match jenkins.version {
        Some(version) => format!("jenkins-{}", word("Jenkins' version", version)?),
        None => "jenkins".to_owned(),
    };
    script.line(&format!("groupadd --system --gid {USER_ID} jenkins"));
    script.line(&format!(
        "useradd --system --uid {USER_ID} --gid {USER_ID} --home-dir /var/lib/jenkins \
         --shell /sbin/nologin jenkins"
    ));
    script.line(&format!(
        "dnf install --assumeyes --quiet amazon-cloudwatch-agent amazon-efs-utils docker fontconfig \
         git java-{java}-amazon-corretto-headless",
        java = jenkins.java_version
    ));
    script.line("key=$(mktemp)");
    script.line(&format!(
        "curl -fsS --retry 5 -o \"$key\" {REPOSITORY}/jenkins.io-2026.key"
    ));
    script.line(&format!(
        "gpg --batch --show-keys --with-colons \"$key\" | \
         awk -F: '$1 == \"fpr\" && $10 == \"{REPOSITORY_KEY}\" {{ found = 1 }} END {{ exit !found }}'"
    ));
    script.line("rpm --import \"$key\"");
    script.file(
        "/etc/yum.repos.d/jenkins.repo",
        "0644",
        &format!("[jenkins]\nname=Jenkins LTS\nbaseurl={REPOSITORY}/\ngpgcheck=1\n"),
    );
    script.line(&format!("dnf install --assumeyes --quiet {package}"));
    script.line("usermod --append --groups docker jenkins");
    Ok(())
}

/// Over TLS, as the instance's role, through the access point: nobody else reaches the files.
fn mount(script: &mut Script, jenkins: &Jenkins<'_>) -> Result<(), UnsafeText> {
    let home = word("Jenkins' home", jenkins.home)?;
    script.line(&format!("mkdir -p {home}"));
    script.line(&format!(
        "echo \"${FILE_SYSTEM}:/ {home} efs \
         _netdev,noresvport,tls,iam,accesspoint=${ACCESS_POINT} 0 0\" >>/etc/fstab"
    ));
    // The mount target's name may not be known yet when the file system is new.
    script.line(&format!(
        "for attempt in 1 2 3 4 5 6; do mount {home} && break; sleep $((attempt * 10)); done"
    ));
    script.line(&format!("mountpoint -q {home}"));
    Ok(())
}

fn configure(script: &mut Script, jenkins: &Jenkins<'_>) -> Result<(), UnsafeText> {
    let region = word("the region", jenkins.region)?;
    let home = jenkins.home;
    // Read at every start, so that a new password counts from then on; never in the environment of
    // builds.
    script.file(
        "/usr/local/sbin/read-jenkins-secrets",
        "0700",
        &format!(
            "#!/bin/bash
set -eu -o pipefail
umask 077
mkdir -p /run/jenkins-secrets
password=$(aws secretsmanager get-secret-value --region {region} --secret-id \"$1\" \\
  --query SecretString --output text)
printf %s \"$password\" >/run/jenkins-secrets/admin-password
chown -R jenkins:jenkins /run/jenkins-secrets"
        ),
    );
    script.file(
        "/etc/jenkins/jenkins.yaml",
        "0644",
        &configuration(jenkins)?,
    );
    let plugins = plugins(jenkins.plugins)?;
    script.line("manager=$(mktemp --suffix=.jar)");
    script.line(&format!(
        "curl -fsSL --retry 5 -o \"$manager\" {PLUGIN_MANAGER}"
    ));
    script.line(&format!(
        "echo \"{PLUGIN_MANAGER_DIGEST}  $manager\" | sha256sum --check --quiet"
    ));
    script.line("chmod 0644 \"$manager\"");
    script.line(&format!("runuser -u jenkins -- mkdir -p {home}/plugins"));
    script.line(&format!(
        "runuser -u jenkins -- java -jar \"$manager\" --war /usr/share/java/jenkins.war \
         --plugin-download-directory {home}/plugins --plugins {plugins}"
    ));
    script.line("install -d -m 0750 -o jenkins -g jenkins /var/log/jenkins");
    // The unit is not quoted: the secret's ARN is a variable of this script.
    script.line("mkdir -p /etc/systemd/system/jenkins.service.d");
    let port = jenkins.port;
    script.line(&format!(
        "cat >/etc/systemd/system/jenkins.service.d/10-mck.conf <<UNIT
[Unit]
RequiresMountsFor={home}

[Service]
Environment=JENKINS_HOME={home}
Environment=JENKINS_PORT={port}
Environment=JENKINS_LOG=/var/log/jenkins/jenkins.log
Environment=CASC_JENKINS_CONFIG=/etc/jenkins/jenkins.yaml
Environment=\"JAVA_OPTS=-Djava.awt.headless=true -Djenkins.install.runSetupWizard=false \
         -XX:MaxRAMPercentage=50\"
WorkingDirectory={home}
ExecStartPre=+/usr/local/sbin/read-jenkins-secrets ${ADMIN_PASSWORD}
TimeoutStartSec=10min
UNIT"
    ));
    script.line("systemctl daemon-reload");
    Ok(())
}

/// The configuration as code: an administrator, nobody else, and where Jenkins is. What people set up
/// beside it stays in the home.
fn configuration(jenkins: &Jenkins<'_>) -> Result<String, UnsafeText> {
    let mut text = format!(
        "jenkins:
  numExecutors: 2
  securityRealm:
    local:
      allowsSignup: false
      users:
      - id: {ADMINISTRATOR}
        password: ${{readFile:/run/jenkins-secrets/admin-password}}
  authorizationStrategy:
    loggedInUsersCanDoAnything:
      allowAnonymousRead: false
"
    );
    if let Some(host) = jenkins.host {
        let host = host_name("Jenkins' host", host)?;
        let _ = write!(
            text,
            "unclassified:\n  location:\n    url: https://{host}/\n"
        );
    }
    Ok(text)
}

fn plugins(plugins: &[String]) -> Result<String, UnsafeText> {
    let mut text = CONFIGURATION_PLUGIN.to_owned();
    for plugin in plugins.iter().filter(|it| *it != CONFIGURATION_PLUGIN) {
        text.push(' ');
        text.push_str(word("a plugin", plugin)?);
    }
    Ok(text)
}
