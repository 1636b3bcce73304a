//! What a project has once, whatever its environments.

use mck_blueprint::model::Global;

use crate::support::blueprint;

const SHOP: &str = "[app.shop]\npreset = 'magento2'\nsource = '.'\n";

fn golden(name: &str, globals: &[Global]) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        let text = serde_json::to_string_pretty(globals).expect("it is JSON");
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn two_environments_in_a_region_and_one_in_another() {
    let github = "[ci]\ngithub = { repository = 'example/shop', branches = ['main', 'next'] }\n";
    let production = format!("region = 'eu-west-1'\n{SHOP}{github}keep-images = 90\n");
    let staging = format!(
        "region = 'eu-west-1'\n{SHOP}[app.blog]\npreset = 'wordpress'\n[app.api]\nimage = 'api:1'\n\
         container.web.port = 80\n{github}user = true\n"
    );
    let america = format!(
        "region = 'us-east-1'\n{SHOP}[ci.circleci]\n\
         organization-id = '01234567-89ab-cdef-0123-456789abcdef'\n"
    );
    let all = [
        blueprint("production", &production),
        blueprint("staging", &staging),
        blueprint("america", &america),
        blueprint("local", SHOP),
    ];
    let forwards: Vec<_> = all.iter().collect();
    let backwards: Vec<_> = all.iter().rev().collect();
    let globals = Global::plan("shop", &forwards);
    assert_eq!(globals, Global::plan("shop", &backwards));
    golden("global", &globals);
}

#[test]
fn a_provider_that_exists_is_not_made_again() {
    let arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    let known = format!(
        "{SHOP}[ci]\ngithub = {{ repository = 'example/shop', oidc-provider-arn = '{arn}' }}"
    );
    let other = format!("{SHOP}[ci]\ngithub = {{ repository = 'example/shop' }}");
    let all = [
        blueprint("production", &known),
        blueprint("staging", &other),
    ];
    let globals = Global::plan("shop", &all.iter().collect::<Vec<_>>());
    assert_eq!(globals.len(), 1);
    assert_eq!(globals[0].identity_providers, []);
    assert_eq!(globals[0].roles.len(), 2);
}

#[test]
fn a_project_without_an_environment_on_aws_has_nothing() {
    let local = blueprint("local", SHOP);
    assert_eq!(Global::plan("shop", &[&local]), []);
}
