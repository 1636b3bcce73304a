//! The report as one HTML file, to be sent to somebody: nothing is loaded, no script runs.

use super::{DrillReport, Kept, Latency, chart};
use crate::units::{count, instant, percent, time, time_or_never};

const STYLE: &str = include_str!("style.css");

/// The report as a page that stands alone: readable on a phone, dark or light as its reader likes,
/// printable.
#[must_use]
pub fn render_html(report: &DrillReport) -> String {
    let sections = [
        head(report),
        tiles(report),
        bars(report),
        charts(report),
        phases(report),
        failures(report),
        kept(report),
        kinds(report),
        tasks(report),
        steps(report),
        foot(report),
    ];
    let title = escape(&format!("{} – {}", report.kind.title(), report.environment));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}\n</main>\n\
         </body>\n</html>\n",
        sections.concat()
    )
}

/// Text that can stand between tags and in an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

fn head(report: &DrillReport) -> String {
    let (class, verdict) = if report.verdict.passed {
        ("pass", "Passed")
    } else {
        ("fail", "Failed")
    };
    format!(
        "<header><div><p>Drill {} on {}</p><h1>{}</h1><p>{} · {}</p></div>\
         <div class=\"verdict {class}\">{verdict}</div></header>\n",
        report.kind,
        escape(&report.environment),
        report.kind.title(),
        escape(&report.started_at.replace('T', " ").replace('Z', " UTC")),
        escape(&report.fault),
    )
}

fn tiles(report: &DrillReport) -> String {
    let figures = &report.figures;
    let tile = |name: &str, value: &str, is_bad: bool| {
        let class = if is_bad { "tile bad" } else { "tile" };
        format!(
            "<div class=\"{class}\"><span>{name}</span><b>{}</b></div>",
            escape(value)
        )
    };
    let lost = |name: &str, kept: &Kept| tile(name, &count(kept.lost), kept.lost > 0);
    let tiles = [
        tile("Requests", &count(figures.sent), false),
        tile("Failed", &count(figures.failed), figures.failed > 0),
        tile(
            "Time to detect",
            &time_or_never(figures.timing.detected_microseconds),
            false,
        ),
        tile(
            "Time to recover",
            &time_or_never(figures.timing.whole_again_microseconds),
            false,
        ),
        lost("Writes lost", &figures.writes.kept),
        lost("Sessions lost", &figures.sessions),
    ];
    format!("<div class=\"tiles\">{}</div>\n", tiles.concat())
}

fn bars(report: &DrillReport) -> String {
    let rows = report.verdict.bars.iter().map(|bar| {
        let (class, text) = match (bar.passed, bar.required) {
            (true, _) => ("pass", "passed"),
            (false, true) => ("fail", "failed"),
            (false, false) => ("aim", "aim missed"),
        };
        let badge = format!("<span class=\"badge {class}\">{text}</span>");
        let name = if bar.required {
            bar.name.clone()
        } else {
            format!("{} (aim)", bar.name)
        };
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{badge}</td></tr>",
            escape(&name),
            escape(&bar.measured),
            escape(&bar.limit)
        )
    });
    let table = table(&["What must hold", "Measured", "Limit", ""], &[], rows);
    section("Verdict", &table)
}

fn charts(report: &DrillReport) -> String {
    let legend = |entries: &[(&str, &str)]| {
        let entries = entries
            .iter()
            .map(|(class, name)| format!("<span><i class=\"{class}\"></i>{name}</span>"));
        format!(
            "<div class=\"legend\">{}</div>",
            entries.collect::<String>()
        )
    };
    let requests = legend(&[("ok", "succeeded"), ("failed", "failed")]);
    let latency = legend(&[("p50", "p50"), ("p95", "p95"), ("p99", "p99")]);
    section(
        "Requests per second",
        &(requests + &chart::requests(&report.figures)),
    ) + &section(
        "Latency of successful requests, logarithmic",
        &(latency + &chart::latencies(&report.figures)),
    )
}

fn phases(report: &DrillReport) -> String {
    let rows = report.figures.phases.iter().map(|phase| {
        let name = match phase.phase.as_str() {
            "before" => "Before the fault",
            "during" => "Until whole again",
            "after" => "After",
            other => other,
        };
        let length = time(phase.length_microseconds);
        row(
            name,
            &[length, count(phase.sent)],
            phase.failed,
            &phase.latency,
        )
    });
    let names = [
        "Phase", "Length", "Requests", "Failed", "p50", "p95", "p99", "Longest",
    ];
    section(
        "Before, during, after",
        &table(&names, &[1, 2, 3, 4, 5, 6, 7], rows),
    )
}

fn kinds(report: &DrillReport) -> String {
    let rows = report
        .figures
        .kinds
        .iter()
        .map(|kind| row(&kind.kind, &[count(kind.sent)], kind.failed, &kind.latency));
    let names = ["Request", "Sent", "Failed", "p50", "p95", "p99", "Longest"];
    section(
        "Each sort of request",
        &table(&names, &[1, 2, 3, 4, 5, 6], rows),
    )
}

fn row(name: &str, numbers: &[String], failed: u64, latency: &Latency) -> String {
    let numbers: String = numbers.iter().map(|it| number(it, false)).collect();
    let latency = [
        latency.p50_microseconds,
        latency.p95_microseconds,
        latency.p99_microseconds,
        latency.maximum_microseconds,
    ];
    let latency: String = latency.iter().map(|it| number(&time(*it), false)).collect();
    let failed = number(&count(failed), failed > 0);
    format!(
        "<tr><td>{}</td>{numbers}{failed}{latency}</tr>",
        escape(name)
    )
}

fn failures(report: &DrillReport) -> String {
    let figures = &report.figures;
    if figures.failures.is_empty() {
        return String::new();
    }
    let rows = figures.failures.iter().map(|failure| {
        format!(
            "<tr><td>{}</td><td>{}</td>{}{}{}</tr>",
            escape(&failure.kind),
            escape(&failure.failure),
            number(&count(failure.count), false),
            number(&instant(failure.first_microseconds), false),
            number(&instant(failure.last_microseconds), false),
        )
    });
    let names = ["Request", "What came instead", "Failed", "First", "Last"];
    let title = format!(
        "Failures: {} of all requests",
        percent(figures.failed, figures.sent)
    );
    section(&title, &table(&names, &[2, 3, 4], rows))
}

fn kept(report: &DrillReport) -> String {
    let figures = &report.figures;
    let stores = [
        ("Database writes", &figures.writes.kept),
        ("Sessions", &figures.sessions),
        ("Uploads", &figures.uploads),
    ];
    let rows = stores.map(|(name, kept)| {
        format!(
            "<tr><td>{name}</td>{}{}{}</tr>",
            number(&count(kept.acknowledged), false),
            number(&count(kept.lost), kept.lost > 0),
            number(&count(kept.unverified), kept.unverified > 0),
        )
    });
    let mut content = table(
        &["", "Acknowledged", "Lost", "Not verified"],
        &[1, 2, 3],
        rows.into_iter(),
    );
    let writes = &figures.writes;
    let mut notes = Vec::new();
    if writes.unanswered > 0 {
        notes.push(format!(
            "{} writes got no answer that says whether they happened; {} of them did.",
            count(writes.unanswered),
            count(writes.unanswered_but_stored)
        ));
    }
    if writes.duplicates > 0 {
        let duplicates = count(writes.duplicates);
        notes.push(format!(
            "{duplicates} writes were repeated on the way and stored once."
        ));
    }
    for (name, kept) in stores {
        notes.extend(
            kept.examples
                .iter()
                .map(|example| format!("{name}, lost: {example}")),
        );
    }
    if !notes.is_empty() {
        let items: String = notes
            .iter()
            .map(|note| format!("<li>{}</li>", escape(note)))
            .collect();
        content += &format!("<ul>{items}</ul>");
    }
    section("What the store had acknowledged", &content)
}

fn tasks(report: &DrillReport) -> String {
    if report.figures.tasks.is_empty() {
        return String::new();
    }
    let rows = report.figures.tasks.iter().map(|task| {
        let answers = [task.before, task.during, task.after];
        let answers: String = answers
            .iter()
            .map(|it| number(&count(*it), false))
            .collect();
        format!("<tr><td>{}</td>{answers}</tr>", escape(&task.task))
    });
    let names = ["Task", "Before", "During", "After"];
    section(
        "Who answered (asked now and then)",
        &table(&names, &[1, 2, 3], rows),
    )
}

fn steps(report: &DrillReport) -> String {
    let rows = report.steps.iter().map(|step| {
        let at = instant(step.at_microseconds);
        format!(
            "<tr>{}<td>{}</td></tr>",
            number(&at, false),
            escape(&step.what)
        )
    });
    section(
        "What was done, step by step",
        &table(&["Time", "What happened"], &[0], rows),
    )
}

fn foot(report: &DrillReport) -> String {
    let settings = &report.settings;
    let mix = settings.mix;
    let versions: Vec<String> = report
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let lines = [
        format!(
            "{} requests per second at a constant rate to {}, seed {}; weights: reads {}, sessions \
             {}, database writes {}, uploads {}, logins {}, whoami {}.",
            settings.requests_per_second,
            report.target,
            settings.seed,
            mix.reads,
            mix.sessions,
            mix.tokens,
            mix.uploads,
            mix.logins,
            mix.whoami
        ),
        format!(
            "Latency counts from the instant that a request was due. A request fails after {}, and is \
             never sent again.",
            time(settings.request_limit_microseconds)
        ),
        format!("Versions: {}.", versions.join(", ")),
    ];
    let shown = if versions.is_empty() {
        &lines[..2]
    } else {
        &lines[..]
    };
    let paragraphs: String = shown
        .iter()
        .map(|line| format!("<p>{}</p>", escape(line)))
        .collect();
    format!("<footer>{paragraphs}</footer>")
}

fn section(title: &str, content: &str) -> String {
    format!("<section><h2>{}</h2>{content}</section>\n", escape(title))
}

fn table(names: &[&str], right: &[usize], rows: impl Iterator<Item = String>) -> String {
    let heads = names.iter().enumerate().map(|(column, name)| {
        let class = if right.contains(&column) {
            " class=\"number\""
        } else {
            ""
        };
        format!("<th{class}>{name}</th>")
    });
    let heads: String = heads.collect();
    let rows: String = rows.map(|row| row + "\n").collect();
    format!("<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}</tbody></table>")
}

fn number(text: &str, is_bad: bool) -> String {
    let class = if is_bad { "number bad" } else { "number" };
    format!("<td class=\"{class}\">{}</td>", escape(text))
}

#[cfg(test)]
mod tests;
