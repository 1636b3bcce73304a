//! What happened, told in the order of time.

use crate::report::{Figures, Settings, Step};
use crate::timeline::{Injection, Sighting};
use crate::units::count;

/// More changes than twice this are a flapping target: the first and the last of them tell as much.
const SIGHTINGS_AT_EACH_END: usize = 20;

pub(crate) fn tell(
    settings: &Settings,
    fault: &str,
    injection: Option<&Injection>,
    sightings: &[Sighting],
    figures: &Figures,
) -> Vec<Step> {
    let rate = settings.requests_per_second;
    let mut steps = vec![step(0, format!("Load of {rate} requests per second began"))];
    steps.extend(what_was_seen(sightings));
    if let Some(injection) = injection {
        steps.extend(what_the_fault_did(fault, injection, figures));
    }
    steps.extend(the_end(figures));
    // Stable: what happened at the same instant stays in this order.
    steps.sort_by_key(|step| step.at_microseconds);
    steps
}

fn step(at_microseconds: u64, what: String) -> Step {
    Step {
        at_microseconds,
        what,
    }
}

fn what_was_seen(sightings: &[Sighting]) -> Vec<Step> {
    let all = |sightings: &[Sighting]| -> Vec<Step> {
        sightings
            .iter()
            .map(|sighting| step(sighting.at, describe(sighting)))
            .collect()
    };
    if sightings.len() <= 2 * SIGHTINGS_AT_EACH_END {
        return all(sightings);
    }
    let (first, rest) = sightings.split_at(SIGHTINGS_AT_EACH_END);
    let (left_out, last) = rest.split_at(rest.len() - SIGHTINGS_AT_EACH_END);
    let mut steps = all(first);
    steps.push(step(
        left_out[0].at,
        format!("{} further changes left out", left_out.len()),
    ));
    steps.extend(all(last));
    steps
}

fn describe(sighting: &Sighting) -> String {
    let state = if sighting.seen.is_whole {
        "Seen whole"
    } else {
        "Seen not whole"
    };
    let mut text = state.to_owned();
    if !sighting.seen.detail.is_empty() {
        text += &format!(": {}", sighting.seen.detail);
    }
    if let Some(reason) = &sighting.seen.rolled_back {
        text += &format!("; rolled back: {reason}");
    }
    text
}

fn what_the_fault_did(fault: &str, injection: &Injection, figures: &Figures) -> Vec<Step> {
    let mut steps = vec![step(injection.started, format!("Fault: {fault}"))];
    steps.extend(
        injection
            .done
            .iter()
            .map(|done| step(injection.ended, done.clone())),
    );
    let timing = &figures.timing;
    let at = |since_fault: u64| injection.started + since_fault;
    if let Some(first) = timing.first_failure_microseconds {
        steps.push(step(at(first), "First request failed".to_owned()));
    }
    if let Some(last) = timing.last_failure_microseconds {
        let failed = count(figures.failed);
        steps.push(step(
            at(last),
            format!("Last of {failed} failed requests failed"),
        ));
    }
    steps
}

fn the_end(figures: &Figures) -> [Step; 2] {
    let ended = if figures.was_interrupted {
        "Drill stopped"
    } else {
        "Load ended"
    };
    let looked_up = figures.writes.kept.acknowledged
        + figures.sessions.acknowledged
        + figures.uploads.acknowledged;
    let end = figures.load_microseconds;
    [
        step(
            end,
            format!("{ended} after {} requests", count(figures.sent)),
        ),
        step(
            end,
            format!(
                "Looked up {} writes, sessions and uploads",
                count(looked_up)
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Observation;
    use crate::sample;

    fn sightings(changes: u64) -> Vec<Sighting> {
        let seen = |number: u64| Observation {
            is_whole: number.is_multiple_of(2),
            detail: format!("change {number}"),
            rolled_back: None,
        };
        (0..changes)
            .map(|number| Sighting {
                at: number * 1_000_000,
                seen: seen(number),
            })
            .collect()
    }

    #[test]
    fn a_drill_is_told_in_order() {
        let injection = Injection {
            started: 10_000_000,
            ended: 10_012_000,
            done: vec!["Killed process 7".to_owned()],
        };
        let report = sample::report();
        let mut seen = sightings(1);
        seen.push(Sighting {
            at: 12_640_000,
            seen: Observation {
                is_whole: true,
                detail: "2 of 2 tasks".to_owned(),
                rolled_back: Some("exit code 1".to_owned()),
            },
        });
        let steps = tell(
            &report.settings,
            "kill the writer",
            Some(&injection),
            &seen,
            &report.figures,
        );
        let lines: Vec<String> = steps
            .iter()
            .map(|it| format!("{} {}", it.at_microseconds, it.what))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_flapping_target_does_not_fill_the_report() {
        let steps = what_was_seen(&sightings(100));
        assert_eq!(steps.len(), 41);
        assert_eq!(steps[20].what, "60 further changes left out");
        assert_eq!(steps[40].what, "Seen not whole: change 99");
        assert_eq!(what_was_seen(&sightings(40)).len(), 40);
    }
}
