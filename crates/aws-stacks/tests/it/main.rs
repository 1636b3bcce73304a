//! What is true of the templates of whole environments: golden files, others' linters, others'
//! stand-ins for AWS, the table of what the seed and the old kit had, what vendors bring.

mod coverage;
mod golden;
mod integrations;
mod linters;
mod replacement;
mod soundness;
mod stand_ins;
mod support;
