//! `mck init`

use std::{fs, io::Write, path::Path};

use mck_environment::{EnvironmentFile, init};

use crate::{
    aws::AwsFile,
    cli::{CiService, InitApp, InitOptions},
    exit::Exit,
    failure::Failure,
    pipelines::{Pipeline, Service},
    session::{FILE_NAME, Session},
};

pub fn run(session: &Session<'_>, options: &InitOptions) -> Result<(), Failure> {
    let here = std::env::current_dir().map_err(|error| {
        Failure::new(Exit::Internal, "the current folder can't be read").caused_by(&error)
    })?;
    let path = here.join(session.named_file().unwrap_or(Path::new(FILE_NAME)));
    match options.ci {
        Some(ci) if path.exists() => write_pipeline(session, &path, service(ci)),
        Some(ci) => {
            write_file(session, options, &here, &path)?;
            write_pipeline(session, &path, service(ci))
        }
        None => {
            write_file(session, options, &here, &path)?;
            session.printer.next(&[
                ("mck check", "finds mistakes"),
                ("mck show", "shows the architecture that comes of it"),
                ("mck up --install", "runs it on this machine"),
            ]);
            Ok(())
        }
    }
}

/// Writes the environment file.
fn write_file(
    session: &Session<'_>,
    options: &InitOptions,
    here: &Path,
    path: &Path,
) -> Result<(), Failure> {
    let shown = path
        .strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string();
    let name = match &options.name {
        Some(name) => name.clone(),
        None => project_name(path.parent().unwrap_or(here)),
    };
    let text = init::template(app(options.app), &name);
    check_name(&name, &text)?;
    let hint = "remove it first, or write another one with `--file PATH`";
    write_new(path, &shown, &text, hint)?;
    let printer = session.printer;
    printer.note(format_args!("Wrote {shown} for the project {name}."));
    if text.contains("\nsource = \"src\"") {
        printer.note("Its `source` is the folder src: the app's code goes there.");
    }
    Ok(())
}

/// Writes the pipeline of an environment file beside it.
fn write_pipeline(session: &Session<'_>, path: &Path, service: Service) -> Result<(), Failure> {
    let file = AwsFile::new(session.read_other_file(path)?)?;
    // The project of all environments is the file's.
    let project = file
        .choose(None)
        .or_else(|failure| file.blueprints().first().ok_or(failure))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let pipeline = Pipeline::of(service, &project.project, &name, file.blueprints());
    let target = path.with_file_name(service.path());
    let folder = target.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| {
        Failure::new(Exit::File, format!("{} can't be made", folder.display())).caused_by(&error)
    })?;
    let hint = "remove it first, or take over what you need from a copy in another folder";
    write_new(&target, service.path(), &pipeline.render(service), hint)?;
    let printer = session.printer;
    printer.note(format_args!("Wrote {}.", service.path()));
    printer.note("Its first lines name the variables that the service needs.");
    let door = project.ci.as_ref().is_some_and(|ci| match service {
        Service::GitHub => ci.github.is_some(),
        Service::CircleCi => ci.circleci.is_some(),
        Service::GitLab => ci.gitlab.is_some(),
        Service::Jenkins => true,
    });
    if !door && service != Service::Jenkins {
        let section = service.name();
        printer.note(format_args!(
            "The role that it comes into the account with is made by `[ci.{section}]` in {name}, \
             and `mck apply`."
        ));
    }
    Ok(())
}

const fn service(service: CiService) -> Service {
    match service {
        CiService::Github => Service::GitHub,
        CiService::Circleci => Service::CircleCi,
        CiService::Gitlab => Service::GitLab,
        CiService::Jenkins => Service::Jenkins,
    }
}

fn app(app: InitApp) -> init::InitApp {
    match app {
        InitApp::Magento2 => init::InitApp::Magento2,
        InitApp::Magento1 => init::InitApp::Magento1,
        InitApp::Wordpress => init::InitApp::WordPress,
        InitApp::Storefront => init::InitApp::Storefront,
    }
}

/// The rule for a name is the file's own; without mistakes a template has no other one.
fn check_name(name: &str, text: &str) -> Result<(), Failure> {
    match EnvironmentFile::parse(FILE_NAME, text.as_bytes()) {
        Ok(_) => Ok(()),
        Err(mistakes) => {
            let failure = Failure::new(Exit::Usage, format!("`{name}` can't be a project's name"));
            let failure = mistakes
                .iter()
                .fold(failure, |failure, mistake| failure.caused_by(mistake));
            Err(failure.hint("give another one with `--name`"))
        }
    }
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, shown: &str, text: &str, hint: &str) -> Result<(), Failure> {
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::new(Exit::Exists, format!("{shown} is there already")).hint(hint)
        } else {
            Failure::new(Exit::File, format!("{shown} can't be written")).caused_by(&error)
        }
    })
}

/// A project's name made of a folder's: what can't be in one becomes a hyphen.
fn project_name(folder: &Path) -> String {
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let mut made = String::new();
    for letter in name.chars() {
        match letter {
            'a'..='z' | '0'..='9' => made.push(letter),
            _ if made.ends_with('-') => {}
            _ => made.push('-'),
        }
    }
    let made = made.trim_start_matches(|first: char| !first.is_ascii_lowercase());
    // AWS keeps such names for itself.
    let prefix = if ["aws", "ssm"].iter().any(|kept| made.starts_with(kept)) {
        "store-"
    } else {
        ""
    };
    let made: String = prefix.chars().chain(made.chars()).take(20).collect();
    match made.trim_end_matches('-') {
        "" => "store".to_owned(),
        made => made.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_a_name() {
        for (folder, name) in [
            ("/srv/shop", "shop"),
            ("/srv/My Shop (2)", "my-shop-2"),
            ("/srv/2020_shop", "shop"),
            ("/", "store"),
            ("/srv/a-very-long-name-that-goes-on", "a-very-long-name-tha"),
            ("/srv/Ähre", "hre"),
            ("/srv/aws-shop", "store-aws-shop"),
            ("/srv/ssm", "store-ssm"),
        ] {
            assert_eq!(project_name(Path::new(folder)), name);
        }
    }
}
