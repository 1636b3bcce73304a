//! Alarms of the blueprint as CloudWatch alarms.
