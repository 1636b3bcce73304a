//! A file with all its environments.

use std::{collections::BTreeSet, fmt, sync::Arc};

use miette::NamedSource;

use crate::{
    Environment, Settings,
    diagnostic::{Diagnostic, Diagnostics, quoted_choice, quoted_list, suggestion},
    merge::merge,
    parse, rules, secrecy,
    tree::{Node, Span, Table, Value},
    validate,
};

/// The environment that every file has.
const LOCAL: &str = "local";

/// A file that is well-formed: TOML, no unknown key, every value of its type and in its range.
#[derive(Clone)]
pub struct EnvironmentFile {
    source: Arc<NamedSource<String>>,
    root: Node,
    project: String,
}

/// Only the names: what the file says may be a secret until it is checked.
impl fmt::Debug for EnvironmentFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("EnvironmentFile");
        shown
            .field("file", &self.source.name())
            .field("project", &self.project)
            .finish()
    }
}

impl EnvironmentFile {
    /// Reads a file. `path_name` is only for messages.
    ///
    /// # Errors
    /// Everything that is wrong with the file's form. Where that is something, the rules of
    /// [`Self::environment`] are checked as well for all environments, on what is right, so that
    /// all mistakes are reported at once.
    pub fn parse(path_name: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let named = |text: String| Arc::new(NamedSource::new(path_name, text));
        let text = match parse::text(bytes) {
            Ok(text) => text,
            Err(wrong) => {
                let shown = secrecy::mask(&String::from_utf8_lossy(valid_part(bytes)));
                return Err(Diagnostics::new(named(shown), vec![wrong]));
            }
        };
        let mut root = match parse::document(text) {
            Ok(root) => root,
            Err(wrong) => return Err(Diagnostics::new(named(secrecy::mask(text)), wrong)),
        };
        let source = named(secrecy::mask(text));
        let names = check_names(&root);
        let mut wrong = validate::check_file(&mut root);
        let malformed = !wrong.is_empty();
        let inherits = check_inherits(&root);
        let cyclic = !inherits.is_empty();
        wrong.extend(names);
        wrong.extend(inherits);
        let project = text_at(&root, "project").unwrap_or_default();
        let file = Self {
            source,
            root,
            project,
        };
        if wrong.is_empty() {
            return Ok(file);
        }
        if !cyclic {
            let more = file.broken_rules();
            wrong.extend(
                more.into_iter()
                    .filter(|one| !malformed || !rules::is_of_absence(one.code)),
            );
        }
        Err(Diagnostics::new(file.source, wrong))
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The environments, sorted: those that the file declares (`production` where it declares
    /// none) and always `local`.
    pub fn environment_names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = declared(&self.root)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        if names.is_empty() {
            names.insert("production".to_owned());
        }
        names.insert(LOCAL.to_owned());
        names.into_iter().collect()
    }

    /// An environment with the common part and its parents merged in and every default filled.
    ///
    /// # Errors
    /// Everything in which the environment breaks a rule of AWS, ECS, Magento or the kit.
    pub fn environment(&self, name: &str) -> Result<Environment, Diagnostics> {
        self.load(name)
            .map_err(|wrong| Diagnostics::new(Arc::clone(&self.source), wrong))
    }

    /// All environments.
    ///
    /// # Errors
    /// The mistakes of all environments. One that is a mistake in some environments only says in
    /// which.
    pub fn check(&self) -> Result<Vec<Environment>, Diagnostics> {
        let loaded: Result<Vec<Environment>, _> = self
            .environment_names()
            .iter()
            .map(|name| self.load(name))
            .collect();
        loaded.map_err(|_| Diagnostics::new(Arc::clone(&self.source), self.broken_rules()))
    }

    /// A message at the place in the file that `path` leads to in an environment: the longest part
    /// of the path that is written, else the environment itself, else the project.
    pub fn at(&self, environment: &str, path: &[&str], message: impl Into<String>) -> Diagnostics {
        let span = self.place(environment, path);
        let found = Diagnostic::new("place", message).at(span);
        Diagnostics::new(Arc::clone(&self.source), vec![found])
    }

    fn place(&self, environment: &str, path: &[&str]) -> Span {
        let found = self.merged(environment).locate(path);
        if !found.span.is_empty() {
            return found.span;
        }
        match declared(&self.root).and_then(|all| all.get(environment)) {
            Some(entry) => entry.key_span.clone(),
            None => self.root.locate(&["project"]).span,
        }
    }

    fn load(&self, name: &str) -> Result<Environment, Vec<Diagnostic>> {
        let names = self.environment_names();
        if !names.iter().any(|known| known == name) {
            let message = format!("There is no environment `{name}`.");
            let close = suggestion(name, names.iter().map(String::as_str));
            let help = format!("{close}The file has {}.", quoted_choice(names.iter()));
            return Err(vec![
                Diagnostic::new("unknown_environment", message).help(help),
            ]);
        }
        let mut tree = self.merged(name);
        let mut wrong = validate::check_required(&mut tree);
        match serde_json::from_value::<Settings>(tree.to_json()) {
            Ok(settings) => {
                wrong.extend(rules::check(name, &settings, &tree));
                let environment = Environment {
                    project: self.project.clone(),
                    name: name.to_owned(),
                    settings,
                };
                if wrong.is_empty() {
                    Ok(environment)
                } else {
                    Err(wrong)
                }
            }
            Err(error) => {
                let message = format!("Environment `{name}` can't be read: {error}.");
                wrong.push(Diagnostic::new("unreadable", message));
                Err(wrong)
            }
        }
    }

    /// The mistakes of all environments, each once.
    fn broken_rules(&self) -> Vec<Diagnostic> {
        let names = self.environment_names();
        let mut all: Vec<Diagnostic> = Vec::new();
        for name in &names {
            for mut found in self.load(name).err().unwrap_or_default() {
                let same = all.iter_mut().find(|known| {
                    (known.code, &known.message, &known.labels)
                        == (found.code, &found.message, &found.labels)
                });
                match same {
                    Some(known) if known.environments.contains(name) => {}
                    Some(known) => known.environments.push(name.clone()),
                    None => {
                        found.environments.push(name.clone());
                        all.push(found);
                    }
                }
            }
        }
        for found in &mut all {
            if found.environments.len() == names.len() {
                found.environments.clear();
            }
        }
        all
    }

    /// The common part, then the parents from the farthest to the nearest, then the environment.
    fn merged(&self, name: &str) -> Node {
        let mut chain: Vec<&Node> = Vec::new();
        let environments = declared(&self.root);
        let mut next = environments.and_then(|all| all.get(name));
        while let Some(entry) = next {
            chain.push(&entry.node);
            let parent = text_at(&entry.node, "inherits");
            next = parent.and_then(|parent| environments.and_then(|all| all.get(&parent)));
        }
        let mut merged = self.root.clone();
        for overlay in chain.into_iter().rev() {
            merge(&mut merged, overlay);
        }
        if let Value::Table(table) = &mut merged.value {
            for key in ["project", "environment", "inherits"] {
                table.remove(key);
            }
        }
        merged
    }
}

/// The bytes before the first one that is not UTF-8, to be shown; none of a file that is too large.
fn valid_part(bytes: &[u8]) -> &[u8] {
    match str::from_utf8(bytes) {
        Ok(_) => &[],
        Err(_) if bytes.len() > parse::MAXIMUM_SIZE => &[],
        Err(error) => &bytes[..error.valid_up_to()],
    }
}

fn declared(root: &Node) -> Option<&Table> {
    root.as_table()?.get("environment")?.node.as_table()
}

fn text_at(node: &Node, key: &str) -> Option<String> {
    node.as_table()?.get(key)?.node.as_str().map(str::to_owned)
}

fn check_names(root: &Node) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let project = root.as_table().and_then(|table| table.get("project"));
    match project.map(|entry| (entry.node.as_str(), &entry.node.span)) {
        Some((Some(name), span)) => wrong.extend(rules::check_project_name(name, span.clone())),
        Some((None, _)) => {}
        None => wrong.push(
            Diagnostic::new("missing_project", "The file has no `project`.")
                .at(0..0)
                .help("Name the project in the first line, such as `project = \"shop\"`."),
        ),
    }
    for (name, entry) in declared(root).into_iter().flatten() {
        wrong.extend(rules::check_environment_name(name, entry.key_span.clone()));
    }
    wrong
}

/// Parents that don't exist, and environments that inherit from themselves.
fn check_inherits(root: &Node) -> Vec<Diagnostic> {
    let Some(all) = declared(root) else {
        return Vec::new();
    };
    let parent = |name: &str| -> Option<(&str, Span)> {
        let node = &all.get(name)?.node.as_table()?.get("inherits")?.node;
        node.as_str().map(|parent| (parent, node.span.clone()))
    };
    let mut wrong = Vec::new();
    for name in all.keys() {
        let Some((first, span)) = parent(name) else {
            continue;
        };
        if !all.contains_key(first) {
            let message =
                format!("Environment `{name}` inherits from `{first}`, which is not there.");
            let close = suggestion(first, all.keys().map(String::as_str));
            let help = format!("{close}Declared are {}.", quoted_list(all.keys()));
            wrong.push(
                Diagnostic::new("unknown_environment", message)
                    .at(span)
                    .help(help),
            );
            continue;
        }
        let mut seen = vec![name.as_str()];
        let mut next = Some(first);
        while let Some(current) = next.filter(|current| !seen.contains(current)) {
            seen.push(current);
            next = parent(current).map(|(parent, _)| parent);
        }
        if next == Some(name.as_str()) && seen.iter().min() == Some(&name.as_str()) {
            let message = format!("Environment `{name}` inherits from itself: {}.", {
                seen.push(name);
                seen.join(" → ")
            });
            let help = "Take `inherits` out of one of them; the common part is inherited anyway.";
            wrong.push(
                Diagnostic::new("inherits_cycle", message)
                    .at(span)
                    .help(help),
            );
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"project = "shop"

[app.shop]
preset = "magento2"

[database]
readers = 1

[environment.production]
[environment.staging]
inherits = "production"
database.readers = 0
"#;

    #[test]
    fn a_path_leads_to_what_is_written() {
        let file = EnvironmentFile::parse("magecloudkit.toml", FILE.as_bytes()).unwrap();
        for (environment, path, line) in [
            ("production", &["database", "readers"][..], 7),
            ("production", &["database"], 6),
            ("staging", &["database", "readers"], 12),
            ("production", &["app", "shop", "scaling", "cpu-percent"], 3),
            ("staging", &["network", "nat"], 10),
            ("local", &["network"], 1),
        ] {
            let told = file.at(environment, path, "it failed").to_json();
            assert_eq!(told[0]["spans"][0]["line"], line, "{environment} {path:?}");
        }
    }
}
