//! What the unit tests of the stacks share.

use mck_blueprint::Blueprint;
use mck_environment::EnvironmentFile;

use crate::{Source, Stack, StackId, Stacks};

/// The blueprint of `[environment.production]` or of the common part of a file.
pub(crate) fn blueprint(text: &str) -> Blueprint {
    let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).expect("it parses");
    let environment = file.environment("production").expect("it is sound");
    Blueprint::plan(&environment).expect("it can be laid out")
}

/// All stacks of a file's environment `production`.
pub(crate) fn stacks(text: &str) -> Stacks {
    let blueprint = blueprint(text);
    let source = Source::new("magecloudkit.toml", text.as_bytes());
    Stacks::synthesise(&blueprint, &[&blueprint], &source)
}

/// One stack of a file's environment `production`.
pub(crate) fn stack(text: &str, id: &StackId) -> Stack {
    let stacks = stacks(text).stacks;
    let found = stacks.into_iter().find(|stack| stack.id == *id);
    found.unwrap_or_else(|| panic!("there is no stack {id:?}"))
}

/// A small store.
pub(crate) const SMALLEST: &str = r#"
project = "shop"

[app.shop]
preset = "magento2"
source = "shop"

[app.shop.routing]
hosts = ["shop.example.com"]

[environment.production]
"#;
