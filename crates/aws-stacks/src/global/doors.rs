//! How continuous integration comes in: roles for tokens of GitHub, CircleCI and GitLab, or a user.

use mck_blueprint::model::{Blueprint, CiRole, CiUser, Global, IdentityProvider};
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo, resources::iam,
};

use super::permissions;
use crate::stack::Stack;

/// Adds the doors to the first of `stacks` global stacks.
pub(super) fn add(stack: &mut Stack, global: &Global, blueprints: &[&Blueprint], stacks: usize) {
    for provider in &global.identity_providers {
        add_provider(stack, provider);
    }
    for blueprint in blueprints {
        let of_it = |environment: &str| environment == blueprint.environment;
        let roles: Vec<&CiRole> = global
            .roles
            .iter()
            .filter(|role| of_it(&role.environment))
            .collect();
        let users: Vec<&CiUser> = global
            .users
            .iter()
            .filter(|user| of_it(&user.environment))
            .collect();
        if roles.is_empty() && users.is_empty() {
            continue;
        }
        let policies = permissions::add(stack, blueprint, stacks);
        for role in roles {
            add_role(stack, global, role, &policies);
        }
        for user in users {
            add_user(stack, user, &policies);
        }
    }
}

fn add_provider(stack: &mut Stack, provider: &IdentityProvider) {
    let properties = iam::OidcProvider {
        url: format!("https://{}", provider.host).into(),
        client_id_list: vec![(&provider.audience).into()],
        ..Default::default()
    };
    stack.add(
        provider_id(provider),
        format!("Lets the account trust tokens of {}", provider.host),
        &properties,
    );
}

fn provider_id(provider: &IdentityProvider) -> LogicalId {
    LogicalId::of(&["identity-provider", &provider.host])
}

/// The ARN of a provider of this stack, of the project's stack in its first region, or of one that
/// the account had before.
fn provider_arn(global: &Global, role: &CiRole) -> Text {
    if let Some(arn) = &role.provider_arn {
        return arn.into();
    }
    if global.identity_providers.contains(&role.provider) {
        return provider_id(&role.provider).reference();
    }
    Text::concat([
        "arn:".into(),
        pseudo::partition(),
        ":iam::".into(),
        pseudo::account(),
        format!(":oidc-provider/{}", role.provider.host).into(),
    ])
}

fn add_role(stack: &mut Stack, global: &Global, role: &CiRole, policies: &[LogicalId]) {
    let host = &role.provider.host;
    let subjects = role.subjects.iter().map(Text::from);
    let trust = Statement::allow(["sts:AssumeRoleWithWebIdentity"])
        .to(Principal::Federated(provider_arn(global, role)))
        .when(
            "StringEquals",
            &format!("{host}:aud"),
            [&role.provider.audience],
        )
        .when("StringLike", &format!("{host}:sub"), subjects);
    let description = format!(
        "What {} deploys to the environment {} with",
        role.service, role.environment
    );
    let properties = iam::Role {
        role_name: (&role.name).into(),
        description: (&description).into(),
        assume_role_policy_document: PolicyDocument::new([trust]).into(),
        managed_policy_arns: policies.iter().map(LogicalId::reference).collect(),
        ..Default::default()
    };
    stack.add(
        LogicalId::of(&["ci-role", &role.environment, &role.service]),
        description,
        &properties,
    );
}

/// The user's access key is made by hand: in a template it could be read by whoever may read stacks.
fn add_user(stack: &mut Stack, user: &CiUser, policies: &[LogicalId]) {
    let group = stack
        .add(
            LogicalId::of(&["ci-group", &user.environment]),
            format!("Who may deploy to the environment {}", user.environment),
            &iam::Group {
                managed_policy_arns: policies.iter().map(LogicalId::reference).collect(),
                ..Default::default()
            },
        )
        .id();
    stack.add(
        LogicalId::of(&["ci-user", &user.environment]),
        format!(
            "Whom continuous integration deploys to the environment {} as",
            user.environment
        ),
        &iam::User {
            user_name: (&user.name).into(),
            groups: vec![group.reference()],
            ..Default::default()
        },
    );
}
