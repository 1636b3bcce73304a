//! The configuration file of a node.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::quote::quote;
use super::{Binding, DefaultAction, Node, RenderError, groups, rules};
use crate::text;

/// The access log: one JSON object per request, with the fields of an ALB's access log under the
/// ALB's names, times in milliseconds (-1 when the request did not get so far), and HAProxy's
/// termination state (manual §8.5).
const LOG_FORMAT: &str = concat!(
    r#"{"time":"%[var(txn.time)]","time_ms":%Ts%ms,"type":"access","node":"%[var(proc.node)]","#,
    r#""client":"%ci:%cp","target_group":"%b","target":"%s","target_address":"%si:%sp","#,
    r#""method":"%HM","host":"%[var(txn.host),json(utf8s)]","path":"%[var(txn.pathq),json(utf8s)]","#,
    r#""protocol":"%HV","status":%ST,"received_bytes":%U,"sent_bytes":%B,"#,
    r#""request_processing_ms":%TR,"queue_ms":%Tw,"connect_ms":%Tc,"target_processing_ms":%Tr,"total_ms":%Ta,"#,
    r#""termination_state":"%tsc","retries":"%rc","#,
    r#""user_agent":"%[var(txn.user_agent),json(utf8s)]","tls":"%sslv","#,
    r#""trace_id":"%[var(txn.trace_id),json(utf8s)]","request_id":"%ID"}"#,
);

/// What every request goes through. `X-Amzn-Trace-Id` follows the ALB's format: `Root=1-<8 hex digits
/// of the time>-<24 random hex digits>`; a header that is there already keeps its root and gets a
/// `Self=` of the same form in front.
const REQUEST_RULES: &str = r#"  unique-id-format %[uuid()]
  http-request set-var(txn.time) date(),utime(%Y-%m-%dT%H:%M:%SZ)
  http-request set-var(txn.host) req.hdr(host),host_only,lower
  http-request set-var(txn.pathq) pathq
  http-request set-var(txn.user_agent) req.fhdr(user-agent)
  http-request set-var-fmt(txn.trace) "1-%[date(),and(4294967295),hex,bytes(8,8),lower]-%[uuid(),regsub(-,,g),bytes(0,24)]"
  http-request set-var-fmt(txn.trace_id) "Self=%[var(txn.trace)];%[req.fhdr(x-amzn-trace-id)]" if { req.fhdr(x-amzn-trace-id) -m sub Root= }
  http-request set-var-fmt(txn.trace_id) "Root=%[var(txn.trace)]" unless { var(txn.trace_id) -m found }
  http-request set-header X-Amzn-Trace-Id %[var(txn.trace_id)]
  http-request set-header X-Request-Id %[unique-id]
  # What a client must not be able to claim; "Proxy" would become HTTP_PROXY in CGI programs.
  http-request del-header Forwarded
  http-request del-header X-Forwarded-Host
  http-request del-header X-Real-IP
  http-request del-header Proxy
  http-request set-header X-Forwarded-Port %[dst_port]
"#;

/// Renders the whole configuration file.
///
/// # Errors
/// [`RenderError`] says which input has no correct configuration.
pub fn render(node: &Node) -> Result<String, RenderError> {
    let mut names = BTreeSet::new();
    for group in &node.target_groups {
        if !names.insert(group.name.as_str()) {
            return Err(RenderError::DuplicateName(group.name.clone()));
        }
    }
    let mut text = global(node)? + &defaults(node)? + &metrics(node);
    let routing = rules::render(&node.rules, &names)? + &default_action(node, &names)?;
    let forwarded_for = forwarded_for(node)?;
    let mut listeners = 0;
    if let Some(http) = &node.http {
        listeners += 1;
        let redirect = http
            .redirect_to_https_port
            .map(redirect)
            .unwrap_or_default();
        let binds = binds(&http.binding, "")?;
        text += &frontend("http", &binds, &forwarded_for, &redirect, &routing);
    }
    if let Some(https) = &node.https {
        listeners += 1;
        let certificate = text::word("the path of a certificate", &https.certificate)?;
        let tls = format!(" ssl crt {certificate} alpn h2,http/1.1");
        let binds = binds(&https.binding, &tls)?;
        text += &frontend("https", &binds, &forwarded_for, "", &routing);
    }
    if listeners == 0 {
        return Err(RenderError::NoListener);
    }
    for group in &node.target_groups {
        text.push('\n');
        text += &groups::render(group)?;
    }
    if let DefaultAction::FixedResponse { status, body } = &node.default_action {
        text += &fixed_response(*status, body)?;
    }
    Ok(text)
}

fn global(node: &Node) -> Result<String, RenderError> {
    in_range(
        "the number of threads",
        node.threads.into(),
        1..=64,
        "1 to 64",
    )?;
    in_range(
        "the number of connections",
        node.max_connections.into(),
        1..=1 << 20,
        "1 to 1048576",
    )?;
    Ok(format!(
        "# One node of the load balancer. Rendered; changes are lost.
global
  log stdout len 4096 format raw local0 info
  stats socket {socket} mode 660 level admin
  nbthread {threads}
  maxconn {connections}
  hard-stop-after {stop}s
  # An ALB takes 64 KiB of request headers.
  tune.bufsize 65536
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
  ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
  set-var proc.node str({name})
",
        socket = text::word("the path of the control socket", &node.control_socket)?,
        threads = node.threads,
        connections = node.max_connections,
        stop = node.hard_stop_after_seconds,
        name = text::word("the name of a node", &node.name)?,
    ))
}

fn defaults(node: &Node) -> Result<String, RenderError> {
    let idle = node.idle_timeout_seconds;
    in_range(
        "the idle timeout",
        idle.into(),
        1..=4000,
        "1 to 4000 seconds",
    )?;
    Ok(format!(
        "
defaults
  mode http
  log global
  option dontlognull
  timeout connect 2s
  timeout http-request 10s
  timeout http-keep-alive {idle}s
  timeout queue 10s
  timeout client {idle}s
  timeout server {idle}s
  timeout tunnel {idle}s
  # Another server at the first failure, not the same one a second later.
  retries 3
  option redispatch 1
  # 502 is nginx's answer when php-fpm has died under a request.
  retry-on conn-failure empty-response 502
  http-reuse safe
"
    ))
}

fn metrics(node: &Node) -> String {
    format!(
        "
frontend metrics
  bind {}
  option dontlog-normal
  http-request use-service prometheus-exporter if {{ path /metrics }}
  stats enable
  stats uri /
",
        node.metrics
    )
}

fn frontend(
    scheme: &str,
    binds: &str,
    forwarded_for: &str,
    redirect: &str,
    routing: &str,
) -> String {
    format!(
        "
frontend {scheme}
{binds}  log-format '{LOG_FORMAT}'
{REQUEST_RULES}  http-request set-header X-Forwarded-Proto {scheme}
{forwarded_for}{redirect}{routing}"
    )
}

fn binds(binding: &Binding, options: &str) -> Result<String, RenderError> {
    let mut text = String::new();
    if let Some(descriptor) = binding.inherited_descriptor {
        let _ = writeln!(text, "  bind fd@{descriptor}{options}");
    }
    if let Some(address) = binding.address {
        let _ = writeln!(text, "  bind {address}{options}");
    }
    if text.is_empty() {
        Err(RenderError::NoListener)
    } else {
        Ok(text)
    }
}

fn forwarded_for(node: &Node) -> Result<String, RenderError> {
    if node.trusted_proxies.is_empty() {
        return Ok("  http-request set-header X-Forwarded-For %[src]\n".to_owned());
    }
    let mut networks = String::new();
    for network in &node.trusted_proxies {
        let _ = write!(
            networks,
            " {}",
            text::word("the network of a trusted proxy", network)?
        );
    }
    Ok(format!(
        r#"  acl trusted_proxy src{networks}
  acl forwarded req.fhdr(x-forwarded-for) -m found
  http-request set-header X-Forwarded-For "%[req.fhdr(x-forwarded-for)], %[src]" if trusted_proxy forwarded
  http-request set-header X-Forwarded-For %[src] unless trusted_proxy forwarded
"#
    ))
}

fn redirect(port: u16) -> String {
    let port = if port == 443 {
        String::new()
    } else {
        format!(":{port}")
    };
    format!(
        "  http-request redirect code 301 location https://%[req.hdr(host),host_only]{port}%[pathq]\n"
    )
}

fn default_action(node: &Node, groups: &BTreeSet<&str>) -> Result<String, RenderError> {
    match &node.default_action {
        DefaultAction::Forward(group) if groups.contains(group.as_str()) => {
            Ok(rules::forward(group, ""))
        }
        DefaultAction::Forward(group) => Err(RenderError::UnknownTargetGroup(group.clone())),
        DefaultAction::FixedResponse { .. } => Ok("  default_backend fixed:response\n".to_owned()),
    }
}

fn fixed_response(status: u16, body: &str) -> Result<String, RenderError> {
    if !matches!(status, 200..=299 | 400..=599) {
        return Err(RenderError::OutOfRange {
            field: "the status of the fixed response",
            value: status.into(),
            allowed: "200 to 299 or 400 to 599",
        });
    }
    Ok(format!(
        "
backend fixed:response
  http-request return status {status} content-type text/plain string {}
",
        quote("the body of the fixed response", body)?
    ))
}

fn in_range(
    field: &'static str,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
    allowed: &'static str,
) -> Result<(), RenderError> {
    if range.contains(&value) {
        Ok(())
    } else {
        Err(RenderError::OutOfRange {
            field,
            value,
            allowed,
        })
    }
}
