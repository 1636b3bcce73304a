//! Names of secrets: each must be declared, made by the kit, or an integration's usual one.

use std::collections::BTreeSet;

use super::Rules;
use crate::{
    Settings,
    diagnostic::{quoted_list, suggestion},
    secrecy,
    settings::{
        Algolia, Blackfire, Bugsnag, Cloudflare, Datadog, NewRelic, Nosto, Pingdom, Preset,
    },
};

/// The secrets that the kit makes itself: the database's master password, the passwords of caches,
/// search engine and message broker, and for each app the password of its database user, of its first administrator, its encryption
/// key, and WordPress' keys and salts.
pub fn known_secrets(settings: &Settings) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = settings.secret.keys().cloned().collect();
    let shared = [
        "database-master",
        "redis-cache",
        "redis-session",
        "search",
        "message-broker",
        "jenkins-admin",
    ];
    names.extend(shared.map(|owner| format!("{owner}-password")));
    for (app, settings) in &settings.app {
        for kind in ["database-password", "admin-password", "crypt-key"] {
            names.insert(format!("{app}-{kind}"));
        }
        if settings.preset != Some(Preset::WordPress) {
            continue;
        }
        for purpose in ["auth", "secure-auth", "logged-in", "nonce"] {
            names.extend(["key", "salt"].map(|kind| format!("{app}-wordpress-{purpose}-{kind}")));
        }
    }
    names
}

/// The secrets that an integration needs: its keys in the file, its name, and the usual name.
fn of_integrations(settings: &Settings) -> Vec<([&'static str; 2], &String, String)> {
    let all = &settings.integration;
    let mut found = Vec::new();
    macro_rules! add {
        ($vendor:ident, $kind:ident, $name:literal, $($field:ident = $key:literal),+) => {
            if let Some(it) = &all.$vendor {
                $(found.push(([$name, $key], &it.$field, $kind::default().$field));)+
            }
        };
    }
    add!(
        cloudflare,
        Cloudflare,
        "cloudflare",
        api_token = "api-token"
    );
    add!(bugsnag, Bugsnag, "bugsnag", api_key = "api-key");
    add!(datadog, Datadog, "datadog", api_key = "api-key");
    add!(
        new_relic,
        NewRelic,
        "new-relic",
        license_key = "license-key"
    );
    add!(
        blackfire,
        Blackfire,
        "blackfire",
        server_id = "server-id",
        server_token = "server-token"
    );
    add!(algolia, Algolia, "algolia", admin_api_key = "admin-api-key");
    add!(nosto, Nosto, "nosto", api_token = "api-token");
    add!(pingdom, Pingdom, "pingdom", api_token = "api-token");
    found
}

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    let known = known_secrets(settings);
    for ([vendor, key], name, usual) in of_integrations(settings) {
        if *name != usual {
            reference(rules, &known, &["integration", vendor, key], name);
        }
    }
    for (name, app) in &settings.app {
        for (variable, secret) in &app.secrets {
            reference(rules, &known, &["app", name, "secrets", variable], secret);
        }
        for (container, described) in &app.container {
            for (variable, secret) in &described.secrets {
                let path = ["app", name, "container", container, "secrets", variable];
                reference(rules, &known, &path, secret);
            }
        }
    }
}

fn reference(rules: &mut Rules<'_>, known: &BTreeSet<String>, path: &[&str], name: &str) {
    if known.contains(name) {
        return;
    }
    if secrecy::looks_like_the_secret_itself(name) {
        let message = format!(
            "`{}` must be the name of a secret, not the secret.",
            path.join(".")
        );
        let help = "Declare `[secret.NAME]`, write NAME here, and give the value to \
                    `mck secret set NAME`. Whoever has read this file knows the value by now: \
                    replace it.";
        rules.wrong("secret_in_clear", path, message, help);
        return;
    }
    let message = format!("There is no secret `{name}`.");
    let close = suggestion(name, known.iter().map(String::as_str));
    let help = format!(
        "{close}Declare it as `[secret.NAME]`. Known are {}.",
        quoted_list(known.iter())
    );
    rules.wrong("unknown_secret", path, message, &help);
}
