//! What looks like a secret, so that it is reported without being shown.

use toml_parser::{
    Source,
    lexer::{Token, TokenKind},
};

/// Words at the end of a name that make it a secret's.
const WORDS: [&str; 10] = [
    "PASSWORD",
    "PASSWD",
    "PASS",
    "PASSPHRASE",
    "PWD",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
];

/// Words before a last `KEY` that make it a secret's.
const KEYS: [&str; 11] = [
    "API",
    "PRIVATE",
    "ACCESS",
    "SECRET",
    "ENCRYPTION",
    "CRYPT",
    "LICENSE",
    "SIGNING",
    "AUTH",
    "MASTER",
    "APP",
];

/// Keys of the file whose value is the name of a secret rather than the secret.
const REFERENCES: [&str; 5] = [
    "api-token",
    "api-key",
    "license-key",
    "server-token",
    "admin-api-key",
];

/// How the secrets of well-known services begin.
const PREFIXES: [&str; 15] = [
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "xoxb-",
    "xoxp-",
    "shpat_",
    "dop_v1_",
    "NRAK-",
    "npm_",
];

/// Whether a variable or key of this name holds a secret: `MYSQL_PASSWORD`, `STRIPE_API_KEY`.
pub(crate) fn name_is_secret(name: &str) -> bool {
    let name = name.to_uppercase().replace('-', "_");
    let name = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [.., kind, "KEY"] | [.., kind, "KEY", "ID"] if KEYS.contains(kind) => true,
        [.., last] => WORDS.contains(last),
        [] => false,
    }
}

/// Whether a value of such a name is nothing that must be hidden: empty or a switch.
pub(crate) fn value_is_harmless(value: &str) -> bool {
    ["", "0", "1", "true", "false", "yes", "no", "on", "off"]
        .contains(&value.to_lowercase().as_str())
}

/// Whether a text is or holds a secret, whatever its name: keys of well-known services, private
/// keys, JSON Web Tokens, addresses with a password.
pub(crate) fn value_is_secret(value: &str) -> bool {
    value.contains("-----BEGIN") || has_url_password(value) || value.split(separator).any(is_key)
}

fn separator(letter: char) -> bool {
    letter.is_whitespace() || "\"'=,;:&?#".contains(letter)
}

fn is_key(word: &str) -> bool {
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let access_key = (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.len() == 20
        && word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let known = PREFIXES.iter().any(|prefix| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() >= 12 && plain(rest))
    });
    let google = word.starts_with("AIza") && word.len() == 39 && plain(word);
    let parts: Vec<&str> = word.split('.').collect();
    let web_token = word.starts_with("eyJ")
        && parts.len() == 3
        && parts.iter().all(|part| part.len() >= 10 && plain(part));
    access_key || known || google || web_token
}

fn has_url_password(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', ' ', '"', '\'']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty())
    })
}

/// Whether a text where the name of a secret belongs looks like the secret itself: long, without
/// a hyphen, letters and digits mixed.
pub(crate) fn looks_like_the_secret_itself(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    value_is_secret(value) || (value.len() >= 16 && digits >= 2 && !value.contains('-'))
}

/// Whether a text can hardly be anything but a name: lower-case words joined by hyphens.
fn is_hyphenated_name(value: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    value.contains('-') && value.split('-').all(word)
}

/// A value for a message: in quotes, or not at all where it may be a secret.
pub(crate) fn quote(value: &str) -> String {
    if looks_like_the_secret_itself(value) {
        "this value".to_owned()
    } else {
        format!("`{value}`")
    }
}

/// The file with every value that may be a secret replaced by asterisks, each byte by one, so that
/// places stay true. It works on tokens, since a file that is no TOML must not show secrets either.
pub(crate) fn mask(text: &str) -> String {
    let tokens: Vec<Token> = Source::new(text).lex().collect();
    let mut masked = text.as_bytes().to_vec();
    let mut scanner = Scanner::default();
    for token in tokens {
        let span = token.span().start()..token.span().end();
        if scanner.hides(token.kind(), &text[span.clone()]) {
            for byte in &mut masked[span] {
                if !byte.is_ascii_whitespace() {
                    *byte = b'*';
                }
            }
        }
    }
    String::from_utf8(masked).expect("whole tokens were replaced by ASCII")
}

/// Where in the file a token stands. It trusts nothing but a name and the `=` after it, so that
/// brackets which are never closed don't make it lose its way; in doubt it hides too much.
#[derive(Default)]
struct Scanner {
    /// The last key-like token.
    word: String,
    /// A word of this line has been seen.
    within_line: bool,
    in_header: bool,
    /// The table (its header, or its braces) maps variables to names of secrets.
    header_of_references: bool,
    inline_of_references: bool,
    /// After an `=`.
    in_value: bool,
    /// The value is the name of a secret, if it looks like one.
    reference: bool,
    /// Hide the value, which goes on while this many of its brackets are open.
    hiding: bool,
    open: usize,
}

impl Scanner {
    fn hides(&mut self, kind: TokenKind, text: &str) -> bool {
        match kind {
            TokenKind::Whitespace | TokenKind::Eof => return false,
            TokenKind::Comment => return is_assignment_of_secret(text),
            TokenKind::Newline => {
                self.end_line();
                return false;
            }
            TokenKind::Equals => self.begin_value(),
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => self.open(kind),
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => self.close(),
            TokenKind::Comma if self.open == 0 => (self.hiding, self.in_value) = (false, false),
            TokenKind::Comma | TokenKind::Dot => return self.hiding,
            _ => return self.hides_word(text),
        }
        self.within_line = true;
        false
    }

    fn open(&mut self, kind: TokenKind) {
        if self.hiding {
            self.open += 1;
        } else if kind == TokenKind::LeftCurlyBracket {
            self.inline_of_references = self.in_value && self.word == "secrets";
            self.in_value = false;
        } else if !self.within_line {
            self.in_header = true;
            self.word.clear();
        }
    }

    fn close(&mut self) {
        self.inline_of_references = false;
        self.hiding &= self.open > 0;
        self.open = self.open.saturating_sub(1);
    }

    fn begin_value(&mut self) {
        if self.hiding && self.open > 0 {
            return;
        }
        self.in_value = true;
        self.open = 0;
        self.reference = self.header_of_references || self.inline_of_references;
        self.hiding = name_is_secret(&self.word) && !self.reference;
    }

    fn hides_word(&mut self, text: &str) -> bool {
        self.within_line = true;
        let bare = text.trim_matches(['"', '\'']);
        if !self.in_value && !self.hiding {
            bare.clone_into(&mut self.word);
            return text.lines().any(is_assignment_of_secret);
        }
        if self.reference && !self.hiding {
            return looks_like_the_secret_itself(bare);
        }
        let named = REFERENCES.contains(&self.word.as_str()) && is_hyphenated_name(bare);
        (self.hiding && !named) || text.lines().any(is_assignment_of_secret)
    }

    fn end_line(&mut self) {
        if self.in_header {
            self.header_of_references = self.word == "secrets";
        }
        self.hiding &= self.open > 0;
        (self.within_line, self.in_header, self.in_value) = (false, false, false);
        self.inline_of_references = false;
    }
}

/// Whether a line of other text, such as a comment, shows a secret.
fn is_assignment_of_secret(text: &str) -> bool {
    let assigned = text.split_once('=').is_some_and(|(name, value)| {
        let name = name.trim_start_matches(['#', '"']).trim();
        name_is_secret(name)
            && !REFERENCES.contains(&name)
            && !value_is_harmless(value.trim().trim_matches('"'))
    });
    assigned || value_is_secret(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_end_in_a_secret_word_are_secret() {
        for name in [
            "MYSQL_PASSWORD",
            "stripe-api-key",
            "TOKEN",
            "AWS_ACCESS_KEY_ID",
            "DB_PASS",
            "JWT_SECRET",
            "PRIVATE_KEY",
            "SMTP_PASSWORD2",
        ] {
            assert!(name_is_secret(name), "{name}");
        }
        for name in [
            "TOKEN_LIFETIME",
            "KEYBOARD",
            "PASSAGE",
            "CACHE_KEY",
            "PATH",
            "MAGE_MODE",
            "",
        ] {
            assert!(!name_is_secret(name), "{name}");
        }
    }

    #[test]
    fn known_forms_of_secrets_are_found_anywhere_in_a_value() {
        for value in [
            "AKIAIOSFODNN7EXAMPLE",
            "key=AKIAIOSFODNN7EXAMPLE",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "-----BEGIN RSA PRIVATE KEY-----",
            "mysql://shop:hunter2@db/shop",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w",
        ] {
            assert!(value_is_secret(value), "{value}");
        }
        for value in [
            "https://shop.example.com/a:b@c",
            "eyJ",
            "ghp_",
            "sk_live_",
            "AKIA",
            "a@b.c",
        ] {
            assert!(!value_is_secret(value), "{value}");
        }
    }

    #[test]
    fn masking_hides_values_and_keeps_every_place() {
        let text = "MYSQL_PASSWORD = \"hé\" # note\nok = \"x\"\nk = { API_KEY = 'a', b = 'c' }\n";
        let masked = mask(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(
            masked,
            "MYSQL_PASSWORD = ***** # note\nok = \"x\"\nk = { API_KEY = ***, b = 'c' }\n"
        );
    }

    #[test]
    fn masking_hides_multi_line_values_lists_and_broken_lines() {
        for text in [
            "pem = \"\"\"-----BEGIN KEY-----\nabc\n\"\"\"",
            "password = [\n\"abc\",\n\"abc\"]",
            "password = abc.abc ]",
            "x = \"AKIAIOSFODNN7EXAMPLE\nDB_PASSWORD = \"abc",
            "# DB_PASSWORD = \"abc\"",
            "[a\ntoken = \"abc\"",
            "\"api\".password = 'abc'",
            "x = [\n[database]\nDB_PASSWORD = \"abc\"",
            "x = \"\"\"\nDB_PASSWORD = \"abc\"\n",
            "password = { a = \"abc\" }",
            "secrets = { A = \"x\"\nDB_PASSWORD = \"abc\"",
        ] {
            let masked = mask(text);
            assert!(
                !masked.contains("abc") && !masked.contains("AKIA"),
                "{text:?} {masked:?}"
            );
        }
    }

    #[test]
    fn names_of_secrets_stay_readable() {
        for text in [
            "secrets = { API_KEY = \"stripe\" }",
            "[app.shop.secrets]\nAPI_KEY = \"stripe\"",
            "[integration.bugsnag]\napi-key = \"bugsnag-key\"",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
