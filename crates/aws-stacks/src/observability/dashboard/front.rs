//! What visitors meet before the load balancer.

use mck_blueprint::model::{Blueprint, Front, WebAcl};

use super::{
    taken,
    widget::{Chart, First, Section, Widget},
};
use crate::{names, stack::Stack};

const CDN: &str = "AWS/CloudFront";
/// Where CloudFront's metrics are, and those of a web ACL before it.
const CDN_REGION: &str = "us-east-1";

pub(super) fn section(stack: &mut Stack, blueprint: &Blueprint) -> Section {
    let mut charts = Vec::new();
    if blueprint.content_delivery.is_some() {
        let id = taken(stack, &names::edge::distribution());
        charts.extend(content_delivery(&id));
    }
    charts.extend(blueprint.web_acl.as_ref().map(firewall));
    Section {
        title: "Front",
        widgets: charts.into_iter().map(Widget::Chart).collect(),
    }
}

fn content_delivery(id: &str) -> [Chart; 3] {
    let distribution = [("DistributionId", id), ("Region", "Global")];
    let chart = |title: &str, statistic, metric, label: &str| {
        Chart::new(title, statistic)
            .metric((CDN, metric), &distribution, label)
            .in_region(CDN_REGION)
    };
    [
        chart("Requests to the CDN", "Sum", "Requests", "requests").unit("a minute"),
        chart("Errors of the CDN", "Average", "4xxErrorRate", "4xx")
            .metric((CDN, "5xxErrorRate"), &distribution, "5xx")
            .unit("percent of requests"),
        chart("Bytes to visitors", "Sum", "BytesDownloaded", "bytes").unit("a minute"),
    ]
}

/// By rule: the metrics of a web ACL before CloudFront have no region (AWS WAF developer guide,
/// "AWS WAF metrics and dimensions").
fn firewall(web_acl: &WebAcl) -> Chart {
    let (dimensions, region) = match web_acl.front {
        Front::ContentDelivery => ("Rule,WebACL", Some(CDN_REGION)),
        Front::LoadBalancer => ("Region,Rule,WebACL", None),
    };
    let (metric, verb) = if web_acl.count_only {
        ("CountedRequests", "counted")
    } else {
        ("BlockedRequests", "blocked")
    };
    let name = names::edge::web_acl_metric(web_acl);
    let terms = format!("{{AWS/WAFV2,{dimensions}}} MetricName=\"{metric}\" WebACL=\"{name}\"");
    let chart = Chart::new(format!("Requests {verb} by the firewall"), "Sum")
        .search(&terms, First::Greatest)
        .unit("a minute");
    match region {
        Some(region) => chart.in_region(region),
        None => chart,
    }
}
