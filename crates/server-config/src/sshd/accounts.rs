//! The bastion's own account files.

use crate::text::{UnsafeText, word};

/// The person who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginUser {
    /// Account name: a lower-case letter, then up to 31 lower-case letters, digits, `-`, `_`.
    pub name: String,
    /// User and group number, not one of the machine's own: 1000 or more.
    pub id: u32,
    /// Home directory, which must exist in the container.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

impl LoginUser {
    /// The account `bastion` with a number above those of ordinary and below those of dynamic
    /// accounts (60578 to 61183 is left free by systemd), and a home on the container's tmpfs.
    pub fn bastion() -> Self {
        Self {
            name: "bastion".to_owned(),
            id: 61_000,
            home: "/tmp".to_owned(),
            shell: "/bin/bash".to_owned(),
        }
    }
}

/// Texts to be mounted over the files of the same name in `/etc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// `/etc/passwd`, 0644.
    pub passwd: String,
    /// `/etc/group`, 0644.
    pub group: String,
    /// `/etc/shadow`, 0640. No account has a password, nor can one be guessed.
    pub shadow: String,
}

/// The account files: root, the login user, and those that sshd looks up. `*` rather than `!` as a
/// password, since sshd refuses keys to locked accounts.
///
/// # Errors
/// [`UnsafeText`] when the login user can't be one.
pub fn accounts(user: &LoginUser) -> Result<Accounts, UnsafeText> {
    let field = "the name of the login user";
    let valid = user.name.len() <= 32
        && user
            .name
            .starts_with(|first: char| first.is_ascii_lowercase())
        && user.name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
        });
    if !valid {
        return Err(UnsafeText {
            field,
            problem: "is not an account name",
        });
    }
    if ["root", "sshd", "nobody", "tty", "nogroup"].contains(&user.name.as_str()) {
        return Err(UnsafeText {
            field,
            problem: "is taken by the system",
        });
    }
    if !(1000..65_534).contains(&user.id) {
        let field = "the number of the login user";
        return Err(UnsafeText {
            field,
            problem: "must be 1000 to 65533",
        });
    }
    for path in [&user.home, &user.shell] {
        if word("a path of the login user", path)?.contains(':') {
            let field = "a path of the login user";
            return Err(UnsafeText {
                field,
                problem: "may not hold ':'",
            });
        }
    }
    let LoginUser {
        name,
        id,
        home,
        shell,
    } = user;
    Ok(Accounts {
        passwd: format!(
            "root:x:0:0:root:/root:/usr/sbin/nologin
sshd:x:74:65534:sshd:/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
{name}:x:{id}:{id}:{name}:{home}:{shell}
"
        ),
        group: format!("root:x:0:\ntty:x:5:\nnogroup:x:65534:\n{name}:x:{id}:\n"),
        shadow: ["root", "sshd", "nobody", name]
            .map(|name| format!("{name}:*:1:0:99999:7:::\n"))
            .concat(),
    })
}
