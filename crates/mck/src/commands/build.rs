//! `mck build`

use std::path::Path;

use mck_local::{
    client,
    release::{Built, EXCLUDED},
};

use super::{choose_app, on_aws, require_root};
use crate::{cli::BuildOptions, failure::Failure, session::Session, table};

pub fn run(session: &Session<'_>, options: &BuildOptions) -> Result<(), Failure> {
    if session.is_on_aws() {
        return on_aws::build::run(session, options);
    }
    require_root()?;
    let (read, local) = session.local()?;
    let name = choose_app(&local.blueprint, options.app.as_deref())?;
    let app = local.blueprint.apps.iter().find(|app| app.name == name);
    // It was chosen among them.
    let Some(app) = app else { return Ok(()) };
    let folder = read.path.parent().unwrap_or(Path::new("/"));
    let built = client::build(&local.layout, folder, app, options.revision.as_deref())?;
    let printer = session.printer;
    if options.json {
        printer.json(&built);
        return Ok(());
    }
    printer.detail(format_args!("left out: {}", EXCLUDED.join(", ")));
    printer.result(render(&name, &built));
    let deploy = format!("mck deploy {name} --release {}", built.release.id);
    printer.next(&[
        (&deploy, "deploys it"),
        ("mck releases", "lists all releases"),
    ]);
    Ok(())
}

fn render(app: &str, built: &Built) -> String {
    let word = if built.is_new {
        "made"
    } else {
        "there already; nothing changed"
    };
    format!(
        "Release {} of {app} ({word})\n  revision  {}\n  path      {}\n  files     {}, {}; {} of them, {}, are shared with other releases",
        built.release.id,
        built.release.revision,
        built.path.display(),
        built.files,
        table::size(built.bytes),
        built.shared_files,
        table::size(built.shared_bytes),
    )
}

#[cfg(test)]
mod tests {
    use mck_local::release::Release;

    use super::*;

    #[test]
    fn a_release_is_told_with_what_it_shares() {
        let built = Built {
            release: Release {
                id: "0123456789ab".to_owned(),
                revision: "v2".to_owned(),
            },
            path: "/var/lib/magecloudkit/demo-local/releases/shop/0123456789ab".into(),
            is_new: true,
            files: 120,
            bytes: 3_500_000,
            shared_files: 119,
            shared_bytes: 2_000,
        };
        insta::assert_snapshot!(render("shop", &built));
    }
}
