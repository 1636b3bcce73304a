//! Exit codes: each kind of failure has its own, so that a script can tell them apart.

use std::{fmt::Write, process::ExitCode};

/// How `mck` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// The environment file is wrong or not there.
    File = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Not root.
    NotRoot = 3,
    /// The machine lacks something.
    MachineLacks = 4,
    /// A port of the host is taken.
    PortTaken = 5,
    /// The state folder can't be written to.
    StateFolder = 6,
    /// The disk is full.
    DiskFull = 7,
    /// Another command changes the environment.
    Busy = 8,
    /// The environment does not run.
    NotRunning = 9,
    /// Something never became healthy.
    NotHealthy = 10,
    /// No environment, app, task or component of that name.
    Unknown = 11,
    /// A hook failed.
    HookFailed = 12,
    /// Packages could not be installed.
    InstallFailed = 13,
    /// A secret has no value.
    SecretMissing = 14,
    /// What would be made is there already.
    Exists = 15,
    /// The answer was no.
    Declined = 16,
    /// Something was left behind.
    Leftover = 17,
    /// A deployment was rolled back.
    RolledBack = 18,
    /// A deployment failed with nothing to go back to.
    DeploymentFailed = 19,
    /// Another deployment took its place.
    Superseded = 20,
    /// A drill was held, and what must hold did not.
    DrillFailed = 21,
    /// CloudFormation would not take the stacks.
    Stacks = 22,
    /// AWS can't be reached or refuses us.
    Account = 23,
    /// CloudFormation gave a stack up.
    StackFailed = 24,
    /// What is there is not what its stacks say.
    Drifted = 25,
    /// A registry of images can't be reached or refuses us.
    Registry = 26,
    /// What must not happen.
    Internal = 70,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 29] = [
        Self::Ok,
        Self::File,
        Self::Usage,
        Self::NotRoot,
        Self::MachineLacks,
        Self::PortTaken,
        Self::StateFolder,
        Self::DiskFull,
        Self::Busy,
        Self::NotRunning,
        Self::NotHealthy,
        Self::Unknown,
        Self::HookFailed,
        Self::InstallFailed,
        Self::SecretMissing,
        Self::Exists,
        Self::Declined,
        Self::Leftover,
        Self::RolledBack,
        Self::DeploymentFailed,
        Self::Superseded,
        Self::DrillFailed,
        Self::Stacks,
        Self::Account,
        Self::StackFailed,
        Self::Drifted,
        Self::Registry,
        Self::Internal,
        Self::Interrupted,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, and what to do.
    const fn meaning(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => ("Done.", ""),
            Self::File => (
                "The environment file has mistakes, or is not there.",
                "`mck check` shows all mistakes with their places.",
            ),
            Self::Usage => (
                "The command line is wrong.",
                "`mck help` shows what can be typed.",
            ),
            Self::NotRoot => ("The command needs root.", "Run it with `sudo`."),
            Self::MachineLacks => (
                "The machine lacks programs or features of the kernel.",
                "`mck doctor` shows which, `mck up --install` installs packages.",
            ),
            Self::PortTaken => (
                "A port of the host is taken.",
                "Stop the program that is named, or set `http-port` and `https-port` of `[local]`.",
            ),
            Self::StateFolder => (
                "The state folder can't be written to.",
                "Name another one with `MCK_STATE_DIR`.",
            ),
            Self::DiskFull => ("The disk is full.", "Free some room; nothing was lost."),
            Self::Busy => (
                "Another command changes the same environment.",
                "Wait for it, or end it.",
            ),
            Self::NotRunning => ("The environment does not run.", "`mck up` starts it."),
            Self::NotHealthy => (
                "Something failed or never became healthy.",
                "`mck status` and `mck logs` show why.",
            ),
            Self::Unknown => (
                "There is no environment, app, task or component of that name.",
                "The message names those that there are.",
            ),
            Self::HookFailed => (
                "A hook of an app failed, such as its installation.",
                "`mck events` shows its last words.",
            ),
            Self::InstallFailed => (
                "Packages could not be installed.",
                "The message tells apt's last lines.",
            ),
            Self::SecretMissing => (
                "A secret that only you know has no value.",
                "`mck secret set NAME` gives it one.",
            ),
            Self::Exists => ("What would be made is there already.", "Remove it first."),
            Self::Declined => ("You answered no.", ""),
            Self::Leftover => (
                "Something could not be removed.",
                "The message names it; run the command again.",
            ),
            Self::RolledBack => (
                "A deployment was given up and rolled back; the release before serves on.",
                "The message tells why, with the container's last words.",
            ),
            Self::DeploymentFailed => (
                "A deployment was given up, and there was none to go back to.",
                "The message tells why; mend it and deploy again.",
            ),
            Self::Superseded => (
                "Another deployment began before this one had ended.",
                "`mck status` shows it.",
            ),
            Self::DrillFailed => (
                "A drill was held, and one of its bars was missed.",
                "The report marks which.",
            ),
            Self::Stacks => (
                "CloudFormation would not take the stacks of an environment.",
                "The message names the limit that is passed.",
            ),
            Self::Account => (
                "AWS can't be reached, or refuses us.",
                "The message names the call, and what helps.",
            ),
            Self::StackFailed => (
                "CloudFormation gave a stack up, and went back where it could.",
                "The message tells the first real reason; mend it and run `mck apply` again.",
            ),
            Self::Drifted => (
                "Something was changed behind the stacks' back.",
                "Change it back, or write it into the file.",
            ),
            Self::Registry => (
                "A registry of images can't be reached, or refuses an image.",
                "The message tells the registry's own words.",
            ),
            Self::Internal => (
                "What must not happen: a defect, or an error of the operating system.",
                "Tell us, with the message.",
            ),
            Self::Interrupted => (
                "You pressed Ctrl-C.",
                "What runs goes on; `mck status` shows it.",
            ),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The page of all exit codes.
pub fn markdown() -> String {
    let mut page = "# Exit codes\n\nEvery kind of failure has a number of its own. `mck exec`, \
        `mck run`, `mck ssh` and `mck db shell` end with the number of the command that they ran, \
        once it runs. \
        `mck plan` has only three: 0 where nothing is to do, 2 where something changes, and 1 \
        where it failed, whatever the reason.\n\n\
        | code | meaning | what to do |\n|---|---|---|\n"
        .to_owned();
    for exit in Exit::ALL {
        let (meaning, advice) = exit.meaning();
        let _ = writeln!(page, "| {} | {meaning} | {advice} |", exit.code());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_another_one() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert!(codes.is_sorted_by(|one, other| one < other), "{codes:?}");
    }
}
