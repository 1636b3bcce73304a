//! The user that an image's container runs as, by the rules of Docker's `USER`.

use crate::{accounts::UnknownUser, container::User};

/// The users and groups of an image: its `/etc/passwd` and `/etc/group`, empty where it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// The text of `/etc/passwd`, see passwd(5).
    pub passwd: String,
    /// The text of `/etc/group`, see group(5).
    pub group: String,
}

impl Users {
    /// The user of `NAME`, `NUMBER`, or either with `:GROUP`; nothing is root. The group that is
    /// not said is the one in `/etc/passwd`, or 0 for a number that is not there.
    ///
    /// # Errors
    /// When a name is unknown.
    pub fn resolve(&self, text: &str) -> Result<User, UnknownUser> {
        let unknown = || UnknownUser(text.to_owned());
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let known = entry(&self.passwd, |fields| fields[0] == user)
            .or_else(|| entry(&self.passwd, |fields| fields.get(2) == Some(&user)));
        let number = |fields: &[&str], index: usize| fields.get(index)?.parse::<u32>().ok();
        let (uid, own_group) = match known {
            Some(fields) => (number(&fields, 2), number(&fields, 3)),
            None => (user.parse().ok(), Some(0)),
        };
        let gid = match group {
            None | Some("") => own_group,
            Some(group) => match entry(&self.group, |fields| fields[0] == group) {
                Some(fields) => number(&fields, 2),
                None => group.parse().ok(),
            },
        };
        Ok(User {
            uid: uid.ok_or_else(unknown)?,
            gid: gid.ok_or_else(unknown)?,
        })
    }
}

fn entry(text: &str, is_it: impl Fn(&[&str]) -> bool) -> Option<Vec<&str>> {
    let lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.into_iter().find(|fields| is_it(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_as_docker_finds_them() {
        let users = Users {
            passwd: "root:x:0:0::/root:/bin/sh\napp:x:33:34::/:/x\nbad\nworse:x:y:z\n".to_owned(),
            group: "root:x:0:\nweb:x:80:app\n".to_owned(),
        };
        for (text, uid, gid) in [
            ("", 0, 0),
            ("root", 0, 0),
            ("app", 33, 34),
            ("app:web", 33, 80),
            ("app:7", 33, 7),
            ("33", 33, 34),
            ("1001", 1001, 0),
            ("1001:1002", 1001, 1002),
            ("1001:web", 1001, 80),
        ] {
            assert_eq!(users.resolve(text), Ok(User { uid, gid }), "{text}");
        }
        for text in ["nobody", "app:none", "bad", "worse", "-1"] {
            assert!(users.resolve(text).is_err(), "{text}");
        }
        assert_eq!(
            Users::default().resolve(""),
            Ok(User { uid: 0, gid: 0 }),
            "an image need not know any user"
        );
    }
}
