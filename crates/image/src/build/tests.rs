use std::fs;

use mck_blueprint::model::ConfigurationFile;

use super::*;
use crate::{
    content::{Base, Folder},
    manifest::{GZIP_LAYER, PlatformOf, RootFs},
};

const RELEASE: &str = "0123456789ab";

fn passwd_layer() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    let users = b"www-data:x:33:34::/:/bin/sh\n";
    header.set_size(users.len() as u64);
    archive
        .append_data(&mut header, "etc/passwd", users.as_slice())
        .unwrap();
    archive.into_inner().unwrap()
}

/// A base image with a tag, as `kind` of manifest, for an architecture.
fn base(layout: &Layout, kind: &str, architecture: &str) -> Descriptor {
    let layer = layout
        .put("application/vnd.oci.image.layer.v1.tar", &passwd_layer())
        .unwrap();
    let config = Config {
        architecture: architecture.to_owned(),
        os: "linux".to_owned(),
        config: Map::from_iter([
            ("Env".to_owned(), json!(["PATH=/bin"])),
            ("Labels".to_owned(), Json::Null),
        ]),
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec!["sha256:base".to_owned()],
        },
        others: Map::from_iter([("history".to_owned(), json!([{"comment": "base"}]))]),
    };
    let config = put_json(layout, CONFIG, &config).unwrap();
    let manifest = Manifest {
        schema_version: 2,
        media_type: kind.to_owned(),
        config,
        layers: vec![layer],
    };
    put_json(layout, kind, &manifest).unwrap()
}

fn content(user: &str) -> Content {
    let file = ConfigurationFile {
        path: "/etc/magecloudkit/php.ini".to_owned(),
        content: "memory_limit = 1G\n".to_owned(),
        executable: false,
    };
    let folder = Folder {
        owner: user.to_owned(),
    };
    Content {
        name: "php-fpm".to_owned(),
        base: Base::Named("php-fpm".to_owned()),
        release: Some("/var/www/html".to_owned()),
        files: BTreeMap::from([(file.path.clone(), file)]),
        folders: BTreeMap::from([("/var/www/html/media".to_owned(), folder)]),
        stop_signal: "SIGQUIT".to_owned(),
        labels: BTreeMap::from([("mck.files.php-fpm".to_owned(), "digest".to_owned())]),
    }
}

struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir_all(tree.join("vendor")).unwrap();
        fs::write(tree.join("index.php"), "<?php").unwrap();
        fs::write(tree.join("vendor/autoload.php"), "<?php").unwrap();
        Self { folder }
    }

    fn layout(&self, name: &str) -> Layout {
        Layout::create(&self.folder.path().join(name)).unwrap()
    }

    /// A base image in one layout, which is brought into another.
    fn fetched(&self, kind: &str) -> (Layout, String) {
        let from = self.layout("base");
        let manifest = base(&from, kind, "amd64");
        from.set("1", &manifest).unwrap();
        let reference = Reference::Layout {
            folder: from.path().to_owned(),
            tag: None,
        };
        let layout = self.layout("made");
        let digest = fetch_base(&layout, &reference, Platform::Amd64, None).unwrap();
        (layout, digest)
    }

    fn make(&self, layout: &Layout, base: &str, user: &str) -> Result<MadeImage, ImageError> {
        let tree = self.folder.path().join("tree");
        let recipe = Recipe {
            tree: Some(&tree),
            release: RELEASE,
            revision: "v2",
        };
        let content = content(user);
        let mut made = build(recipe, &[(&content, layout, base)])?;
        Ok(made.remove(0))
    }
}

#[test]
fn an_image_is_its_base_with_layers_and_words_of_the_release() {
    let workshop = Workshop::new();
    let (layout, digest) = workshop.fetched(MANIFEST);
    let made = workshop.make(&layout, &digest, "www-data").unwrap();
    let kinds: Vec<LayerKind> = made.layers.iter().map(|it| it.kind).collect();
    use LayerKind::{Base, Configuration, Release, Vendor};
    assert_eq!(kinds, [Base, Vendor, Release, Configuration]);

    let found = layout.find(Some(RELEASE)).unwrap();
    assert_eq!(found.digest, made.digest);
    let manifest: Manifest = layout.json(&made.digest).unwrap();
    assert_eq!(manifest.media_type, MANIFEST);
    let types: BTreeSet<&str> = manifest.layers[1..]
        .iter()
        .map(|it| it.media_type.as_str())
        .collect();
    assert_eq!(types, BTreeSet::from([GZIP_LAYER]));
    let config: Config = layout.json(&manifest.config.digest).unwrap();
    assert_eq!(config.rootfs.diff_ids.len(), 4);
    assert_eq!(config.rootfs.diff_ids[0], "sha256:base");
    assert_eq!(config.others["history"].as_array().map(Vec::len), Some(4));
    assert_eq!(config.others["created"], CREATED);
    assert_eq!(
        config.config["Env"],
        json!(["PATH=/bin"]),
        "the base's words stay"
    );
    assert_eq!(config.config["StopSignal"], "SIGQUIT");
    let labels = json!({
        "mck.files.php-fpm": "digest",
        "org.opencontainers.image.revision": "v2",
        "org.opencontainers.image.version": RELEASE,
    });
    assert_eq!(config.config["Labels"], labels);

    let blobs = fs::read_dir(layout.path().join("blobs/sha256")).unwrap();
    assert_eq!(
        blobs.count(),
        4 + 2,
        "layers, configuration and manifest alone"
    );
}

#[test]
fn an_image_is_the_same_wherever_and_however_often_it_is_made() {
    let digests = [(); 2].map(|()| {
        let workshop = Workshop::new();
        let (layout, digest) = workshop.fetched(MANIFEST);
        let first = workshop.make(&layout, &digest, "www-data").unwrap();
        let (layout, digest) = workshop.fetched(MANIFEST);
        let again = workshop.make(&layout, &digest, "www-data").unwrap();
        assert_eq!(first, again);
        first.digest
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn docker_s_words_become_oci_s() {
    let workshop = Workshop::new();
    let (layout, digest) = workshop.fetched(DOCKER_MANIFEST);
    let made = workshop.make(&layout, &digest, "33").unwrap();
    let manifest: Manifest = layout.json(&made.digest).unwrap();
    assert_eq!(manifest.media_type, MANIFEST);
    assert_eq!(manifest.config.media_type, CONFIG);
}

#[test]
fn a_user_that_the_base_does_not_have_is_told() {
    let workshop = Workshop::new();
    let (layout, digest) = workshop.fetched(MANIFEST);
    let error = workshop.make(&layout, &digest, "nginx").unwrap_err();
    let expected = "the base image php-fpm has no user `nginx` in its /etc/passwd";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_image_of_the_servers_architecture_is_taken() {
    let workshop = Workshop::new();
    let from = workshop.layout("base");
    let of = |architecture: &str| {
        let mut manifest = base(&from, MANIFEST, architecture);
        manifest.platform = Some(PlatformOf {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
        });
        manifest
    };
    let both = Index {
        schema_version: 2,
        media_type: INDEX.to_owned(),
        manifests: vec![of("amd64"), of("arm64")],
    };
    let index = put_json(&from, INDEX, &both).unwrap();
    from.set("both", &index).unwrap();
    let reference = |tag: &str| Reference::Layout {
        folder: from.path().to_owned(),
        tag: Some(tag.to_owned()),
    };
    for (platform, meant) in [
        (Platform::Amd64, &both.manifests[0]),
        (Platform::Arm64, &both.manifests[1]),
    ] {
        let layout = workshop.layout(platform.as_str());
        let digest = fetch_base(&layout, &reference("both"), platform, None).unwrap();
        assert_eq!(digest, meant.digest);
    }

    let layout = workshop.layout("other");
    from.set("one", &both.manifests[1]).unwrap();
    let wrong = fetch_base(&layout, &reference("one"), Platform::Amd64, None).unwrap_err();
    let wrong = wrong.to_string();
    assert!(
        wrong.ends_with("it is for arm64, and the servers are amd64"),
        "{wrong}"
    );
    let gone = fetch_base(&layout, &reference("two"), Platform::Amd64, None).unwrap_err();
    assert!(gone.to_string().ends_with("has no such image"), "{gone}");
    let lone = Index {
        manifests: vec![both.manifests[1].clone()],
        ..both
    };
    let index = put_json(&from, INDEX, &lone).unwrap();
    from.set("lone", &index).unwrap();
    let none = fetch_base(&layout, &reference("lone"), Platform::Amd64, None).unwrap_err();
    assert!(
        none.to_string()
            .ends_with("it has no image for linux/amd64"),
        "{none}"
    );
}

#[test]
fn a_blob_with_other_content_is_not_taken() {
    let workshop = Workshop::new();
    let from = workshop.layout("base");
    let manifest = base(&from, MANIFEST, "amd64");
    from.set("1", &manifest).unwrap();
    let content: Manifest = from.json(&manifest.digest).unwrap();
    let layer = from.blob(&content.layers[0].digest);
    let mut bytes = fs::read(&layer).unwrap();
    bytes[0] ^= 1;
    fs::write(&layer, bytes).unwrap();
    let mut read = fs::File::open(&layer).unwrap();
    let layout = workshop.layout("made");
    let error = layout.take(&content.layers[0], &mut read).unwrap_err();
    assert!(
        error.to_string().contains("its content has the digest"),
        "{error}"
    );
    assert!(!layout.has(&content.layers[0]));
}

#[test]
fn a_release_of_images_is_named_by_what_they_are() {
    let id = release_of_images("v1", ["sha256:a", "sha256:b"]);
    assert_eq!(id.len(), 12);
    assert_eq!(
        id,
        release_of_images("v1", ["sha256:b", "sha256:a", "sha256:b"])
    );
    for other in [
        release_of_images("v2", ["sha256:a", "sha256:b"]),
        release_of_images("v1", ["sha256:a"]),
        release_of_images("v1s", ["ha256:a", "sha256:b"]),
    ] {
        assert_ne!(id, other);
    }
}
