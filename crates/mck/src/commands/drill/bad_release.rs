//! Releases that can't work, made of one that does.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
};

use mck_blueprint::model::App;
use mck_drill::FaultError;
use mck_local::{
    client::{self, Origin},
    layout::Layout,
    release::Release,
};

use crate::{cli::BadKind, exit::Exit, failure::Failure};

/// A health check that fails.
const NEVER_HEALTHY: &str = r"<?php
http_response_code(500);
error_log('mck drill: this release is broken on purpose');
";

/// A health check that passes, and ends php-fpm a while later. One request of the task is enough.
const CRASHING: &str = r"<?php
header('Content-Type: application/json');
echo '{}';
$first = @fopen(sys_get_temp_dir() . '/mck-drill', 'x');
if ($first !== false) {
    fastcgi_finish_request();
    sleep(SECONDS);
    error_log('mck drill: this release crashes on purpose');
    posix_kill(posix_getppid(), SIGTERM);
}
";

/// A bad release, not made yet.
pub struct BadRelease {
    tree: PathBuf,
    /// The script that answers the health check, relative to the tree.
    script: PathBuf,
    text: String,
}

impl BadRelease {
    /// What becomes of a good release's tree.
    ///
    /// # Errors
    /// When the health check is not a script of the release.
    pub fn of(app: &App, tree: &Path, wrong: BadKind) -> Result<Self, Failure> {
        let check = app.target_group.as_ref().map(|group| &group.health_check);
        let name = check.map_or("", |check| check.path.as_str());
        let name = name
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_start_matches('/');
        let places = [Path::new("pub").join(name), PathBuf::from(name)];
        let is_script = |path: &PathBuf| name.ends_with(".php") && tree.join(path).is_file();
        let script = places.into_iter().find(is_script).ok_or_else(|| {
            let message = format!(
                "the health check of app `{}` is no script of its own",
                app.name
            );
            Failure::new(Exit::Usage, message)
                .hint("`mck drill deploy-bad --kind wrong-config` needs none")
        })?;
        let text = match (wrong, check) {
            (BadKind::Crashing, Some(check)) => {
                // Healthy by then, and still watched.
                let interval = std::time::Duration::from(check.interval).as_secs();
                let seconds = interval * u64::from(check.healthy_threshold - 1) + 2;
                CRASHING
                    .replace("SECONDS", &seconds.to_string())
                    .replace("SIGTERM", "15")
            }
            _ => NEVER_HEALTHY.to_owned(),
        };
        Ok(Self {
            tree: tree.to_owned(),
            script,
            text,
        })
    }

    /// Makes the release from a copy of the tree, which is removed again.
    ///
    /// # Errors
    /// When it can't be copied or written.
    pub fn make(&self, layout: &Layout, app: &str) -> Result<Release, FaultError> {
        let folder = layout.top().join(format!("drill-{}", std::process::id()));
        let made = self.make_in(&folder, layout, app);
        fs::remove_dir_all(&folder)?;
        made
    }

    fn make_in(&self, folder: &Path, layout: &Layout, app: &str) -> Result<Release, FaultError> {
        fs::DirBuilder::new().mode(0o700).create(folder)?;
        let copy = folder.join("tree");
        let copied = Command::new("cp")
            .arg("--archive")
            .arg(&self.tree)
            .arg(&copy)
            .output()?;
        if !copied.status.success() {
            return Err(String::from_utf8_lossy(&copied.stderr)
                .trim()
                .to_owned()
                .into());
        }
        fs::write(copy.join(&self.script), &self.text)?;
        let revision = format!("drill-bad-{}", jiff::Timestamp::now().as_millisecond());
        Ok(client::build_from(layout, app, &copy, Some(&revision))?.release)
    }
}

/// The same environment, in which an app's tables have a prefix that the storefront refuses.
///
/// # Errors
/// When that can't be added to the file's text.
pub fn wrong_configuration(right: &Origin, app: &str) -> Result<Origin, Failure> {
    let name = &right.environment;
    let wrong = Origin {
        text: format!(
            "{}\n[environment.{name}.app.{app}.environment]\nMAGE_TABLE_PREFIX = \"wrong on purpose\"\n",
            right.text
        ),
        ..right.clone()
    };
    match wrong.environment() {
        Ok(_) => Ok(wrong),
        Err(_) => {
            let message =
                format!("variables can't be added to app `{app}` of environment `{name}`");
            Err(Failure::new(Exit::Usage, message)
                .hint("the drill adds a table of variables; the file has one there already"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin {
            file: "/shop/magecloudkit.toml".into(),
            environment: "local".to_owned(),
            text: text.to_owned(),
        }
    }

    const SHOP: &str = "project = \"demo\"\n[app.shop]\npreset = \"storefront\"\nsource = \".\"\n";

    #[test]
    fn a_wrong_prefix_is_added_to_the_file() {
        let wrong = wrong_configuration(&origin(SHOP), "shop").unwrap();
        let environment = wrong.environment().unwrap();
        let blueprint = crate::session::plan(&environment).unwrap();
        let text = serde_json::to_string(&blueprint.apps[0]).unwrap();
        assert!(text.contains("wrong on purpose"), "{text}");
        let taken = format!("{SHOP}[environment.local.app.shop.environment]\nA = \"1\"\n");
        let failure = wrong_configuration(&origin(&taken), "shop").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn the_script_of_the_health_check_is_replaced() {
        let environment = origin(SHOP).environment().unwrap();
        let blueprint = crate::session::plan(&environment).unwrap();
        let app = &blueprint.apps[0];
        let tree = tempfile::tempdir().unwrap();
        assert!(BadRelease::of(app, tree.path(), BadKind::NeverHealthy).is_err());
        fs::create_dir(tree.path().join("pub")).unwrap();
        fs::write(tree.path().join("pub/health_check.php"), "<?php").unwrap();
        let bad = BadRelease::of(app, tree.path(), BadKind::NeverHealthy).unwrap();
        assert_eq!(bad.script, Path::new("pub/health_check.php"));
        assert!(bad.text.contains("500"));
        let bad = BadRelease::of(app, tree.path(), BadKind::Crashing).unwrap();
        assert!(
            bad.text.contains("posix_kill(posix_getppid(), 15)"),
            "{}",
            bad.text
        );
        assert!(!bad.text.contains("SECONDS"), "{}", bad.text);
    }
}
