//! What each vendor brings into the templates, and that it brings nothing anywhere else.

use std::collections::BTreeSet;

use mck_aws_stacks::{Source, Stacks};
use mck_blueprint::Blueprint;
use mck_environment::EnvironmentFile;
use serde_json::Value;

const STORE: &str = r#"
project = "shop"

[app.shop]
preset = "magento2"
source = "shop"

[app.shop.routing]
hosts = ["shop.example.com"]

[dns]
public-zone = "example.com"

"#;

/// Synthesised with one and the same source, so that only what the vendor changes differs.
fn stacks(vendor: &str) -> Stacks {
    let text = format!("{STORE}{vendor}\n[environment.production]\n");
    let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).expect(&text);
    let environment = file.environment("production").expect(&text);
    let blueprint = Blueprint::plan(&environment).expect(&text);
    let source = Source::new("magecloudkit.toml", b"");
    Stacks::synthesise(&blueprint, &[&blueprint], &source)
}

/// A vendor, and what is expected of it.
struct Vendor {
    settings: &'static str,
    /// The only stacks whose templates change.
    stacks: &'static [&'static str],
    /// Secrets by name, of which there is one each in Secrets Manager.
    secrets: &'static [&'static str],
    /// Variables of every container that runs PHP.
    environment: &'static [(&'static str, &'static str)],
    /// Variables of every container that runs PHP, whose values are secrets.
    environment_secrets: &'static [(&'static str, &'static str)],
}

const VENDORS: [Vendor; 8] = [
    Vendor {
        settings: "[integration.algolia]\napplication-id = \"ABC123\"",
        stacks: &["app-shop"],
        secrets: &["algolia-admin-api-key"],
        environment: &[("ALGOLIA_APPLICATION_ID", "ABC123")],
        environment_secrets: &[("ALGOLIA_ADMIN_API_KEY", "algolia-admin-api-key")],
    },
    Vendor {
        settings: "[integration.blackfire]",
        stacks: &["app-shop"],
        secrets: &["blackfire-server-id", "blackfire-server-token"],
        environment: &[("BLACKFIRE_AGENT_SOCKET", "tcp://127.0.0.1:8307")],
        environment_secrets: &[],
    },
    Vendor {
        settings: "[integration.bugsnag]",
        stacks: &["app-shop"],
        secrets: &["bugsnag-api-key"],
        environment: &[("BUGSNAG_RELEASE_STAGE", "production")],
        environment_secrets: &[("BUGSNAG_API_KEY", "bugsnag-api-key")],
    },
    Vendor {
        settings: "[integration.cloudflare]\nzone-id = \"0123456789abcdef0123456789abcdef\"",
        stacks: &["data", "edge", "network", "observability"],
        secrets: &["cloudflare-api-token"],
        environment: &[],
        environment_secrets: &[],
    },
    Vendor {
        settings: "[integration.datadog]",
        stacks: &["app-shop", "cluster-app", "data"],
        secrets: &["datadog-api-key"],
        environment: &[
            ("DD_TRACE_AGENT_URL", "unix:///var/run/datadog/apm.socket"),
            ("DD_DOGSTATSD_URL", "unix:///var/run/datadog/dsd.socket"),
            ("DD_ENV", "production"),
            ("DD_TRACE_ENABLED", "true"),
        ],
        environment_secrets: &[],
    },
    Vendor {
        settings: "[integration.new-relic]",
        stacks: &["app-shop"],
        secrets: &["new-relic-license-key"],
        environment: &[("NEW_RELIC_APP_NAME", "shop-production")],
        environment_secrets: &[("NEW_RELIC_LICENSE_KEY", "new-relic-license-key")],
    },
    Vendor {
        settings: "[integration.nosto]\naccount = \"shop-1\"",
        stacks: &["app-shop"],
        secrets: &["nosto-api-token"],
        environment: &[("NOSTO_ACCOUNT", "shop-1")],
        environment_secrets: &[("NOSTO_API_TOKEN", "nosto-api-token")],
    },
    Vendor {
        settings: "[integration.pingdom]",
        stacks: &["data"],
        secrets: &["pingdom-api-token"],
        environment: &[],
        environment_secrets: &[],
    },
];

#[test]
fn a_vendor_changes_its_stacks_and_no_other() {
    let without = stacks("");
    let mut found = Vec::new();
    let mut expected = Vec::new();
    for vendor in VENDORS {
        let with = stacks(vendor.settings);
        let changed = with.stacks.iter();
        let changed = changed.filter(|stack| without.get(&stack.id) != Some(stack));
        let changed: BTreeSet<String> = changed.map(|stack| stack.id.name()).collect();
        let wanted: BTreeSet<String> = vendor.stacks.iter().map(ToString::to_string).collect();
        found.push((vendor.settings, changed));
        expected.push((vendor.settings, wanted));
    }
    assert_eq!(found, expected);
}

#[test]
fn a_vendors_secrets_are_in_secrets_manager_without_their_values() {
    let names = |stacks: &Stacks| -> BTreeSet<String> {
        let secrets = resources(stacks, "AWS::SecretsManager::Secret");
        secrets.iter().map(|it| text(&it["Name"])).collect()
    };
    let without = names(&stacks(""));
    for vendor in VENDORS {
        let with = stacks(vendor.settings);
        let expected: BTreeSet<String> = vendor
            .secrets
            .iter()
            .map(|name| format!("shop/production/{name}"))
            .collect();
        let found: BTreeSet<String> = names(&with).difference(&without).cloned().collect();
        assert_eq!(found, expected, "{}", vendor.settings);
        for secret in resources(&with, "AWS::SecretsManager::Secret") {
            assert_eq!(secret["SecretString"], Value::Null, "{}", secret["Name"]);
        }
    }
}

#[test]
fn every_container_that_runs_php_gets_a_vendors_variables() {
    for vendor in VENDORS {
        let stacks = stacks(vendor.settings);
        let containers = containers(&stacks, "php-fpm");
        assert!(!containers.is_empty());
        for container in &containers {
            for (name, value) in vendor.environment {
                let found = entry(&container["Environment"], name);
                let found = found.unwrap_or_else(|| panic!("{name} of {}", vendor.settings));
                assert_eq!(found["Value"], *value, "{name}");
            }
            for (name, secret) in vendor.environment_secrets {
                let found = entry(&container["Secrets"], name);
                let found = found.unwrap_or_else(|| panic!("{name} of {}", vendor.settings));
                assert!(is_secret(&stacks, found, secret), "{name}: {found}");
                assert_eq!(entry(&container["Environment"], name), None, "{name}");
            }
        }
    }
}

#[test]
fn the_blackfire_agent_is_beside_php() {
    let stacks = stacks("[integration.blackfire]");
    let agents = containers(&stacks, "blackfire");
    assert!(!agents.is_empty());
    for agent in agents {
        assert_eq!(agent["Image"], "blackfire/blackfire:2");
        assert_eq!(agent["Essential"], false);
        for (name, secret) in [
            ("BLACKFIRE_SERVER_ID", "blackfire-server-id"),
            ("BLACKFIRE_SERVER_TOKEN", "blackfire-server-token"),
        ] {
            let found = entry(&agent["Secrets"], name).expect(name);
            assert!(is_secret(&stacks, found, secret), "{name}: {found}");
        }
    }
}

#[test]
fn the_datadog_agent_is_on_every_server_and_takes_traces_and_logs() {
    let stacks = stacks("[integration.datadog]");
    let daemons: Vec<Value> = resources(&stacks, "AWS::ECS::Service")
        .into_iter()
        .filter(|service| service["SchedulingStrategy"] == "DAEMON")
        .collect();
    assert_eq!(daemons.len(), 1);
    let agents = containers(&stacks, "datadog-agent");
    let [agent] = agents.as_slice() else {
        panic!("one agent, not {}", agents.len());
    };
    let value = |name| entry(&agent["Environment"], name).expect(name)["Value"].clone();
    assert_eq!(value("DD_APM_ENABLED"), "true");
    assert_eq!(value("DD_LOGS_ENABLED"), "true");
    assert_eq!(value("DD_SITE"), "datadoghq.com");
    let key = entry(&agent["Secrets"], "DD_API_KEY").expect("the key");
    assert!(is_secret(&stacks, key, "datadog-api-key"), "{key}");
    let paths = |container: &Value| -> Vec<String> {
        let mounts = container["MountPoints"].as_array().into_iter().flatten();
        mounts.map(|it| text(&it["ContainerPath"])).collect()
    };
    let sockets = "/var/run/datadog".to_owned();
    assert!(paths(agent).contains(&sockets));
    for php in containers(&stacks, "php-fpm") {
        assert!(paths(&php).contains(&sockets), "{php}");
    }
}

#[test]
fn behind_cloudflare_nobody_else_reaches_the_load_balancer() {
    let open = |stacks: &Stacks| -> BTreeSet<String> {
        let rules = resources(stacks, "AWS::EC2::SecurityGroupIngress").into_iter();
        let rules = rules.filter(|it| {
            it["GroupId"].to_string().contains("LoadBalancer") && it["CidrIp"].is_string()
        });
        rules.map(|it| text(&it["CidrIp"])).collect()
    };
    assert_eq!(open(&stacks("")), BTreeSet::from(["0.0.0.0/0".to_owned()]));
    let stacks = stacks("[integration.cloudflare]\nzone-id = \"0123456789abcdef0123456789abcdef\"");
    let ranges = open(&stacks);
    assert_eq!(ranges.len(), 15);
    assert!(ranges.contains("173.245.48.0/20"), "{ranges:?}");
    let records = resources(&stacks, "AWS::Route53::RecordSet");
    assert!(
        records
            .iter()
            .all(|it| !text(&it["Name"]).starts_with("shop.example.com")),
        "Cloudflare answers for the public names"
    );
    assert_eq!(resources(&stacks, "AWS::WAFv2::WebACL"), [Value::Null; 0]);
}

#[test]
fn pingdom_is_told_which_urls_to_watch() {
    let text = format!("{STORE}[integration.pingdom]\n[environment.production]\n");
    let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).expect(&text);
    let environment = file.environment("production").expect(&text);
    let blueprint = Blueprint::plan(&environment).expect(&text);
    let pingdom = &blueprint.integrations[0];
    assert_eq!(pingdom.name, "pingdom");
    assert_eq!(
        pingdom.health_urls,
        ["https://shop.example.com/health_check.php"]
    );
}

/// The properties of all resources of a type, in all stacks.
fn resources(stacks: &Stacks, kind: &str) -> Vec<Value> {
    let templates = stacks.stacks.iter().map(|stack| &stack.template);
    let resources = templates.flat_map(mck_cloudformation::Template::resources);
    resources
        .filter(|(_, resource)| resource.kind == kind)
        .map(|(_, resource)| resource.properties.clone())
        .collect()
}

/// The container of that name in each task definition that has one.
fn containers(stacks: &Stacks, name: &str) -> Vec<Value> {
    let definitions = resources(stacks, "AWS::ECS::TaskDefinition").into_iter();
    let containers = definitions.flat_map(|it| {
        let containers = it["ContainerDefinitions"].as_array();
        containers.cloned().unwrap_or_default()
    });
    containers.filter(|it| it["Name"] == name).collect()
}

fn entry<'a>(entries: &'a Value, name: &str) -> Option<&'a Value> {
    let mut entries = entries.as_array().into_iter().flatten();
    entries.find(|it| it["Name"] == name)
}

/// Whether a variable's value comes from that secret: by a reference to the resource in the same
/// stack, or to what another stack hands over.
fn is_secret(stacks: &Stacks, variable: &Value, secret: &str) -> bool {
    let source = variable["ValueFrom"].to_string();
    let name = format!("shop/production/{secret}");
    let templates = stacks.stacks.iter().map(|stack| &stack.template);
    let mut resources = templates.flat_map(mck_cloudformation::Template::resources);
    resources.any(|(id, resource)| {
        resource.kind == "AWS::SecretsManager::Secret"
            && resource.properties["Name"] == name.as_str()
            && source.contains(id.as_str())
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
