//! What the runtime socket says about the servers.

use std::collections::HashMap;
use std::net::SocketAddr;

/// One server of one backend, from `show stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// The backend, which is the target group's name or its fail-open backend.
    pub backend: String,
    /// The target's name.
    pub server: String,
    /// Where it listens.
    pub address: Option<SocketAddr>,
    /// Whether it takes requests.
    pub state: OperationalState,
    /// Requests in flight.
    pub current_sessions: u64,
    /// Requests that wait for it.
    pub queued: u64,
    /// Requests since the node started or the server was added.
    pub total_sessions: u64,
    /// Outcome of the last check in HAProxy's words, e.g. `L7OK`, `L4CON`; a leading `* ` tells that
    /// one is under way. Empty where there are no checks.
    pub check_status: String,
    /// HTTP status of the last check, where there was one.
    pub check_code: Option<u16>,
    /// What the last check said, e.g. `Connection refused`.
    pub last_check: String,
}

/// Whether a server takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationalState {
    /// Healthy, or healthy until the next failures.
    Up,
    /// Unhealthy, or unhealthy until the next successes.
    Down,
    /// In use without health checks.
    Unchecked,
    /// Takes only requests with a cookie.
    Draining,
    /// Takes none.
    Maintenance,
}

impl ServerStatus {
    /// Whether a health check has succeeded since the server came.
    pub fn has_passed_a_check(&self) -> bool {
        matches!(self.check_status.trim_start_matches("* "), "L7OK" | "L7OKC")
    }
}

/// An answer to `show stat` that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// The first line is not a header.
    #[error("the statistics have no header: {0:?}")]
    NoHeader(String),
    /// A column is missing.
    #[error("the statistics have no column {0:?}")]
    NoColumn(&'static str),
    /// A value is not what its column holds.
    #[error("the statistics hold {value:?} in column {column:?}")]
    Value {
        /// Name of the column.
        column: &'static str,
        /// What was there.
        value: String,
    },
}

/// Reads the CSV of `show stat`; lines of frontends and backends are left out.
///
/// # Errors
/// [`StatusError`] when it is not the answer to [`super::commands::SHOW_STAT`].
pub fn parse_show_stat(csv: &str) -> Result<Vec<ServerStatus>, StatusError> {
    let mut lines = csv.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let header = first
        .strip_prefix("# ")
        .ok_or_else(|| StatusError::NoHeader(first.to_owned()))?;
    let columns: HashMap<&str, usize> = header
        .split(',')
        .enumerate()
        .map(|(index, name)| (name, index))
        .collect();
    let mut servers = Vec::new();
    for line in lines {
        let row = Row {
            columns: &columns,
            fields: split_csv(line),
        };
        if !matches!(row.text("svname")?, "FRONTEND" | "BACKEND") {
            servers.push(server_status(&row)?);
        }
    }
    Ok(servers)
}

fn server_status(row: &Row<'_>) -> Result<ServerStatus, StatusError> {
    let code = row.text("check_code")?;
    let status = row.text("status")?;
    let value = |column, value: &str| StatusError::Value {
        column,
        value: value.to_owned(),
    };
    Ok(ServerStatus {
        backend: row.text("pxname")?.to_owned(),
        server: row.text("svname")?.to_owned(),
        address: row.text("addr")?.parse().ok(),
        state: operational_state(status).ok_or_else(|| value("status", status))?,
        current_sessions: row.number("scur")?,
        queued: row.number("qcur")?,
        total_sessions: row.number("stot")?,
        check_status: row.text("check_status")?.to_owned(),
        check_code: match code {
            "" => None,
            code => Some(code.parse().map_err(|_| value("check_code", code))?),
        },
        last_check: row.text("last_chk")?.to_owned(),
    })
}

/// `UP`, `UP 1/2` (going down), `DOWN`, `DOWN 1/2` (going up), `NOLB`, `MAINT`, `DRAIN`, `no check`.
fn operational_state(status: &str) -> Option<OperationalState> {
    match status.split([' ', '(']).next()? {
        "UP" => Some(OperationalState::Up),
        "DOWN" => Some(OperationalState::Down),
        "no" => Some(OperationalState::Unchecked),
        "DRAIN" | "NOLB" => Some(OperationalState::Draining),
        "MAINT" => Some(OperationalState::Maintenance),
        _ => None,
    }
}

struct Row<'a> {
    columns: &'a HashMap<&'a str, usize>,
    fields: Vec<String>,
}

impl Row<'_> {
    fn text(&self, column: &'static str) -> Result<&str, StatusError> {
        let index = self
            .columns
            .get(column)
            .ok_or(StatusError::NoColumn(column))?;
        self.fields
            .get(*index)
            .map(String::as_str)
            .ok_or(StatusError::NoColumn(column))
    }

    fn number(&self, column: &'static str) -> Result<u64, StatusError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| StatusError::Value {
            column,
            value: text.to_owned(),
        })
    }
}

/// Fields of a CSV line (RFC 4180); a check's output is quoted and may hold commas.
fn split_csv(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut fields, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            character => push(&mut fields, character),
        }
    }
    fields
}

fn push(fields: &mut [String], character: char) {
    if let Some(field) = fields.last_mut() {
        field.push(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quoted_fields_hold_commas_and_quotes() {
        assert_eq!(split_csv(r#"a,"b, ""c""",,d"#), ["a", r#"b, "c""#, "", "d"]);
    }

    #[test]
    fn every_status_of_a_server_is_known() {
        let known = [
            ("UP", OperationalState::Up),
            ("UP 1/3", OperationalState::Up),
            ("DOWN", OperationalState::Down),
            ("DOWN 1/2", OperationalState::Down),
            ("DOWN (agent)", OperationalState::Down),
            ("no check", OperationalState::Unchecked),
            ("DRAIN", OperationalState::Draining),
            ("NOLB", OperationalState::Draining),
            ("MAINT", OperationalState::Maintenance),
            ("MAINT (via a/b)", OperationalState::Maintenance),
        ];
        for (text, state) in known {
            assert_eq!(operational_state(text), Some(state), "{text}");
        }
        assert_eq!(operational_state("OPEN"), None);
    }

    #[test]
    fn an_error_message_is_no_statistics() {
        assert!(matches!(
            parse_show_stat("Permission denied\n"),
            Err(StatusError::NoHeader(_))
        ));
        assert!(matches!(
            parse_show_stat("# a,b\nx,y"),
            Err(StatusError::NoColumn("svname"))
        ));
    }

    proptest! {
        #[test]
        fn no_input_panics(csv in "(# pxname,svname,status\n)?[a-z,\"\n]{0,80}") {
            let _ = parse_show_stat(&csv);
        }
    }
}
