//! Who asks: written beside each deployment.

use crate::environment_variables as variables;

/// `user@host`: the person behind `sudo`, else the user.
pub fn asks() -> String {
    let read = |name| {
        let value = variables::read(name)?.into_string().ok()?;
        Some(value).filter(|value| value.chars().all(|one| one.is_ascii_graphic()))
    };
    let user = read(variables::SUDO_USER).or_else(|| read(variables::USER));
    let name = rustix::system::uname();
    let host = name.nodename().to_string_lossy();
    format!("{}@{host}", user.unwrap_or_else(|| "root".to_owned()))
}
