//! The cookies of one visitor.

use std::collections::BTreeMap;

/// Name and value of the cookies that one server set. Paths, domains and expiry dates are left out:
/// a drill speaks with one host, for minutes. A cookie set to an empty value, or with `Max-Age=0`, is
/// removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cookies {
    values: BTreeMap<String, String>,
}

impl Cookies {
    /// Takes over the value of one `Set-Cookie` header (RFC 6265, section 5.2).
    pub(crate) fn set(&mut self, header: &str) {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        let is_expired = parts.any(|part| part.eq_ignore_ascii_case("max-age=0"));
        if value.is_empty() || is_expired {
            self.values.remove(name);
        } else if !name.is_empty() {
            self.values.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The value of the `Cookie` header, or nothing if there is no cookie.
    pub(crate) fn header(&self) -> Option<String> {
        if self.values.is_empty() {
            return None;
        }
        let pairs: Vec<String> = self
            .values
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Some(pairs.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_an_expired_cookie_goes() {
        let mut cookies = Cookies::default();
        assert_eq!(cookies.header(), None);
        cookies.set("session=one; Path=/; HttpOnly");
        cookies.set("session=a=b.c; path=/");
        cookies.set("theme=dark");
        cookies.set("nonsense");
        assert_eq!(
            cookies.header().as_deref(),
            Some("session=a=b.c; theme=dark")
        );
        cookies.set("theme=gone; Max-Age=0");
        cookies.set("session=; path=/");
        assert_eq!(cookies.header(), None);
    }
}
