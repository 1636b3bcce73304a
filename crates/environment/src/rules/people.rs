//! Who comes in from outside: people's keys, and continuous integration.

use super::Rules;
use crate::secrecy;

/// The kinds of public keys that OpenSSH takes (ssh-keygen(1), sshd_config(5)).
const KEY_KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

pub(super) fn check(rules: &mut Rules<'_>) {
    for (index, key) in rules.settings.bastion.authorized_keys.iter().enumerate() {
        let path = ["bastion", "authorized-keys", &index.to_string()];
        // A private key is reported as the secret that it is, like all others in the file.
        if !secrecy::value_is_secret(key) && !is_public_key(key) {
            let message = "This is no public key of OpenSSH.".to_owned();
            let help = "Write the one line of the file that ends in `.pub`, such as \
                        `ssh-ed25519 AAAAC3Nza… name`, without options.";
            rules.wrong("bad_key", &path, message, help);
        }
    }
    let ci = &rules.settings.ci;
    let github = ci.github.as_ref().map(|it| &it.branches);
    let gitlab = ci.gitlab.as_ref().map(|it| &it.branches);
    for (service, branches) in [("github", github), ("gitlab", gitlab)] {
        if branches.is_some_and(Vec::is_empty) {
            let message = "No branch may deploy.".to_owned();
            let help = "Name branches, or leave `branches` out for `main`.";
            rules.wrong("no_branch", &["ci", service, "branches"], message, help);
        }
    }
}

/// `kind base64 comment`: the base64 begins with the length and name of the kind (RFC 4253, section
/// 6.6), which are 0 in its first letters, `AAAA`.
fn is_public_key(text: &str) -> bool {
    let mut words = text.split(' ');
    let kind = words.next().is_some_and(|kind| KEY_KINDS.contains(&kind));
    let base64 = |it: u8| it.is_ascii_alphanumeric() || b"+/=".contains(&it);
    let blob = words.next().is_some_and(|blob| {
        blob.len() >= 68 && blob.starts_with("AAAA") && blob.bytes().all(base64)
    });
    kind && blob && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIN1tnJJHZ9oFYuEtJ3Rm2hlY5mCkNf2zgmCjSwOHnYRj";

    #[test]
    fn public_keys_are_one_line_of_a_known_kind() {
        for good in [
            format!("ssh-ed25519 {BLOB}"),
            format!("ssh-ed25519 {BLOB} anna at home"),
        ] {
            assert!(is_public_key(&good), "{good}");
        }
        for bad in [
            BLOB.to_owned(),
            format!("ssh-dss {BLOB}"),
            format!("ssh-ed25519 {BLOB}\nssh-rsa {BLOB}"),
            "ssh-ed25519 AAAA".to_owned(),
            format!("command=\"true\" ssh-ed25519 {BLOB}"),
            String::new(),
        ] {
            assert!(!is_public_key(&bad), "{bad}");
        }
    }
}
