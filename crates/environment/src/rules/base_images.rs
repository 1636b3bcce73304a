//! The images that apps' images are built on.

use std::collections::BTreeSet;

use super::Rules;
use crate::{
    Settings,
    diagnostic::{quoted_list, suggestion},
    settings::App,
};

/// The containers of a preset that are built on a base image of their name.
const OF_PRESETS: [&str; 2] = ["nginx", "php-fpm"];

pub(super) fn check(rules: &mut Rules<'_>) {
    if !rules.on_aws() {
        return;
    }
    let known = known(rules.settings);
    for (name, image) in &rules.settings.base_image {
        let path = ["base-image", name];
        if !known.contains(name.as_str()) {
            let message = format!("No app is built on a base image `{name}`.");
            let help = if known.is_empty() {
                "Only apps with a `source`, and presets without an `image`, are.".to_owned()
            } else {
                let close = suggestion(name, known.iter().copied());
                format!(
                    "{close}Apps of this environment are built on {}.",
                    quoted_list(known.iter())
                )
            };
            rules.wrong_key("unknown_base_image", &path, message, &help);
        }
        if !is_reference(image) {
            let message = format!("`{}` names no image that can be built on.", path.join("."));
            let help = "Write `HOST/NAME:TAG`, `HOST/NAME@sha256:DIGEST` or `oci:FOLDER`.";
            rules.wrong("bad_image", &path, message, help);
        }
    }
}

/// The base images that an environment's apps are built on.
fn known(settings: &Settings) -> BTreeSet<&str> {
    settings.app.values().flat_map(of_app).collect()
}

fn of_app(app: &App) -> BTreeSet<&str> {
    if app.image.is_some() {
        return BTreeSet::new();
    }
    let of_preset = OF_PRESETS.iter().filter(|_| app.preset.is_some()).copied();
    let own = app.container.keys().map(String::as_str);
    let has_image = |name: &&str| {
        let container = app.container.get(*name);
        container.is_some_and(|it| it.image.is_some())
    };
    of_preset.chain(own).filter(|it| !has_image(it)).collect()
}

/// Whether a text has the form of an image's name (OCI distribution specification) or of a folder's.
fn is_reference(text: &str) -> bool {
    if let Some(folder) = text.strip_prefix("oci:") {
        return !folder.is_empty() && !folder.ends_with(':');
    }
    let letter = |it: char| it.is_ascii_alphanumeric() || "._-/:@[]".contains(it);
    text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
        && text.ends_with(|last: char| last.is_ascii_alphanumeric() || "._-".contains(last))
        && text.chars().all(letter)
        && !text.starts_with("docker-archive:")
        && !text.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_from_other_texts() {
        for good in [
            "nginx",
            "team/nginx:1.27",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/base/php-fpm:2026-11-01",
            "[::1]:5000/base:1",
            "localhost:5000/base@sha256:0123",
            "oci:build/base",
            "oci:/base folder:1",
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in [
            "",
            " ",
            "oci:",
            "oci:base:",
            "nginx:",
            "base nginx",
            "https://example.com/base",
            "docker-archive:base.tar",
            "/base",
        ] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
