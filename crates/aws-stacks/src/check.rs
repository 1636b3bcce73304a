//! What must hold of all stacks of an environment together.

use std::{collections::BTreeSet, fmt};

use mck_cloudformation::Problem;

use crate::{ParameterSource, Stacks, parallel};

/// Why a set of stacks can't be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackProblem {
    /// CloudFormation would refuse the template.
    Template {
        /// The stack.
        stack: String,
        /// Why.
        problem: Problem,
    },
    /// A stack takes an output that no stack before it hands over.
    Untaken {
        /// The stack.
        stack: String,
        /// The stack that it takes from.
        from: String,
        /// The output.
        output: String,
    },
    /// Two stacks have one name.
    Duplicate(String),
}

impl fmt::Display for StackProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template { stack, problem } => write!(out, "stack {stack}: {problem}"),
            Self::Untaken {
                stack,
                from,
                output,
            } => write!(
                out,
                "stack {stack} takes {output} of the stack {from}, which does not come before it \
                 with that output"
            ),
            Self::Duplicate(name) => write!(out, "two stacks have the name {name}"),
        }
    }
}

impl Stacks {
    /// Why they can't be made; empty when they can. The order of the stacks is checked as well:
    /// each comes after those from which it takes something.
    pub fn problems(&self) -> Vec<StackProblem> {
        let mut problems = Vec::new();
        let mut names = BTreeSet::new();
        let mut handed = BTreeSet::new();
        let of_templates = parallel::map(&self.stacks, |stack| stack.template.problems());
        for (stack, of_template) in self.stacks.iter().zip(of_templates) {
            if !names.insert(&stack.name) {
                problems.push(StackProblem::Duplicate(stack.name.clone()));
            }
            problems.extend(
                of_template
                    .into_iter()
                    .map(|problem| StackProblem::Template {
                        stack: stack.name.clone(),
                        problem,
                    }),
            );
            for source in stack.parameters.values() {
                let ParameterSource::Output(wanted) = source else {
                    continue;
                };
                if !handed.contains(&(&wanted.stack, &wanted.output)) {
                    problems.push(StackProblem::Untaken {
                        stack: stack.name.clone(),
                        from: wanted.stack.name(),
                        output: wanted.output.clone(),
                    });
                }
            }
            let outputs = stack.template.outputs().iter();
            handed.extend(outputs.map(|output| (&stack.id, &output.name)));
        }
        problems
    }
}
