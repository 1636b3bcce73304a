//! `mck synth`

use std::{
    mem,
    path::{Path, PathBuf},
};

use mck_cost::{Estimate, Usage};

use crate::{
    assembly::{self, Assembly},
    aws::AwsFile,
    cli::SynthOptions,
    failure::Failure,
    session::{ReadFile, Session},
    table,
};

/// The folder of all environments' folders.
const FOLDER: &str = "magecloudkit.out";

pub fn run(session: &Session<'_>, options: &SynthOptions) -> Result<(), Failure> {
    let file = AwsFile::new(session.read_file()?)?;
    let blueprint = file.choose(session.named_environment())?;
    let stacks = file.stacks(blueprint)?;
    let estimate = Estimate::of(blueprint, &Usage::default());
    let assembly = Assembly::new(&stacks, &estimate);
    let folder = match &options.out {
        Some(folder) => folder.clone(),
        None => default_folder(&file.read, &blueprint.environment),
    };
    assembly::write(&folder, &assembly)?;
    if options.json {
        session.printer.json(&assembly.manifest);
    } else {
        print(session, &assembly, &folder);
    }
    // The process ends: giving back hundreds of thousands of small pieces of memory one by one would
    // take a tenth of its time.
    mem::forget(stacks);
    Ok(())
}

/// Beside the environment file, so that it is the same from every folder below.
fn default_folder(read: &ReadFile, environment: &str) -> PathBuf {
    let beside = Path::new(&read.shown).parent().unwrap_or(Path::new(""));
    beside.join(FOLDER).join(environment)
}

fn print(session: &Session<'_>, assembly: &Assembly, folder: &Path) {
    let printer = session.printer;
    let entries = assembly.manifest.stacks.iter().zip(&assembly.templates);
    let rows = entries.map(|(entry, text)| {
        vec![
            entry.name.clone(),
            entry.region.clone(),
            entry.resources.to_string(),
            table::size(u64::try_from(text.len()).unwrap_or(u64::MAX)),
            entry.dependencies.join(", "),
        ]
    });
    let columns = ["Stack", "Region", "Resources", "Template", "After"];
    let table = table::table("", &columns, rows.collect());
    printer.result(table::render(
        &table,
        printer.out_style(),
        printer.out_width(),
    ));
    printer.note(format_args!(
        "\nWrote {} templates and {} to {}",
        assembly.templates.len(),
        assembly::MANIFEST,
        folder.display()
    ));
}
