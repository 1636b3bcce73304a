//! Which part of the environment file a resource comes from, so that a failure can be told at its
//! place.

/// What resources' names begin with, and the keys that they come from. The first that fits counts.
type Rules = &'static [(&'static [&'static str], &'static [&'static str])];

const APP: Rules = &[
    (&["Scaling"], &["scaling"]),
    (&["TargetGroup", "ListenerRule"], &["routing"]),
    (&["Job", "Schedule"], &["job"]),
    (&["Hook"], &["hooks"]),
];

const DATA: Rules = &[
    (&["SecretAlgolia"], &["integration", "algolia"]),
    (&["SecretBlackfire"], &["integration", "blackfire"]),
    (&["SecretBugsnag"], &["integration", "bugsnag"]),
    (&["SecretDatadog"], &["integration", "datadog"]),
    (&["SecretNewRelic"], &["integration", "new-relic"]),
    (&["SecretNosto"], &["integration", "nosto"]),
    (&["SecretPingdom"], &["integration", "pingdom"]),
    (
        &[
            "Database",
            "LogGroupDatabase",
            "RecordDb",
            "BackupPlanDatabase",
            "BackupSelectionDatabase",
        ],
        &["database"],
    ),
    (
        &[
            "Redis",
            "Memcached",
            "Cache",
            "LogGroupRedis",
            "RecordRedis",
            "RecordMemcached",
            "SecretRedis",
        ],
        &["cache"],
    ),
    (
        &["Search", "LogGroupSearch", "RecordSearch", "SecretSearch"],
        &["search"],
    ),
    (
        &[
            "MessageBroker",
            "RecordMessageBroker",
            "SecretMessageBroker",
        ],
        &["message-broker"],
    ),
    (
        &[
            "FileSystem",
            "MountTarget",
            "RecordMedia",
            "BackupPlanFiles",
            "BackupSelectionFiles",
        ],
        &["storage"],
    ),
    (&["Secret"], &["app"]),
    (&["DataKey", "Backup"], &["database"]),
];

const EDGE: Rules = &[
    (&["CdnWebAcl", "WebAcl", "LogGroupWebAcl"], &["waf"]),
    (
        &[
            "Cdn",
            "Distribution",
            "Static",
            "CachedPaths",
            "SecurityHeaders",
            "OriginAccessControl",
        ],
        &["cdn"],
    ),
    (&["PublicZone", "PublicRecord"], &["dns"]),
    (&[""], &["load-balancer"]),
];

const NETWORK: Rules = &[
    (
        &[
            "Bastion",
            "SecurityGroupBastion",
            "RuleInBastion",
            "RuleOutBastion",
            "LogGroupBastion",
        ],
        &["bastion"],
    ),
    (&["PrivateZone"], &["dns"]),
    (
        &["SecurityGroupDatabase", "RuleInDatabase", "RuleOutDatabase"],
        &["database"],
    ),
    (
        &[
            "SecurityGroupRedis",
            "RuleInRedis",
            "RuleOutRedis",
            "SecurityGroupMemcached",
            "RuleInMemcached",
        ],
        &["cache"],
    ),
    (
        &["SecurityGroupLoadBalancer", "RuleInLoadBalancer"],
        &["load-balancer"],
    ),
    (&["SecurityGroupFileSystem"], &["storage"]),
    (&["SecurityGroupSearch"], &["search"]),
    (&["SecurityGroupMessageBroker"], &["message-broker"]),
    (&[""], &["network"]),
];

const GLOBAL: Rules = &[(&["Repository"], &["app"]), (&[""], &["ci"])];

/// The path of keys that a resource of a stack comes from, such as `app`, `shop`, `scaling`. It may
/// lead further than a file goes, where the file leaves a default; the place is then the longest
/// part of it that is written.
pub fn origin(stack: &str, logical_id: &str) -> Vec<String> {
    let fixed = |path: &[&str]| path.iter().map(|it| (*it).to_owned()).collect();
    if let Some(app) = stack.strip_prefix("app-") {
        let mut path = vec!["app".to_owned(), app.to_owned()];
        path.extend(found(APP, logical_id).iter().map(|it| (*it).to_owned()));
        return path;
    }
    if let Some(cluster) = stack.strip_prefix("cluster-") {
        return if logical_id.starts_with("DatadogAgent") {
            fixed(&["integration", "datadog"])
        } else {
            vec!["cluster".to_owned(), cluster.to_owned()]
        };
    }
    fixed(match stack {
        "jenkins" => &["jenkins"],
        "observability" => &["alarms"],
        "data" => found(DATA, logical_id),
        "network" => found(NETWORK, logical_id),
        "edge" | "edge-global" => found(EDGE, logical_id),
        _ if stack.starts_with("releases") => &["app"],
        _ => found(GLOBAL, logical_id),
    })
}

fn found(rules: Rules, logical_id: &str) -> &'static [&'static str] {
    let fits = |prefixes: &&[&str]| prefixes.iter().any(|it| logical_id.starts_with(it));
    let rule = rules.iter().find(|(prefixes, _)| fits(prefixes));
    rule.map_or(&[], |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use serde_json::Value;

    use super::*;

    #[test]
    fn resources_come_from_their_part_of_the_file() {
        for (stack, resource, path) in [
            ("app-shop", "Service", "app.shop"),
            ("app-shop", "ScalingByCpu", "app.shop.scaling"),
            ("app-shop", "JobCronTaskDefinition", "app.shop.job"),
            ("app-shop", "TargetGroup", "app.shop.routing"),
            ("cluster-app", "AppServers", "cluster.app"),
            ("cluster-app", "DatadogAgentService", "integration.datadog"),
            ("data", "DatabaseDb0", "database"),
            ("data", "RecordRedisCache", "cache"),
            ("data", "SecretNewRelicLicenseKey", "integration.new-relic"),
            ("data", "SecretShopCryptKey", "app"),
            ("data", "MountTargetMediaA", "storage"),
            ("edge", "Distribution", "cdn"),
            ("edge", "CdnWebAcl", "waf"),
            ("edge", "HttpsListener", "load-balancer"),
            ("edge-global", "Certificate", "load-balancer"),
            ("network", "NatGatewayA", "network"),
            ("network", "BastionAddress", "bastion"),
            ("observability", "AlarmReceiverAf3c8254", "alarms"),
            ("global", "CiRoleProductionGithub", "ci"),
            ("releases-2", "ReleaseShop", "app"),
        ] {
            assert_eq!(
                origin(stack, resource).join("."),
                path,
                "{stack} {resource}"
            );
        }
    }

    /// All resources of all golden environments.
    #[test]
    fn every_resource_has_an_origin_that_the_file_may_have() {
        let schema = mck_environment::schema();
        let known: BTreeSet<&str> = schema["properties"]
            .as_object()
            .expect("the schema has properties")
            .keys()
            .map(String::as_str)
            .collect();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let mut count = 0;
        for folder in fs::read_dir(golden).expect("there are golden files") {
            for file in fs::read_dir(folder.expect("an entry").path()).expect("a folder") {
                let path = file.expect("an entry").path();
                let text = fs::read(&path).expect("a golden file");
                let Ok(template) = serde_json::from_slice::<Value>(&text) else {
                    continue;
                };
                let stack = path.file_stem().expect("a name").to_string_lossy();
                let resources = template["Resources"].as_object();
                for id in resources.into_iter().flat_map(|it| it.keys()) {
                    let path = origin(&stack, id);
                    let first = path.first().map_or("", String::as_str);
                    assert!(known.contains(first), "{stack} {id}: {path:?}");
                    count += 1;
                }
            }
        }
        assert!(count > 500, "{count}");
    }
}
