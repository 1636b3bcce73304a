//! Secrets of the blueprint in Secrets Manager.
//!
//! A secret is made by the stack that alone uses it, else by the stack `data` (see
//! [`crate::names::secret_owner`]).

use mck_blueprint::model::{Secret, SecretOrigin};
use mck_cloudformation::{
    LogicalId, Text,
    resources::secretsmanager::{self, secret::GenerateSecretString},
};

use crate::{
    names,
    stack::{Stack, StackId},
    synthesis::Scene,
};

/// What Secrets Manager calls punctuation (API reference, `GetRandomPassword`).
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Adds the secrets that are the stack's, and gives their names in the blueprint. The password of the
/// database's master user is not among them: RDS makes and keeps it.
pub(crate) fn add<'a>(stack: &mut Stack, scene: &Scene<'a>) -> Vec<&'a str> {
    let master = scene.blueprint.database.master_password_secret.as_str();
    let secrets = scene.index.secrets_of(&stack.id).iter();
    let secrets: Vec<&Secret> = secrets.copied().filter(|it| it.name != master).collect();
    for secret in &secrets {
        add_one(stack, scene, secret);
    }
    secrets.iter().map(|secret| secret.name.as_str()).collect()
}

/// It stays when its stack goes: what it opens may stay as well. One that the user sets has no value
/// at first, so that nothing that needs it starts with a wrong one.
fn add_one(stack: &mut Stack, scene: &Scene<'_>, secret: &Secret) {
    let properties = secretsmanager::Secret {
        name: names::secret(scene.blueprint, &secret.name).into(),
        description: (&secret.description).into(),
        generate_secret_string: match secret.origin {
            SecretOrigin::Generated(length) => Some(generated(length, &secret.symbols)),
            SecretOrigin::Provided => None,
        },
        ..Default::default()
    };
    let description = format!("Secret: {}", secret.description);
    stack
        .add(logical_id(&secret.name), description, &properties)
        .retained();
}

/// Letters and digits, and at least one of `symbols` where there are any.
fn generated(length: u16, symbols: &str) -> GenerateSecretString {
    let excluded: String = PUNCTUATION
        .chars()
        .filter(|letter| !symbols.contains(*letter))
        .collect();
    GenerateSecretString {
        password_length: length.into(),
        exclude_punctuation: symbols.is_empty().into(),
        exclude_characters: if symbols.is_empty() {
            Text::Absent
        } else {
            excluded.into()
        },
        require_each_included_type: true.into(),
        ..Default::default()
    }
}

/// The ARN of a secret, of this stack or of the stack `data`.
pub(crate) fn arn(stack: &mut Stack, scene: &Scene<'_>, name: &str) -> Text {
    if names::secret_owner(scene, name) == stack.id {
        return logical_id(name).reference();
    }
    stack.take(&names::data::secret(name))
}

/// The value of a secret, for a property of a resource: CloudFormation looks it up when it makes the
/// resource, and writes it down nowhere (user guide, "Get a secret or secret value from Secrets
/// Manager").
pub(crate) fn value(stack: &mut Stack, scene: &Scene<'_>, name: &str) -> Text {
    let arn = arn(stack, scene, name);
    Text::concat([
        Text::from("{{resolve:secretsmanager:"),
        arn,
        Text::from("}}"),
    ])
}

/// Its name in its stack's template.
pub(crate) fn logical_id(name: &str) -> LogicalId {
    LogicalId::of(&["secret", name])
}

/// Hands over the secrets of the stack `data`.
pub(crate) fn hand_over(stack: &mut Stack, names: &[&str]) {
    debug_assert_eq!(stack.id, StackId::Data);
    for name in names {
        stack.hand_over(
            &names::data::secret(name),
            &format!("The secret {name}"),
            logical_id(name).reference(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_a_symbol_only_where_its_user_demands_one() {
        let plain = generated(32, "");
        assert_eq!(plain.exclude_punctuation, true.into());
        assert!(plain.exclude_characters.is_absent());
        let with_symbol = generated(32, "-_");
        assert_eq!(with_symbol.exclude_punctuation, false.into());
        let excluded = with_symbol.exclude_characters.literal().unwrap();
        assert!(!excluded.contains(['-', '_']) && excluded.contains(['"', '/', '@']));
        assert_eq!(excluded.len(), PUNCTUATION.len() - 2);
    }
}
