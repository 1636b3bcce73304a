//! What no schema can say: how the parts of an environment must fit each other, and what AWS, ECS
//! and Magento refuse. One module per part of the file.

mod apps;
mod backups;
mod base_images;
mod clusters;
mod containers;
mod data;
mod deployment;
mod edge;
mod firewall;
mod health;
mod jobs;
mod names;
mod network;
mod operations;
mod people;
mod routing;
mod secrets;
mod services;
mod variables;

use ipnet::IpNet;

use crate::{
    Settings,
    diagnostic::Diagnostic,
    settings::Target,
    tree::{Found, Node},
    units::{Duration, Size},
};

pub(crate) use names::{check_environment_name, check_project_name};
pub use secrets::known_secrets;

/// The containers that presets bring: the web server, php-fpm, and Blackfire's agent where that
/// integration is on.
pub const PRESET_CONTAINERS: [&str; 3] = ["nginx", "php-fpm", "blackfire"];

/// Mistakes that may only follow from another one, when what was meant was not understood.
const OF_ABSENCE: [&str; 18] = [
    "missing_command",
    "missing_schedule",
    "no_app",
    "no_cluster",
    "unknown_base_image",
    "unknown_cluster",
    "unknown_container",
    "unknown_rule_group",
    "unknown_secret",
    "zone_not_in_network",
    "missing_key",
    "missing_source",
    "missing_container",
    "missing_image",
    "missing_port",
    "missing_allow_from",
    "missing_public_zone",
    "wrong_number_of_subnets",
];

/// Whether a mistake is that something is not there.
pub(crate) fn is_of_absence(code: &str) -> bool {
    OF_ABSENCE.contains(&code)
}

/// Where an environment runs.
pub(crate) fn target(name: &str, settings: &Settings) -> Target {
    settings.target.unwrap_or(if name == "local" {
        Target::Local
    } else {
        Target::Aws
    })
}

/// Every rule that the environment breaks. `tree` is what `settings` were made of.
pub(crate) fn check(name: &str, settings: &Settings, tree: &Node) -> Vec<Diagnostic> {
    let mut rules = Rules {
        name,
        settings,
        target: target(name, settings),
        tree,
        found: Vec::new(),
    };
    names::check(&mut rules);
    network::check(&mut rules);
    clusters::check(&mut rules);
    apps::check(&mut rules);
    routing::check(&mut rules);
    health::check(&mut rules);
    deployment::check(&mut rules);
    containers::check(&mut rules);
    base_images::check(&mut rules);
    jobs::check(&mut rules);
    variables::check(&mut rules);
    secrets::check(&mut rules);
    data::check(&mut rules);
    backups::check(&mut rules);
    services::check(&mut rules);
    edge::check(&mut rules);
    firewall::check(&mut rules);
    operations::check(&mut rules);
    people::check(&mut rules);
    rules.found
}

/// The environment that is checked, and what was found so far.
struct Rules<'a> {
    name: &'a str,
    settings: &'a Settings,
    target: Target,
    tree: &'a Node,
    found: Vec<Diagnostic>,
}

/// What to say of a place; a default has none of its own.
fn said(label: &str, place: &Found) -> String {
    if place.exact {
        label.to_owned()
    } else {
        format!("{label} (not written here)")
    }
}

/// The path to a list rather than to one of its values.
fn without_index<'a>(path: Path<'a>) -> Path<'a> {
    match path.split_last() {
        Some((last, list)) if last.bytes().all(|byte| byte.is_ascii_digit()) => list,
        _ => path,
    }
}

/// A path of keys into the file.
type Path<'a> = &'a [&'a str];

impl Rules<'_> {
    /// Reports a mistake at the value of `path`; where a default applies, at the nearest table that
    /// was written.
    fn wrong(&mut self, code: &'static str, path: Path<'_>, message: String, help: &str) {
        let place = self.tree.locate(path);
        self.report(code, path, place, message, help);
    }

    /// Reports a mistake at the last key of `path`.
    fn wrong_key(&mut self, code: &'static str, path: Path<'_>, message: String, help: &str) {
        let place = self.tree.locate_key(path);
        self.report(code, path, place, message, help);
    }

    /// Reports a mistake that lies between two values.
    fn wrong_pair(
        &mut self,
        code: &'static str,
        (path, label): (Path<'_>, &str),
        (other, other_label): (Path<'_>, &str),
        message: String,
        help: &str,
    ) {
        let (first, second) = (self.tree.locate(path), self.tree.locate(other));
        let one = Diagnostic::new(code, message).help(help);
        let mut one = one.labelled(first.span.clone(), said(label, &first));
        if second.span != first.span {
            let label = said(other_label, &second);
            one = one.labelled(second.span, label);
        }
        self.found.push(one);
    }

    fn report(
        &mut self,
        code: &'static str,
        path: Path<'_>,
        place: Found,
        message: String,
        help: &str,
    ) {
        let one = Diagnostic::new(code, message).help(help);
        let one = match place {
            Found { span, exact: true } => one.at(span),
            Found { span, exact: false } => one.labelled(
                span,
                format!("`{}` is not written here", without_index(path).join(".")),
            ),
        };
        self.found.push(one);
    }

    /// Whether the file itself says something at `path`.
    fn is_written(&self, path: Path<'_>) -> bool {
        self.tree.locate(path).exact
    }

    /// A length of time must be within `least` and `most`, which `source` demands.
    fn within(
        &mut self,
        path: Path<'_>,
        value: Duration,
        (least, most): (Duration, Duration),
        source: &str,
    ) {
        if value < least || value > most {
            let message = format!("`{}` can't be {value}.", path.join("."));
            let least = if least.as_millis() == 0 {
                "0s".to_owned()
            } else {
                least.to_string()
            };
            let help = format!("{source} takes {least} to {most}.");
            self.wrong("out_of_range", path, message, &help);
        }
    }

    /// An amount must be within `least` and `most`, which `source` demands.
    fn size_within(
        &mut self,
        path: Path<'_>,
        value: Size,
        (least, most): (Size, Size),
        source: &str,
    ) {
        if value < least || value > most {
            let message = format!("`{}` can't be {value}.", path.join("."));
            let help = format!("{source} takes {least} to {most}.");
            self.wrong("out_of_range", path, message, &help);
        }
    }

    /// `minimum <= desired <= maximum`.
    fn ordered(&mut self, path: Path<'_>, minimum: u32, desired: Option<u32>, maximum: u32) {
        let at = |key| [path, &[key]].concat();
        let (low, middle, high) = (at("minimum"), at("desired"), at("maximum"));
        let mut compare = |less: &[&str], more: &[&str], low: u32, high: u32| {
            if low > high {
                let (one, other) = (less.join("."), more.join("."));
                let message = format!("`{one}` ({low}) is above `{other}` ({high}).");
                let labels = (format!("{low}"), format!("{high}"));
                let help = "They must be in the order minimum, desired, maximum.";
                self.wrong_pair(
                    "wrong_order",
                    (less, &labels.0),
                    (more, &labels.1),
                    message,
                    help,
                );
            }
        };
        compare(&low, &high, minimum, maximum);
        if let Some(desired) = desired.filter(|_| minimum <= maximum) {
            compare(&low, &middle, minimum, desired);
            compare(&middle, &high, desired, maximum);
        }
    }

    /// Ranges of a list must have no bits beyond their prefix; the form was checked before.
    fn ranges(&mut self, path: Path<'_>, ranges: &[String]) {
        for (index, text) in ranges.iter().enumerate() {
            let Ok(range) = text.parse::<IpNet>() else {
                continue;
            };
            if range.trunc() != range {
                let index = index.to_string();
                let path = [path, &[index.as_str()]].concat();
                self.host_bits(&path, range);
            }
        }
    }

    fn host_bits(&mut self, path: Path<'_>, range: IpNet) {
        let message = format!("`{range}` has bits set beyond its prefix.");
        let help = format!("The range of that prefix is `{}`.", range.trunc());
        self.wrong("host_bits", path, message, &help);
    }

    fn on_aws(&self) -> bool {
        self.target == Target::Aws
    }
}
