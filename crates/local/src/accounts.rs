//! Users of a root file system, from its `/etc/passwd`.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::container::User;

/// A container's user that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no user `{0}`")]
pub struct UnknownUser(pub String);

/// Users by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(BTreeMap<String, User>);

impl Accounts {
    /// The users of the root file system at `root`.
    ///
    /// # Errors
    /// When it has no readable `/etc/passwd`.
    pub fn read(root: &Path) -> io::Result<Self> {
        fs::read_to_string(root.join("etc/passwd")).map(|text| Self::parse(&text))
    }

    /// The users of a text in the form of passwd(5); other lines are passed over.
    pub fn parse(text: &str) -> Self {
        let entry = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some((name, User { uid, gid }))
        };
        Self(text.lines().filter_map(entry).collect())
    }

    /// The user of a name, or of a number with an optional group: `www-data`, `33`, `33:33`.
    ///
    /// # Errors
    /// When the name is unknown.
    pub fn user(&self, text: &str) -> Result<User, UnknownUser> {
        if let Some(user) = self.0.get(text) {
            return Ok(user.clone());
        }
        let (uid, gid) = text.split_once(':').unwrap_or((text, text));
        match (uid.parse(), gid.parse()) {
            (Ok(uid), Ok(gid)) => Ok(User { uid, gid }),
            _ => Err(UnknownUser(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let accounts = Accounts::parse("root:x:0:0::/root:/bin/sh\nwww-data:x:33:34::/:/x\nbad\n");
        assert_eq!(accounts.user("www-data"), Ok(User { uid: 33, gid: 34 }));
        assert_eq!(
            accounts.user("1000"),
            Ok(User {
                uid: 1000,
                gid: 1000
            })
        );
        assert_eq!(accounts.user("7:8"), Ok(User { uid: 7, gid: 8 }));
        assert_eq!(
            accounts.user("nobody"),
            Err(UnknownUser("nobody".to_owned()))
        );
    }
}
