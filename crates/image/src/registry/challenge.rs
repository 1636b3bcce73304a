//! What a registry asks for before it answers (RFC 6750, RFC 7617).

use crate::reference::is_loopback;

/// What a refusal asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Bearer {
        realm: String,
        service: String,
        scope: String,
    },
    Basic,
    Other,
}

impl Challenge {
    pub(super) fn read(header: &str) -> Self {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Self::Basic;
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Self::Other;
        }
        // Values are in quotes and may hold commas.
        let value = |name: &str| {
            let (_, rest) = rest.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        match value("realm") {
            Some(realm) => Self::Bearer {
                realm,
                service: value("service").unwrap_or_default(),
                scope: value("scope").unwrap_or_default(),
            },
            None => Self::Other,
        }
    }
}

/// Whether a password may be sent to an address.
pub(super) fn may_be_asked(realm: &str) -> bool {
    let plain = realm.strip_prefix("http://");
    let host = plain.map(|it| it.split('/').next().unwrap_or(it));
    realm.starts_with("https://") || host.is_some_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.example.com/token",service="r",scope="repository:a/b:pull,push""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.example.com/token".to_owned(),
            service: "r".to_owned(),
            scope: "repository:a/b:pull,push".to_owned(),
        };
        assert_eq!(Challenge::read(header), expected);
        assert_eq!(Challenge::read("Basic realm=\"x\""), Challenge::Basic);
        assert_eq!(Challenge::read("Digest x"), Challenge::Other);
        assert_eq!(Challenge::read(""), Challenge::Other);
    }

    #[test]
    fn a_password_goes_over_tls_or_stays_on_the_machine() {
        for good in [
            "https://auth.example.com/token",
            "http://127.0.0.1:5001/token",
        ] {
            assert!(may_be_asked(good), "{good}");
        }
        for bad in [
            "http://auth.example.com/token",
            "http://127.0.0.1.example.com/",
            "token",
            "",
        ] {
            assert!(!may_be_asked(bad), "{bad}");
        }
    }
}
