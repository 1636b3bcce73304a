use std::collections::BTreeSet;

use mck_cloudformation::Json;

use crate::{Stack, StackId, testing::stack};

/// Everything that the dashboard knows.
const EVERYTHING: &str = r#"
project = "shop"

[cluster.app]
[cluster.admin]

[app.shop]
preset = "magento2"
cluster = "app"
source = "shop"
routing.hosts = ["shop.example.com"]

[app.admin]
preset = "magento2"
cluster = "admin"
source = "shop"
database = "shop"
routing = { hosts = ["shop.example.com"], paths = ["/admin*"] }

[cache]
memcached = { nodes = 2 }

[database]
serverless = { minimum = 0.5, maximum = 8 }

[search]
nodes = 3

[message-broker]
enabled = true

[cdn]
enabled = true

[environment.production]
"#;

/// The body as it is put into CloudWatch, with names in brackets for what is known only then.
fn body(stack: &Stack) -> Json {
    let resources = stack.template.resources().iter();
    let mut dashboards = resources.filter(|(id, _)| id.as_str() == "Dashboard");
    let (_, dashboard) = dashboards.next().expect("a dashboard");
    let text = dashboard.properties["DashboardBody"]["Fn::Sub"].as_str();
    let mut text = text.expect("a body with placeholders").to_owned();
    let parameters = stack.template.parameters().iter();
    let mut names: Vec<&str> = parameters.map(|it| it.name.as_str()).collect();
    names.extend(["AWS::Region", "AWS::AccountId", "AWS::Partition"]);
    for name in names {
        text = text.replace(&format!("${{{name}}}"), &format!("<{name}>"));
    }
    assert!(!text.contains("${"), "an unknown placeholder: {text}");
    serde_json::from_str(&text).expect("the body is JSON")
}

fn observability(text: &str) -> Stack {
    stack(text, &StackId::Observability)
}

fn widgets(body: &Json) -> &Vec<Json> {
    body["widgets"].as_array().expect("widgets")
}

fn titles(body: &Json) -> Vec<String> {
    let widgets = widgets(body).iter();
    let headings = widgets.filter_map(|it| it["properties"]["markdown"].as_str());
    headings
        .map(|it| it.trim_start_matches("## ").to_owned())
        .collect()
}

#[test]
fn it_shows_what_there_is() {
    let everything = body(&observability(EVERYTHING));
    assert_eq!(
        titles(&everything),
        [
            "Alarms",
            "Front",
            "Traffic",
            "Tasks",
            "App Servers",
            "Database",
            "Caches",
            "Memcached",
            "File system",
            "Search engine",
            "Message broker",
            "NAT gateways",
            "Logs",
        ]
    );
    let least = body(&observability(
        r#"
project = "api"
[network]
nat = "none"
[cache]
redis-cache.enabled = false
redis-session.enabled = false
[storage]
enabled = false
[alarms]
enabled = false
[waf]
enabled = false
[app.api]
preset = "php"
source = "src"
[environment.production]
"#,
    ));
    let expected = ["Traffic", "Tasks", "App Servers", "Database", "Logs"];
    assert_eq!(titles(&least), expected);
}

#[test]
fn widgets_lie_in_the_grid_and_not_on_each_other() {
    let body = body(&observability(EVERYTHING));
    let mut taken = BTreeSet::new();
    for widget in widgets(&body) {
        let of = |key: &str| widget[key].as_u64().expect(key);
        assert!(of("x") + of("width") <= 24, "{widget}");
        for x in of("x")..of("x") + of("width") {
            for y in of("y")..of("y") + of("height") {
                assert!(taken.insert((x, y)), "{widget}");
            }
        }
    }
}

/// Dashboard body structure: at most 500 widgets, 500 metrics in one of them, 2,500 in all.
#[test]
fn hundreds_of_apps_are_as_many_charts_as_one() {
    let store = |apps: u32| {
        let apps: String = (0..apps)
            .map(|number| {
                format!(
                    "[app.app-{number:03}]\npreset = \"php\"\nsource = \"src\"\ndatabase = \"\"\n\
                     routing.hosts = [\"app-{number:03}.example.com\"]\n"
                )
            })
            .collect();
        let text = format!("project = \"shop\"\n{apps}\n[environment.production]\n");
        body(&observability(&text))
    };
    let (one, many) = (store(1), store(200));
    let charts = |body: &Json| {
        let widgets = widgets(body).iter();
        widgets.filter(|it| it["type"] == "metric").count()
    };
    assert_eq!(charts(&many), charts(&one));
    let logs = widgets(&many).iter().filter(|it| it["type"] == "log");
    assert_eq!(logs.count(), 4);
    assert!(widgets(&many).len() <= 500);
    for log in widgets(&many).iter().filter(|it| it["type"] == "log") {
        let query = log["properties"]["query"].as_str().unwrap();
        assert_eq!(query.matches("SOURCE ").count(), 50);
    }
}

#[test]
fn every_curve_is_of_a_metric_or_of_a_search() {
    let body = body(&observability(EVERYTHING));
    let charts = widgets(&body).iter().filter(|it| it["type"] == "metric");
    for chart in charts {
        let metrics = chart["properties"]["metrics"].as_array().unwrap();
        assert!(!metrics.is_empty() && metrics.len() <= 500, "{chart}");
        for metric in metrics {
            let parts = metric.as_array().unwrap();
            match parts.as_slice() {
                [search] => {
                    let expression = search["expression"].as_str().unwrap();
                    assert!(expression.starts_with("SORT(SEARCH('{"), "{expression}");
                    assert_eq!(expression.matches('\'').count(), 4, "{expression}");
                    assert_eq!(expression.matches('"').count() % 2, 0, "{expression}");
                }
                [namespace, name, dimensions @ .., options] => {
                    assert!(namespace.as_str().unwrap().contains('/'));
                    assert!(name.is_string() && options.is_object(), "{metric}");
                    assert!(!dimensions.is_empty(), "{metric}");
                    assert_eq!(dimensions.len() % 2, 0, "{metric}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn the_body_is_as_it_was() {
    insta::assert_snapshot!(format!("{:#}", body(&observability(EVERYTHING))));
}
