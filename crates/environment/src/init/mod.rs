//! The file that `mck init` writes: short, with the options that people look for commented out.

/// The app that a new file begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitApp {
    /// Magento Open Source or Adobe Commerce 2.4.
    Magento2,
    /// Magento 1.9 or OpenMage.
    Magento1,
    /// WordPress from the distribution's packages.
    WordPress,
    /// The example shop, or one built to its contract.
    Storefront,
}

impl InitApp {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [
        Self::Magento2,
        Self::Magento1,
        Self::WordPress,
        Self::Storefront,
    ];

    /// The name, which is that of the preset.
    pub fn name(self) -> &'static str {
        match self {
            Self::Magento2 => "magento2",
            Self::Magento1 => "magento1",
            Self::WordPress => "wordpress",
            Self::Storefront => "storefront",
        }
    }

    fn section(self) -> &'static str {
        match self {
            Self::Magento2 => include_str!("magento2.toml"),
            Self::Magento1 => include_str!("magento1.toml"),
            Self::WordPress => include_str!("wordpress.toml"),
            Self::Storefront => include_str!("storefront.toml"),
        }
    }
}

/// A commented `magecloudkit.toml` with the environments production, staging and local. An option
/// is a line that begins with `#` and no space. `project` is written as it is: what is wrong with
/// a name is told by the check.
pub fn template(app: InitApp, project: &str) -> String {
    let quoted = serde_json::Value::from(project).to_string();
    let head = include_str!("head.toml").replace("\"PROJECT\"", &quoted);
    let rest = [
        app.section(),
        include_str!("platform.toml"),
        include_str!("environments.toml"),
    ];
    head + &rest.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnvironmentFile;

    /// The template with every option in use.
    fn uncommented(template: &str) -> String {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(option) if !option.is_empty() && !option.starts_with(' ') => option.to_owned(),
            _ => line.to_owned(),
        };
        template.lines().map(|it| line(it) + "\n").collect()
    }

    fn check(text: &str) -> Vec<crate::Environment> {
        let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes());
        let checked = file.and_then(|file| file.check());
        checked
            .map_err(|wrong| format!("{:#}\n{text}", wrong.to_json()))
            .unwrap()
    }

    #[test]
    fn every_template_is_clean_in_all_its_environments() {
        for app in InitApp::ALL {
            let environments = check(&template(app, "example-shop"));
            let names: Vec<&str> = environments.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names, ["local", "production", "staging"]);
        }
    }

    #[test]
    fn every_template_is_clean_with_all_its_options_in_use() {
        for app in InitApp::ALL {
            let text = uncommented(&template(app, "shop"));
            assert!(!text.contains("\n#["), "{text}");
            check(&text);
        }
    }

    #[test]
    fn the_project_is_quoted() {
        assert!(template(InitApp::WordPress, "a\"b").contains("project = \"a\\\"b\""));
    }
}
