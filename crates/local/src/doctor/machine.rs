//! Whether programs, PHP extensions and files are on the machine.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{Area, Finding, Need, Requirement, Status};
use crate::command::Command;

/// Where programs are, in containers too: Debian's default `PATH` of root.
const PROGRAM_FOLDERS: [&str; 6] = [
    "usr/local/sbin",
    "usr/local/bin",
    "usr/sbin",
    "usr/bin",
    "sbin",
    "bin",
];

/// A root file system to look at.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// The machine whose root folder this is.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Where a program is; `name` may be an absolute path.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let executable = |path: &PathBuf| {
            fs::metadata(path).is_ok_and(|metadata| {
                metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
            })
        };
        if let Some(relative) = name.strip_prefix('/') {
            return Some(self.root.join(relative)).filter(executable);
        }
        PROGRAM_FOLDERS
            .iter()
            .map(|folder| self.root.join(folder).join(name))
            .find(executable)
    }

    /// What is there and what is not, by looking at files alone.
    pub(super) fn look(&self, requirements: &[Requirement]) -> Vec<Finding> {
        let extensions = self.shared_extensions();
        let has_extension = |name: &str| match &extensions {
            Some(shared) => is_built_in(name) || shared.contains(file_of_extension(name)),
            None => php_modules().contains(name),
        };
        self.judge(requirements, &has_extension, &|path| {
            path.display().to_string()
        })
    }

    /// As [`Self::look`], but asks programs for their versions and PHP for its extensions.
    pub(super) fn examine(&self, requirements: &[Requirement]) -> Vec<Finding> {
        let modules = php_modules();
        self.judge(requirements, &|name| modules.contains(name), &version)
    }

    fn judge(
        &self,
        requirements: &[Requirement],
        has_extension: &dyn Fn(&str) -> bool,
        describe: &dyn Fn(&Path) -> String,
    ) -> Vec<Finding> {
        let judge = |requirement: &Requirement| match &requirement.need {
            Need::Program(names) => {
                let found = names.iter().find_map(|name| self.program(name));
                let detail = found.map(|path| describe(&path));
                finding(Area::Program, &names.join(" or "), detail, requirement)
            }
            Need::PhpExtension(name) => {
                let detail = has_extension(name).then(|| "loaded".to_owned());
                finding(
                    Area::PhpExtension,
                    &format!("php {name}"),
                    detail,
                    requirement,
                )
            }
            Need::File(paths) => {
                let relative = |path: &&String| self.root.join(path.trim_start_matches('/'));
                let detail = paths.iter().find(|path| relative(path).exists()).cloned();
                let name = requirement.package.as_deref().unwrap_or(&paths[0]);
                finding(Area::Files, name, detail, requirement)
            }
        };
        requirements.iter().map(judge).collect()
    }

    /// The extensions that PHP can load, by their files' names; none where PHP keeps them elsewhere
    /// than Debian does.
    fn shared_extensions(&self) -> Option<BTreeSet<String>> {
        let versions = fs::read_dir(self.root.join("usr/lib/php")).ok()?;
        let folders = versions.flatten().filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        });
        let files = folders
            .filter_map(|folder| fs::read_dir(folder.path()).ok())
            .flat_map(Iterator::flatten);
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        Some(
            names
                .filter_map(|name| name.strip_suffix(".so").map(str::to_owned))
                .collect(),
        )
    }
}

fn finding(area: Area, name: &str, found: Option<String>, requirement: &Requirement) -> Finding {
    let mut finding = match found {
        Some(detail) => Finding::new(area, name, Status::Ok, detail),
        None => {
            let detail = format!("not found; it {}", requirement.purpose);
            let hint = match &requirement.package {
                Some(package) => format!("install the Debian package `{package}`"),
                None => "install it, or correct the container's `command`".to_owned(),
            };
            Finding::new(area, name, Status::Missing, detail).hint(hint)
        }
    };
    finding.packages.extend(requirement.package.clone());
    finding
}

/// Extensions that Debian compiles into PHP itself, which have no file.
fn is_built_in(name: &str) -> bool {
    matches!(
        name,
        "core"
            | "date"
            | "filter"
            | "hash"
            | "json"
            | "libxml"
            | "openssl"
            | "pcre"
            | "random"
            | "reflection"
            | "session"
            | "sodium"
            | "spl"
            | "standard"
            | "zlib"
    )
}

fn file_of_extension(name: &str) -> &str {
    match name {
        "zend opcache" => "opcache",
        other => other,
    }
}

/// What `php -m` prints, in lower case; nothing without PHP.
fn php_modules() -> BTreeSet<String> {
    let Ok(output) = Command::new("php").arg("-m").run() else {
        return BTreeSet::new();
    };
    let text = output.text();
    text.lines()
        .map(|line| line.trim().to_lowercase())
        .collect()
}

/// The first line of what a program says of its version, or its path.
fn version(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let argument = match name.as_ref() {
        "ip" | "memcached" | "ssh" | "sshd" => "-V",
        "haproxy" | "nginx" | "php" | "php-fpm8.2" => "-v",
        "openssl" => "version",
        "ssh-keygen" | "mariadb-install-db" | "sh" => return path.display().to_string(),
        _ => "--version",
    };
    let shown = Command::new(path).arg(argument).run().ok().and_then(|it| {
        let both = [it.stdout, it.stderr].concat();
        let text = String::from_utf8_lossy(&both).into_owned();
        text.lines().next().map(str::to_owned)
    });
    shown.map_or_else(|| path.display().to_string(), |line| shortened(&line))
}

/// The part of a version line up to the version: what follows is about how it was built.
fn shortened(line: &str) -> String {
    let mut kept = Vec::new();
    for word in line.split_whitespace() {
        let word = word.trim_end_matches(',');
        kept.push(word);
        let digits = word.trim_start_matches(|first: char| !first.is_ascii_digit());
        if digits.contains('.') {
            break;
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(need: Need, package: Option<&str>) -> Requirement {
        Requirement {
            need,
            purpose: "is needed".to_owned(),
            package: package.map(str::to_owned),
        }
    }

    fn machine_with(files: &[(&str, u32)]) -> (tempfile::TempDir, Machine) {
        let root = tempfile::tempdir().unwrap();
        for (path, mode) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        let machine = Machine::new(root.path());
        (root, machine)
    }

    #[test]
    fn any_of_the_programs_will_do_but_it_must_be_executable() {
        let (_root, machine) = machine_with(&[("usr/sbin/runc", 0o755), ("usr/bin/crun", 0o644)]);
        let either = Need::Program(vec!["crun".to_owned(), "runc".to_owned()]);
        let crun = Need::Program(vec!["crun".to_owned()]);
        let found = machine.look(&[
            requirement(either, Some("crun")),
            requirement(crun, Some("crun")),
        ]);
        assert_eq!(found[0].status, Status::Ok);
        assert!(found[0].detail.ends_with("usr/sbin/runc"));
        assert_eq!(found[1].status, Status::Missing);
        assert_eq!(
            found[1].hint.as_deref(),
            Some("install the Debian package `crun`")
        );
    }

    #[test]
    fn extensions_are_files_or_part_of_php() {
        let (_root, machine) = machine_with(&[("usr/lib/php/20220829/opcache.so", 0o644)]);
        let needs = ["zend opcache", "json", "gd"]
            .map(|name| requirement(Need::PhpExtension(name.to_owned()), None));
        let statuses: Vec<Status> = machine
            .look(&needs)
            .into_iter()
            .map(|finding| finding.status)
            .collect();
        assert_eq!(statuses, [Status::Ok, Status::Ok, Status::Missing]);
    }

    #[test]
    fn a_version_line_ends_with_the_version() {
        assert_eq!(
            shortened("OpenSSL 3.0.19 27 Jan 2026 (Library)"),
            "OpenSSL 3.0.19"
        );
        assert_eq!(
            shortened("ip utility, iproute2-6.1.0, libbpf 1.1.2"),
            "ip utility iproute2-6.1.0"
        );
        assert_eq!(
            shortened("Redis server v=7.0.15 sha=0"),
            "Redis server v=7.0.15"
        );
    }
}
