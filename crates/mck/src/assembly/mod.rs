//! A folder of synthesised stacks: one template a file, and `manifest.json`, which says what each
//! stack is made with.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use mck_aws_stacks::{Stack, Stacks, difference::StackTemplate, hexadecimal, parallel};
use mck_cost::{Estimate, Money};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use read::read;
pub use write::write;

/// The manifest's file.
pub const MANIFEST: &str = "manifest.json";

/// The version of the manifest's form.
const FORMAT: u32 = 1;

/// What a folder of stacks holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// The version of this form.
    pub format: u32,
    /// The program's version.
    pub mck: String,
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// What the environment costs.
    pub monthly_cost: MonthlyCost,
    /// Its stacks, each after those that it depends on.
    pub stacks: Vec<StackEntry>,
}

/// What an environment costs a month, under the usual assumptions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MonthlyCost {
    /// The currency.
    pub currency: String,
    /// The sum.
    pub total: f64,
    /// The date of the prices.
    pub prices_of: String,
}

/// A stack in a folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackEntry {
    /// Its name within the environment.
    pub id: String,
    /// Its full name.
    pub name: String,
    /// The region that it is made in.
    pub region: String,
    /// The file with its template.
    pub template: String,
    /// The SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// The number of its resources.
    pub resources: usize,
    /// The stacks that must be there before, by their name within the environment.
    pub dependencies: Vec<String>,
    /// Parameters that are outputs of other stacks; others have their template's default.
    pub parameters: BTreeMap<String, Output>,
    /// What CloudFormation must be told is intended.
    pub capabilities: Vec<String>,
    /// Whether CloudFormation refuses to delete it.
    pub termination_protection: bool,
    /// Tags of all its resources.
    pub tags: BTreeMap<String, String>,
}

/// An output of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The stack's name within the environment.
    pub stack: String,
    /// The output's name.
    pub output: String,
}

/// A folder's content before it is written, or after it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembly {
    /// What it holds.
    pub manifest: Manifest,
    /// The templates' texts, in the manifest's order.
    pub templates: Vec<String>,
}

impl Assembly {
    /// The folder's content for stacks.
    pub fn new(stacks: &Stacks, estimate: &Estimate) -> Self {
        let made = parallel::map(&stacks.stacks, |stack| {
            let text = stack.template.text();
            (entry(stack, &text), text)
        });
        let (entries, templates) = made.into_iter().unzip();
        Self {
            manifest: Manifest {
                format: FORMAT,
                mck: env!("CARGO_PKG_VERSION").to_owned(),
                project: stacks.project.clone(),
                environment: stacks.environment.clone(),
                monthly_cost: MonthlyCost {
                    currency: estimate.currency.clone(),
                    total: estimate.total.dollars(),
                    prices_of: estimate.prices_of.clone(),
                },
                stacks: entries,
            },
            templates,
        }
    }

    /// The stacks as they are compared.
    pub fn stack_templates(&self) -> Result<Vec<StackTemplate>, serde_json::Error> {
        let entries = self.manifest.stacks.iter().zip(&self.templates);
        entries
            .map(|(entry, text)| {
                let parameters = entry.parameters.iter();
                Ok(StackTemplate {
                    id: entry.id.clone(),
                    name: entry.name.clone(),
                    region: entry.region.clone(),
                    termination_protection: entry.termination_protection,
                    tags: entry.tags.clone(),
                    parameters: parameters
                        .map(|(name, from)| {
                            (name.clone(), (from.stack.clone(), from.output.clone()))
                        })
                        .collect(),
                    template: serde_json::from_str(text)?,
                })
            })
            .collect()
    }

    /// What the environment costs.
    pub fn total(&self) -> Money {
        Money::from_dollars(self.manifest.monthly_cost.total)
    }
}

fn entry(stack: &Stack, text: &str) -> StackEntry {
    let id = stack.id.name();
    let outputs = StackTemplate::outputs_taken(stack);
    StackEntry {
        template: format!("{id}.json"),
        sha256: digest(text.as_bytes()),
        resources: stack.template.resources().len(),
        dependencies: stack
            .dependencies()
            .into_iter()
            .map(mck_aws_stacks::StackId::name)
            .collect(),
        parameters: outputs
            .map(|(name, (stack, output))| (name, Output { stack, output }))
            .collect(),
        capabilities: stack
            .capabilities()
            .into_iter()
            .map(|capability| capability.as_str().to_owned())
            .collect(),
        termination_protection: stack.termination_protection,
        tags: stack.tags.clone(),
        id,
        name: stack.name.clone(),
        region: stack.region.clone(),
    }
}

fn digest(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}
