//! What is asked of CloudFormation for a stack.

use std::collections::BTreeMap;

use mck_aws_stacks::{ParameterSource, Stack, Stacks, hexadecimal};
use sha2::{Digest, Sha256};

use crate::{error::AwsError, prefix_lists::PrefixLists};

/// How many characters of a digest tell two changes apart.
const DIGEST: usize = 16;
/// CloudFormation's limit of a token, in characters.
const LONGEST_TOKEN: usize = 128;

/// What is asked of CloudFormation for a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) body: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) capabilities: Vec<String>,
    pub(crate) is_protected: bool,
}

/// The outputs of stacks that are there, by the stack's full name.
pub(crate) type Outputs = BTreeMap<String, BTreeMap<String, String>>;

impl Request {
    /// What is asked for a stack, with what others hand over and what was looked up.
    ///
    /// # Errors
    /// Where another stack has no such output yet.
    pub(crate) fn of(
        stacks: &Stacks,
        stack: &Stack,
        outputs: &Outputs,
        prefix_lists: PrefixLists,
    ) -> Result<Self, AwsError> {
        let mut parameters = prefix_lists;
        for (name, source) in &stack.parameters {
            let ParameterSource::Output(handed) = source else {
                // The template's default is what is wanted.
                continue;
            };
            let from = stacks
                .get(&handed.stack)
                .map(|it| it.name.as_str())
                .unwrap_or_default();
            let value = outputs.get(from).and_then(|it| it.get(&handed.output));
            let value = value.ok_or_else(|| AwsError::OutputMissing {
                stack: stack.name.clone(),
                from: from.to_owned(),
                output: handed.output.clone(),
            })?;
            parameters.insert(name.clone(), value.clone());
        }
        Ok(Self {
            id: stack.id.name(),
            name: stack.name.clone(),
            region: stack.region.clone(),
            body: stack.template.compact(),
            tags: stack.tags.clone(),
            capabilities: stack
                .capabilities()
                .iter()
                .map(|it| it.as_str().to_owned())
                .collect(),
            is_protected: stack.termination_protection,
            parameters,
        })
    }

    /// The same for the same template, parameters and tags.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.name, &self.region, &self.body] {
            hash.update(part);
            hash.update([0]);
        }
        for (key, value) in self.parameters.iter().chain(&self.tags) {
            hash.update(key);
            hash.update([0]);
            hash.update(value);
            hash.update([0]);
        }
        let mut digest = hexadecimal(&hash.finalize());
        digest.truncate(DIGEST);
        digest
    }

    /// The token of its execution: it tells others who is at work, and us whether it is this very
    /// change.
    pub(crate) fn token(&self, who: &str) -> String {
        token(&self.digest(), who)
    }

    /// Whether a token is of this very change, whoever began it.
    pub(crate) fn is_own(&self, token: &str) -> bool {
        token.starts_with(&format!("mck-{}-", self.digest()))
    }
}

/// A token of what is done and who does it; CloudFormation takes letters, digits and hyphens.
pub(crate) fn token(what: &str, who: &str) -> String {
    let text = format!("mck-{what}-{who}");
    let allowed = |it: char| if it.is_ascii_alphanumeric() { it } else { '-' };
    text.chars().take(LONGEST_TOKEN).map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str, parameters: &[(&str, &str)]) -> Request {
        let parameters = parameters.iter();
        Request {
            id: "data".to_owned(),
            name: "shop-production-data".to_owned(),
            region: "us-east-1".to_owned(),
            body: body.to_owned(),
            parameters: parameters
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
            is_protected: false,
        }
    }

    #[test]
    fn a_change_is_known_by_its_token() {
        let one = request("{}", &[("Vpc", "vpc-1")]);
        let token = one.token("ann@laptop.example");
        assert!(one.is_own(&token), "{token}");
        assert!(token.ends_with("-ann-laptop-example"), "{token}");
        assert!(!request("{}", &[("Vpc", "vpc-2")]).is_own(&token));
        assert!(!request("{ }", &[("Vpc", "vpc-1")]).is_own(&token));
        assert!(one.token(&"x".repeat(200)).len() <= LONGEST_TOKEN);
    }
}
