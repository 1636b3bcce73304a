//! The search engine: an OpenSearch domain in the VPC.

use mck_blueprint::model::{DnsTarget, SearchDomain};
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Render, Statement, pseudo,
    resources::{
        logs,
        opensearchservice::{
            self,
            domain::{
                AdvancedSecurityOptionsInput, ClusterConfig, DomainEndpointOptions, EbsOptions,
                EncryptionAtRestOptions, LogPublishingOption, MasterUserOptions,
                NodeToNodeEncryptionOptions, OffPeakWindow, OffPeakWindowOptions,
                SoftwareUpdateOptions, VpcOptions, WindowStartTime, ZoneAwarenessConfig,
            },
        },
    },
};
use serde_json::{Map, Value, json};

use super::{name_tag, windows};
use crate::{log_groups, names, secrets, security_groups, servers, stack::Stack, synthesis::Scene};

/// TLS 1.2 and 1.3 with forward secrecy (OpenSearch Service, `DomainEndpointOptions`).
const TLS_POLICY: &str = "Policy-Min-TLS-1-2-PFS-2023-10";
/// Logs of a domain, as OpenSearch Service names them.
const LOGS: [&str; 4] = [
    "AUDIT_LOGS",
    "ES_APPLICATION_LOGS",
    "INDEX_SLOW_LOGS",
    "SEARCH_SLOW_LOGS",
];

pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>, search: &SearchDomain, key: &LogicalId) {
    let (log_group, policy) = add_logs(stack, scene, search);
    let subnets = search.subnets.iter().map(|it| names::network::subnet(it));
    let vpc = VpcOptions {
        subnet_ids: subnets.map(|it| stack.take(&it)).collect(),
        security_group_ids: vec![security_groups::id(stack, scene, &search.security_group)],
        ..Default::default()
    };
    let properties = opensearchservice::Domain {
        domain_name: search.name.as_str().into(),
        engine_version: format!("OpenSearch_{}", search.version).into(),
        cluster_config: Some(nodes(search)),
        ebs_options: Some(ebs(search)),
        vpc_options: Some(vpc),
        advanced_security_options: Some(AdvancedSecurityOptionsInput {
            enabled: true.into(),
            internal_user_database_enabled: true.into(),
            master_user_options: Some(MasterUserOptions {
                master_user_name: search.user.as_str().into(),
                master_user_password: secrets::value(stack, scene, &search.password_secret),
                ..Default::default()
            }),
            ..Default::default()
        }),
        encryption_at_rest_options: Some(EncryptionAtRestOptions {
            enabled: true.into(),
            kms_key_id: key.attribute("Arn"),
        }),
        access_policies: access_policy(search).into(),
        log_publishing_options: log_publishing(&log_group).into(),
        tags: name_tag(scene.blueprint, "search"),
        ..fixed()
    };
    // A catalog's index can be made again, but a shop without one can't be searched until it is.
    let description = "The search engine's domain";
    let id = stack
        .add("SearchDomain", description, &properties)
        .after([&policy])
        // Else another version would mean another domain.
        .update_policy(json!({ "EnableVersionUpgrade": true }))
        .retained()
        .id();
    stack.hand_over(
        &names::data::endpoint(&DnsTarget::Search),
        "The host of the search engine",
        id.attribute("DomainEndpoint"),
    );
}

/// What is the same for every domain.
fn fixed() -> opensearchservice::Domain {
    opensearchservice::Domain {
        domain_endpoint_options: Some(DomainEndpointOptions {
            enforce_https: true.into(),
            tls_security_policy: TLS_POLICY.into(),
            ..Default::default()
        }),
        node_to_node_encryption_options: Some(NodeToNodeEncryptionOptions {
            enabled: true.into(),
        }),
        off_peak_window_options: Some(OffPeakWindowOptions {
            enabled: true.into(),
            off_peak_window: Some(OffPeakWindow {
                window_start_time: Some(WindowStartTime {
                    hours: windows::SEARCH_OFF_PEAK_HOUR.into(),
                    minutes: 0.into(),
                }),
            }),
        }),
        software_update_options: Some(SoftwareUpdateOptions {
            auto_software_update_enabled: true.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn nodes(search: &SearchDomain) -> ClusterConfig {
    let zones = i64::try_from(search.subnets.len()).unwrap_or(i64::MAX);
    ClusterConfig {
        instance_type: search.instance_type.as_str().into(),
        instance_count: search.nodes.into(),
        zone_awareness_enabled: (zones > 1).into(),
        zone_awareness_config: (zones > 1).then(|| ZoneAwarenessConfig {
            availability_zone_count: zones.into(),
        }),
        ..Default::default()
    }
}

fn ebs(search: &SearchDomain) -> EbsOptions {
    EbsOptions {
        ebs_enabled: true.into(),
        volume_type: "gp3".into(),
        volume_size: servers::gibibytes(search.volume_size).into(),
        ..Default::default()
    }
}

/// Everyone who gets there and has a name and password: a signature of IAM's, which Magento does not
/// make, is not asked for (OpenSearch Service developer guide, "Fine-grained access control", "The
/// bigger picture").
fn access_policy(search: &SearchDomain) -> PolicyDocument {
    let resource = format!("domain/{}/*", search.name);
    PolicyDocument::new([Statement::allow(["es:ESHttp*"])
        .to(Principal::Any)
        .on([pseudo::arn("es", resource)])])
}

/// The log group, and the policy that lets the domain write into it.
fn add_logs(stack: &mut Stack, scene: &Scene<'_>, search: &SearchDomain) -> (LogicalId, LogicalId) {
    let description = "Keeps the search engine's logs";
    let group = log_groups::add(stack, scene.blueprint, &search.log_group, description);
    let domain = pseudo::arn("es", format!("domain/{}", search.name));
    let write = Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"])
        .to(Principal::service("es.amazonaws.com"))
        .on(log_groups::arns(&search.log_group))
        .when("StringEquals", "aws:SourceAccount", [pseudo::account()])
        .when("ArnLike", "aws:SourceArn", [domain]);
    let policy = logs::ResourcePolicy {
        policy_name: servers::full_name(scene.blueprint, "search").into(),
        policy_document: PolicyDocument::new([write]).into(),
    };
    let description = "Lets the search engine write its logs";
    let policy = stack.add("SearchLogPolicy", description, &policy).id();
    (group, policy)
}

fn log_publishing(group: &LogicalId) -> Value {
    let option = LogPublishingOption {
        cloud_watch_logs_log_group_arn: group.attribute("Arn"),
        enabled: true.into(),
    };
    let logs = LOGS.iter().map(|log| {
        let option = option.render().unwrap_or_default();
        ((*log).to_owned(), option)
    });
    Value::Object(logs.collect::<Map<_, _>>())
}
