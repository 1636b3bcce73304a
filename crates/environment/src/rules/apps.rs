//! Apps: what they are made of and where they run.

use super::Rules;
use crate::{
    diagnostic::{quoted_list, suggestion},
    settings::{App, Preset, ProcessManager},
    units::Duration,
};

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    if settings.app.is_empty() {
        let message = "There is no app.".to_owned();
        let help = format!("The smallest useful file is:\n\n{}", crate::parse::SMALLEST);
        rules.wrong("no_app", &["app"], message, &help);
    }
    for (name, app) in &settings.app {
        made_of(rules, name, app);
        cluster(rules, name, app);
        let tasks = app.tasks;
        rules.ordered(
            &["app", name, "tasks"],
            tasks.minimum,
            tasks.desired,
            tasks.maximum,
        );
        if app.preset.is_some() {
            process_manager(rules, name, app);
        }
        let week = (Duration::from_secs(1), Duration::from_days(7));
        rules.within(
            &["app", name, "stickiness", "duration"],
            app.stickiness.duration,
            week,
            "A load balancer's cookie",
        );
        let hour = (Duration::from_secs(0), Duration::from_secs(3_600));
        for (key, value) in [
            ("scale-out-cooldown", app.scaling.scale_out_cooldown),
            ("scale-in-cooldown", app.scaling.scale_in_cooldown),
        ] {
            rules.within(
                &["app", name, "scaling", key],
                value,
                hour,
                "Application Auto Scaling",
            );
        }
        hooks(rules, name, app);
    }
}

fn made_of(rules: &mut Rules<'_>, name: &str, app: &App) {
    if app.source.is_some() && app.image.is_some() {
        let message = format!("App `{name}` has both a `source` and an `image`.");
        let help = "An app's release is built from its source or is an image: take one out.";
        let (source, image) = (["app", name, "source"], ["app", name, "image"]);
        rules.wrong_pair(
            "source_and_image",
            (&source, "built"),
            (&image, "or taken"),
            message,
            help,
        );
    }
    match app.preset {
        None => free_form(rules, name, app),
        Some(Preset::WordPress) => {}
        Some(_) if app.source.is_none() && app.image.is_none() => {
            let message = format!("App `{name}` has no code.");
            let help = "Say where it is: `source = \"FOLDER\"`, relative to this file, or `image`.";
            rules.wrong_key("missing_source", &["app", name], message, help);
        }
        Some(_) => {}
    }
    if app
        .source
        .as_ref()
        .is_some_and(|source| source.as_os_str().is_empty())
    {
        let message = format!("The source of app `{name}` is empty.");
        let help = "Use `source = \".\"` for the folder of this file.";
        rules.wrong("empty_text", &["app", name, "source"], message, help);
    }
}

/// An app without a preset is what its containers are.
fn free_form(rules: &mut Rules<'_>, name: &str, app: &App) {
    if app.container.is_empty() {
        let message = format!("App `{name}` has neither a preset nor a container.");
        let help = "Set `preset`, or describe its containers: `[app.NAME.container.NAME]`.";
        rules.wrong_key("missing_container", &["app", name], message, help);
    }
    for key in ["php", "nginx"] {
        if rules.is_written(&["app", name, key]) {
            let message = format!("`app.{name}.{key}` has no effect without a preset.");
            let help = "Set `preset`, or describe the container in `container`.";
            rules.wrong_key("no_effect", &["app", name, key], message, help);
        }
    }
}

fn cluster(rules: &mut Rules<'_>, name: &str, app: &App) {
    let clusters = &rules.settings.cluster;
    let known = quoted_list(clusters.keys());
    match &app.cluster {
        Some(wanted) if !clusters.contains_key(wanted) => {
            let message = format!("App `{name}` runs on cluster `{wanted}`, which is not there.");
            let close = suggestion(wanted, clusters.keys().map(String::as_str));
            let help = format!("{close}Clusters are {known}.");
            rules.wrong("unknown_cluster", &["app", name, "cluster"], message, &help);
        }
        None if clusters.len() > 1 && !clusters.contains_key("app") => {
            let message = format!("App `{name}` does not say on which cluster it runs.");
            let help = format!("Set `cluster` to one of {known}.");
            rules.wrong_key("unknown_cluster", &["app", name], message, &help);
        }
        _ => {}
    }
}

/// php-fpm refuses to start unless `min_spare <= start <= max_spare <= max_children`.
fn process_manager(rules: &mut Rules<'_>, name: &str, app: &App) {
    let php = &app.php;
    if php.process_manager != ProcessManager::Dynamic {
        return;
    }
    let order = [
        ("min-spare-servers", php.min_spare_servers),
        ("start-servers", php.start_servers),
        ("max-spare-servers", php.max_spare_servers),
        ("max-children", php.max_children),
    ];
    for pair in order.windows(2) {
        let ((low_key, low), (high_key, high)) = (pair[0], pair[1]);
        if low > high {
            let message = format!("`{low_key}` ({low}) is above `{high_key}` ({high}).");
            let help = "php-fpm wants min-spare-servers ≤ start-servers ≤ max-spare-servers ≤ \
                        max-children.";
            let one = ["app", name, "php", low_key];
            let other = ["app", name, "php", high_key];
            let labels = (low.to_string(), high.to_string());
            rules.wrong_pair(
                "wrong_order",
                (&one, &labels.0),
                (&other, &labels.1),
                message,
                help,
            );
        }
    }
}

fn hooks(rules: &mut Rules<'_>, name: &str, app: &App) {
    let hooks = &app.hooks;
    for (key, command) in [
        ("install", &hooks.install),
        ("upgrade", &hooks.upgrade),
        ("cache-flush", &hooks.cache_flush),
    ] {
        if command
            .as_ref()
            .is_some_and(|words| words.first().is_some_and(String::is_empty))
        {
            let message = format!("The first word of hook `{key}` is empty.");
            let help = "The first word is the program; `[]` switches a preset's hook off.";
            rules.wrong("empty_command", &["app", name, "hooks", key], message, help);
        }
    }
}
