//! The Bastion, Jenkins, logs, and the local target.

use super::Rules;
use crate::units::{Duration, Size};

/// The versions of Java that Jenkins runs on (jenkins.io, "Java Support Policy").
const JAVA_VERSIONS: [u8; 2] = [21, 25];
/// Values of a listener rule of the load balancer, all conditions together (ALB).
const RULE_VALUES: usize = 5;

/// The lengths for which CloudWatch Logs keeps logs, in days.
const LOG_DAYS: [u64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    rules.ranges(
        &["bastion", "allow-ssh-from"],
        &settings.bastion.allow_ssh_from,
    );
    rules.ranges(&["jenkins", "allow-from"], &settings.jenkins.allow_from);
    let limits = (Size::from_gib(8), Size::from_gib(1_024));
    let path = ["bastion", "volume-size"];
    rules.size_within(&path, settings.bastion.volume_size, limits, "The Bastion");
    jenkins(rules);
    logs(rules);
    let local = &settings.local;
    if local.http_port == local.https_port {
        let message = format!("HTTP and HTTPS can't share port {}.", local.http_port);
        let help = "Give `local.http-port` and `local.https-port` different numbers.";
        let (one, other) = (["local", "https-port"], ["local", "http-port"]);
        rules.wrong_pair(
            "same_port",
            (&one, "HTTPS"),
            (&other, "HTTP"),
            message,
            help,
        );
    }
}

fn jenkins(rules: &mut Rules<'_>) {
    let jenkins = &rules.settings.jenkins;
    let allow_from = ["jenkins", "allow-from"];
    if jenkins.enabled && jenkins.allow_from.is_empty() {
        let message = "No one may reach Jenkins.".to_owned();
        let help = "Name your ranges, such as `allow-from = [\"203.0.113.0/24\"]`: Jenkins can run \
                    anything and must not be open to the world by default.";
        rules.wrong("missing_allow_from", &allow_from, message, help);
    }
    if jenkins.allow_from.len() >= RULE_VALUES {
        let message = format!("Jenkins has {} ranges.", jenkins.allow_from.len());
        let help = "At most 4: a listener rule of the load balancer takes 5 values, and the host is \
                    one of them.";
        rules.wrong("too_many_conditions", &allow_from, message, help);
    }
    let limits = (Size::from_gib(8), Size::from_gib(16 * 1_024));
    let path = ["jenkins", "volume-size"];
    rules.size_within(&path, jenkins.volume_size, limits, "gp3");
    if !JAVA_VERSIONS.contains(&jenkins.java_version) {
        let message = format!("Jenkins does not run on Java {}.", jenkins.java_version);
        let path = ["jenkins", "java-version"];
        rules.wrong("unknown_value", &path, message, "Allowed: 21 and 25.");
    }
}

fn logs(rules: &mut Rules<'_>) {
    let retention = rules.settings.logs.retention;
    let path = ["logs", "retention"];
    if retention.as_millis() == 0 {
        let message = "Logs can't be kept for no time.".to_owned();
        rules.wrong("out_of_range", &path, message, "Allowed: more than 0.");
        return;
    }
    if !rules.on_aws()
        || LOG_DAYS
            .iter()
            .any(|days| Duration::from_days(*days) == retention)
    {
        return;
    }
    let longer = LOG_DAYS
        .iter()
        .find(|days| Duration::from_days(**days) > retention);
    let message = format!("CloudWatch Logs can't keep logs for {retention}.");
    let days: Vec<String> = LOG_DAYS.iter().map(|days| format!("{days}d")).collect();
    let close = longer
        .map(|days| format!("The next longer is `{days}d`. "))
        .unwrap_or_default();
    let help = format!("{close}It offers {}.", days.join(", "));
    rules.wrong("bad_retention", &path, message, &help);
}
