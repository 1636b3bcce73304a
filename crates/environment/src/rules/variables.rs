//! Environment variables: their names, and secrets written in clear.

use std::collections::BTreeMap;

use super::Rules;
use crate::{
    secrecy,
    tree::{Node, Value},
};

/// Variables that the kit sets itself, by their beginning.
const RESERVED: [&str; 17] = [
    "CACHE_PREFIX",
    "ECS_",
    "MAGE_MODE",
    "MAGENTO_DC_CACHE__",
    "MAGENTO_DC_CRYPT__",
    "MAGENTO_DC_DB__",
    "MAGENTO_DC_SESSION__",
    "MEMCACHED_HOST",
    "MEMCACHED_PORT",
    "MYSQL_DATABASE",
    "MYSQL_HOST",
    "MYSQL_PASSWORD",
    "MYSQL_PORT",
    "MYSQL_USER",
    "PHP_",
    "REDIS_CACHE_",
    "REDIS_SESSION_",
];

pub(super) fn check(rules: &mut Rules<'_>) {
    let settings = rules.settings;
    for (name, app) in &settings.app {
        let path = ["app", name];
        variables(rules, &path, &app.environment, &app.secrets);
        for (container, described) in &app.container {
            let path = ["app", name, "container", container];
            variables(rules, &path, &described.environment, &described.secrets);
        }
    }
    let tree = rules.tree;
    anywhere_else(rules, tree, &mut Vec::new());
}

/// Known forms of secrets in any other text of the file, such as a command or a tag.
fn anywhere_else<'a>(rules: &mut Rules<'_>, node: &'a Node, path: &mut Vec<&'a str>) {
    match &node.value {
        Value::String(text) if secrecy::value_is_secret(text) => {
            let help = "Everyone who can read the file can read it: take it out, keep it as a \
                        secret with `mck secret set`, and replace it where it was made.";
            in_clear(rules, path, help);
        }
        Value::Array(items) => {
            items
                .iter()
                .for_each(|item| anywhere_else(rules, item, path));
        }
        Value::Table(table) => {
            for (key, entry) in table.iter().filter(|(key, _)| {
                !["environment", "secrets", "integration"].contains(&key.as_str())
            }) {
                path.push(key);
                anywhere_else(rules, &entry.node, path);
                path.pop();
            }
        }
        _ => {}
    }
}

fn variables(
    rules: &mut Rules<'_>,
    path: &[&str],
    clear: &BTreeMap<String, String>,
    secret: &BTreeMap<String, String>,
) {
    for (name, value) in clear {
        let path = [path, &["environment", name]].concat();
        let secret_name = secrecy::name_is_secret(name) && !secrecy::value_is_harmless(value);
        if !is_reserved(name) && (secret_name || secrecy::value_is_secret(value)) {
            let help = format!(
                "Use `secrets = {{ {name} = \"secret-name\" }}`, declare `[secret.secret-name]`, \
                 and give the value to `mck secret set`."
            );
            in_clear(rules, &path, &help);
        }
        if secret.contains_key(name) {
            let message = format!("`{name}` is both in `environment` and in `secrets`.");
            let help = "ECS takes a variable once: take it out of one of them.";
            rules.wrong_key("duplicate_variable", &path, message, help);
        }
        name_of(rules, &path, name);
    }
    for name in secret.keys() {
        name_of(rules, &[path, &["secrets", name]].concat(), name);
    }
}

fn is_reserved(name: &str) -> bool {
    let taken = |known: &&str| name == *known || (known.ends_with('_') && name.starts_with(*known));
    RESERVED.iter().any(taken)
}

/// Reports the key alone; the value is neither said nor shown.
fn in_clear(rules: &mut Rules<'_>, path: &[&str], help: &str) {
    let message = format!("`{}` holds a secret in clear.", path.join("."));
    rules.wrong_key("secret_in_clear", path, message, help);
}

fn name_of(rules: &mut Rules<'_>, path: &[&str], name: &str) {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !begins || !name.bytes().all(letter) {
        let message = format!("`{name}` is no name of an environment variable.");
        let help = "Allowed: letters, digits and `_`, not beginning with a digit.";
        rules.wrong_key("bad_variable_name", path, message, help);
    }
    if is_reserved(name) {
        let message = format!("`{name}` is set by the kit itself.");
        let help = "It follows from the database, the caches and the app's `php` settings: change \
                    those.";
        rules.wrong_key("reserved_variable", path, message, help);
    }
}
