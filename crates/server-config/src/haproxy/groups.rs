//! Target groups: the backends.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::SocketAddr;

use super::RenderError;
use super::quote::quote;
use crate::text;

/// How a target is chosen (ALB `load_balancing.algorithm.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Each in turn.
    RoundRobin,
    /// The one with the fewest requests in flight.
    LeastOutstandingRequests,
}

/// A group of targets that serve the same app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// Name of the group: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// When a target is healthy.
    pub health_check: HealthCheck,
    /// Whether a client stays with its target.
    pub stickiness: Option<Stickiness>,
    /// The targets known when the node starts; others come and go through [`super::commands`].
    pub targets: Vec<Target>,
}

/// Active health check over HTTP/1.1 GET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Path, with query if any.
    pub path: String,
    /// Value of the `Host` header.
    pub host: String,
    /// Milliseconds between two checks.
    pub interval_milliseconds: u32,
    /// Milliseconds between two checks while the outcome changes; nothing means the interval.
    /// An ALB has no such setting: it lets a new target take requests sooner.
    pub changing_interval_milliseconds: Option<u32>,
    /// Milliseconds until a check without an answer has failed.
    pub timeout_milliseconds: u32,
    /// Successes in a row that make a target healthy: 2 to 10 on an ALB, here from 1.
    pub healthy_threshold: u8,
    /// Failures in a row that make it unhealthy: 2 to 10 on an ALB, here from 1.
    pub unhealthy_threshold: u8,
    /// Codes of a success, e.g. `200`, `200,302` or `200-399` (ALB `Matcher.HttpCode`).
    pub matcher: String,
}

/// Duration-based stickiness (ALB `lb_cookie`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stickiness {
    /// Name of the cookie, `AWSALB` on an ALB.
    pub cookie_name: String,
    /// Seconds since the last request after which the cookie counts no more: 1 to 604800.
    pub duration_seconds: u32,
    /// Hashed with a target's address into the cookie's value. The same on all nodes of a load
    /// balancer, so that a client finds its target through any of them.
    pub key: String,
}

/// A task that takes requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name of the target, unique in its group: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Name of the backend that takes a group's requests while none of its targets is healthy.
pub fn fail_open_backend(group: &str) -> String {
    format!("{group}:fail-open")
}

/// Keeps connections to a server for the next request, for a time shorter than nginx does, so that
/// none is used while nginx closes it. A server that is added at run time keeps none unless told to
/// (HAProxy 2.6).
pub(super) const REUSE: &str = "pool-max-conn -1 pool-purge-delay 5s";

impl HealthCheck {
    /// The keywords of a checked server, as in the file and in `add server`.
    pub(super) fn server_keywords(&self) -> String {
        let mut keywords = format!("{REUSE} check inter {}ms", self.interval_milliseconds);
        if let Some(changing) = self.changing_interval_milliseconds {
            let _ = write!(keywords, " fastinter {changing}ms downinter {changing}ms");
        }
        let _ = write!(
            keywords,
            " rise {} fall {}",
            self.healthy_threshold, self.unhealthy_threshold
        );
        keywords
    }

    fn validate(&self) -> Result<(), RenderError> {
        let numbers = [
            ("the interval of a health check", self.interval_milliseconds),
            ("the timeout of a health check", self.timeout_milliseconds),
            ("the healthy threshold", self.healthy_threshold.into()),
            ("the unhealthy threshold", self.unhealthy_threshold.into()),
        ];
        for (field, value) in numbers {
            if value == 0 {
                return Err(RenderError::OutOfRange {
                    field,
                    value: 0,
                    allowed: "1 or more",
                });
            }
        }
        validate_matcher(&self.matcher)
    }
}

fn validate_matcher(matcher: &str) -> Result<(), RenderError> {
    let code = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|code| text.len() == 3 && (100..=599).contains(code))
    };
    let valid = matcher.split(',').all(|part| match part.split_once('-') {
        None => code(part).is_some(),
        Some((from, to)) => code(from)
            .zip(code(to))
            .is_some_and(|(from, to)| from <= to),
    });
    if valid {
        Ok(())
    } else {
        Err(RenderError::Matcher(matcher.to_owned()))
    }
}

/// Name of a group or target: HAProxy's own alphabet without `:`, which is ours.
pub(super) fn name<'a>(field: &'static str, value: &'a str) -> Result<&'a str, RenderError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return Ok(value);
    }
    let problem = "may hold only letters, digits, '-', '_' and '.'";
    Err(text::UnsafeText { field, problem }.into())
}

/// The two backends of a group.
pub(super) fn render(group: &TargetGroup) -> Result<String, RenderError> {
    name("the name of a target group", &group.name)?;
    let check = &group.health_check;
    check.validate()?;
    let mut names = BTreeSet::new();
    let (mut checked, mut open) = (String::new(), String::new());
    for target in &group.targets {
        name("the name of a target", &target.name)?;
        if !names.insert(&target.name) {
            return Err(RenderError::DuplicateName(target.name.clone()));
        }
        let Target { name, address } = target;
        let _ = writeln!(
            checked,
            "  server {name} {address} {}",
            check.server_keywords()
        );
        let _ = writeln!(open, "  server {name} {address} {REUSE}");
    }
    let common = render_common(group)?;
    Ok(format!(
        "backend {name}
{common}  timeout check {timeout}ms
  option httpchk
  http-check connect
  http-check send meth GET uri {path} ver HTTP/1.1 hdr Host {host} hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close
  http-check expect status {matcher}
{checked}
# All targets of {name}, healthy or not, for when none is.
backend {open_name}
{common}{open}",
        name = group.name,
        open_name = fail_open_backend(&group.name),
        timeout = check.timeout_milliseconds,
        path = quote("the path of a health check", &check.path)?,
        host = text::host_name("the host of a health check", &check.host)?,
        matcher = check.matcher,
    ))
}

fn render_common(group: &TargetGroup) -> Result<String, RenderError> {
    let balance = match group.algorithm {
        Algorithm::RoundRobin => "roundrobin",
        Algorithm::LeastOutstandingRequests => "leastconn",
    };
    let mut text = format!(
        "  balance {balance}
  # A request may be sent twice only if that does no harm (RFC 9110 section 9.2.2).
  http-request disable-l7-retry unless {{ method GET HEAD OPTIONS PUT DELETE }}
"
    );
    if let Some(stickiness) = &group.stickiness {
        if !(1..=604_800).contains(&stickiness.duration_seconds) {
            return Err(RenderError::OutOfRange {
                field: "the duration of stickiness",
                value: stickiness.duration_seconds.into(),
                allowed: "1 to 604800 seconds",
            });
        }
        let _ = writeln!(
            text,
            "  cookie {} insert indirect nocache httponly dynamic maxidle {}s\n  dynamic-cookie-key {}",
            name("the name of a cookie", &stickiness.cookie_name)?,
            stickiness.duration_seconds,
            quote("the key of stickiness", &stickiness.key)?,
        );
    }
    Ok(text)
}
