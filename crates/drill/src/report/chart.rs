//! Charts as SVG, drawn by hand: no script, no library, nothing to load.

use std::fmt::Write;

use super::{Figures, SecondFigures};
use crate::units::{count, time};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 28.0;
/// More bars than this are thinner than a pixel: seconds are put together.
const MAXIMUM_BARS: usize = 240;
/// In seconds.
const SHORTEST_SLOT: f64 = 0.2;

/// Seconds put together for one bar or point.
struct Slot {
    start: f64,
    length: f64,
    /// Requests per second.
    succeeded: f64,
    failed: f64,
    /// p50, p95, p99: the highest of the seconds. Nothing if no request succeeded.
    latency: Option<[u64; 3]>,
}

/// The seconds of a load, put together where there are many. The last ends with the load; a rest that
/// is too short for a rate belongs to the slot before.
fn slots(figures: &Figures) -> Vec<Slot> {
    let end = figures.load_microseconds as f64 / 1e6;
    let mut seconds = figures.seconds.as_slice();
    let mut rest: &[SecondFigures] = &[];
    if let [whole @ .., last] = seconds
        && !whole.is_empty()
        && end - (last.second as f64) < SHORTEST_SLOT
    {
        (seconds, rest) = seconds.split_at(whole.len());
    }
    let per_slot = seconds.len().div_ceil(MAXIMUM_BARS).max(1);
    let count = seconds.len().div_ceil(per_slot);
    let slots = seconds.chunks(per_slot).enumerate().map(|(number, chunk)| {
        let is_last = number + 1 == count;
        let start = chunk[0].second as f64;
        let stop = start + chunk.len() as f64;
        let stop = if is_last && end > start { end } else { stop };
        slot(start, stop - start, chunk, if is_last { rest } else { &[] })
    });
    slots.collect()
}

fn slot(start: f64, length: f64, chunk: &[SecondFigures], rest: &[SecondFigures]) -> Slot {
    let seconds = || chunk.iter().chain(rest);
    let per_second = |of: fn(&SecondFigures) -> u64| seconds().map(of).sum::<u64>() as f64 / length;
    let highest = |of: fn(&SecondFigures) -> u64| {
        seconds()
            .filter(|second| second.succeeded > 0)
            .map(of)
            .max()
    };
    let latency = highest(|second| second.latency.p50_microseconds)
        .zip(highest(|second| second.latency.p95_microseconds))
        .zip(highest(|second| second.latency.p99_microseconds));
    Slot {
        start,
        length,
        succeeded: per_second(|second| second.succeeded),
        failed: per_second(|second| second.failed),
        latency: latency.map(|((p50, p95), p99)| [p50, p95, p99]),
    }
}

/// The requests of every second, those that failed on top.
pub(crate) fn requests(figures: &Figures) -> String {
    let slots = slots(figures);
    let highest = slots
        .iter()
        .map(|slot| slot.succeeded + slot.failed)
        .fold(1.0, f64::max);
    let step = round_step(highest / 4.0);
    let top = (highest / step).ceil() * step;
    let area = Area::of(figures);
    let y = |value: f64| area.y(value / top);

    let mut content = String::new();
    let lines = (top / step).round() as u32;
    for line in 0..=lines {
        let value = f64::from(line) * step;
        content += &grid_line(y(value), &format!("{value}"));
    }
    for slot in &slots {
        let (x, width) = (area.x(slot.start), area.width_of(slot.length));
        let title = format!(
            "second {}: {:.1} ok, {:.1} failed per second",
            slot.start, slot.succeeded, slot.failed
        );
        content += &bar("ok", x, y(slot.succeeded), width, y(0.0), &title);
        if slot.failed > 0.0 {
            // Never less than two pixels: one failure among hundreds must be seen.
            let base = y(slot.succeeded);
            let head = y(slot.succeeded + slot.failed).min(base - 2.0);
            content += &bar("failed", x, head, width, base, &title);
        }
    }
    let label = format!(
        "Requests per second: {} succeeded, {} failed",
        count(figures.sent - figures.failed),
        count(figures.failed)
    );
    area.frame(&label, &content)
}

/// The latency of every second, on a logarithmic scale.
pub(crate) fn latencies(figures: &Figures) -> String {
    let slots = slots(figures);
    let values = || {
        slots
            .iter()
            .filter_map(|slot| slot.latency)
            .flatten()
            .filter(|it| *it > 0)
    };
    let lowest = (values().min().unwrap_or(1_000) as f64).log10().floor();
    let highest = (values().max().unwrap_or(10_000) as f64)
        .log10()
        .ceil()
        .max(lowest + 1.0);
    let area = Area::of(figures);
    let y =
        |value: u64| area.y(((value.max(1) as f64).log10() - lowest).max(0.0) / (highest - lowest));

    let mut content = String::new();
    for exponent in lowest as i32..=highest as i32 {
        let value = 10_f64.powi(exponent) as u64;
        content += &grid_line(y(value), &decade(value));
    }
    for (position, name) in ["p99", "p95", "p50"].into_iter().enumerate() {
        let point = |slot: &Slot| {
            let latency = slot.latency?;
            Some((
                area.x(slot.start + slot.length / 2.0),
                y(latency[2 - position]),
            ))
        };
        for line in slots.split(|slot| slot.latency.is_none()) {
            content += &polyline(name, &line.iter().filter_map(point).collect::<Vec<_>>());
        }
    }
    area.frame(
        "Latency of successful requests: p50, p95, p99 over time",
        &content,
    )
}

/// The part of a chart that is drawn in, and the instants that are marked in it.
struct Area {
    seconds: f64,
    fault: Option<f64>,
    whole: Option<f64>,
}

impl Area {
    fn of(figures: &Figures) -> Self {
        let fault = figures.fault_microseconds;
        let whole = fault
            .zip(figures.timing.whole_again_microseconds)
            .map(|(fault, since_fault)| fault + since_fault);
        let in_seconds = |microseconds: u64| microseconds as f64 / 1e6;
        Self {
            seconds: in_seconds(figures.load_microseconds).max(1.0),
            fault: fault.map(in_seconds),
            whole: whole.map(in_seconds),
        }
    }

    fn width_of(&self, seconds: f64) -> f64 {
        seconds / self.seconds * (WIDTH - LEFT - RIGHT)
    }

    fn x(&self, second: f64) -> f64 {
        LEFT + self.width_of(second)
    }

    /// From the share of the height, 0 to 1.
    fn y(&self, share: f64) -> f64 {
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn frame(&self, label: &str, content: &str) -> String {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{content}",
            super::html::escape(label)
        );
        let step = round_step(self.seconds / 8.0);
        let mut second = 0.0;
        while second <= self.seconds {
            let (x, y) = (self.x(second), HEIGHT - 8.0);
            let anchor = if x > WIDTH - 40.0 { "end" } else { "middle" };
            write!(
                svg,
                "<text class=\"axis\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">\
                 {second} s</text>"
            )
            .expect("a string takes any text");
            second += step;
        }
        let fault = self.fault.map(|at| self.mark("fault", "fault", at, "end"));
        let whole = self
            .whole
            .map(|at| self.mark("whole", "whole again", at, "start"));
        svg + &fault.unwrap_or_default() + &whole.unwrap_or_default() + "</svg>"
    }

    fn mark(&self, class: &str, text: &str, at: f64, anchor: &str) -> String {
        let x = self.x(at.min(self.seconds));
        // At the edge of the chart the text goes to the other side of the line.
        let anchor = match anchor {
            "start" if x > WIDTH - 110.0 => "end",
            "end" if x < LEFT + 60.0 => "start",
            anchor => anchor,
        };
        let text_x = if anchor == "end" { x - 5.0 } else { x + 5.0 };
        let bottom = HEIGHT - BOTTOM;
        format!(
            "<line class=\"mark {class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"8\" y2=\"{bottom}\"/>\
             <text class=\"mark {class}\" x=\"{text_x:.1}\" y=\"16\" text-anchor=\"{anchor}\">\
             {text}</text>"
        )
    }
}

fn grid_line(y: f64, label: &str) -> String {
    let (end, text_x, text_y) = (WIDTH - RIGHT, LEFT - 8.0, y + 4.0);
    format!(
        "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
         <text class=\"axis\" x=\"{text_x}\" y=\"{text_y:.1}\" text-anchor=\"end\">{label}</text>"
    )
}

fn bar(class: &str, x: f64, top: f64, width: f64, base: f64, title: &str) -> String {
    let (width, height) = ((width - 1.0).max(0.8), (base - top).max(0.0));
    format!(
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\"><title>{title}</title></rect>"
    )
}

fn polyline(class: &str, points: &[(f64, f64)]) -> String {
    match points {
        [] => String::new(),
        [(x, y)] => format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"),
        points => {
            let pairs: Vec<String> = points
                .iter()
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            format!(
                "<polyline class=\"{class}\" points=\"{}\"/>",
                pairs.join(" ")
            )
        }
    }
}

/// A power of ten as an axis says it: `10 ms` and not `10.0 ms`.
fn decade(microseconds: u64) -> String {
    match microseconds {
        1_000..=999_999 => format!("{} ms", microseconds / 1_000),
        1_000_000.. => format!("{} s", microseconds / 1_000_000),
        _ => time(microseconds),
    }
}

/// The next of 1, 2, 5, 10, 20, 50, … that is not smaller.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(1.0).log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|it| it * power >= step);
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn steps_are_round() {
        let cases = [
            (0.1, 1.0),
            (1.0, 1.0),
            (1.2, 2.0),
            (12.5, 20.0),
            (21.0, 50.0),
            (60.0, 100.0),
        ];
        for (step, round) in cases {
            assert_eq!(round_step(step), round);
        }
    }

    #[test]
    fn a_long_load_is_drawn_with_few_bars_and_loses_no_failure() {
        let mut figures = sample::report().figures;
        figures.load_microseconds = 900_000_000;
        figures.seconds = (0..900)
            .map(|second| SecondFigures {
                second,
                succeeded: 500,
                failed: u64::from(second == 777),
                ..SecondFigures::default()
            })
            .collect();
        let svg = requests(&figures);
        assert!(svg.matches("<rect class=\"ok\"").count() <= MAXIMUM_BARS);
        assert_eq!(svg.matches("<rect class=\"failed\"").count(), 1);
    }

    #[test]
    fn a_rest_of_a_second_is_part_of_the_bar_before() {
        let mut figures = sample::report().figures;
        figures.load_microseconds = 60_050_000;
        figures.seconds.push(SecondFigures {
            second: 60,
            succeeded: 2,
            failed: 1,
            ..SecondFigures::default()
        });
        let drawn = slots(&figures);
        assert_eq!(drawn.len(), 60);
        assert!((drawn[59].length - 1.05).abs() < 1e-6);
        assert!((drawn[59].succeeded - 52.0 / 1.05).abs() < 1e-6);
        assert!(drawn[59].failed > 0.0);

        figures.load_microseconds = 60_500_000;
        let drawn = slots(&figures);
        assert_eq!(drawn.len(), 61);
        assert!((drawn[60].succeeded - 4.0).abs() < 1e-6);
    }

    #[test]
    fn an_empty_load_is_drawn_too() {
        let figures = Figures::default();
        assert!(requests(&figures).ends_with("</svg>"));
        assert!(latencies(&figures).ends_with("</svg>"));
    }

    #[test]
    fn a_second_without_an_answer_is_a_hole_in_the_line() {
        let mut figures = sample::report().figures;
        figures.seconds[20].succeeded = 0;
        assert_eq!(latencies(&figures).matches("<polyline").count(), 6);
    }
}
