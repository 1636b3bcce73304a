//! Which logs are meant.

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every container, not the supervisor itself.
    All,
    /// The tasks of an app.
    App(String),
    /// A container, or all of a task.
    Name(String),
}

impl Selection {
    /// An app where there is one of the name, else a task, container or server.
    pub fn new(what: Option<&str>, apps: &[String]) -> Self {
        match what {
            None => Self::All,
            Some(name) if apps.iter().any(|app| app == name) => Self::App(name.to_owned()),
            Some(name) => Self::Name(name.to_owned()),
        }
    }

    /// Whether it is an app, which may have no task yet.
    pub const fn is_app(&self) -> bool {
        matches!(self, Self::App(_))
    }

    /// Whether a container is meant. Ids of tasks' containers are `APP-xxxxxxxx.CONTAINER`.
    pub fn has(&self, container: &str) -> bool {
        match self {
            Self::All => container != "supervisor",
            Self::App(app) => container
                .split_once('.')
                .and_then(|(task, _)| task.rsplit_once('-'))
                .is_some_and(|(of, _)| of == app),
            Self::Name(name) => {
                container == name
                    || container
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('.'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_not_confused_with_one_of_a_longer_name() {
        let apps = ["shop".to_owned(), "shop-admin".to_owned()];
        let shop = Selection::new(Some("shop"), &apps);
        assert!(shop.has("shop-1a2b3c4d.nginx"));
        assert!(!shop.has("shop-admin-1a2b3c4d.nginx"));
        assert!(!shop.has("shop"));
    }

    #[test]
    fn tasks_containers_and_servers_have_names() {
        let named = |name| Selection::new(Some(name), &[]);
        assert!(named("shop-1a2b3c4d").has("shop-1a2b3c4d.nginx"));
        assert!(named("shop-1a2b3c4d.nginx").has("shop-1a2b3c4d.nginx"));
        assert!(!named("shop-1a2b3c4d.php-fpm").has("shop-1a2b3c4d.nginx"));
        assert!(named("db-0").has("db-0"));
        assert!(!named("db").has("db-0"));
        assert!(Selection::All.has("db-0") && !Selection::All.has("supervisor"));
    }
}
