//! What the environments of a project share in a region: their global stacks, the image repositories in
//! them, and the bucket through which templates go.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_ecr::types::TagStatus;
use mck_aws_stacks::{Stacks, difference::StackTemplate};
use serde_json::Value;

use crate::{
    account::Account,
    client::Client,
    error::AwsError,
    plan::{belonging, read_one},
    status::Phase,
};

/// What of a project is in the regions of one of its environments beside that.
#[derive(Debug, Default)]
pub struct Shared {
    /// Other environments of the project that have stacks there, by region.
    pub others: BTreeMap<String, BTreeSet<String>>,
    /// The global stacks that are there.
    pub stacks: Vec<StackTemplate>,
}

impl Shared {
    /// Other environments of the project that have stacks in a region.
    pub fn others_in(&self, region: &str) -> Vec<&str> {
        let others = self.others.get(region).into_iter().flatten();
        others.map(String::as_str).collect()
    }

    /// Whether the project has no stack in a region but the environment's.
    pub fn is_empty_in(&self, region: &str) -> bool {
        let has_global = self.stacks.iter().any(|it| it.region == region);
        !has_global && self.others_in(region).is_empty()
    }
}

/// An image repository, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldImages {
    /// The repository's name.
    pub repository: String,
    /// How many images it has.
    pub images: usize,
    /// How many bytes they have together, layers of several images counted for each.
    pub bytes: u64,
}

/// Whose a stack of a project is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Environment(String),
    All,
    Nobody,
}

impl Account {
    /// What of the project is in the regions of an environment's stacks beside the environment.
    ///
    /// # Errors
    /// Where AWS does not answer.
    pub fn shared(&self, stacks: &Stacks) -> Result<Shared, AwsError> {
        self.runtime.block_on(async {
            let regions: BTreeSet<&str> =
                stacks.stacks.iter().map(|it| it.region.as_str()).collect();
            let mut shared = Shared::default();
            for region in regions {
                let client = self.clients.of(region);
                read(client, region, stacks, &mut shared).await?;
            }
            Ok(shared)
        })
    }

    /// Removes a region's bucket for templates, and gives its name; none where there is none. An apply
    /// makes it again when it needs it.
    ///
    /// # Errors
    /// Where AWS refuses or does not answer.
    pub fn remove_template_bucket(&self, region: &str) -> Result<Option<String>, AwsError> {
        self.runtime.block_on(self.clients.buckets.dissolve(region))
    }

    /// Which of these repositories there are, and what they hold.
    ///
    /// # Errors
    /// Where AWS refuses or does not answer.
    pub fn images_of(&self, region: &str, names: &[String]) -> Result<Vec<HeldImages>, AwsError> {
        let client = self.repositories(region);
        self.runtime.block_on(async {
            let mut held = Vec::new();
            for name in names {
                held.extend(images(&client, name).await?);
            }
            Ok(held)
        })
    }

    /// Deletes a repository with all its images; one that is not there is as good.
    ///
    /// # Errors
    /// Where AWS refuses or does not answer.
    pub fn delete_repository(&self, region: &str, name: &str) -> Result<(), AwsError> {
        let call = self.repositories(region).delete_repository();
        let call = call.repository_name(name).force(true);
        let gone = self.runtime.block_on(call.send());
        match gone.map_err(|error| AwsError::call("DeleteRepository", name, &error)) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    fn repositories(&self, region: &str) -> aws_sdk_ecr::Client {
        let config: &SdkConfig = self.clients.config(region);
        aws_sdk_ecr::Client::new(config)
    }
}

/// The names of the repositories that templates make.
pub fn repositories<'a>(templates: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    let resources = templates
        .into_iter()
        .filter_map(|it| it.get("Resources")?.as_object())
        .flat_map(|it| it.values());
    let repositories = resources.filter(|it| it["Type"] == "AWS::ECR::Repository");
    let names = repositories.filter_map(|it| it["Properties"]["RepositoryName"].as_str());
    names.map(str::to_owned).collect()
}

/// Stacks of other projects whose names begin alike are read too: only templates say whose they are.
async fn read(
    client: &Client,
    region: &str,
    stacks: &Stacks,
    shared: &mut Shared,
) -> Result<(), AwsError> {
    let prefix = format!("{}-", stacks.project);
    let own = format!("{prefix}{}-", stacks.environment);
    for (name, described) in client.list().await? {
        let Some(id) = name.strip_prefix(&prefix) else {
            continue;
        };
        let is_wanted = stacks.stacks.iter().any(|it| it.name == name);
        let is_global = id == "global" || id.starts_with("global-");
        if Phase::of(&described.status) == Phase::Review || (is_wanted && !is_global) {
            continue;
        }
        let (id, region) = (id.to_owned(), region.to_owned());
        let stack = read_one(client, id, name.clone(), region, &described).await?;
        match owner(&stack.template, &stacks.project) {
            Owner::Environment(other) if other != stacks.environment => {
                let others = shared.others.entry(stack.region).or_default();
                others.insert(other);
            }
            Owner::All if is_global && !name.starts_with(&own) => shared.stacks.push(stack),
            Owner::Environment(_) | Owner::All | Owner::Nobody => {}
        }
    }
    Ok(())
}

fn owner(template: &Value, project: &str) -> Owner {
    match belonging(template) {
        (Some(told), Some(environment)) if told == project => {
            Owner::Environment(environment.to_owned())
        }
        (Some(told), None) if told == project => Owner::All,
        _ => Owner::Nobody,
    }
}

async fn images(
    client: &aws_sdk_ecr::Client,
    repository: &str,
) -> Result<Option<HeldImages>, AwsError> {
    // Of several tags of one image it is told once, under its digest.
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    let filter = aws_sdk_ecr::types::DescribeImagesFilter::builder().tag_status(TagStatus::Any);
    let mut pages = client
        .describe_images()
        .repository_name(repository)
        .filter(filter.build())
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        match page.map_err(|error| AwsError::call("DescribeImages", repository, &error)) {
            Ok(page) => sizes.extend(page.image_details.unwrap_or_default().into_iter().map(
                |it| {
                    let size = it.image_size_in_bytes.unwrap_or(0);
                    let digest = it.image_digest.unwrap_or_default();
                    (digest, u64::try_from(size).unwrap_or(0))
                },
            )),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(HeldImages {
        repository: repository.to_owned(),
        images: sizes.len(),
        bytes: sizes.values().sum(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_says_whose_its_stack_is() {
        let of = |told: Value| owner(&json!({"Metadata": {"mck": told}}), "shop");
        let staging = json!({"Project": "shop", "Environment": "staging"});
        assert_eq!(of(staging), Owner::Environment("staging".to_owned()));
        assert_eq!(of(json!({"Project": "shop"})), Owner::All);
        assert_eq!(of(json!({"Project": "shop-eu"})), Owner::Nobody);
        assert_eq!(owner(&json!({}), "shop"), Owner::Nobody);
    }

    #[test]
    fn repositories_are_those_of_the_templates() {
        let of = |name: &str| {
            json!({"Resources": {
                "One": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": name}},
                "Two": {"Type": "AWS::SNS::Topic"},
            }})
        };
        let found = repositories([
            &of("shop/production/shop/nginx"),
            &of("shop/production/blog/nginx"),
        ]);
        assert_eq!(
            Vec::from_iter(found),
            ["shop/production/blog/nginx", "shop/production/shop/nginx"]
        );
    }
}
