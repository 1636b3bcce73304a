//! Backups in a vault, and what AWS keeps of files.

use super::{Rules, data::whole_days};
use crate::{
    schedule::{self, Expression},
    units::Duration,
};

/// Times after which EFS moves files to Infrequent Access, in days (EFS, `LifecyclePolicy`).
const LIFECYCLE_DAYS: [u64; 9] = [1, 7, 14, 30, 60, 90, 180, 270, 365];
/// The longest that AWS Backup keeps a recovery point: 100 years.
const LONGEST: Duration = Duration::from_days(36_500);

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    let storage = &settings.storage;
    retention(
        rules,
        &["storage", "backup-retention"],
        storage.backup_retention,
    );
    if let Some(length) = settings.database.backups.vault_retention {
        retention(rules, &["database", "backups", "vault-retention"], length);
    }
    backup_schedule(
        rules,
        &["storage", "backup-schedule"],
        &storage.backup_schedule,
    );
    let after = storage.infrequent_access_after;
    let mut known = [0].iter().chain(&LIFECYCLE_DAYS);
    if !known.any(|days| Duration::from_days(*days) == after) {
        let message = format!("EFS can't move files after {after}.");
        let days: Vec<String> = LIFECYCLE_DAYS.iter().map(|it| format!("{it}d")).collect();
        let help = format!("It offers {}, and 0d is never.", days.join(", "));
        let path = ["storage", "infrequent-access-after"];
        rules.wrong("bad_retention", &path, message, &help);
    }
}

fn retention(rules: &mut Rules<'_>, path: &[&str], length: Duration) {
    let limits = (Duration::from_days(1), LONGEST);
    rules.within(path, length, limits, "AWS Backup");
    whole_days(rules, path, length);
}

/// AWS Backup takes `cron(…)` alone, at most once an hour.
fn backup_schedule(rules: &mut Rules<'_>, path: &[&str], text: &str) {
    let help = "`cron(…)` in EventBridge's syntax, at most once an hour (AWS Backup), such as \
                `cron(0 5 ? * * *)`.";
    let wrong = match schedule::parse(text) {
        Err(error) => format!("can't be read: {error}"),
        Ok(Expression::Rate { .. }) => "must be a `cron(…)`".to_owned(),
        Ok(Expression::Cron(cron)) if cron.minutes.len() > 1 => {
            "is more often than once an hour".to_owned()
        }
        Ok(Expression::Cron(_)) => return,
    };
    let message = format!("The backup schedule {wrong}.");
    rules.wrong("bad_schedule", path, message, help);
}
