use mck_cloudformation::Json;
use serde_json::json;

use crate::{
    stack::{ParameterSource, Stack, StackId},
    testing::{self, SMALLEST},
};

/// CloudFront and the firewall before an environment of its own zone.
const FULL: &str = r#"
project = "shop"

[app.shop]
preset = "magento2"
source = "shop"
routing.hosts = ["shop.example.com", "www.example.com"]

[network]
ipv6 = true

[cdn]
enabled = true

[dns]
public-zone = "example.com"

[jenkins]
enabled = true
host = "ci.example.com"
allow-from = ["203.0.113.0/24"]

[environment.production]
"#;

fn edge(text: &str) -> Stack {
    testing::stack(text, &StackId::Edge)
}

fn golden(name: &str, stack: &Stack) {
    assert_eq!(stack.template.problems(), []);
    insta::assert_snapshot!(name, stack.template.text());
}

fn properties(stack: &Stack, id: &str) -> Json {
    let mut resources = stack.template.resources().iter();
    let found = resources.find(|(known, _)| known.as_str() == id);
    let (_, resource) = found.unwrap_or_else(|| panic!("there is no {id}"));
    resource.properties.clone()
}

fn ids_of<'a>(stack: &'a Stack, kind: &str) -> Vec<&'a str> {
    let resources = stack.template.resources().iter();
    let found = resources.filter(|(_, resource)| resource.kind == kind);
    found.map(|(id, _)| id.as_str()).collect()
}

fn with_zone(text: &str) -> String {
    format!("{text}\n[dns]\npublic-zone = \"example.com\"\npublic-zone-id = \"Z0123456789\"\n")
}

#[test]
fn the_full_stack_is_as_it_was() {
    golden("full", &edge(FULL));
}

#[test]
fn the_smallest_stack_is_as_it_was() {
    golden("smallest", &edge(SMALLEST));
}

#[test]
fn the_stack_of_a_known_zone_is_as_it_was() {
    golden("known-zone", &edge(&with_zone(SMALLEST)));
}

#[test]
fn the_stack_for_cloudfront_elsewhere_is_as_it_was() {
    let text = format!("region = \"eu-central-1\"\n{FULL}");
    let stacks = testing::stacks(&text);
    let global = stacks.get(&StackId::EdgeGlobal).expect("there is one");
    assert_eq!(global.region, "us-east-1");
    golden("global", global);
    let edge = stacks.get(&StackId::Edge).expect("there is one");
    assert_eq!(edge.region, "eu-central-1");
    let from_global: Vec<&str> = edge
        .parameters
        .values()
        .filter_map(|source| match source {
            ParameterSource::Output(handed) if handed.stack == StackId::EdgeGlobal => {
                Some(handed.output.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        from_global,
        [
            "CdnCertificateArn",
            "CdnLogBucketDomain",
            "CdnWebAclArn",
            "PublicZoneId"
        ]
    );
    // The load balancer's certificate is of its own region.
    assert_eq!(
        ids_of(edge, "AWS::CertificateManager::Certificate"),
        ["Certificate"]
    );
    let no_firewall = ids_of(edge, "AWS::WAFv2::WebACL");
    assert_eq!(no_firewall, Vec::<&str>::new());
    assert_eq!(edge_problems(&text), Vec::<String>::new());
}

/// Problems of all stacks that are about the edge's.
fn edge_problems(text: &str) -> Vec<String> {
    let problems = testing::stacks(text).problems();
    let problems = problems.iter().map(ToString::to_string);
    problems.filter(|it| it.contains("edge")).collect()
}

#[test]
fn what_others_take_is_handed_over_in_every_case() {
    let cloudflare = r#"
        [integration.cloudflare]
        zone-id = "0123456789abcdef0123456789abcdef"
    "#;
    let no_redirect = "[load-balancer]\nredirect-to-https = false\n";
    for text in [
        SMALLEST.to_owned(),
        FULL.to_owned(),
        with_zone(SMALLEST),
        format!("{SMALLEST}{cloudflare}"),
        with_zone(&format!("{SMALLEST}{no_redirect}")),
        format!("region = \"eu-central-1\"\n{SMALLEST}\n[cdn]\nenabled = true\n"),
    ] {
        assert_eq!(edge_problems(&text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn without_a_certificate_http_is_answered() {
    let stack = edge(SMALLEST);
    let listeners = ids_of(&stack, "AWS::ElasticLoadBalancingV2::Listener");
    assert_eq!(listeners, ["HttpListener"]);
    let http = properties(&stack, "HttpListener");
    assert_eq!(http["DefaultActions"][0]["Type"], "fixed-response");
    assert_eq!(listeners_of_apps(SMALLEST), ["HttpListenerArn"]);
}

#[test]
fn with_a_certificate_http_leads_to_https() {
    let text = with_zone(SMALLEST);
    let stack = edge(&text);
    let http = properties(&stack, "HttpListener");
    let redirect = &http["DefaultActions"][0]["RedirectConfig"];
    assert_eq!(redirect["StatusCode"], "HTTP_301");
    assert_eq!(redirect["Port"], "443");
    let https = properties(&stack, "HttpsListener");
    assert_eq!(https["SslPolicy"], "ELBSecurityPolicy-TLS13-1-2-2021-06");
    assert_eq!(listeners_of_apps(&text), ["HttpsListenerArn"]);
}

#[test]
fn without_a_redirect_both_listeners_have_the_rules() {
    let text = format!("{SMALLEST}\n[load-balancer]\nredirect-to-https = false\n");
    let text = with_zone(&text);
    assert_eq!(
        listeners_of_apps(&text),
        ["HttpListenerArn", "HttpsListenerArn"]
    );
    let app = testing::stack(&text, &StackId::App("shop".to_owned()));
    let rules = ids_of(&app, "AWS::ElasticLoadBalancingV2::ListenerRule");
    assert_eq!(rules, ["ListenerRule", "HttpListenerRule"]);
}

/// The listeners that the app's stack takes.
fn listeners_of_apps(text: &str) -> Vec<String> {
    let app = testing::stack(text, &StackId::App("shop".to_owned()));
    let taken = app.parameters.values().filter_map(|source| match source {
        ParameterSource::Output(handed) => Some(handed.output.clone()),
        _ => None,
    });
    taken.filter(|output| output.contains("Listener")).collect()
}

#[test]
fn a_certificate_is_proved_in_a_zone_of_route_53_alone() {
    let known = properties(&edge(&with_zone(SMALLEST)), "Certificate");
    assert_eq!(known["DomainName"], "shop.example.com");
    assert_eq!(
        known["DomainValidationOptions"],
        json!([{ "DomainName": "shop.example.com", "HostedZoneId": "Z0123456789" }])
    );
    let text = format!(
        "{SMALLEST}\n[integration.cloudflare]\nzone-id = \"0123456789abcdef0123456789abcdef\"\n"
    );
    let stack = edge(&text);
    let elsewhere = properties(&stack, "Certificate");
    assert_eq!(elsewhere["ValidationMethod"], "DNS");
    assert!(elsewhere.get("DomainValidationOptions").is_none());
    assert_eq!(
        ids_of(&stack, "AWS::Route53::RecordSet"),
        Vec::<&str>::new()
    );
}

#[test]
fn given_certificates_are_used_and_none_is_requested() {
    let arn = |id| format!("arn:aws:acm:us-east-1:123456789012:certificate/{id}");
    let text = format!(
        "{SMALLEST}\n[cdn]\nenabled = true\n\
         [load-balancer.certificate]\narns = [\"{}\", \"{}\"]\n",
        arn(1),
        arn(2)
    );
    let stack = edge(&text);
    let https = properties(&stack, "HttpsListener");
    assert_eq!(https["Certificates"][0]["CertificateArn"], arn(1));
    let more = properties(&stack, "ListenerCertificate2");
    assert_eq!(more["Certificates"][0]["CertificateArn"], arn(2));
    let kind = "AWS::CertificateManager::Certificate";
    assert_eq!(ids_of(&stack, kind), Vec::<&str>::new());
    let distribution = properties(&stack, "Distribution");
    let config = &distribution["DistributionConfig"];
    assert_eq!(config["ViewerCertificate"]["AcmCertificateArn"], arn(1));
    assert_eq!(config["Aliases"], json!(["shop.example.com"]));
}

#[test]
fn hosts_lead_to_the_cdn_and_jenkins_to_the_load_balancer() {
    let stack = edge(FULL);
    let target = |id| properties(&stack, id)["AliasTarget"]["DNSName"]["Fn::GetAtt"][0].clone();
    assert_eq!(target("PublicRecordShopExampleComA"), "Distribution");
    assert_eq!(target("PublicRecordShopExampleComAAAA"), "Distribution");
    assert_eq!(target("PublicRecordCiExampleComA"), "LoadBalancer");
    let distribution = properties(&stack, "Distribution");
    assert_eq!(
        distribution["DistributionConfig"]["Aliases"],
        json!(["shop.example.com", "www.example.com"])
    );
}

/// A template holds 500 resources, a distribution 100 hosts, a certificate 10 names.
#[test]
fn many_hosts_fit() {
    let apps: String = (0..300)
        .map(|number| {
            format!(
                "[app.a{number}]\npreset = \"storefront\"\nsource = \"s\"\n\
                 routing.hosts = [\"a{number}.example.com\"]\n"
            )
        })
        .collect();
    let text = format!("{FULL}\n{apps}");
    let stack = edge(&text);
    assert_eq!(stack.template.problems(), []);
    let certificate = properties(&stack, "Certificate");
    assert_eq!(certificate["DomainName"], "*.example.com");
    let distribution = properties(&stack, "Distribution");
    let aliases = &distribution["DistributionConfig"]["Aliases"];
    assert_eq!(aliases, &json!(["*.example.com"]));
    let records = ids_of(&stack, "AWS::Route53::RecordSet");
    assert!(records.contains(&"PublicRecordStarExampleComA"));
    assert!(records.contains(&"PublicRecordCiExampleComA"));
}

#[test]
fn the_firewall_is_before_the_front() {
    let before_cdn = edge(FULL);
    assert_eq!(properties(&before_cdn, "CdnWebAcl")["Scope"], "CLOUDFRONT");
    let kind = "AWS::WAFv2::WebACLAssociation";
    assert_eq!(ids_of(&before_cdn, kind), Vec::<&str>::new());
    let before_balancer = edge(SMALLEST);
    assert_eq!(properties(&before_balancer, "WebAcl")["Scope"], "REGIONAL");
    assert_eq!(ids_of(&before_balancer, kind), ["WebAclAssociation"]);
}

#[test]
fn a_firewall_that_only_counts_blocks_nothing() {
    let text = format!("{SMALLEST}\n[waf]\ncount-only = true\n");
    let acl = properties(&edge(&text), "WebAcl");
    let rules = acl["Rules"].as_array().expect("rules");
    assert!(rules.len() > 1);
    for rule in rules {
        let counts = rule
            .pointer("/Action/Count")
            .or(rule.pointer("/OverrideAction/Count"));
        assert_eq!(counts, Some(&json!({})), "{}", rule["Name"]);
    }
}

#[test]
fn visitors_are_counted_by_the_address_that_cloudflare_names() {
    let text = format!(
        "{SMALLEST}\n[waf]\nenabled = true\n\
         [integration.cloudflare]\nzone-id = \"0123456789abcdef0123456789abcdef\"\n"
    );
    let acl = properties(&edge(&text), "WebAcl");
    let limit = &acl["Rules"][0]["Statement"]["RateBasedStatement"];
    assert_eq!(limit["AggregateKeyType"], "FORWARDED_IP");
    assert_eq!(limit["ForwardedIPConfig"]["HeaderName"], "CF-Connecting-IP");
}

#[test]
fn without_access_logs_there_are_no_buckets_for_them() {
    let text = format!("{FULL}\n[load-balancer]\naccess-logs-retention = \"0d\"\n");
    let stack = edge(&text);
    assert_eq!(ids_of(&stack, "AWS::S3::Bucket"), ["StaticBucket"]);
    assert_eq!(ids_of(&stack, "AWS::Logs::LogGroup"), Vec::<&str>::new());
    assert_eq!(stack.template.problems(), []);
}
