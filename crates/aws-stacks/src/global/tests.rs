use std::collections::BTreeSet;

use mck_blueprint::Blueprint;
use mck_cloudformation::Json;
use mck_environment::EnvironmentFile;
use serde_json::json;

use crate::{Source, Stack, StackId, Stacks, synthesis::Scene};

const TWO_ENVIRONMENTS: &str = r#"
project = "shop"
tags = { Team = "store" }

[cluster.app]
[cluster.admin]

[app.shop]
preset = "magento2"
cluster = "app"
source = "shop"
routing.hosts = ["shop.example.com"]

[ci]
user = true
keep-images = 30

[ci.github]
repository = "example/shop"
branches = ["main", "release/2"]

[ci.circleci]
organization-id = "01234567-89ab-cdef-0123-456789abcdef"

[environment.production]
[environment.staging]
tags = { Cost = "low" }
ci.github.branches = ["develop"]
"#;

fn blueprints(text: &str) -> Vec<Blueprint> {
    let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).unwrap();
    ["production", "staging"]
        .iter()
        .filter_map(|name| file.environment(name).ok())
        .map(|environment| Blueprint::plan(&environment).unwrap())
        .collect()
}

/// The global stack as it comes from each environment.
fn globals(text: &str) -> Vec<Option<Stack>> {
    let blueprints = blueprints(text);
    let siblings: Vec<&Blueprint> = blueprints.iter().collect();
    let source = Source::new("magecloudkit.toml", text.as_bytes());
    let stacks = siblings
        .iter()
        .map(|blueprint| Stacks::synthesise(blueprint, &siblings, &source));
    stacks
        .map(|stacks| stacks.get(&StackId::Global(1)).cloned())
        .collect()
}

fn global(text: &str) -> Json {
    let stack = globals(text).remove(0).expect("a global stack");
    stack.template.json()
}

fn policy<'a>(template: &'a Json, id: &str, statement: &str) -> &'a Json {
    let document = &template["Resources"][id]["Properties"]["PolicyDocument"];
    let statements = document["Statement"].as_array().expect(id);
    let mut statements = statements.iter();
    let found = statements.find(|it| it["Sid"] == statement);
    found.unwrap_or_else(|| panic!("{id} has no statement {statement}"))
}

#[test]
fn it_is_the_same_from_every_environment() {
    let globals = globals(TWO_ENVIRONMENTS);
    let [Some(one), Some(other)] = globals.as_slice() else {
        panic!("one from each environment");
    };
    assert_eq!(one, other);
    assert_eq!(one.template.text(), other.template.text());
    assert_eq!(one.name, "shop-global");
    assert_eq!(
        one.tags.keys().collect::<Vec<_>>(),
        ["ManagedBy", "Project", "Team"]
    );
    assert_eq!(one.template.metadata["mck"]["Environment"], Json::Null);
    assert_eq!(one.template.problems(), []);
}

#[test]
fn nothing_to_share_is_no_stack() {
    let text = r#"
project = "shop"
[app.api]
image = "example/api:1"
[app.api.container.api]
port = 80
[environment.production]
"#;
    assert_eq!(globals(text), [None]);
}

/// The global stacks of many apps: the names of each one's repositories.
fn repositories_of_many(apps: usize) -> Vec<BTreeSet<String>> {
    let each = (0..apps).map(|number| {
        format!(
            "[app.app-{number}]\npreset = \"magento2\"\nsource = \"shop\"\n\
             routing.hosts = [\"app-{number}.example.com\"]\n"
        )
    });
    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/1";
    let text = format!(
        "project = \"shop\"\nload-balancer.certificate.arns = [\"{certificate}\"]\n{}\n\
         [ci]\nuser = true\n[environment.production]\n[environment.staging]\n",
        each.collect::<String>()
    );
    let blueprints = blueprints(&text);
    let siblings: Vec<&Blueprint> = blueprints.iter().collect();
    let source = Source::new("magecloudkit.toml", text.as_bytes());
    let of = |blueprint| {
        let scene = Scene::new(blueprint, &source);
        super::stacks(&scene, &siblings)
    };
    let [one, other] = [&blueprints[0], &blueprints[1]].map(of);
    assert_eq!(one, other, "the same from every environment");
    assert!(one.iter().all(|stack| stack.template.problems().is_empty()));
    assert!(one[0].template.text().contains("CiUserStaging"));
    let named = one.iter().zip(1..);
    assert!(
        named
            .clone()
            .all(|(it, number)| it.id == StackId::Global(number))
    );
    let names = one.iter().map(|stack| {
        let resources = stack.template.resources().iter();
        let repositories = resources.filter(|(_, it)| it.kind == "AWS::ECR::Repository");
        repositories.map(|(id, _)| id.to_string()).collect()
    });
    names.collect()
}

#[test]
fn many_repositories_are_spread_over_stacks() {
    let small = repositories_of_many(10);
    assert_eq!(small.len(), 1);
    let large = repositories_of_many(300);
    assert!(large.len() > 1);
    assert_eq!(large.iter().map(BTreeSet::len).sum::<usize>(), 1_200);
    let larger = repositories_of_many(301);
    assert_eq!(larger.len(), large.len());
    for (before, after) in large.iter().zip(&larger) {
        assert!(before.is_subset(after), "a new app moves no repository");
    }
}

#[test]
fn repositories_keep_what_is_deployed() {
    let template = global(TWO_ENVIRONMENTS);
    let repository = &template["Resources"]["RepositoryProductionShopPhpFpm"];
    assert_eq!(repository["DeletionPolicy"], "RetainExceptOnCreate");
    let properties = &repository["Properties"];
    assert_eq!(properties["RepositoryName"], "shop/production/shop/php-fpm");
    assert_eq!(properties["ImageTagMutability"], "IMMUTABLE");
    assert_eq!(properties["ImageScanningConfiguration"]["ScanOnPush"], true);
    let lifecycle = properties["LifecyclePolicy"]["LifecyclePolicyText"]
        .as_str()
        .unwrap();
    let lifecycle: Json = serde_json::from_str(lifecycle).unwrap();
    assert_eq!(lifecycle["rules"][0]["selection"]["countNumber"], 1);
    assert_eq!(lifecycle["rules"][1]["selection"]["countNumber"], 30);
}

#[test]
fn continuous_integration_pushes_to_its_own_environment_only() {
    let template = global(TWO_ENVIRONMENTS);
    for environment in ["Production", "Staging"] {
        let policy = &template["Resources"][format!("CiPolicy{environment}Releases")];
        let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_array();
        let mut statements = statements.unwrap().iter();
        let images = statements.find(|it| it["Sid"] == "Images").unwrap();
        let resources = images["Resource"].to_string();
        let own = format!(":repository/shop/{}/*", environment.to_lowercase());
        assert!(resources.contains(&own), "{resources}");
        assert_eq!(resources.matches(":repository/").count(), 1, "{resources}");
    }
}

#[test]
fn a_role_trusts_the_tokens_of_its_repository_and_branches_only() {
    let template = global(TWO_ENVIRONMENTS);
    let role = &template["Resources"]["CiRoleProductionGithub"]["Properties"];
    assert_eq!(role["RoleName"], "shop-production-ci-github");
    assert_eq!(
        role["AssumeRolePolicyDocument"]["Statement"],
        json!([{
            "Effect": "Allow",
            "Principal": { "Federated": { "Ref": "IdentityProviderTokenActionsGithubusercontentCom" } },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
                "StringLike": {
                    "token.actions.githubusercontent.com:sub": [
                        "repo:example/shop:ref:refs/heads/main",
                        "repo:example/shop:ref:refs/heads/release/2",
                    ],
                },
            },
        }])
    );
    let circle = &template["Resources"]["CiRoleProductionCircleci"]["Properties"];
    let condition = &circle["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    let organization = "01234567-89ab-cdef-0123-456789abcdef";
    let host = format!("oidc.circleci.com/org/{organization}");
    assert_eq!(
        condition["StringEquals"][format!("{host}:aud")],
        organization
    );
    assert_eq!(
        condition["StringLike"][format!("{host}:sub")],
        format!("org/{organization}/project/*/user/*")
    );
}

#[test]
fn a_provider_that_is_there_is_used() {
    let arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    let branches = r#"branches = ["main", "release/2"]"#;
    let named = format!("{branches}\noidc-provider-arn = \"{arn}\"");
    let template = global(&TWO_ENVIRONMENTS.replace(branches, &named));
    let resources = template["Resources"].as_object().unwrap();
    let providers = resources
        .values()
        .filter(|it| it["Type"] == "AWS::IAM::OIDCProvider");
    assert_eq!(providers.count(), 1, "CircleCI's");
    let role = &resources["CiRoleStagingGithub"]["Properties"];
    let statement = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(statement["Principal"]["Federated"], arn);
}

#[test]
fn an_environments_door_opens_that_environment_alone() {
    let template = global(TWO_ENVIRONMENTS);
    let of_staging = |id: &str| {
        let policy = &template["Resources"][id]["Properties"]["PolicyDocument"];
        assert!(!policy.is_null(), "{id}");
        assert!(!policy.to_string().contains("production"), "{id}");
        assert!(policy.to_string().contains("staging"), "{id}");
    };
    of_staging("CiPolicyStagingReleases");
    of_staging("CiPolicyStagingClusters1");
    let pass = policy(&template, "CiPolicyProductionReleases", "TaskRoles");
    assert_eq!(
        pass["Resource"]["Fn::Join"][1].as_array().unwrap().last(),
        Some(&json!(":role/shop/production/tasks/*"))
    );
    assert_eq!(
        pass["Condition"]["StringEquals"]["iam:PassedToService"],
        "ecs-tasks.amazonaws.com"
    );
    let run = policy(&template, "CiPolicyProductionClusters1", "OneOffTasks");
    let clusters = run["Condition"]["ArnEquals"]["ecs:cluster"]
        .as_array()
        .unwrap();
    assert_eq!(clusters.len(), 2);
}

#[test]
fn the_user_has_no_key_and_its_rights_from_a_group() {
    let template = global(TWO_ENVIRONMENTS);
    let text = template.to_string();
    assert!(!text.contains("AccessKey"));
    let user = &template["Resources"]["CiUserStaging"]["Properties"];
    assert_eq!(
        user,
        &json!({
            "Groups": [{ "Ref": "CiGroupStaging" }],
            "UserName": "shop-staging-ci",
        })
    );
    let group = &template["Resources"]["CiGroupStaging"]["Properties"];
    let role = &template["Resources"]["CiRoleStagingGithub"]["Properties"];
    assert_eq!(group["ManagedPolicyArns"], role["ManagedPolicyArns"]);
    assert_eq!(group["ManagedPolicyArns"].as_array().unwrap().len(), 2);
}

/// IAM refuses a managed policy of more than 6,144 characters, white space not counted.
#[test]
fn policies_of_many_clusters_are_short_enough() {
    let clusters: String = (0..20)
        .map(|number| format!("[cluster.a-cluster-{number:02}]\n"))
        .collect();
    let text = TWO_ENVIRONMENTS.replace("[cluster.admin]\n", &clusters);
    let template = global(&text);
    let resources = template["Resources"].as_object().unwrap();
    let mut seen = 0;
    for (id, resource) in resources {
        if resource["Type"] == "AWS::IAM::ManagedPolicy" {
            let length = resolved(&resource["Properties"]["PolicyDocument"])
                .to_string()
                .len();
            assert!(length <= 6_144, "{id}: {length}");
            seen += 1;
        }
    }
    assert_eq!(seen, 2 * (1 + 4));
}

/// With what CloudFormation puts in at the longest.
fn resolved(json: &Json) -> Json {
    match json {
        Json::Array(items) => items.iter().map(resolved).collect(),
        Json::Object(object) => {
            if let Some(name) = object.get("Ref").and_then(Json::as_str) {
                return match name {
                    "AWS::AccountId" => "123456789012".into(),
                    "AWS::Region" => "ap-southeast-1".into(),
                    _ => "aws-us-gov".into(),
                };
            }
            if let Some(parts) = object.get("Fn::Join") {
                let parts = resolved(&parts[1]);
                let parts = parts.as_array().unwrap().iter();
                return parts
                    .map(|part| part.as_str().unwrap())
                    .collect::<String>()
                    .into();
            }
            let entries = object.iter();
            Json::Object(
                entries
                    .map(|(key, it)| (key.clone(), resolved(it)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}
