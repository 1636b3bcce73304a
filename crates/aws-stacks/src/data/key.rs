//! The key that data is encrypted with.
//!
//! It is the environment's own rather than the one that AWS keeps for each service: a snapshot that is
//! encrypted with the latter can't be given to another account (Amazon RDS user guide, "Sharing
//! encrypted snapshots"), and one key is one place that says who may read.

use mck_blueprint::Blueprint;
use mck_cloudformation::{
    LogicalId, PolicyDocument, Principal, Statement, Text, pseudo, resources::kms,
};

use super::name_tag;
use crate::{servers, stack::Stack};

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) -> LogicalId {
    // The account decides by its roles' policies who may use it, as with AWS's default policy; without
    // this statement nobody could.
    let account = Statement::allow(["kms:*"])
        .named("Account")
        .to(Principal::Aws(vec![Text::concat([
            Text::from("arn:"),
            pseudo::partition(),
            Text::from(":iam::"),
            pseudo::account(),
            Text::from(":root"),
        ])]))
        .on_all();
    let name = servers::full_name(blueprint, "data");
    let key = kms::Key {
        description: format!(
            "Data stores of {} {}",
            blueprint.project, blueprint.environment
        )
        .into(),
        enable_key_rotation: true.into(),
        key_policy: PolicyDocument::new([account]).into(),
        tags: name_tag(blueprint, "data"),
        ..Default::default()
    };
    let description = "The key of the data stores; without it snapshots can't be read";
    let key = stack.add("DataKey", description, &key).retained().id();
    let alias = kms::Alias {
        alias_name: format!("alias/{name}").into(),
        target_key_id: key.reference(),
    };
    stack.add("DataKeyAlias", "The name of the data stores' key", &alias);
    key
}
