//! An app's releases, by the images in its repositories.

use std::{collections::BTreeMap, time::SystemTime};

use aws_config::SdkConfig;
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, TagStatus};

use super::DeployError;
use crate::{AwsError, parameters::time};

/// ECR in one region.
#[derive(Debug, Clone)]
pub(super) struct Images {
    client: aws_sdk_ecr::Client,
}

/// A release whose images are all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pushed {
    /// The tag of its images.
    pub(super) id: String,
    /// When the last of them was pushed.
    pub(super) at: SystemTime,
    /// Their size in the registry, in bytes.
    pub(super) bytes: u64,
}

impl Images {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self {
            client: aws_sdk_ecr::Client::new(config),
        }
    }

    /// The releases that are in all of the repositories, the newest first. A repository that is not
    /// there has none.
    pub(super) async fn releases(&self, repositories: &[&str]) -> Result<Vec<Pushed>, AwsError> {
        let mut all = Vec::with_capacity(repositories.len());
        for repository in repositories {
            all.push(self.tagged(repository).await?);
        }
        Ok(common(&all))
    }

    async fn tagged(&self, repository: &str) -> Result<Vec<ImageDetail>, AwsError> {
        let tagged = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged);
        let call = self.client.describe_images().repository_name(repository);
        let mut pages = call.filter(tagged.build()).into_paginator().send();
        let mut images = Vec::new();
        while let Some(page) = pages.next().await {
            match page.map_err(|error| AwsError::call("DescribeImages", repository, &error)) {
                Ok(page) => images.extend(page.image_details.unwrap_or_default()),
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        Ok(images)
    }
}

/// The tags that all repositories have, the newest first.
fn common(repositories: &[Vec<ImageDetail>]) -> Vec<Pushed> {
    let mut found: BTreeMap<&str, (usize, Pushed)> = BTreeMap::new();
    for image in repositories.iter().flatten() {
        let at = image.image_pushed_at().map_or(SystemTime::UNIX_EPOCH, time);
        let bytes = image.image_size_in_bytes().unwrap_or(0);
        let bytes = u64::try_from(bytes).unwrap_or(0);
        for tag in image.image_tags() {
            let (count, pushed) = found.entry(tag).or_insert_with(|| {
                let pushed = Pushed {
                    id: tag.clone(),
                    at,
                    bytes: 0,
                };
                (0, pushed)
            });
            *count += 1;
            pushed.bytes += bytes;
            pushed.at = pushed.at.max(at);
        }
    }
    let complete = found.into_values();
    let complete = complete.filter(|(count, _)| *count == repositories.len());
    let mut complete: Vec<Pushed> = complete.map(|(_, pushed)| pushed).collect();
    complete.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    complete
}

/// The release that is wanted: the one of that id or the only one that begins so, else the newest.
pub(super) fn choose(
    app: &str,
    pushed: &[Pushed],
    repositories: &[&str],
    wanted: Option<&str>,
) -> Result<String, DeployError> {
    let newest = pushed.first().ok_or_else(|| DeployError::NoReleases {
        app: app.to_owned(),
        repositories: repositories.iter().map(|&it| it.to_owned()).collect(),
    });
    let Some(wanted) = wanted else {
        return newest.map(|it| it.id.clone());
    };
    if pushed.iter().any(|it| it.id == wanted) {
        return Ok(wanted.to_owned());
    }
    let mut matching = pushed.iter().filter(|it| it.id.starts_with(wanted));
    match (matching.next(), matching.next()) {
        (Some(only), None) => Ok(only.id.clone()),
        _ => Err(DeployError::NoSuchRelease {
            app: app.to_owned(),
            release: wanted.to_owned(),
            known: pushed.iter().map(|it| it.id.clone()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecr::primitives::DateTime;

    use super::*;

    fn image(tags: &[&str], at: i64) -> ImageDetail {
        ImageDetail::builder()
            .set_image_tags(Some(tags.iter().map(|&it| it.to_owned()).collect()))
            .image_pushed_at(DateTime::from_secs(at))
            .image_size_in_bytes(1_000)
            .build()
    }

    fn ids(pushed: &[Pushed]) -> Vec<&str> {
        pushed.iter().map(|it| it.id.as_str()).collect()
    }

    #[test]
    fn a_release_is_one_that_all_repositories_have_and_the_newest_is_first() {
        let php = vec![
            image(&["aa1"], 10),
            image(&["ab2"], 20),
            image(&["ac3"], 30),
        ];
        let nginx = vec![image(&["aa1", "ab2"], 11)];
        let releases = common(&[php, nginx]);
        assert_eq!(ids(&releases), ["ab2", "aa1"]);
        assert_eq!(releases[0].bytes, 2_000);
        assert!(common(&[]).is_empty());
    }

    #[test]
    fn a_release_is_named_by_its_id_or_the_beginning_of_it() {
        let pushed = common(&[vec![
            image(&["ab2"], 20),
            image(&["aa1"], 10),
            image(&["a"], 5),
        ]]);
        let choose = |wanted| choose("shop", &pushed, &["shop/production/shop/nginx"], wanted);
        assert_eq!(choose(None).ok().as_deref(), Some("ab2"));
        assert_eq!(choose(Some("aa")).ok().as_deref(), Some("aa1"));
        assert_eq!(choose(Some("a")).ok().as_deref(), Some("a"));
        for wrong in ["b", ""] {
            let error = choose(Some(wrong)).expect_err("there is none, or more than one");
            let DeployError::NoSuchRelease { known, .. } = error else {
                panic!("it is not there: {error}");
            };
            assert_eq!(known, ["ab2", "aa1", "a"]);
        }
        let none = super::choose("shop", &[], &["shop/production/shop/nginx"], None);
        let message = none.expect_err("there is none").to_string();
        assert_eq!(
            message,
            "no release of shop is in its repositories shop/production/shop/nginx"
        );
    }
}
