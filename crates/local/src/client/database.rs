//! Commands for the database, through the writer's socket: no password is needed or shown.

use mck_server_config::mariadb::{self, Output};

use super::{ClientError, context};
use crate::{layout::Layout, servers::Context, supervisor::record::Record};

/// The names of the environment's schemas.
///
/// # Errors
/// When nothing was applied.
pub fn schemas(layout: &Layout) -> Result<Vec<String>, ClientError> {
    Ok(names(&context(layout)?))
}

fn names(context: &Context) -> Vec<String> {
    context
        .blueprint
        .database
        .schemas
        .iter()
        .map(|schema| schema.name.clone())
        .collect()
}

/// The client for a person, in a schema: the named one, or the only one.
///
/// # Errors
/// When there is no such schema or several to choose from.
pub fn shell_command(layout: &Layout, schema: Option<&str>) -> Result<Vec<String>, ClientError> {
    client(layout, schema, Output::Interactive)
}

/// The client that takes a dump on its standard input.
///
/// # Errors
/// As [`shell_command`].
pub fn import_command(layout: &Layout, schema: Option<&str>) -> Result<Vec<String>, ClientError> {
    client(layout, schema, Output::Rows)
}

/// The program that writes a dump to its standard output, without locking the schema.
///
/// # Errors
/// As [`shell_command`].
pub fn export_command(layout: &Layout, schema: Option<&str>) -> Result<Vec<String>, ClientError> {
    let context = context(layout)?;
    let schema = choose(&context, schema)?;
    mariadb::dump_command_line(&socket(&context), &schema)
        .map_err(|error| ClientError::Server(error.into()))
}

fn client(
    layout: &Layout,
    schema: Option<&str>,
    output: Output,
) -> Result<Vec<String>, ClientError> {
    let context = context(layout)?;
    let schema = choose(&context, schema)?;
    let mut command = mariadb::client_command_line(&socket(&context), output)
        .map_err(|error| ClientError::Server(error.into()))?;
    command.push(schema);
    Ok(command)
}

fn socket(context: &Context) -> String {
    let record = Record::load(&context.layout.state()).unwrap_or_default();
    let first = context
        .blueprint
        .database
        .members
        .first()
        .map(|node| node.name.clone());
    let writer = record.writer.or(first).unwrap_or_default();
    context
        .layout
        .control(&writer)
        .join("mysqld.sock")
        .display()
        .to_string()
}

fn choose(context: &Context, schema: Option<&str>) -> Result<String, ClientError> {
    let names = names(context);
    let only = || names.first().filter(|_| names.len() == 1);
    let found = match schema {
        Some(name) => names.iter().find(|known| *known == name),
        None => only(),
    };
    found.cloned().ok_or_else(|| ClientError::Unknown {
        kind: "schema",
        name: schema.unwrap_or("(several: name one)").to_owned(),
        known: names.clone(),
    })
}
