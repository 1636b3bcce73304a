//! `mck build` of an environment on AWS: a release as OCI images, sent to the account's registry.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use mck_aws::Account;
use mck_aws_stacks::located::LocatedApp;
use mck_blueprint::{Blueprint, model::App};
use mck_environment::settings::Architecture;
use mck_image::{
    Content, Credentials, ImageError, Layer, LayerKind, Layout, MadeImage, Platform, PushReport,
    Recipe, Reference, Registry, contents, fetch_base, release_of_images,
};
use mck_local::release::{Built, EXCLUDED, ReleaseStore};
use serde::Serialize;

use super::base_images;
use crate::{
    aws::AwsFile, cli::BuildOptions, commands::choose_app, environment_variables, exit::Exit,
    failure::Failure, session::Session, table,
};

/// Releases whose trees are kept in the cache; each shares what did not change with the others.
const KEPT_RELEASES: usize = 3;

/// What a build came to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report {
    app: String,
    release: String,
    revision: String,
    images: Vec<ImageReport>,
}

/// An image, and what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ImageReport {
    #[serde(flatten)]
    image: MadeImage,
    /// Where it is now.
    place: String,
    /// What was sent; none where it was written into a folder.
    push: Option<PushReport>,
}

/// A release whose images are made.
struct Release {
    /// Its tree; none where the images below have the code.
    tree: Option<PathBuf>,
    id: String,
    revision: String,
}

/// What is built.
struct Build<'a> {
    session: &'a Session<'a>,
    options: &'a BuildOptions,
    blueprint: &'a Blueprint,
    /// The project's other environments on AWS in the region.
    others: Vec<&'a Blueprint>,
    app: &'a App,
    folder: &'a Path,
    cache: PathBuf,
    /// The account's registry; none where nothing is sent there.
    account: Option<Login>,
}

/// The account's registry and the way in.
struct Login {
    host: String,
    credentials: Credentials,
}

pub fn run(session: &Session<'_>, options: &BuildOptions) -> Result<(), Failure> {
    let file = AwsFile::new(session.read_file()?)?;
    let blueprint = file.choose(session.named_environment())?;
    let name = choose_app(blueprint, options.app.as_deref())?;
    let app = blueprint.apps.iter().find(|app| app.name == name);
    let app = app.expect("it was chosen among the blueprint's apps");
    let sends_to_account = options.out.is_none() && options.registry.is_none();
    let account = sends_to_account.then(|| login(blueprint)).transpose()?;
    let build = Build {
        session,
        options,
        blueprint,
        others: file.neighbours(blueprint),
        app,
        folder: file.read.path.parent().unwrap_or(Path::new("/")),
        cache: cache_folder()?.join(&blueprint.project),
        account,
    };
    let report = build.run()?;
    if options.json {
        session.printer.json(&report);
        return Ok(());
    }
    session.printer.result(render(&report));
    if sends_to_account {
        let environment = &blueprint.environment;
        let deploy = format!(
            "mck deploy -e {environment} {name} --release {}",
            report.release
        );
        session.printer.next(&[(&deploy, "deploys it")]);
    }
    Ok(())
}

fn login(blueprint: &Blueprint) -> Result<Login, Failure> {
    let region = blueprint.region.as_str();
    let account = Account::connect(&blueprint.project, [region])?;
    let login = account.registry_login(region)?;
    Ok(Login {
        host: login.host,
        credentials: Credentials::from_base64(login.token),
    })
}

/// The user's cache (XDG Base Directory Specification).
fn cache_folder() -> Result<PathBuf, Failure> {
    let cache = environment_variables::read(environment_variables::XDG_CACHE_HOME)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let home = || Some(PathBuf::from(environment_variables::read("HOME")?).join(".cache"));
    let found = cache.or_else(home).map(|it| it.join("magecloudkit"));
    found.ok_or_else(|| {
        Failure::new(Exit::Usage, "there is no folder for caches")
            .hint("name one with `XDG_CACHE_HOME`")
    })
}

impl Build<'_> {
    fn run(&self) -> Result<Report, Failure> {
        let contents = contents(self.app)?;
        if contents.is_empty() {
            let message = format!("the app {} runs its images as they are", self.app.name);
            return Err(Failure::new(Exit::File, message)
                .hint("`mck deploy` pulls them anew; there is nothing to build")
                .hint("with `source` in place of `image` images are built of its code"));
        }
        let bases = self.bases(&contents)?;
        let mut layouts = Vec::new();
        for (content, base) in contents.iter().zip(bases) {
            layouts.push(self.layout(content, &base)?);
        }
        let images: Vec<(&Content, &Layout, &str)> = contents
            .iter()
            .zip(&layouts)
            .map(|(content, (layout, base))| (content, layout, base.as_str()))
            .collect();
        let release = self.release(&contents, &layouts)?;
        let recipe = Recipe {
            tree: release.tree.as_deref(),
            release: &release.id,
            revision: &release.revision,
        };
        let made = mck_image::build(recipe, &images)?;
        let mut report = Report {
            app: self.app.name.clone(),
            release: release.id,
            revision: release.revision,
            images: Vec::new(),
        };
        for (image, (layout, _)) in made.into_iter().zip(&layouts) {
            report
                .images
                .push(self.send(image, layout, &report.release)?);
        }
        Ok(report)
    }

    /// The image that each content is put on.
    fn bases(&self, contents: &[Content]) -> Result<Vec<Reference>, Failure> {
        let told = base_images::Told {
            file: &self.blueprint.base_images,
            variable: environment_variables::read(environment_variables::BASE_IMAGES)
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            options: &self.options.base,
        };
        let images = base_images::choose(&self.app.name, contents, &told)?;
        let references = images.iter().map(|it| Reference::parse(it, self.folder));
        Ok(references.collect::<Result<_, ImageError>>()?)
    }

    /// The release: of the app's code, or of the user's images alone.
    fn release(
        &self,
        contents: &[Content],
        layouts: &[(Layout, String)],
    ) -> Result<Release, Failure> {
        if self.app.source.is_some() {
            let built = self.release_of_code()?;
            return Ok(Release {
                tree: Some(built.path),
                id: built.release.id,
                revision: built.release.revision,
            });
        }
        let images: BTreeSet<String> = contents.iter().map(|it| it.base.to_string()).collect();
        let images: Vec<String> = images.into_iter().collect();
        let revision = self.options.revision.clone();
        let revision = revision.unwrap_or_else(|| images.join(" "));
        let digests = layouts.iter().map(|(_, digest)| digest.as_str());
        let id = release_of_images(&revision, digests);
        let printer = self.session.printer;
        printer.note(format_args!(
            "Release {id} of {}: {revision}",
            self.app.name
        ));
        Ok(Release {
            tree: None,
            id,
            revision,
        })
    }

    fn release_of_code(&self) -> Result<Built, Failure> {
        let Some(source) = &self.app.source else {
            let message = format!("the app {} has no source", self.app.name);
            return Err(Failure::new(Exit::File, message));
        };
        let store = ReleaseStore::new(&self.cache.join("releases"), &self.app.name);
        let built = store.build_as(
            &self.folder.join(source),
            &["REVISION.txt".to_owned()],
            self.options.revision.as_deref(),
        )?;
        // What can't be removed costs room only.
        let _ = store.prune(std::slice::from_ref(&built.release.id), KEPT_RELEASES);
        let printer = self.session.printer;
        printer.detail(format_args!("left out: {}", EXCLUDED.join(", ")));
        printer.note(format_args!(
            "Release {} of {}: {} files, {}",
            built.release.id,
            self.app.name,
            built.files,
            table::size(built.bytes)
        ));
        Ok(built)
    }

    /// A layout with the base image, and its manifest's digest.
    fn layout(&self, content: &Content, base: &Reference) -> Result<(Layout, String), Failure> {
        let top = self.options.out.clone();
        let top = top.unwrap_or_else(|| {
            let environment = self.cache.join("images").join(&self.blueprint.environment);
            environment.join(&self.app.name)
        });
        let layout = Layout::create(&top.join(&content.name))?;
        let registry = match base {
            Reference::Registry { repository, .. } => Some(self.registry(&repository.registry)),
            Reference::Layout { .. } => None,
        };
        let printer = self.session.printer;
        printer.note(format_args!("Base image of {} from {base}", content.name));
        let digest = fetch_base(&layout, base, self.platform(), registry.as_ref())?;
        Ok((layout, digest))
    }

    fn platform(&self) -> Platform {
        let clusters = &self.blueprint.clusters;
        let cluster = clusters.iter().find(|it| it.name == self.app.cluster);
        match cluster.map(|it| it.architecture) {
            Some(Architecture::Arm64) => Platform::Arm64,
            Some(Architecture::X86_64) | None => Platform::Amd64,
        }
    }

    /// A registry, with the account's credentials where it is the account's, else with what a login
    /// left on this machine.
    fn registry(&self, host: &str) -> Registry {
        let account = self.account.as_ref().filter(|it| it.host == host);
        let credentials = match account {
            Some(account) => Some(account.credentials.clone()),
            None => Credentials::of_machine(host, &|name| {
                environment_variables::read(name).map(PathBuf::from)
            }),
        };
        Registry::new(host, credentials)
    }

    fn send(
        &self,
        image: MadeImage,
        layout: &Layout,
        release: &str,
    ) -> Result<ImageReport, Failure> {
        let account = self.account.as_ref().map(|it| it.host.as_str());
        let Some(host) = self.options.registry.as_deref().or(account) else {
            return Ok(ImageReport {
                place: format!("oci:{}:{release}", layout.path().display()),
                image,
                push: None,
            });
        };
        let located = LocatedApp::of(self.blueprint, self.app);
        // The app's other images, then this one in other environments: their layers are the same.
        let own = located.repositories.iter().map(|it| it.1.clone());
        let others = self.others.iter().map(|blueprint| {
            let repositories = LocatedApp::of(blueprint, self.app).repositories;
            repositories.into_iter().find(|it| it.0 == image.name)
        });
        let names: Vec<String> = own.chain(others.flatten().map(|it| it.1)).collect();
        let name = located.repositories.iter().find(|it| it.0 == image.name);
        let (_, name) = name.expect("an app has a repository for each of its images");
        let printer = self.session.printer;
        printer.note(format_args!("Image {host}/{name}:{release}"));
        let kinds: BTreeMap<&str, LayerKind> = image
            .layers
            .iter()
            .map(|layer| (layer.digest.as_str(), layer.kind))
            .collect();
        let mut tell = |blob: &mck_image::PushedBlob| {
            let kind = kinds.get(blob.digest.as_str()).copied();
            let what = kind.map_or("description", word);
            let done = if blob.sent { "sent" } else { "there already" };
            let size = table::size(blob.size);
            printer.note(format_args!("  {what:13} {size:>9}  {done}"));
        };
        let registry = self.registry(host);
        let push = registry.push(layout, name, release, &names, &mut tell)?;
        Ok(ImageReport {
            place: format!("{host}/{name}:{release}"),
            image,
            push: Some(push),
        })
    }
}

const fn word(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Base => "base",
        LayerKind::Vendor => "vendor",
        LayerKind::Release => "release",
        LayerKind::Configuration => "configuration",
    }
}

fn render(report: &Report) -> String {
    let mut text = format!(
        "Release {} of {}\n  revision  {}",
        report.release, report.app, report.revision
    );
    for image in &report.images {
        let size: u64 = image.image.layers.iter().map(layer_size).sum();
        let state = image.push.as_ref().map_or_else(
            || table::size(size),
            |push| {
                let sent = push.blobs.iter().filter(|it| it.sent);
                let (count, bytes) = sent.fold((0, 0), |(n, all), it| (n + 1, all + it.size));
                match (push.is_new, count) {
                    (false, _) => format!("{}; there already", table::size(size)),
                    (true, count) => format!(
                        "{}; {} sent in {count} of {} blobs",
                        table::size(size),
                        table::size(bytes),
                        push.blobs.len()
                    ),
                }
            },
        );
        text = format!("{text}\n  image     {} ({state})", image.place);
    }
    text
}

const fn layer_size(layer: &Layer) -> u64 {
    layer.size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_find_the_release_in_the_report() {
        let report = Report {
            app: "shop".to_owned(),
            release: "0123456789ab".to_owned(),
            revision: "v2".to_owned(),
            images: Vec::new(),
        };
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["release"], "0123456789ab");
        let script = include_str!("../../pipelines/deploy.sh");
        assert!(script.contains("jq -r .release \"releases/$app.json\""));
    }
}
