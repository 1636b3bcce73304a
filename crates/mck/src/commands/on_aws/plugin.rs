//! Handing over to the session-manager-plugin, which speaks over a session that AWS has opened.

use std::{convert::Infallible, io, os::unix::process::CommandExt, process::Command};

use mck_aws::{PluginCall, PluginVersion};

use crate::{exit::Exit, failure::Failure};

/// Where AWS says how to install it, for each system.
const PAGE: &str = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";

/// Refuses where the plugin is not there or too old, before AWS is asked for a session.
pub fn check() -> Result<(), Failure> {
    let answer = Command::new(PluginCall::PROGRAM).arg("--version").output();
    let answer = answer.map_err(|error| missing(&error))?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    match PluginVersion::read(&text) {
        Some(version) if version.takes_variable() => Ok(()),
        _ => {
            let message = format!(
                "the session-manager-plugin is {}, which takes a session's token only where every \
                 user of this machine can see it",
                text.trim()
            );
            let hint = format!("install {} or later: {PAGE}", PluginVersion::WITH_VARIABLE);
            Err(Failure::new(Exit::MachineLacks, message).hint(hint))
        }
    }
}

/// Becomes the plugin: the terminal and its signals are then the plugin's alone.
pub fn become_plugin(call: &PluginCall) -> Result<Infallible, Failure> {
    let (name, value) = &call.variable;
    let mut command = Command::new(PluginCall::PROGRAM);
    let error = command.args(&call.arguments).env(name, value).exec();
    Err(missing(&error))
}

pub(super) fn missing(error: &io::Error) -> Failure {
    let message = "the session-manager-plugin is not on this machine";
    let failure = Failure::new(Exit::MachineLacks, message);
    let failure = match error.kind() {
        io::ErrorKind::NotFound => failure,
        _ => failure.caused_by(error),
    };
    failure
        .hint("AWS has packages of it: `session-manager-plugin.deb` for Debian and Ubuntu, `.rpm` for Fedora and Amazon Linux, `brew install --cask session-manager-plugin` for macOS")
        .hint(PAGE)
}
