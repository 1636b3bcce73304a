//! `mck doctor`

use mck_blueprint::views::Table;
use mck_environment::{EnvironmentFile, init, settings::Target};
use mck_local::{
    client,
    doctor::{self, Area, Doctor, Finding, Status},
};

use crate::{
    cli::DoctorOptions,
    exit::Exit,
    failure::Failure,
    printer::Printer,
    progress::screen::Screen,
    session::{LocalEnvironment, Session, plan},
    table,
};

pub fn run(session: &Session<'_>, options: &DoctorOptions) -> Result<(), Failure> {
    let doctor = doctor_for(session)?;
    let mut findings = doctor.examine();
    if options.install {
        install(session.printer, &findings)?;
        findings = doctor.examine();
    }
    if options.json {
        session.printer.json(&findings);
    } else {
        print(session.printer, &findings);
    }
    match failure(&findings) {
        None => Ok(()),
        Some(failure) => Err(Failure::said(failure.exit)),
    }
}

/// A doctor for the environment; without a file for one that is typical.
fn doctor_for(session: &Session<'_>) -> Result<Doctor, Failure> {
    let state_folder = session.state_folder();
    if session.has_file() {
        let (_, local) = session.local()?;
        let running = runs(&local);
        let settings = &local.environment.settings.local;
        return Ok(Doctor::new(
            &local.blueprint,
            settings,
            &state_folder,
            running,
        ));
    }
    session
        .printer
        .note("There is no environment file here: this is for a typical one.\n");
    let text = init::template(init::InitApp::Storefront, "typical");
    let environment = EnvironmentFile::parse("typical", text.as_bytes())?.environment("local")?;
    debug_assert_eq!(environment.target(), Target::Local);
    let blueprint = plan(&environment)?;
    Ok(Doctor::new(
        &blueprint,
        &environment.settings.local,
        &state_folder,
        false,
    ))
}

/// Whether the environment has its ports: its supervisor answers, or its containers are there.
pub fn runs(local: &LocalEnvironment) -> bool {
    client::is_supervised(&local.layout)
        || local
            .layout
            .bundles()
            .read_dir()
            .is_ok_and(|mut bundles| bundles.next().is_some())
}

/// Installs what findings lack, with a display of how far it is.
pub fn install(printer: &Printer, findings: &[Finding]) -> Result<(), Failure> {
    let packages = doctor::packages(findings);
    if packages.is_empty() {
        return Ok(());
    }
    super::require_root()?;
    printer.note(format_args!("Installing {}", packages.join(", ")));
    let mut screen = Screen::default();
    let size = printer.live_size();
    let installed = doctor::install(&packages, &mut |step| {
        let Some((width, _)) = size else {
            printer.detail(format_args!("  {}", step.message));
            return;
        };
        let percent = step
            .percent
            .map_or_else(String::new, |percent| format!("{percent:3.0} % "));
        let line: String = format!("  {percent}{}", step.message)
            .chars()
            .take(width - 1)
            .collect();
        printer.draw(&screen.frame(&[line]));
    });
    printer.draw(&screen.clear());
    installed.map_err(|error| {
        let failure = Failure::from_error(Exit::InstallFailed, &error);
        failure.hint(format!("by hand: `apt-get install {}`", packages.join(" ")))
    })
}

fn print(printer: &Printer, findings: &[Finding]) {
    let style = printer.out_style();
    let row = |finding: &Finding| {
        let status = match finding.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Missing => "missing",
        };
        vec![
            status.to_owned(),
            finding.name.clone(),
            finding.detail.clone(),
        ]
    };
    let rows = findings.iter().map(row).collect();
    let all: Table = table::table("This machine", &["Status", "What", "Found"], rows);
    printer.result(table::render(&all, style, printer.out_width()));
    printer.result("");
    let wrong: Vec<&Finding> = findings
        .iter()
        .filter(|it| it.status != Status::Ok)
        .collect();
    for finding in &wrong {
        if let Some(hint) = finding
            .hint
            .as_ref()
            .filter(|_| finding.packages.is_empty())
        {
            printer.result(format_args!(
                "{} {}: {hint}",
                style.cyan("hint:"),
                finding.name
            ));
        }
    }
    let packages = doctor::packages(findings);
    if !packages.is_empty() {
        let packages = packages.join(" ");
        printer.result(format_args!(
            "{} `mck doctor --install`, or `apt-get install --no-install-recommends {packages}`",
            style.cyan("hint:")
        ));
    }
    if wrong.is_empty() {
        printer.result("This machine has all that is needed.");
        printer.next(&[("mck up", "runs the environment")]);
    }
}

/// The failure that findings are, the most basic first: without root nothing else can be said.
pub fn failure(findings: &[Finding]) -> Option<Failure> {
    let missing: Vec<&Finding> = findings
        .iter()
        .filter(|it| it.status == Status::Missing)
        .collect();
    let first = missing.first()?;
    let exit = match first.area {
        Area::Privilege => Exit::NotRoot,
        Area::StateFolder => Exit::StateFolder,
        Area::Space => Exit::DiskFull,
        Area::Port => Exit::PortTaken,
        _ => Exit::MachineLacks,
    };
    if exit != Exit::MachineLacks {
        let failure = Failure::new(exit, format!("{}: {}", first.name, first.detail));
        return Some(
            first
                .hint
                .iter()
                .fold(failure, |failure, hint| failure.hint(hint.clone())),
        );
    }
    let names: Vec<&str> = missing.iter().map(|it| it.name.as_str()).collect();
    let mut failure = Failure::new(exit, format!("this machine lacks {}", names.join(", ")));
    let packages = doctor::packages(findings);
    if !packages.is_empty() {
        let packages = packages.join(" ");
        failure = failure
            .hint("`mck up --install` installs what is missing")
            .hint(format!(
                "by hand: `apt-get install --no-install-recommends {packages}`"
            ));
    }
    for finding in missing.iter().filter(|it| it.packages.is_empty()) {
        failure = finding.hint.iter().fold(failure, |failure, hint| {
            failure.hint(format!("{}: {hint}", finding.name))
        });
    }
    Some(failure)
}
