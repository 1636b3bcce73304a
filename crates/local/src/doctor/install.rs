//! Installing Debian packages.

use std::{
    collections::VecDeque,
    fs, io,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use super::{Area, Finding, Status};

/// The script that installs.
const SCRIPT: &str = include_str!("install.sh");

/// What Debian asks whether a service may be started (invoke-rc.d(8)).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// How many of apt's last lines a failure tells.
const TOLD: usize = 6;

/// How far an installation is.
#[derive(Debug, Clone, PartialEq)]
pub struct InstallProgress {
    /// 0 to 100, first of the download, then of the installation; none when it is not known.
    pub percent: Option<f32>,
    /// What is done.
    pub message: String,
}

/// Why packages were not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no apt.
    #[error("this is not Debian: install by hand what Debian has in {}", packages.join(", "))]
    NotDebian {
        /// The packages' names in Debian 12.
        packages: Vec<String>,
    },
    /// apt could not be run.
    #[error("could not run apt-get")]
    Run(#[from] io::Error),
    /// apt failed.
    #[error("apt-get failed ({status}): {reason}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// The last lines of what it said.
        reason: String,
    },
}

/// Installs packages without a question, and without starting the services that they bring.
///
/// # Errors
/// When there is no apt, or it fails.
pub fn install(
    packages: &[String],
    progress: &mut dyn FnMut(InstallProgress),
) -> Result<(), InstallError> {
    if !Path::new("/etc/debian_version").exists() {
        return Err(InstallError::NotDebian {
            packages: packages.to_vec(),
        });
    }
    run(Command::new("sh"), POLICY, packages, progress)
}

fn run(
    mut shell: Command,
    policy: &str,
    packages: &[String],
    progress: &mut dyn FnMut(InstallProgress),
) -> Result<(), InstallError> {
    let (reader, writer) = io::pipe()?;
    let mut child = shell
        .args(["-c", SCRIPT, "mck-install", policy])
        .args(packages)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()?;
    // The command holds the pipe's other end: with it the end of the output would never be seen.
    drop(shell);
    let mut last = VecDeque::new();
    for line in BufReader::new(reader).lines() {
        let line = line?;
        if let Some(step) = parse(&line) {
            progress(step);
        } else if !line.trim().is_empty() {
            last.push_back(line);
            if last.len() > TOLD {
                last.pop_front();
            }
        }
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    let reason = Vec::from(last).join("\n");
    Err(InstallError::Failed { status, reason })
}

/// A line of apt's status (`dlstatus:` while it downloads, `pmstatus:` while dpkg works, each with
/// a number or package, percents and words), or of the script.
fn parse(line: &str) -> Option<InstallProgress> {
    if let Some(message) = line.strip_prefix("mck: ") {
        return Some(InstallProgress {
            percent: None,
            message: message.to_owned(),
        });
    }
    let mut fields = line.splitn(4, ':');
    let kind = fields.next()?;
    if !matches!(kind, "dlstatus" | "pmstatus") {
        return None;
    }
    let percent = fields.nth(1)?.parse().ok()?;
    Some(InstallProgress {
        percent: Some(percent),
        message: fields.next()?.trim().to_owned(),
    })
}

/// The policy of an installation that was killed altogether: services that are installed later
/// would not start.
pub(super) fn leftover() -> Option<Finding> {
    let text = fs::read_to_string(POLICY).ok()?;
    text.contains("made by mck").then(|| {
        let detail = "an interrupted installation left it; it keeps services from starting";
        Finding::new(Area::Installation, POLICY, Status::Warning, detail)
            .hint(format!("remove it with `rm {POLICY}`"))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder with an `apt-get` that notes its arguments and whether the policy is there, and
    /// ends with this status.
    fn apt_that_ends_with(status: u8) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let apt = folder.path().join("apt-get");
        let at = folder.path().display();
        let script = format!(
            "#!/bin/sh\necho \"$@\" >>{at}/calls\n\
             [ -x {at}/policy ] && cat {at}/policy >>{at}/seen\n\
             echo 'pmstatus:crun:50.0000:Unpacking crun'\necho 'E: no such thing' >&2\n\
             exit {status}\n"
        );
        fs::write(&apt, script).unwrap();
        fs::set_permissions(&apt, fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    fn install_with(folder: &Path) -> (Result<(), InstallError>, Vec<InstallProgress>) {
        let mut shell = Command::new("/bin/sh");
        shell.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
        let policy = folder.join("policy").display().to_string();
        let mut steps = Vec::new();
        let result = run(shell, &policy, &["crun".to_owned()], &mut |step| {
            steps.push(step);
        });
        (result, steps)
    }

    #[test]
    fn services_are_kept_from_starting_only_while_it_installs() {
        let folder = apt_that_ends_with(0);
        let (result, steps) = install_with(folder.path());
        result.unwrap();
        let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
        assert!(
            calls.contains("install -y --no-install-recommends"),
            "{calls}"
        );
        assert!(calls.trim_end().ends_with("-- crun"), "{calls}");
        let seen = fs::read_to_string(folder.path().join("seen")).unwrap();
        assert!(seen.contains("exit 101"));
        assert!(!folder.path().join("policy").exists());
        assert_eq!(steps.last().unwrap().message, "Unpacking crun");
        assert_eq!(steps.last().unwrap().percent, Some(50.0));
    }

    #[test]
    fn a_failure_tells_what_apt_said_and_cleans_up() {
        let folder = apt_that_ends_with(100);
        let (result, _) = install_with(folder.path());
        let error = result.unwrap_err().to_string();
        assert!(error.contains("E: no such thing"), "{error}");
        assert!(!folder.path().join("policy").exists());
    }

    #[test]
    fn a_policy_of_the_machine_is_kept() {
        let folder = apt_that_ends_with(0);
        let policy = folder.path().join("policy");
        fs::write(&policy, "#!/bin/sh\nexit 101 # the machine's own\n").unwrap();
        install_with(folder.path()).0.unwrap();
        let kept = fs::read_to_string(&policy).unwrap();
        assert!(kept.contains("the machine's own"));
    }

    #[test]
    fn other_lines_are_no_progress() {
        assert_eq!(parse("Reading package lists..."), None);
        assert_eq!(parse("pmstatus:x:not a number:y"), None);
        let step = parse("dlstatus:1:33.3333:Retrieving file 1 of 3: a").unwrap();
        assert_eq!(step.message, "Retrieving file 1 of 3: a");
    }
}
