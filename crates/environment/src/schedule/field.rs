//! The six fields of `cron(…)`.

use std::{collections::BTreeSet, str::FromStr};

use super::ScheduleError;

pub(super) struct Field {
    name: &'static str,
    least: u16,
    pub(super) most: u16,
    names: &'static [&'static str],
    signs: &'static str,
}

pub(super) const MINUTE: Field = Field {
    name: "minute",
    least: 0,
    most: 59,
    names: &[],
    signs: ", - * /",
};
pub(super) const HOUR: Field = Field {
    name: "hour",
    least: 0,
    most: 23,
    names: &[],
    signs: ", - * /",
};
pub(super) const DAY_OF_MONTH: Field = Field {
    name: "day of month",
    least: 1,
    most: 31,
    names: &[],
    signs: ", - * ? / L W",
};
pub(super) const MONTH: Field = Field {
    name: "month",
    least: 1,
    most: 12,
    names: &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
    signs: ", - * /",
};
pub(super) const DAY_OF_WEEK: Field = Field {
    name: "day of week",
    least: 1,
    most: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    signs: ", - * ? L #",
};
pub(super) const YEAR: Field = Field {
    name: "year",
    least: 1970,
    most: 2199,
    names: &[],
    signs: ", - * /",
};

impl Field {
    pub(super) fn set(&self, text: &str) -> Result<BTreeSet<u16>, ScheduleError> {
        let values = self.list(text, |part| self.values(part))?;
        Ok(values.into_iter().collect())
    }

    /// The list, or none for `?`.
    pub(super) fn unless_any<T>(
        &self,
        text: &str,
        part: impl Fn(&str) -> Option<Vec<T>>,
    ) -> Result<Option<Vec<T>>, ScheduleError> {
        if text == "?" {
            return Ok(None);
        }
        self.list(text, part).map(Some)
    }

    fn list<T>(
        &self,
        text: &str,
        part: impl Fn(&str) -> Option<Vec<T>>,
    ) -> Result<Vec<T>, ScheduleError> {
        let parts: Option<Vec<Vec<T>>> = text.split(',').map(part).collect();
        let parts = parts.ok_or_else(|| ScheduleError::Field {
            field: self.name,
            written: text.to_owned(),
            least: self.least,
            most: self.most,
            signs: self.signs,
        })?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// `*`, `5`, `5-9`, and with steps `*/2`, `5/2`, `5-9/2`.
    pub(super) fn values(&self, part: &str) -> Option<Vec<u16>> {
        let Some((start, step)) = part.split_once('/') else {
            return self
                .range(part)
                .or_else(|| self.value(part).map(|value| vec![value]));
        };
        let step: u16 = whole_number(step)?;
        if !self.signs.contains('/') || step == 0 || step > self.most {
            return None;
        }
        let range = self
            .range(start)
            .or_else(|| Some((self.value(start)?..=self.most).collect()))?;
        Some(range.into_iter().step_by(usize::from(step)).collect())
    }

    /// `*` or `5-9`; days of the week go round, as in `FRI-MON`.
    fn range(&self, part: &str) -> Option<Vec<u16>> {
        if part == "*" {
            return Some((self.least..=self.most).collect());
        }
        let (from, to) = part.split_once('-')?;
        let (from, to) = (self.value(from)?, self.value(to)?);
        if from <= to {
            return Some((from..=to).collect());
        }
        let goes_round = self.name == DAY_OF_WEEK.name;
        goes_round.then(|| (from..=self.most).chain(self.least..=to).collect())
    }

    pub(super) fn value(&self, text: &str) -> Option<u16> {
        let named = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(index) => u16::try_from(index).ok()? + self.least,
            None => whole_number(text)?,
        };
        (self.least..=self.most).contains(&number).then_some(number)
    }
}

/// Digits alone, no sign.
pub(super) fn whole_number<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}
