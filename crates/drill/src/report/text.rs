//! The report for a terminal.

use std::fmt::Write;

use super::{DrillReport, Kept, Latency};
use crate::units::{count, instant, percent, time, time_or_never};

const INDENT: &str = "  ";

/// The report as lines of plain text, without colours, for a terminal of 100 columns.
#[must_use]
pub fn render_text(report: &DrillReport) -> String {
    let mut sections = vec![head(report), bars(report), phases(report)];
    if !report.figures.failures.is_empty() {
        sections.push(failures(report));
    }
    sections.push(recovery(report));
    sections.push(kept(report));
    sections.push(steps(report));
    sections.join("\n")
}

fn head(report: &DrillReport) -> String {
    let verdict = if report.verdict.passed {
        "PASSED"
    } else {
        "FAILED"
    };
    let figures = &report.figures;
    format!(
        "{verdict}  {}: {} ({})\n{INDENT}{} requests in {}, {} failed ({})\n",
        report.environment,
        report.kind.title(),
        report.kind,
        count(figures.sent),
        time(figures.load_microseconds),
        count(figures.failed),
        percent(figures.failed, figures.sent),
    )
}

fn bars(report: &DrillReport) -> String {
    let rows = report.verdict.bars.iter().map(|bar| {
        let mark = match (bar.passed, bar.required) {
            (true, _) => "ok",
            (false, true) => "FAILED",
            (false, false) => "missed",
        };
        let name = if bar.required {
            bar.name.clone()
        } else {
            format!("{} (aim)", bar.name)
        };
        vec![
            mark.to_owned(),
            name,
            bar.measured.clone(),
            bar.limit.clone(),
        ]
    });
    table(&["", "bar", "measured", "limit"], &[], rows.collect())
}

fn phases(report: &DrillReport) -> String {
    let rows = report.figures.phases.iter().map(|phase| {
        let mut row = vec![
            phase.phase.clone(),
            time(phase.length_microseconds),
            count(phase.sent),
            count(phase.failed),
        ];
        row.extend(latency(&phase.latency));
        row
    });
    let names = [
        "phase", "length", "sent", "failed", "p50", "p95", "p99", "max",
    ];
    table(&names, &[1, 2, 3, 4, 5, 6, 7], rows.collect())
}

fn latency(latency: &Latency) -> [String; 4] {
    [
        time(latency.p50_microseconds),
        time(latency.p95_microseconds),
        time(latency.p99_microseconds),
        time(latency.maximum_microseconds),
    ]
}

fn failures(report: &DrillReport) -> String {
    let rows = report.figures.failures.iter().map(|failure| {
        vec![
            count(failure.count),
            failure.kind.clone(),
            failure.failure.clone(),
            instant(failure.first_microseconds),
            instant(failure.last_microseconds),
        ]
    });
    table(
        &["failed", "request", "reason", "first", "last"],
        &[0, 3, 4],
        rows.collect(),
    )
}

fn recovery(report: &DrillReport) -> String {
    let timing = &report.figures.timing;
    let rows = [
        ("detected", timing.detected_microseconds),
        ("last failure", timing.last_failure_microseconds),
        ("writable again", timing.writable_again_microseconds),
        ("whole again", timing.whole_again_microseconds),
    ];
    let rows = rows.map(|(name, time)| vec![name.to_owned(), time_or_never(time)]);
    table(&["after the fault", "time"], &[1], rows.into())
}

fn kept(report: &DrillReport) -> String {
    let figures = &report.figures;
    let row = |name: &str, kept: &Kept| {
        let counts = [kept.acknowledged, kept.lost, kept.unverified];
        std::iter::once(name.to_owned())
            .chain(counts.map(count))
            .collect::<Vec<_>>()
    };
    let rows = vec![
        row("database writes", &figures.writes.kept),
        row("sessions", &figures.sessions),
        row("uploads", &figures.uploads),
    ];
    let mut text = table(
        &["", "acknowledged", "lost", "not verified"],
        &[1, 2, 3],
        rows,
    );
    for (name, kept) in [
        ("write", &figures.writes.kept),
        ("session", &figures.sessions),
        ("upload", &figures.uploads),
    ] {
        for example in &kept.examples {
            writeln!(text, "{INDENT}lost {name}: {example}").expect("a string takes any text");
        }
    }
    text
}

fn steps(report: &DrillReport) -> String {
    let rows = report
        .steps
        .iter()
        .map(|step| vec![instant(step.at_microseconds), step.what.clone()]);
    table(&["time", "what happened"], &[0], rows.collect())
}

/// Columns as wide as their content; those in `right` are numbers.
fn table(names: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        let widths = lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|it| it.chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if right.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(text, "{INDENT}{}", line.trim_end()).expect("a string takes any text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_whole_report() {
        insta::assert_snapshot!(render_text(&sample::report()));
    }

    #[test]
    fn a_report_without_a_failure() {
        let mut report = sample::report();
        report.figures.failures.clear();
        report.figures.failed = 0;
        report.figures.sessions.lost = 0;
        report.figures.sessions.examples.clear();
        report.verdict = crate::verdict::judge(report.kind, &report.figures, &report.settings);
        let text = render_text(&report);
        assert!(text.starts_with("PASSED"), "{text}");
        assert!(
            !text.contains("FAILED") && !text.contains("reason"),
            "{text}"
        );
    }
}
