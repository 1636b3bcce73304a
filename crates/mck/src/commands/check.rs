//! `mck check`

use mck_checker::{Finding, Severity};
use mck_environment::{Environment, EnvironmentFile};
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::CheckOptions,
    exit::Exit,
    failure::Failure,
    printer::Printer,
    session::{ReadFile, Session, plan},
};

/// A finding with the environments that it is true of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Found {
    #[serde(flatten)]
    finding: Finding,
    environments: Vec<String>,
}

pub fn run(session: &Session<'_>, options: &CheckOptions) -> Result<(), Failure> {
    let read = session.read_file()?;
    let checked = EnvironmentFile::parse(&read.shown, &read.bytes).and_then(|file| file.check());
    let environments = match checked {
        Ok(environments) => environments,
        Err(mistakes) if options.json => {
            let report = report(&read, &mistakes.to_json(), &[]);
            session.printer.json(&report);
            return Err(Failure::said(Exit::File));
        }
        Err(mistakes) => return Err(mistakes.into()),
    };
    let found = findings(&environments)?;
    let wrong = found
        .iter()
        .any(|it| it.finding.severity == Severity::Error);
    if options.json {
        session.printer.json(&report(&read, &json!([]), &found));
    } else {
        print(session.printer, &read, &environments, &found);
    }
    if wrong {
        Err(Failure::said(Exit::File))
    } else {
        Ok(())
    }
}

fn report(read: &ReadFile, mistakes: &serde_json::Value, found: &[Found]) -> serde_json::Value {
    json!({ "file": read.shown, "mistakes": mistakes, "findings": found })
}

/// The findings of all environments, the same of several once.
fn findings(environments: &[Environment]) -> Result<Vec<Found>, Failure> {
    let mut all: Vec<Found> = Vec::new();
    for environment in environments {
        for finding in mck_checker::check(&plan(environment)?) {
            let name = environment.name.clone();
            match all.iter_mut().find(|known| known.finding == finding) {
                Some(known) => known.environments.push(name),
                None => all.push(Found {
                    finding,
                    environments: vec![name],
                }),
            }
        }
    }
    all.sort_by(|one, other| {
        let key = |it: &Found| {
            (
                it.finding.severity,
                it.finding.code,
                it.finding.setting.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    Ok(all)
}

fn print(printer: &Printer, read: &ReadFile, environments: &[Environment], found: &[Found]) {
    let style = printer.out_style();
    for Found {
        finding,
        environments: of,
    } in found
    {
        let label = match finding.severity {
            Severity::Error => style.red("error:"),
            Severity::Warning => style.yellow("warning:"),
            Severity::Note => style.bold("note:"),
        };
        let place = if of.len() == environments.len() {
            finding.setting.clone()
        } else {
            format!("{} in {}", finding.setting, of.join(", "))
        };
        let origin = style.dim(format_args!("[{place}, {}]", finding.code));
        printer.result(format_args!("{label} {} {origin}", finding.message));
        printer.result(format_args!("{} {}\n", style.cyan("hint:"), finding.help));
    }
    let names: Vec<&str> = environments.iter().map(|it| it.name.as_str()).collect();
    let count = |severity| {
        found
            .iter()
            .filter(|it| it.finding.severity == severity)
            .count()
    };
    let counts = [
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
        counted(count(Severity::Note), "note"),
    ];
    printer.result(format_args!(
        "{} has no mistakes in {}; {}.",
        read.shown,
        names.join(", "),
        counts.join(", ")
    ));
}

fn counted(count: usize, word: &str) -> String {
    match count {
        0 => format!("no {word}s"),
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    }
}
