//! The Bastion's instance, through which people come into the VPC.

use mck_aws_stacks::located;

use super::OnAws;
use crate::{exit::Exit, failure::Failure};

/// Its id; `otherwise` is what to do where the environment has none.
pub fn instance(on_aws: &OnAws, otherwise: &str) -> Result<String, Failure> {
    let blueprint = &on_aws.blueprint;
    if blueprint.bastion.is_none() {
        let message = format!("{} has no Bastion", blueprint.environment);
        return Err(Failure::new(Exit::Unknown, message).hint(otherwise));
    }
    let (stack, output) = located::bastion_output(blueprint);
    let found = on_aws
        .account
        .stack_output(&blueprint.region, &stack, &output)?;
    found.ok_or_else(|| {
        let message = format!("the Bastion is not there yet: {stack} has no output {output}");
        let apply = format!("`mck apply -e {}` makes it", blueprint.environment);
        Failure::new(Exit::NotRunning, message).hint(apply)
    })
}
