//! EventBridge's schedule expressions: `rate(5 minutes)` and `cron(0 3 * * ? *)`.
//!
//! Source: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules".

/// What is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Neither `rate(…)` nor `cron(…)`.
    #[error("a schedule is `rate(…)` or `cron(…)`")]
    Form,
    /// A rate that is not a number and a unit.
    #[error(
        "a rate is a whole number from 1 and one of `minute`, `minutes`, `hour`, `hours`, `day`, `days`"
    )]
    Rate,
    /// `1 minutes` or `5 minute`.
    #[error("the unit of {number} is `{unit}`")]
    Plural {
        /// The number.
        number: u32,
        /// The unit as it must be.
        unit: String,
    },
    /// Not six fields.
    #[error(
        "cron has 6 fields (minutes, hours, day of month, month, day of week, year), not {count}"
    )]
    Fields {
        /// How many there are.
        count: usize,
    },
    /// A field that can't be read or is out of its range.
    #[error("the {field} `{written}` is not within {least}-{most} or one of `{signs}`")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What was written.
        written: String,
        /// The least value.
        least: u16,
        /// The most.
        most: u16,
        /// The signs that the field knows.
        signs: &'static str,
    },
    /// Not exactly one of day of month and day of week is `?`.
    #[error("exactly one of day of month and day of week must be `?`")]
    Question,
}

struct Field {
    name: &'static str,
    least: u16,
    most: u16,
    names: &'static [&'static str],
    signs: &'static str,
}

const FIELDS: [Field; 6] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        names: &[],
        signs: ", - * /",
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        names: &[],
        signs: ", - * /",
    },
    Field {
        name: "day of month",
        least: 1,
        most: 31,
        names: &[],
        signs: ", - * ? / L W",
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
        signs: ", - * /",
    },
    Field {
        name: "day of week",
        least: 1,
        most: 7,
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
        signs: ", - * ? / L #",
    },
    Field {
        name: "year",
        least: 1970,
        most: 2199,
        names: &[],
        signs: ", - * /",
    },
];

/// Checks a schedule expression.
///
/// # Errors
/// What EventBridge would refuse.
pub fn check(schedule: &str) -> Result<(), ScheduleError> {
    let inner = |name: &str| {
        schedule
            .strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    match (inner("rate"), inner("cron")) {
        (Some(rate), _) => check_rate(rate),
        (_, Some(cron)) => check_cron(cron),
        _ => Err(ScheduleError::Form),
    }
}

fn check_rate(rate: &str) -> Result<(), ScheduleError> {
    let (number, unit) = rate.split_once(' ').ok_or(ScheduleError::Rate)?;
    let number: u32 = number.parse().map_err(|_| ScheduleError::Rate)?;
    let one = unit.strip_suffix('s').unwrap_or(unit);
    if number == 0 || !["minute", "hour", "day"].contains(&one) {
        return Err(ScheduleError::Rate);
    }
    let right = if number == 1 {
        one.to_owned()
    } else {
        format!("{one}s")
    };
    if right == unit {
        Ok(())
    } else {
        Err(ScheduleError::Plural {
            number,
            unit: right,
        })
    }
}

fn check_cron(cron: &str) -> Result<(), ScheduleError> {
    let written: Vec<&str> = cron.split_whitespace().collect();
    if written.len() != FIELDS.len() {
        return Err(ScheduleError::Fields {
            count: written.len(),
        });
    }
    for (field, text) in FIELDS.iter().zip(&written) {
        if !field.knows(text) {
            return Err(ScheduleError::Field {
                field: field.name,
                written: (*text).to_owned(),
                least: field.least,
                most: field.most,
                signs: field.signs,
            });
        }
    }
    if (written[2] == "?") == (written[4] == "?") {
        return Err(ScheduleError::Question);
    }
    Ok(())
}

impl Field {
    fn knows(&self, text: &str) -> bool {
        (text == "?" && self.signs.contains('?'))
            || text.split(',').all(|part| self.knows_part(part))
    }

    fn knows_part(&self, part: &str) -> bool {
        if let Some((start, step)) = part.split_once('/') {
            let step_fits = step
                .parse::<u16>()
                .is_ok_and(|step| step > 0 && step <= self.most);
            return step_fits && (start == "*" || self.range(start) || self.value(start).is_some());
        }
        part == "*" || self.range(part) || self.value(part).is_some() || self.special(part)
    }

    fn range(&self, part: &str) -> bool {
        let ends = part
            .split_once('-')
            .and_then(|(from, to)| Some((self.value(from)?, self.value(to)?)));
        ends.is_some_and(|(from, to)| from <= to || self.name == "day of week")
    }

    fn value(&self, text: &str) -> Option<u16> {
        let named = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(index) => u16::try_from(index).ok()? + self.least,
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (self.least..=self.most).contains(&number).then_some(number)
    }

    /// `L`, `LW`, `15W` of months; `L`, `5L`, `5#3` of weeks.
    fn special(&self, part: &str) -> bool {
        match self.name {
            "day of month" => {
                ["L", "LW"].contains(&part)
                    || part
                        .strip_suffix('W')
                        .is_some_and(|day| self.value(day).is_some())
            }
            "day of week" => {
                let last = part.strip_suffix('L');
                let nth = part.split_once('#');
                last.is_some_and(|day| day.is_empty() || self.value(day).is_some())
                    || nth.is_some_and(|(day, week)| {
                        self.value(day).is_some() && ["1", "2", "3", "4", "5"].contains(&week)
                    })
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_that_eventbridge_takes_pass() {
        for schedule in [
            "rate(1 minute)",
            "rate(5 minutes)",
            "rate(1 day)",
            "rate(12 hours)",
            "cron(0 3 * * ? *)",
            "cron(*/5 * * * ? *)",
            "cron(0 9 ? * 2#1 *)",
            "cron(0 0 L * ? *)",
            "cron(0/15 8-17 ? * MON-FRI 2026-2030)",
            "cron(0 10 15W JAN,JUL ? *)",
            "cron(15 10 ? * 6L 2026)",
            "cron(0 0 ? * FRI-MON *)",
        ] {
            assert_eq!(check(schedule), Ok(()), "{schedule}");
        }
    }

    #[test]
    fn schedules_that_eventbridge_refuses_are_refused() {
        for schedule in [
            "rate(0 minutes)",
            "rate(5 minute)",
            "rate(1 minutes)",
            "rate(5  minutes)",
            "rate(5s)",
            "rate(5 weeks)",
            "rate(-1 minutes)",
            "every 5 minutes",
            "cron(* * * * *)",
            "cron(0 3 * * * *)",
            "cron(0 3 ? * ? *)",
            "cron(60 3 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 3 0 * ? *)",
            "cron(0 3 * 13 ? *)",
            "cron(0 3 ? * 8 *)",
            "cron(0 3 * * ? 1969)",
            "cron(*/0 3 * * ? *)",
            "cron(0 17-8 * * ? *)",
            "cron(? 3 * * ? *)",
            "cron(0 3 ? * 2#6 *)",
            "cron()",
            "rate()",
            "cron(0 3 * * ? *",
            "",
        ] {
            assert!(check(schedule).is_err(), "{schedule}");
        }
    }

    #[test]
    fn the_plural_is_said_precisely() {
        assert_eq!(
            check("rate(5 minute)").unwrap_err().to_string(),
            "the unit of 5 is `minutes`"
        );
    }
}
