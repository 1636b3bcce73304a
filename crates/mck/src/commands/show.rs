//! `mck show`

use mck_blueprint::{Blueprint, views::View};
use serde_json::{Map, Value};

use crate::{
    cli::{Part, ShowOptions},
    exit::Exit,
    failure::Failure,
    session::Session,
    table,
};

pub fn run(session: &Session<'_>, options: &ShowOptions) -> Result<(), Failure> {
    let blueprint = session.blueprint()?;
    if options.json {
        session.printer.json(&values(&blueprint, options.part)?);
    } else {
        print(session, &blueprint, options.part);
    }
    Ok(())
}

fn print(session: &Session<'_>, blueprint: &Blueprint, part: Part) {
    let printer = session.printer;
    let mut tables = Vec::new();
    if matches!(part, Part::Summary | Part::Blueprint) {
        tables.push(blueprint.summary());
    }
    tables.extend(
        part.views()
            .into_iter()
            .flat_map(|view| blueprint.tables(view)),
    );
    if tables.is_empty() {
        printer.note("There is nothing of it.");
    }
    let (style, width) = (printer.out_style(), printer.out_width());
    let texts: Vec<String> = tables
        .iter()
        .map(|it| table::render(it, style, width))
        .collect();
    if !texts.is_empty() {
        printer.result(texts.join("\n\n"));
    }
}

/// The blueprint's own values of a part.
fn values(blueprint: &Blueprint, part: Part) -> Result<Value, Failure> {
    let mut all = serde_json::to_value(blueprint)
        .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
    if part == Part::Blueprint {
        return Ok(all);
    }
    if part == Part::Summary {
        let summary = blueprint.summary();
        let rows = summary.rows.iter().map(|row| {
            let cells = summary.columns.iter().zip(row);
            cells
                .map(|(column, cell)| (column.to_lowercase(), Value::from(cell.as_str())))
                .collect::<Map<_, _>>()
        });
        return Ok(rows.map(Value::Object).collect());
    }
    let keys = part.views().into_iter().flat_map(keys);
    Ok(Value::Object(
        keys.map(|key| ((*key).to_owned(), all[*key].take()))
            .collect(),
    ))
}

/// The blueprint's keys that a view is made of.
fn keys(view: View) -> &'static [&'static str] {
    match view {
        View::Network => &["network"],
        View::Access => &["access", "security-groups"],
        View::Clusters => &["clusters", "bastion", "jenkins"],
        View::Apps => &["apps", "load-balancer"],
        View::Data => &["database", "redis", "memcached", "file-system"],
        View::Dns => &["private-zone", "public-zone"],
        View::Secrets => &["secrets"],
        View::Alarms => &["alarms", "alarm-receivers", "log-groups"],
        View::Integrations => &["integrations"],
    }
}
