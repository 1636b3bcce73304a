//! CloudFormation as a language: templates of typed resources, expressions between them, IAM
//! policies, what AWS's schemas say of a change, and the limits of a template.
//!
//! It knows nothing of the architecture that is written in it.

mod expression;
mod limits;
mod policy;
mod resource;
pub mod resources;
pub mod schema;
mod template;
mod value;

pub use expression::{Expression, pseudo};
pub use limits::{
    MAXIMUM_BODY_BYTES, MAXIMUM_INLINE_BYTES, MAXIMUM_OUTPUTS, MAXIMUM_PARAMETERS,
    MAXIMUM_RESOURCES, Problem,
};
pub use policy::{Effect, PolicyDocument, Principal, Statement};
pub use resource::{Added, DESCRIPTION, DeletionPolicy, LogicalId, Resource};
pub use resources::{ResourceProperties, Tag};
pub use template::{Output, Parameter, ParameterType, Template};
pub use value::{Document, Flag, Integer, Number, Render, Text, Value};

/// JSON, with keys in the order in which they were put in.
pub type Json = serde_json::Value;
