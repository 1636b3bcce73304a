//! The end of `mck destroy` of a project's last environment in a region: what all environments share.

use std::collections::BTreeSet;

use mck_aws::{
    Account, AwsError, CallFailure, HeldImages, Keep, Reporter, Shared, StackFailure, repositories,
};
use mck_aws_stacks::{StackId, Stacks, difference::StackTemplate};
use mck_cost::{Money, kept};

use super::{
    confirm::{self, Question},
    destroy_aws::tell_kept,
    plan::account::Connected,
};
use crate::{
    cli::DestroyOptions, exit::Exit, failure::Failure, printer::Printer, session::Session, table,
    who,
};

/// What an image repository is in CloudFormation.
const REPOSITORY: &str = "AWS::ECR::Repository";
/// Bytes of the GB in which ECR counts.
const GIGABYTE: f64 = 1_073_741_824.0;

/// What an environment shares with others of its project.
pub struct Sharing<'a> {
    connected: &'a Connected,
    shared: Shared,
}

/// What is removed after an environment.
#[derive(Debug, Default)]
pub struct End {
    /// Global stacks.
    pub stacks: Vec<StackTemplate>,
    /// Image repositories: those of the file and of the stacks.
    repositories: Vec<HeldImages>,
    /// Whether they are deleted.
    delete_images: bool,
    region: String,
}

/// What was removed of what is shared, and what stays.
#[derive(Debug, Default)]
pub struct Removed {
    stacks: Vec<String>,
    pub failed: Vec<StackFailure>,
    kept: Vec<Keep>,
    /// Repositories that stay.
    images: Vec<HeldImages>,
    deleted: Vec<String>,
    buckets: Vec<String>,
    /// Why buckets for templates are left, empty.
    left: Vec<String>,
}

impl<'a> Sharing<'a> {
    /// Reads what there is.
    pub fn of(connected: &'a Connected) -> Result<Self, Failure> {
        let shared = connected.account.shared(&connected.stacks)?;
        Ok(Self { connected, shared })
    }

    /// The environments that use what is shared in the region.
    fn users(&self) -> Vec<&str> {
        self.shared.others_in(&self.connected.blueprint.region)
    }

    /// Refuses to remove what other environments use.
    pub fn refuse_in_use(&self) -> Result<(), Failure> {
        let users = self.users();
        if users.is_empty() {
            return Ok(());
        }
        let message = format!(
            "other environments use the global stacks: {}",
            users.join(", ")
        );
        Err(Failure::new(Exit::Declined, message)
            .hint("remove those first, or leave `--global` out"))
    }

    /// What is removed of it, as the command line says or a person answers.
    pub fn end(self, session: &Session<'_>, options: &DestroyOptions) -> Result<End, Failure> {
        let printer = session.printer;
        let environment = &self.connected.blueprint.environment;
        let names = self.names();
        let users = self.users();
        if !users.is_empty() {
            if !names.is_empty() {
                let users = users.join(", ");
                printer.note(format_args!(
                    "{names} stays: all the project's environments share it, and {users} is there."
                ));
            }
            return Ok(End::default());
        }
        let is_meant = options.global
            || (!names.is_empty() && !options.yes && printer.can_ask() && self.ask(session)?);
        if !is_meant {
            if !names.is_empty() {
                printer.note(format_args!(
                    "{names} stays, though no other environment uses it: `mck destroy --environment \
                     {environment} --global` removes it."
                ));
            }
            return Ok(End::default());
        }
        let wanted = self.connected.stacks.stacks.iter();
        let globals = wanted.filter(|it| matches!(it.id, StackId::Global(_)));
        let globals: Vec<StackTemplate> = globals.map(StackTemplate::of).collect();
        let templates = globals.iter().chain(&self.shared.stacks);
        let all: Vec<String> = repositories(templates.map(|it| &it.template))
            .into_iter()
            .collect();
        let region = self.connected.blueprint.region.clone();
        Ok(End {
            repositories: self.connected.account.images_of(&region, &all)?,
            delete_images: options.delete_images,
            stacks: self.shared.stacks,
            region,
        })
    }

    /// The names of the global stacks that are there, with commas between.
    fn names(&self) -> String {
        let names: Vec<&str> = self
            .shared
            .stacks
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        names.join(", ")
    }

    /// Whether a person wants the global stacks to go.
    fn ask(&self, session: &Session<'_>) -> Result<bool, Failure> {
        let asked = confirm::ask(
            session,
            &Question {
                what: "removing the global stacks",
                consequence: &format!(
                    "No other environment of the project is in {}. This removes {} as well: the doors of \
                     continuous integration; image repositories stay with their images.",
                    self.connected.blueprint.region,
                    self.names()
                ),
                word: "global",
                declined: "they stay",
            },
        );
        match asked {
            Ok(()) => Ok(true),
            Err(failure) if failure.exit == Exit::Declined => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

impl End {
    /// Whether nothing of what is shared goes.
    pub fn is_nothing(&self) -> bool {
        self.stacks.is_empty() && (self.repositories.is_empty() || !self.delete_images)
    }
}

/// Removes what is meant to go, and the buckets for templates of regions in which the project has nothing
/// any more.
pub fn remove(
    account: &Account,
    stacks: &Stacks,
    end: &End,
    reporter: &Reporter,
) -> Result<Removed, Failure> {
    let mut removed = Removed::default();
    let regions: BTreeSet<&str> = stacks.stacks.iter().map(|it| it.region.as_str()).collect();
    let now = account.shared(stacks)?;
    // Somebody may have made another environment meanwhile.
    if now.others_in(&end.region).is_empty() {
        if !end.stacks.is_empty() {
            let gone = account.destroy(stacks, &end.stacks, &who::asks(), reporter)?;
            removed.stacks = gone.removed;
            removed.failed = gone.failed;
            removed.kept = gone.kept;
        }
        if removed.failed.is_empty() {
            remove_images(account, end, &mut removed)?;
        }
    }
    let now = account.shared(stacks)?;
    let left = account.existing(stacks)?;
    for region in regions {
        let is_used = left.iter().any(|it| it.region == region);
        if !is_used && now.is_empty_in(region) {
            match account.remove_template_bucket(region) {
                Ok(bucket) => removed.buckets.extend(bucket),
                // It costs nothing while it is empty, and whoever may do less than S3 wants has ended.
                Err(error) if error.kind() == Some(CallFailure::Denied) => {
                    removed.left.push(error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(removed)
}

fn remove_images(account: &Account, end: &End, removed: &mut Removed) -> Result<(), AwsError> {
    if !end.delete_images {
        removed.images.clone_from(&end.repositories);
        return Ok(());
    }
    for held in &end.repositories {
        account.delete_repository(&end.region, &held.repository)?;
        removed.deleted.push(held.repository.clone());
    }
    Ok(())
}

impl Removed {
    /// Tells what is gone and what stays, with what it costs.
    pub fn tell(&self, printer: &Printer, region: &str) {
        for stack in &self.stacks {
            printer.note(format_args!("The stack {stack} of the project is removed."));
        }
        for repository in &self.deleted {
            printer.note(format_args!("{repository} is deleted with its images."));
        }
        for bucket in &self.buckets {
            printer.note(format_args!(
                "{bucket}, through which templates went, is removed."
            ));
        }
        for why in &self.left {
            printer.warning(format_args!("a bucket for templates is left: {why}"), None);
        }
        let others = self.kept.iter().filter(|it| it.kind != REPOSITORY);
        let others: Vec<Keep> = others.cloned().collect();
        tell_kept(printer, &others, region);
        if self.images.is_empty() {
            return;
        }
        printer.note("These image repositories stay; `--global --delete-images` deletes them:");
        for held in &self.images {
            printer.note(format_args!("  {}", told(held, region)));
        }
    }
}

/// A repository with what it holds and costs. Layers that images share are paid for once.
fn told(held: &HeldImages, region: &str) -> String {
    let (name, images) = (&held.repository, held.images);
    #[expect(
        clippy::cast_precision_loss,
        reason = "an amount of money has two places"
    )]
    let gigabytes = held.bytes as f64 / GIGABYTE;
    let cost = kept(REPOSITORY, false, region).map(|it| {
        let money = Money::from_dollars(it.price.dollars * gigabytes);
        let about = if it.price.approximate { "about " } else { "" };
        format!(", at most {about}{money} USD a month")
    });
    let images = match images {
        0 => "no images".to_owned(),
        1 => "1 image".to_owned(),
        several => format!("{several} images"),
    };
    format!(
        "{name}: {images}, {}{}",
        table::size(held.bytes),
        cost.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_told_with_its_cost() {
        let of = |images, bytes| HeldImages {
            repository: "shop/production/shop/nginx".to_owned(),
            images,
            bytes,
        };
        let told = |images, bytes| told(&of(images, bytes), "us-east-1");
        assert_eq!(
            told(0, 0),
            "shop/production/shop/nginx: no images, 0 B, at most 0.00 USD a month"
        );
        let much = told(12, 5 * 1_073_741_824);
        assert!(much.contains("12 images"), "{much}");
        assert!(much.ends_with("at most 0.50 USD a month"), "{much}");
    }
}
