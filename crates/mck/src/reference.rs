//! The reference pages, made from the program itself.

use std::{fmt::Write, fs, path::Path};

use clap::{Arg, Command, CommandFactory};

use crate::{
    cli::Cli, environment_variables, exit, exit::Exit, failure::Failure, session::Session,
};

/// Writes all generated pages to a folder of documentation.
pub fn write(session: &Session<'_>, folder: &Path) -> Result<(), Failure> {
    let schema = serde_json::to_string_pretty(&mck_environment::schema())
        .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
    let pages = [
        ("exit-codes.md", exit::markdown()),
        ("reference/cli.md", cli_markdown()),
        ("reference/environment-variables.md", variables_markdown()),
        (
            "reference/magecloudkit.toml.md",
            mck_environment::reference_markdown(),
        ),
        ("reference/magecloudkit.schema.json", schema + "\n"),
    ];
    for (name, text) in pages {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| crate::client_failure::file(&path, &error))?;
        session
            .printer
            .note(format_args!("Wrote {}", path.display()));
    }
    Ok(())
}

fn variables_markdown() -> String {
    let mut page = "# Environment variables\n\nAn option on the command line wins over its \
        variable. An empty variable counts as one that is not set.\n\n\
        | variable | meaning |\n|---|---|\n"
        .to_owned();
    for (name, meaning) in environment_variables::ALL {
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page
}

/// A Markdown page of the whole command line.
fn cli_markdown() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = "# Command line\n\nMade from the program itself; `mck help COMMAND` shows the \
        same.\n\n"
        .to_owned();
    let about = root.get_long_about().or(root.get_about());
    let _ = writeln!(
        page,
        "{}\n",
        about.map(ToString::to_string).unwrap_or_default()
    );
    page.push_str("Every command takes these options:\n\n");
    let global = root
        .get_arguments()
        .filter(|argument| argument.is_global_set());
    arguments(&mut page, &global.collect::<Vec<_>>());
    for command in root.get_subcommands_mut() {
        section(&mut page, "mck", command);
    }
    page
}

fn section(page: &mut String, parent: &str, command: &mut Command) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = format!("{parent} {}", command.get_name());
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let _ = writeln!(page, "## {name}\n\n{about}.\n");
    if command.has_subcommands() {
        for inner in command.get_subcommands_mut() {
            section(page, &name, inner);
        }
        return;
    }
    let usage = command.render_usage().to_string();
    let usage = usage
        .trim_start_matches("Usage: ")
        .replace("\n       ", "\n");
    let _ = writeln!(page, "```text\n{usage}\n```\n");
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_global_set() && !argument.is_hide_set())
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
        .collect();
    if !own.is_empty() {
        arguments(page, &own);
    }
}

fn arguments(page: &mut String, arguments: &[&Arg]) {
    page.push_str("| argument | meaning |\n|---|---|\n");
    for argument in arguments {
        let help = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(
            page,
            "| {} | {help}{}{} |",
            form(argument),
            choices(argument),
            defaults(argument)
        );
    }
    page.push('\n');
}

/// How an argument is typed, such as `` `--file PATH`, `-f` ``.
fn form(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let value = argument
        .get_value_names()
        .filter(|_| takes_value)
        .map(|names| {
            names
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        });
    match (argument.get_long(), argument.get_short()) {
        (Some(long), short) => {
            let value = value.map(|value| format!(" {value}")).unwrap_or_default();
            let short = short
                .map(|short| format!(", `-{short}`"))
                .unwrap_or_default();
            format!("`--{long}{value}`{short}")
        }
        (None, _) => format!("`{}`", value.unwrap_or_default()),
    }
}

fn choices(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_possible_values();
    if values.is_empty() {
        return String::new();
    }
    let items = values.iter().map(|value| match value.get_help() {
        Some(help) => format!("`{}`: {help}", value.get_name()),
        None => format!("`{}`", value.get_name()),
    });
    format!("<br>{}", items.collect::<Vec<_>>().join("<br>"))
}

fn defaults(argument: &Arg) -> String {
    let values = argument.get_default_values();
    if values.is_empty() || !argument.get_action().takes_values() {
        return String::new();
    }
    let values: Vec<String> = values
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    format!("<br>Default: {}", values.join(", "))
}
