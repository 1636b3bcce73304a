//! Environments from the text of an environment file's settings.

pub mod strategy;

use mck_blueprint::Blueprint;
use mck_environment::{Environment, Settings};

/// An environment of project `shop`.
pub fn environment(name: &str, settings: &str) -> Environment {
    let settings: Settings = toml::from_str(settings).expect("the test's settings are well-formed");
    Environment {
        project: "shop".to_owned(),
        name: name.to_owned(),
        settings,
    }
}

/// Its blueprint.
pub fn blueprint(name: &str, settings: &str) -> Blueprint {
    Blueprint::plan(&environment(name, settings)).expect("the test's settings have a blueprint")
}
