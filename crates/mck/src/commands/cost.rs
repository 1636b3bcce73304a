//! `mck cost`

use mck_blueprint::views::Table;
use mck_cost::{Component, Estimate, Kind, Line, PriceTable, Usage};
use serde_json::json;

use crate::{
    aws::AwsFile, cli::CostOptions, exit::Exit, failure::Failure, session::Session, table,
};

pub fn run(session: &Session<'_>, options: &CostOptions) -> Result<(), Failure> {
    let usage = options.usage.usage()?;
    let printer = session.printer;
    if options.sources {
        let sources = &PriceTable::embedded().sources;
        if options.json {
            printer.json(sources);
        } else {
            printer.result(table::render(
                &sources_table(),
                printer.out_style(),
                printer.out_width(),
            ));
        }
        return Ok(());
    }
    let file = AwsFile::new(session.read_file()?)?;
    let blueprint = file.choose(session.named_environment())?;
    let estimate = Estimate::of(blueprint, &usage);
    if options.json {
        let mut value = serde_json::to_value(&estimate)
            .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
        value["sources"] = json!(PriceTable::embedded().sources);
        printer.json(&value);
    } else {
        print(session, &estimate);
    }
    Ok(())
}

fn sources_table() -> Table {
    let rows = PriceTable::embedded().sources.iter();
    let rows = rows.map(|it| vec![it.what.clone(), it.url.clone(), it.checked.clone()]);
    table::table(
        "Where prices are from",
        &["Of", "Page", "Checked"],
        rows.collect(),
    )
}

fn print(session: &Session<'_>, estimate: &Estimate) {
    let printer = session.printer;
    let (style, width) = (printer.out_style(), printer.out_width());
    for table in [lines(estimate), components(estimate)] {
        printer.result(format_args!("{}\n", table::render(&table, style, width)));
    }
    printer.result(format_args!(
        "{} {} a month: {} fixed, {} by assumption",
        style.bold(estimate.total),
        estimate.currency,
        estimate.fixed,
        estimate.assumed
    ));
    if estimate.up_to > estimate.total {
        printer.result(format_args!(
            "{} {} with all App Servers and database capacity that scaling may add",
            estimate.up_to, estimate.currency
        ));
    }
    if let Some(approximation) = &estimate.approximation {
        printer.result(format_args!("\n{}: {approximation}", style.bold("Close")));
    }
    printer.result(format_args!(
        "\n{}: {}",
        style.bold("Assumed"),
        assumptions(&estimate.usage)
    ));
    printer.result("  `--usage KEY=VALUE` assumes something else");
    printer.result(format_args!(
        "\n{}: {}",
        style.bold("Not counted"),
        estimate.not_counted.join("; ")
    ));
    for unknown in &estimate.unknown {
        printer.warning(
            format_args!("no price is known for {unknown}: it is in no sum"),
            None,
        );
    }
    printer.note(format_args!(
        "\nPrices of {}, on demand, without tax; `mck cost --sources` tells where they are from.",
        estimate.prices_of
    ));
}

fn lines(estimate: &Estimate) -> Table {
    let title = format!(
        "{} {} in {}",
        estimate.project, estimate.environment, estimate.region
    );
    let rows = estimate.lines.iter().map(|line| {
        vec![
            line.component.title().to_owned(),
            line.what.clone(),
            line.detail.clone(),
            quantity(line),
            monthly(line),
            certainty(line),
        ]
    });
    let columns = ["Component", "What", "Size", "Quantity", "A month", ""];
    table::table(&title, &columns, rows.collect())
}

/// Such as `1460 instance-hours at 0.085`.
fn quantity(line: &Line) -> String {
    let amount = format!("{:.2}", line.quantity);
    let amount = amount.trim_end_matches('0').trim_end_matches('.');
    match line.unit_price {
        Some(price) => format!("{amount} {} at {}", line.unit, unit_price(price)),
        None => format!("{amount} {}", line.unit),
    }
}

/// Enough digits for the smallest price, and none that say nothing.
fn unit_price(price: f64) -> String {
    let digits = format!("{price:.5}");
    digits
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

fn monthly(line: &Line) -> String {
    line.monthly
        .map_or_else(|| "?".to_owned(), |it| it.to_string())
}

fn certainty(line: &Line) -> String {
    let word = match line.kind {
        Kind::Fixed => "",
        Kind::Assumed => "assumed",
        Kind::Unknown => "no price",
    };
    let close = if line.approximate { "~ " } else { "" };
    format!("{close}{word}").trim_end().to_owned()
}

fn components(estimate: &Estimate) -> Table {
    let present = Component::ALL.into_iter().filter(|component| {
        estimate
            .lines
            .iter()
            .any(|line| line.component == *component)
    });
    let rows = present.map(|component| {
        vec![
            component.title().to_owned(),
            estimate.subtotal(component).to_string(),
        ]
    });
    table::table("By component", &["Component", "A month"], rows.collect())
}

fn assumptions(usage: &Usage) -> String {
    let keys = Usage::keys().iter();
    let all: Vec<String> = keys
        .map(|key| format!("{}={}", key.name, usage.get(key)))
        .collect();
    all.join(", ")
}
