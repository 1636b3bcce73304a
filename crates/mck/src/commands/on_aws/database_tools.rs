//! What a client of the database needs on this machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use mck_server_config::mariadb::remote::Flavor;

use super::plugin;
use crate::{
    environment_variables::{self, DATABASE_CA, HOME, XDG_DATA_HOME},
    exit::Exit,
    failure::Failure,
};

/// Where AWS has the certificates of RDS' authorities (Amazon Aurora user guide, "Using SSL/TLS to
/// encrypt a connection to a DB cluster").
pub const AUTHORITIES: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";
/// The same in the partition of China.
const AUTHORITIES_OF_CHINA: &str =
    "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem";
/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Statements.
    Client,
    /// A dump.
    Dump,
}

impl Purpose {
    /// The programs for it, the first that there is taken.
    const fn programs(self) -> [&'static str; 2] {
        match self {
            Self::Client => ["mariadb", "mysql"],
            Self::Dump => ["mariadb-dump", "mysqldump"],
        }
    }
}

/// A program of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its name on the `PATH`.
    pub name: &'static str,
    /// Whose it is.
    pub flavor: Flavor,
}

/// What must be there on this machine, found before anything is asked of AWS.
pub struct Tools {
    /// The program.
    pub program: Program,
    /// The file with the authorities' certificates.
    pub authorities: PathBuf,
}

impl Tools {
    /// Finds it.
    ///
    /// # Errors
    /// Where something is missing, with the way to get it.
    pub fn find(
        purpose: Purpose,
        authorities: Option<&Path>,
        region: &str,
    ) -> Result<Self, Failure> {
        plugin::check()?;
        Ok(Self {
            program: find_program(purpose)?,
            authorities: find_authorities(authorities, region)?,
        })
    }
}

fn find_program(purpose: Purpose) -> Result<Program, Failure> {
    for name in purpose.programs() {
        let answer = Command::new(name).arg("--version").output();
        let Ok(answer) = answer else { continue };
        let text = String::from_utf8_lossy(&answer.stdout);
        if let Some(flavor) = Flavor::read(&text) {
            return Ok(Program { name, flavor });
        }
    }
    let [one, other] = purpose.programs();
    let message = format!("neither `{one}` nor `{other}` is on this machine");
    Err(Failure::new(Exit::MachineLacks, message).hint(
        "the package `mariadb-client` has both on Debian and Ubuntu, `mariadb` on Fedora and Amazon \
         Linux, `brew install mysql-client` on macOS",
    ))
}

/// The file with RDS' authorities: the one that is named, or the one in its place.
fn find_authorities(named: Option<&Path>, region: &str) -> Result<PathBuf, Failure> {
    let named = named.map(Path::to_owned);
    let named = named.or_else(|| environment_variables::read(DATABASE_CA).map(PathBuf::from));
    let path = named.or_else(usual_place).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "there is no home folder to look for RDS' certificates in",
        )
        .hint("name their file with `--ca`")
    })?;
    if path.is_file() {
        // The client has another working folder than its user nowhere; but options take no `~`.
        return std::path::absolute(&path).map_err(|error| {
            Failure::new(Exit::Usage, format!("{} is no path", path.display())).caused_by(&error)
        });
    }
    let source = if region.starts_with("cn-") {
        AUTHORITIES_OF_CHINA
    } else {
        AUTHORITIES
    };
    let message = format!(
        "{} is not there: the certificates by which the database proves who it is",
        path.display()
    );
    Err(Failure::new(Exit::MachineLacks, message).hint(format!(
        "`curl -fsS --create-dirs -o '{}' {source}` gets them from AWS",
        path.display()
    )))
}

fn usual_place() -> Option<PathBuf> {
    let data = environment_variables::read(XDG_DATA_HOME).map(PathBuf::from);
    let home = || Some(PathBuf::from(environment_variables::read(HOME)?).join(".local/share"));
    Some(data.or_else(home)?.join("mck/rds-global-bundle.pem"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_certificates_are_told_with_the_way_to_get_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        for (region, source) in [
            ("eu-central-1", AUTHORITIES),
            ("cn-north-1", AUTHORITIES_OF_CHINA),
        ] {
            let missing = find_authorities(Some(&path), region).expect_err("it is not there");
            assert_eq!(missing.exit, Exit::MachineLacks);
            assert!(missing.hints[0].contains(source), "{:?}", missing.hints);
        }
        std::fs::write(&path, "").unwrap();
        assert_eq!(find_authorities(Some(&path), "eu-central-1").unwrap(), path);
    }
}
