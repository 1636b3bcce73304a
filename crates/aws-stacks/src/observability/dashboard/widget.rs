//! Widgets of a CloudWatch dashboard, and how they are laid out (CloudWatch API reference,
//! "Dashboard body structure and syntax").

use mck_cloudformation::Json;
use serde_json::json;

/// The grid's columns.
const COLUMNS: u32 = 24;

/// A part of the dashboard under a heading.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) widgets: Vec<Widget>,
}

/// Something that is shown.
pub(super) enum Widget {
    /// Curves over time.
    Chart(Chart),
    /// The answer to a question to CloudWatch Logs Insights.
    Logs {
        title: String,
        /// At most 50 (CloudWatch Logs quotas).
        groups: Vec<String>,
        query: &'static str,
    },
    /// The state of alarms, by ARN; at most 100.
    Alarms { title: String, arns: Vec<String> },
}

impl Widget {
    const fn size(&self) -> (u32, u32) {
        match self {
            Self::Chart(_) => (8, 6),
            Self::Logs { .. } => (COLUMNS, 7),
            Self::Alarms { .. } => (COLUMNS, 4),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Chart(_) => "metric",
            Self::Logs { .. } => "log",
            Self::Alarms { .. } => "alarm",
        }
    }

    fn properties(&self) -> Json {
        match self {
            Self::Chart(chart) => chart.properties(),
            Self::Logs {
                title,
                groups,
                query,
            } => {
                let sources = groups.iter().map(|group| format!("SOURCE '{group}' | "));
                json!({
                    "title": title,
                    "region": "${AWS::Region}",
                    "view": "table",
                    "query": sources.collect::<String>() + query,
                })
            }
            Self::Alarms { title, arns } => json!({ "title": title, "alarms": arns }),
        }
    }
}

/// Curves over time.
pub(super) struct Chart {
    title: String,
    series: Vec<Series>,
    statistic: &'static str,
    unit: Option<&'static str>,
    stacked: bool,
    region: &'static str,
}

/// What gives one curve, or several.
enum Series {
    Metric {
        namespace: &'static str,
        name: &'static str,
        dimensions: Vec<(&'static str, String)>,
        label: String,
        statistic: Option<&'static str>,
    },
    Expression(String),
}

/// A minute: what AWS's services report at.
const PERIOD: u32 = 60;
/// Curves of a search that are shown.
const SHOWN: u32 = 20;

/// Which curves of a search are shown, where there are more than [`SHOWN`].
#[derive(Clone, Copy)]
pub(super) enum First {
    /// Those with the greatest values.
    Greatest,
    /// Those with the least values.
    Least,
}

impl Chart {
    pub(super) fn new(title: impl Into<String>, statistic: &'static str) -> Self {
        Self {
            title: title.into(),
            series: Vec::new(),
            statistic,
            unit: None,
            stacked: false,
            region: "${AWS::Region}",
        }
    }

    /// What stands at the left axis.
    pub(super) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// One curve on top of the other.
    pub(super) const fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    /// The metrics are in this region rather than in the stack's.
    pub(super) const fn in_region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }

    /// A curve of one metric.
    pub(super) fn metric(
        mut self,
        (namespace, name): (&'static str, &'static str),
        dimensions: &[(&'static str, &str)],
        label: impl Into<String>,
    ) -> Self {
        let dimensions = dimensions.iter();
        self.series.push(Series::Metric {
            namespace,
            name,
            dimensions: dimensions
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            label: label.into(),
            statistic: None,
        });
        self
    }

    /// The last curve is of another statistic than the chart's others.
    pub(super) fn of(mut self, another: &'static str) -> Self {
        if let Some(Series::Metric { statistic, .. }) = self.series.last_mut() {
            *statistic = Some(another);
        }
        self
    }

    /// Curves of what a search finds: however many apps there are, it is one line.
    pub(super) fn search(mut self, terms: &str, first: First) -> Self {
        let statistic = self.statistic;
        let order = match first {
            First::Greatest => "MAX, DESC",
            First::Least => "MIN, ASC",
        };
        self.series.push(Series::Expression(format!(
            "SORT(SEARCH('{terms}', '{statistic}', {PERIOD}), {order}, {SHOWN})"
        )));
        self
    }

    fn properties(&self) -> Json {
        let metrics: Vec<Json> = self
            .series
            .iter()
            .enumerate()
            .map(|(index, series)| series.json(index))
            .collect();
        let mut properties = json!({
            "title": self.title,
            "region": self.region,
            "view": "timeSeries",
            "stacked": self.stacked,
            "period": PERIOD,
            "stat": self.statistic,
            "metrics": metrics,
        });
        let mut axis = json!({ "min": 0 });
        if let Some(unit) = self.unit {
            axis["label"] = unit.into();
            axis["showUnits"] = false.into();
        }
        properties["yAxis"] = json!({ "left": axis });
        properties
    }
}

impl Series {
    fn json(&self, index: usize) -> Json {
        match self {
            Self::Expression(expression) => {
                json!([{ "expression": expression, "id": format!("search{}", index + 1), "label": "" }])
            }
            Self::Metric {
                namespace,
                name,
                dimensions,
                label,
                statistic,
            } => {
                let mut metric = vec![json!(namespace), json!(name)];
                for (name, value) in dimensions {
                    metric.extend([json!(name), json!(value)]);
                }
                let mut options = json!({ "label": label });
                if let Some(statistic) = statistic {
                    options["stat"] = (*statistic).into();
                }
                metric.push(options);
                metric.into()
            }
        }
    }
}

/// The widgets of all sections, each with its place: from left to right while there is room.
pub(super) fn lay_out(sections: &[Section]) -> Vec<Json> {
    let mut placed = Vec::new();
    let mut top = 0;
    for section in sections.iter().filter(|it| !it.widgets.is_empty()) {
        let heading = json!({ "markdown": format!("## {}", section.title) });
        placed.push(place("text", (0, top), (COLUMNS, 1), &heading));
        top += 1;
        let (mut left, mut tallest) = (0, 0);
        for widget in &section.widgets {
            let (width, height) = widget.size();
            if left + width > COLUMNS {
                top += tallest;
                (left, tallest) = (0, 0);
            }
            placed.push(place(
                widget.kind(),
                (left, top),
                (width, height),
                &widget.properties(),
            ));
            left += width;
            tallest = tallest.max(height);
        }
        top += tallest;
    }
    placed
}

fn place(kind: &str, (x, y): (u32, u32), (width, height): (u32, u32), properties: &Json) -> Json {
    json!({
        "type": kind,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "properties": properties,
    })
}
