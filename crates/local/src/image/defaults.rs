//! What an image says where a container's settings are silent.

use super::{ImageConfig, Users};
use crate::{accounts::UnknownUser, container::ContainerPlan};

/// Why an image's container can't be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefaultsError {
    /// The image has no such user.
    #[error("the image does not know the container's user")]
    User(#[from] UnknownUser),
    /// Neither the settings nor the image have a command.
    #[error("neither the container nor its image has a command")]
    NoCommand,
}

/// What the settings say; nothing where they leave it to the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Explicit<'a> {
    /// The command.
    pub command: Option<&'a [String]>,
    /// The user, by name or number.
    pub user: Option<&'a str>,
    /// The folder in which the command starts.
    pub working_directory: Option<&'a str>,
    /// The signal that asks the container to stop.
    pub stop_signal: Option<&'a str>,
}

/// Completes a plan by its image. As in ECS and Docker, a `command` of the settings replaces the
/// image's and is still given to its entry point; environment variables of the plan win over the
/// image's; users are the image's, whoever names them.
///
/// # Errors
/// When there is no command or the image does not know the user.
pub fn apply_defaults(
    plan: &mut ContainerPlan,
    config: &ImageConfig,
    users: &Users,
    explicit: &Explicit<'_>,
) -> Result<(), DefaultsError> {
    let command = explicit.command.unwrap_or(&config.cmd);
    plan.command = [&config.entrypoint, command].concat();
    if plan.command.is_empty() {
        return Err(DefaultsError::NoCommand);
    }
    plan.user = users.resolve(explicit.user.unwrap_or(&config.user))?;
    let folder = explicit.working_directory.unwrap_or(&config.working_dir);
    plan.working_directory = format!("/{}", folder.trim_start_matches('/'));
    let signal = explicit.stop_signal.or(config.stop_signal.as_deref());
    signal
        .unwrap_or("SIGTERM")
        .clone_into(&mut plan.stop_signal);
    for (name, value) in &config.env {
        let variable = plan.environment.0.entry(name.clone());
        variable.or_insert_with(|| value.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use super::*;
    use crate::container::{Limits, RootTree, User, plan::Environment};

    fn plan() -> ContainerPlan {
        ContainerPlan {
            id: "task.web".to_owned(),
            network_namespace: PathBuf::new(),
            hostname: String::new(),
            command: vec!["left over".to_owned()],
            working_directory: String::new(),
            user: User { uid: 9, gid: 9 },
            environment: Environment::default(),
            root: RootTree::Machine,
            read_only_root: true,
            capabilities: Vec::new(),
            trees: Vec::new(),
            binds: Vec::new(),
            folders: Vec::new(),
            temporary: Vec::new(),
            files: Vec::new(),
            masked: Vec::new(),
            cgroup: PathBuf::new(),
            limits: Limits::default(),
            stop_signal: String::new(),
            stop_timeout: Duration::ZERO,
            stop_order: 0,
            terminal: false,
        }
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_command_is_the_entry_point_and_the_command_of_whoever_says_one() {
        for (entrypoint, cmd, explicit, expected) in [
            ("", "serve", None, Some("serve")),
            ("/entry", "serve", None, Some("/entry serve")),
            ("/entry", "", None, Some("/entry")),
            ("/entry", "serve", Some("cron run"), Some("/entry cron run")),
            ("", "serve", Some("cron run"), Some("cron run")),
            ("", "", None, None),
        ] {
            let config = ImageConfig {
                entrypoint: words(entrypoint),
                cmd: words(cmd),
                ..ImageConfig::default()
            };
            let explicit_command = explicit.map(words);
            let explicit = Explicit {
                command: explicit_command.as_deref(),
                ..Explicit::default()
            };
            let mut plan = plan();
            let result = apply_defaults(&mut plan, &config, &Users::default(), &explicit);
            match expected {
                Some(expected) => assert_eq!((result, plan.command), (Ok(()), words(expected))),
                None => assert_eq!(result, Err(DefaultsError::NoCommand)),
            }
        }
    }

    #[test]
    fn settings_come_first_then_the_image_then_the_usual() {
        let users = Users {
            passwd: "app:x:33:34::/:/x\nother:x:5:6::/:/x\n".to_owned(),
            group: String::new(),
        };
        let silent = ImageConfig::default();
        let image = ImageConfig {
            user: "app".to_owned(),
            working_dir: "srv".to_owned(),
            stop_signal: Some("SIGQUIT".to_owned()),
            ..ImageConfig::default()
        };
        let said = Explicit {
            user: Some("other"),
            working_directory: Some("/opt"),
            stop_signal: Some("SIGINT"),
            ..Explicit::default()
        };
        let nothing = Explicit::default();
        for (config, explicit, uid, folder, signal) in [
            (&silent, &nothing, 0, "/", "SIGTERM"),
            (&image, &nothing, 33, "/srv", "SIGQUIT"),
            (&image, &said, 5, "/opt", "SIGINT"),
            (&silent, &said, 5, "/opt", "SIGINT"),
        ] {
            let command = words("run");
            let explicit = Explicit {
                command: Some(&command),
                ..*explicit
            };
            let mut plan = plan();
            apply_defaults(&mut plan, config, &users, &explicit).unwrap();
            assert_eq!(plan.user.uid, uid);
            assert_eq!(plan.working_directory, folder);
            assert_eq!(plan.stop_signal, signal);
        }
    }

    #[test]
    fn variables_of_the_settings_win_over_the_images() {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            owned.collect()
        };
        let config = ImageConfig {
            env: pairs(&[("PATH", "/app/bin"), ("MODE", "image")]),
            cmd: words("run"),
            ..ImageConfig::default()
        };
        let mut plan = plan();
        plan.environment = Environment(pairs(&[("MODE", "file"), ("TASK_ID", "a")]));
        apply_defaults(&mut plan, &config, &Users::default(), &Explicit::default()).unwrap();
        let expected = pairs(&[("MODE", "file"), ("PATH", "/app/bin"), ("TASK_ID", "a")]);
        assert_eq!(plan.environment, Environment(expected));
    }

    #[test]
    fn an_unknown_user_is_an_error() {
        let config = ImageConfig {
            user: "ghost".to_owned(),
            cmd: words("run"),
            ..ImageConfig::default()
        };
        let error = apply_defaults(
            &mut plan(),
            &config,
            &Users::default(),
            &Explicit::default(),
        );
        assert!(matches!(error, Err(DefaultsError::User(_))));
    }
}
