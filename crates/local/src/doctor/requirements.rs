//! What an environment needs of the machine: a pure table.

use std::collections::BTreeSet;

use mck_blueprint::{
    Blueprint,
    model::{App, Container, Image},
};
use mck_environment::settings::{Local, Preset, RuntimeProgram};
use mck_server_config::{
    php_extensions::required_php_extensions,
    web_preset::{CODE_DIRECTORY, WebPreset},
};

/// What is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// One of these programs; the first is preferred. A name is looked for where system programs
    /// are, a path is taken as it is.
    Program(Vec<String>),
    /// A PHP extension, by the name that `php -m` prints, in lower case.
    PhpExtension(String),
    /// A file or folder that one of these paths leads to.
    File(Vec<String>),
}

/// Something that must be there, why, and what brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What.
    pub need: Need,
    /// What for, in a few words.
    pub purpose: String,
    /// The Debian 12 package; none for a program that only the user can know.
    pub package: Option<String>,
}

/// Programs that every environment needs: name, what for, Debian 12 package.
const ALWAYS: [(&str, &str, &str); 16] = [
    ("conmon", "watches over containers", "conmon"),
    ("ip", "makes the VPC's namespaces and routes", "iproute2"),
    ("nft", "makes the security groups", "nftables"),
    ("haproxy", "is the load balancer", "haproxy"),
    ("dnsmasq", "answers DNS in the VPC", "dnsmasq-base"),
    ("mariadbd", "is the database", "mariadb-server"),
    (
        "mariadb-install-db",
        "makes an empty database",
        "mariadb-server",
    ),
    ("mariadb", "talks to the database", "mariadb-client"),
    ("mariadb-dump", "exports the database", "mariadb-client"),
    (
        "mariadb-backup",
        "takes snapshots of the database",
        "mariadb-backup",
    ),
    ("zstd", "compresses dumps of the database", "zstd"),
    ("redis-server", "is the caches", "redis-server"),
    ("sshd", "is the Bastion's door", "openssh-server"),
    ("ssh", "goes through the Bastion", "openssh-client"),
    ("ssh-keygen", "makes keys", "openssh-client"),
    ("openssl", "makes the local certificate", "openssl"),
];

/// Debian 12 packages of programs that containers' commands start with.
const PACKAGES: [(&str, &str, &str); 3] = [
    ("nginx", "is the apps' web server", "nginx-light"),
    ("php-fpm8.2", "runs the apps", "php8.2-fpm"),
    ("php", "runs hooks and jobs", "php8.2-cli"),
];

/// The container of a preset that runs PHP.
const PHP: &str = "php-fpm";

/// Everything that an environment needs: programs first, then PHP extensions, then files.
pub fn requirements(blueprint: &Blueprint, local: &Local) -> Vec<Requirement> {
    let mut all = vec![runtime(local.runtime)];
    all.extend(ALWAYS.map(|(name, purpose, package)| program(name, purpose, Some(package))));
    if local.internet {
        let purpose = "is the way to the internet";
        all.push(program("slirp4netns", purpose, Some("slirp4netns")));
    }
    if blueprint.memcached.is_some() {
        all.push(program("memcached", "is Memcached", Some("memcached")));
    }
    if uses_images(&blueprint.apps) {
        all.push(program("skopeo", "fetches images", Some("skopeo")));
    }
    all.extend(container_programs(&blueprint.apps));
    all.extend(extensions(&blueprint.apps));
    if runs_packages_of(blueprint, Preset::WordPress) {
        all.extend(wordpress());
    }
    all
}

fn runtime(wanted: Option<RuntimeProgram>) -> Requirement {
    let (programs, package): (&[&str], _) = match wanted {
        None => (&["crun", "runc"], "crun"),
        Some(RuntimeProgram::Crun) => (&["crun"], "crun"),
        Some(RuntimeProgram::Runc) => (&["runc"], "runc"),
    };
    Requirement {
        need: Need::Program(programs.iter().map(|name| (*name).to_owned()).collect()),
        purpose: "starts containers".to_owned(),
        package: Some(package.to_owned()),
    }
}

fn program(name: &str, purpose: &str, package: Option<&str>) -> Requirement {
    Requirement {
        need: Need::Program(vec![name.to_owned()]),
        purpose: purpose.to_owned(),
        package: package.map(str::to_owned),
    }
}

fn uses_images(apps: &[App]) -> bool {
    let mut containers = apps.iter().flat_map(|app| &app.task_definition.containers);
    containers.any(|container| matches!(container.image, Image::Oci(_)))
}

/// The containers of an app whose programs are the machine's own.
fn of_machine(app: &App) -> impl Iterator<Item = &Container> {
    let containers = app.task_definition.containers.iter();
    containers.filter(|container| matches!(container.image, Image::Base(_)))
}

fn runs_on_machine(app: &App, container: &str) -> bool {
    of_machine(app).any(|known| known.name == container)
}

/// The programs that containers from the machine's own tree start: those of presets and those that
/// the file names. A path into the release is the release's own matter.
fn container_programs(apps: &[App]) -> Vec<Requirement> {
    let mut names = BTreeSet::new();
    for app in apps {
        let commands = of_machine(app).map(|container| &container.command);
        let hooks = app.hooks.iter();
        let hooks = hooks.filter(|hook| runs_on_machine(app, &hook.container));
        let hooks = hooks.map(|hook| &hook.command);
        let jobs = app.jobs.iter();
        let jobs = jobs.filter(|job| runs_on_machine(app, &job.container));
        let jobs = jobs.map(|job| &job.command);
        for command in commands.chain(hooks).chain(jobs) {
            names.extend(command.first().filter(|name| is_of_the_machine(name)));
        }
    }
    let known = |name: &str| PACKAGES.iter().find(|(known, ..)| *known == name);
    names
        .into_iter()
        .map(|name| match known(name) {
            Some((name, purpose, package)) => program(name, purpose, Some(package)),
            None => program(name, "is started by a container", None),
        })
        .collect()
}

fn is_of_the_machine(program: &str) -> bool {
    !program.contains('/') || (program.starts_with('/') && !program.starts_with(CODE_DIRECTORY))
}

fn extensions(apps: &[App]) -> Vec<Requirement> {
    let apps = apps.iter().filter(|app| runs_on_machine(app, PHP));
    let names: BTreeSet<&String> = apps.flat_map(|app| &app.php_extensions).collect();
    names
        .into_iter()
        .map(|name| Requirement {
            need: Need::PhpExtension(name.clone()),
            purpose: "is needed by the apps' code".to_owned(),
            package: Some(extension_package(name)),
        })
        .collect()
}

/// The package that brings an extension: as the presets' tables say, else the one of its name.
fn extension_package(name: &str) -> String {
    let mut known = WebPreset::ALL
        .into_iter()
        .flat_map(|preset| required_php_extensions(preset));
    known.find(|extension| extension.name == name).map_or_else(
        || format!("php8.2-{name}"),
        |extension| extension.debian_package.to_owned(),
    )
}

/// Whether an app of a preset runs its code from the machine's packages.
fn runs_packages_of(blueprint: &Blueprint, preset: Preset) -> bool {
    let mut apps = blueprint.apps.iter();
    apps.any(|app| app.preset == Some(preset) && runs_on_machine(app, PHP))
}

fn wordpress() -> [Requirement; 2] {
    let file = |paths: &[&str], purpose: &str, package: &str| Requirement {
        need: Need::File(paths.iter().map(|path| (*path).to_owned()).collect()),
        purpose: purpose.to_owned(),
        package: Some(package.to_owned()),
    };
    [
        file(
            &["/usr/share/wordpress/wp-load.php"],
            "is WordPress",
            "wordpress",
        ),
        file(
            &["/usr/share/wordpress/wp-content/themes/twentytwentythree/style.css"],
            "is a theme for WordPress",
            "wordpress-theme-twentytwentythree",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use mck_environment::EnvironmentFile;

    use super::*;

    fn table(toml: &str) -> String {
        let file = EnvironmentFile::parse("magecloudkit.toml", toml.as_bytes()).unwrap();
        let environment = file.environment("local").unwrap();
        let blueprint = Blueprint::plan(&environment).unwrap();
        let mut text = String::new();
        for requirement in requirements(&blueprint, &environment.settings.local) {
            let need = match &requirement.need {
                Need::Program(names) => format!("program {}", names.join(" or ")),
                Need::PhpExtension(name) => format!("php extension {name}"),
                Need::File(paths) => format!("file {}", paths.join(" or ")),
            };
            let package = requirement.package.as_deref().unwrap_or("-");
            writeln!(text, "{need} | {} | {package}", requirement.purpose).unwrap();
        }
        text
    }

    #[test]
    fn what_a_wordpress_needs() {
        insta::assert_snapshot!(table(
            "project = \"blog\"\n[app.blog]\npreset = \"wordpress\"\n"
        ));
    }

    #[test]
    fn what_a_storefront_with_memcached_and_runc_needs() {
        insta::assert_snapshot!(table(
            "project = \"shop\"\n[app.shop]\npreset = \"storefront\"\nsource = \"src\"\n\
             [cache.memcached]\nnodes = 1\n\
             [environment.local.local]\nruntime = \"runc\"\ninternet = false\n"
        ));
    }

    #[test]
    fn the_test_script_installs_what_every_preset_needs() {
        let script = include_str!("../../../../scripts/test");
        let listed: Vec<&str> = script.split_whitespace().collect();
        for preset in ["magento2", "magento1", "wordpress", "storefront", "php"] {
            let text = table(&format!(
                "project = \"x\"\n[app.x]\npreset = \"{preset}\"\n{}[cache.memcached]\nnodes = 1\n",
                if preset == "wordpress" {
                    ""
                } else {
                    "source = \".\"\n"
                },
            ));
            for line in text.lines() {
                let package = line.rsplit(" | ").next().unwrap();
                // A shell is always there.
                assert!(
                    package == "-" || listed.contains(&package),
                    "{preset}: {line}"
                );
            }
        }
    }

    #[test]
    fn what_runs_from_an_image_needs_nothing_of_the_machine_but_what_fetches_it() {
        let text =
            table("project = \"blog\"\n[app.blog]\npreset = \"wordpress\"\nimage = \"blog:1\"\n");
        let script = include_str!("../../../../scripts/test");
        assert!(
            text.contains("program skopeo | fetches images | skopeo"),
            "{text}"
        );
        assert!(script.split_whitespace().any(|word| word == "skopeo"));
        for absent in ["php", "nginx", "wordpress"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
    }

    #[test]
    fn a_program_that_only_the_user_knows_has_no_package() {
        let text = table(
            "project = \"shop\"\n[app.api.container.web]\n\
             command = [\"/opt/api/server\"]\nport = 80\n",
        );
        assert!(
            text.contains("program /opt/api/server | is started by a container | -"),
            "{text}"
        );
    }
}
