//! SQL dumps: whether a file is one, and what is changed in it on its way into another schema.

use std::borrow::Cow;

/// How a dump is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// It is not.
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstandard,
}

impl Compression {
    /// What the first bytes of a file say.
    pub fn of(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Zstandard
        } else {
            Self::None
        }
    }

    /// What the end of a file's name asks for.
    pub fn for_name(name: &str) -> Self {
        if name.ends_with(".gz") {
            Self::Gzip
        } else if name.ends_with(".zst") {
            Self::Zstandard
        } else {
            Self::None
        }
    }

    /// The program that undoes it, from standard input to standard output.
    pub fn decompress_command_line(self) -> Vec<String> {
        self.command_line("-dc")
    }

    /// The program that does it, from standard input to standard output.
    pub fn compress_command_line(self) -> Vec<String> {
        self.command_line("-c")
    }

    fn command_line(self, option: &str) -> Vec<String> {
        let line: &[&str] = match self {
            Self::None => &["cat"],
            Self::Gzip => &["gzip", option],
            Self::Zstandard => &["zstd", "-q", option],
        };
        line.iter().map(|&word| word.to_owned()).collect()
    }
}

/// Why something is not a dump that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotADump {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is no text.
    #[error("it is no SQL but something else (bytes that no dump has)")]
    Binary,
    /// Its first line is no statement.
    #[error("it does not begin like an SQL dump but with {0:?}")]
    Text(String),
    /// The last line that the dump program writes is not there.
    #[error("it is cut off: the line `-- Dump completed` at its end is missing")]
    CutOff,
    /// It has several schemas.
    #[error("it is a dump of several schemas ({one} and {other}); import one at a time")]
    SeveralSchemas {
        /// The first.
        one: String,
        /// Another one.
        other: String,
    },
}

/// Whether definers of views, triggers and routines are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Definers {
    /// As the dump says. One who does not exist makes a view or trigger unusable.
    Keep,
    /// The account that imports.
    Drop,
}

/// Takes a dump line by line, checks it and gives the lines to be loaded.
#[derive(Debug)]
pub struct Filter {
    definers: Definers,
    begun: bool,
    ends_with_mark: bool,
    complete: bool,
    leaving_out: bool,
    schema: Option<String>,
}

impl Filter {
    /// A filter at the start of a dump.
    pub fn new(definers: Definers) -> Self {
        Self {
            definers,
            begun: false,
            ends_with_mark: false,
            complete: false,
            leaving_out: false,
            schema: None,
        }
    }

    /// The next line with its line feed; gives what to load in its place.
    ///
    /// # Errors
    /// [`NotADump`] as soon as that is seen.
    pub fn line<'a>(&mut self, line: &'a [u8]) -> Result<Cow<'a, [u8]>, NotADump> {
        let text = line.trim_ascii();
        if !self.begun && !text.is_empty() {
            self.begin(text)?;
        }
        if starts_with(text, b"-- Dump completed") {
            self.complete = true;
        }
        if self.leaving_out || is_of_replication(text) {
            self.leaving_out = !text.ends_with(b";");
            return Ok(Cow::Borrowed(b"\n"));
        }
        if let Some(name) = schema_of(text) {
            // The schema to load into is chosen by who imports.
            if starts_with(text, b"USE") {
                self.use_schema(name)?;
            }
            return Ok(Cow::Borrowed(b"\n"));
        }
        let defines = [&b"CREATE"[..], b"/*!", b"/*M!"];
        if self.definers == Definers::Drop && defines.iter().any(|word| starts_with(text, word)) {
            return Ok(without_definer(line));
        }
        Ok(Cow::Borrowed(line))
    }

    fn begin(&mut self, text: &[u8]) -> Result<(), NotADump> {
        if text.iter().any(|&byte| byte < b' ' && byte != b'\t') {
            return Err(NotADump::Binary);
        }
        let marks: [&[u8]; 4] = [
            b"-- MariaDB dump",
            b"-- MySQL dump",
            b"/*M!999999",
            b"/*!999999",
        ];
        self.ends_with_mark |= marks[..2].iter().any(|mark| starts_with(text, mark));
        // The sandbox line stands before the comment that tells who made the dump.
        let sandbox = marks[2..].iter().any(|mark| starts_with(text, mark));
        let statements: [&[u8]; 20] = [
            b"--",
            b"#",
            b"/*",
            b"SET ",
            b"CREATE ",
            b"DROP ",
            b"INSERT ",
            b"REPLACE ",
            b"LOCK ",
            b"START ",
            b"BEGIN",
            b"USE ",
            b"ALTER ",
            b"DELIMITER ",
            b"UPDATE ",
            b"DELETE ",
            b"SELECT ",
            b"TRUNCATE ",
            b"RENAME ",
            b"CALL ",
        ];
        if !statements.iter().any(|word| starts_with(text, word)) {
            let shown = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
            return Err(NotADump::Text(shown));
        }
        self.begun = !sandbox;
        Ok(())
    }

    fn use_schema(&mut self, name: String) -> Result<(), NotADump> {
        match &self.schema {
            Some(one) if *one != name => Err(NotADump::SeveralSchemas {
                one: one.clone(),
                other: name,
            }),
            _ => {
                self.schema = Some(name);
                Ok(())
            }
        }
    }

    /// At the end of the dump.
    ///
    /// # Errors
    /// When it is empty or cut off.
    pub fn finish(&self) -> Result<(), NotADump> {
        if !self.begun {
            return Err(NotADump::Empty);
        }
        if self.ends_with_mark && !self.complete {
            return Err(NotADump::CutOff);
        }
        Ok(())
    }
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Whether a statement begins that tells a server's own place in replication, which is not the place of
/// the server that it is loaded into and which Aurora's users may not set. As dump programs write it,
/// it may have several lines.
fn is_of_replication(text: &[u8]) -> bool {
    let statements: [&[u8]; 6] = [
        b"SET @MYSQLDUMP_TEMP_LOG_BIN",
        b"SET @@SESSION.SQL_LOG_BIN",
        b"SET @@GLOBAL.GTID_PURGED",
        b"SET GLOBAL gtid_slave_pos",
        b"CHANGE MASTER TO ",
        b"CHANGE REPLICATION SOURCE TO ",
    ];
    statements.iter().any(|word| starts_with(text, word))
}

/// The schema of a `USE`, `CREATE DATABASE` or `DROP DATABASE` that has a line of its own, as dump
/// programs write it.
fn schema_of(text: &[u8]) -> Option<String> {
    let statements: [&[u8]; 5] = [
        b"USE ",
        b"CREATE DATABASE ",
        b"CREATE SCHEMA ",
        b"DROP DATABASE ",
        b"/*!40000 DROP DATABASE ",
    ];
    statements.iter().find(|word| starts_with(text, word))?;
    let text = String::from_utf8_lossy(text);
    let end = text.trim_end_matches("*/").trim_end().strip_suffix(';');
    let name = end.or_else(|| text.strip_suffix(';')).unwrap_or(&text);
    let quoted = name.split('`').nth(1).map(str::to_owned);
    quoted.or_else(|| name.split_whitespace().last().map(str::to_owned))
}

/// The line without ``DEFINER=`user`@`host` ``.
fn without_definer(line: &[u8]) -> Cow<'_, [u8]> {
    let word = b"DEFINER=";
    let found = line
        .windows(word.len())
        .position(|part| part.eq_ignore_ascii_case(word));
    let Some(from) = found else {
        return Cow::Borrowed(line);
    };
    let rest = &line[from + word.len()..];
    let account = name_length(rest).and_then(|user| {
        let host = rest.get(user..)?.strip_prefix(b"@")?;
        Some(user + 1 + name_length(host)?)
    });
    match account {
        Some(length) => Cow::Owned([&line[..from], &rest[length..]].concat()),
        None => Cow::Borrowed(line),
    }
}

/// The length of a name with its quotes.
fn name_length(text: &[u8]) -> Option<usize> {
    match *text.first()? {
        quote @ (b'`' | b'\'' | b'"') => {
            let inner = text[1..].iter().position(|&byte| byte == quote)?;
            Some(inner + 2)
        }
        _ => {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-%".contains(byte);
            let length = text.iter().take_while(|byte| plain(byte)).count();
            (length > 0).then_some(length)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(dump: &str) -> Result<String, NotADump> {
        let mut filter = Filter::new(Definers::Drop);
        let mut loaded = Vec::new();
        for line in dump.split_inclusive('\n') {
            loaded.extend_from_slice(&filter.line(line.as_bytes())?);
        }
        filter.finish()?;
        Ok(String::from_utf8(loaded).unwrap())
    }

    #[test]
    fn compression_is_known_by_its_first_bytes() {
        assert_eq!(Compression::of(b"\x1f\x8b\x08"), Compression::Gzip);
        assert_eq!(Compression::of(b"\x28\xb5\x2f\xfd"), Compression::Zstandard);
        assert_eq!(Compression::of(b"-- MySQL dump"), Compression::None);
        assert_eq!(Compression::for_name("a.sql.zst"), Compression::Zstandard);
    }

    #[test]
    fn what_is_no_dump_is_refused() {
        assert_eq!(load("\n \n"), Err(NotADump::Empty));
        assert_eq!(load("\x7fELF\u{1}\n"), Err(NotADump::Binary));
        assert_eq!(load("<html>\n"), Err(NotADump::Text("<html>".to_owned())));
        for head in [
            "-- MySQL dump 10.13\n",
            "/*M!999999\\- sandbox */\n-- MariaDB dump 10.19\n",
        ] {
            assert_eq!(
                load(&format!("{head}SET x=1;\n")),
                Err(NotADump::CutOff),
                "{head}"
            );
            assert!(load(&format!("{head}SET x=1;\n-- Dump completed on now\n")).is_ok());
        }
        assert!(load("-- phpMyAdmin SQL Dump\nSET x=1;\n").is_ok());
    }

    #[test]
    fn the_schema_is_chosen_by_who_imports() {
        let one = "--\nCREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 DEFAULT */;\nUSE `shop`;\nSET x=1;\n";
        assert_eq!(load(one).unwrap(), "--\n\n\nSET x=1;\n");
        let several = "--\nUSE `shop`;\nUSE `shop`;\nUSE blog;\n";
        assert_eq!(
            load(several),
            Err(NotADump::SeveralSchemas {
                one: "shop".to_owned(),
                other: "blog".to_owned()
            })
        );
    }

    #[test]
    fn definers_are_dropped_from_definitions_and_nowhere_else() {
        let lines = [
            (
                "CREATE DEFINER=`root`@`%` PROCEDURE `p`()\n",
                "CREATE  PROCEDURE `p`()\n",
            ),
            (
                "/*!50017 DEFINER=`a`@`localhost`*/ /*!50003 TRIGGER\n",
                "/*!50017 */ /*!50003 TRIGGER\n",
            ),
            (
                "/*!50013 DEFINER='a'@'b' SQL SECURITY DEFINER */\n",
                "/*!50013  SQL SECURITY DEFINER */\n",
            ),
            (
                "INSERT INTO t VALUES ('DEFINER=`a`@`b`');\n",
                "INSERT INTO t VALUES ('DEFINER=`a`@`b`');\n",
            ),
        ];
        for (line, loaded) in lines {
            assert_eq!(
                load(&format!("--\n{line}")).unwrap(),
                format!("--\n{loaded}")
            );
        }
    }

    #[test]
    fn what_a_server_says_of_replication_is_left_out() {
        let dump = "-- MySQL dump 10.13\n\
            SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;\n\
            SET @@SESSION.SQL_LOG_BIN= 0;\n\
            SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n\
            4c22fa47-71ca-11e1-9e33-c80aa9429562:1-3';\n\
            -- CHANGE MASTER TO MASTER_LOG_FILE='binlog.1';\n\
            CHANGE MASTER TO MASTER_LOG_FILE='binlog.1', MASTER_LOG_POS=4;\n\
            INSERT INTO t VALUES ('SET @@GLOBAL.GTID_PURGED=');\n\
            SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;\n\
            -- Dump completed on 2026-11-24\n";
        assert_eq!(
            load(dump).unwrap(),
            "-- MySQL dump 10.13\n\n\n\n\n\
            -- CHANGE MASTER TO MASTER_LOG_FILE='binlog.1';\n\n\
            INSERT INTO t VALUES ('SET @@GLOBAL.GTID_PURGED=');\n\n\
            -- Dump completed on 2026-11-24\n"
        );
    }

    proptest! {
        #[test]
        fn no_line_panics(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6)) {
            let mut filter = Filter::new(Definers::Drop);
            for line in &lines {
                let _ = filter.line(line);
            }
            let rest = lines.first().cloned().unwrap_or_default();
            let _ = filter.line(&[b"CREATE DEFINER=".to_vec(), rest].concat());
        }
    }
}
