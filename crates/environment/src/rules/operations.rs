//! The Bastion, Jenkins, logs, and the local target.

use super::Rules;
use crate::units::Duration;

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
    if settings.jenkins.enabled && settings.jenkins.allow_from.is_empty() {
        let message = "No one may reach Jenkins.".to_owned();
        let help = "Name your ranges, such as `allow-from = [\"203.0.113.0/24\"]`: Jenkins can run \
                    anything and must not be open to the world by default.";
        rules.wrong(
            "missing_allow_from",
            &["jenkins", "allow-from"],
            message,
            help,
        );
    }
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
