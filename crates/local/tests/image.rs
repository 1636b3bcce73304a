//! Images from every source, with real skopeo, docker-registry, overlayfs and crun. Needs root and
//! Debian's packages skopeo, docker-registry, busybox-static, zstd and crun.

#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod image_support;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use image_support::{
    Blob, Layer, Layout, Registry, base_layer, listing, run, skopeo_copy, top_layer,
};
use mck_local::{
    container::{
        ContainerPlan, Limits, RootTree, User, bundle,
        launch::{Overlay, enter_private_mounts, mount_overlay},
        plan::Environment,
    },
    image::{
        ConfigError, Explicit, Image, ImageError, ImageStore, LayerError, Reference, apply_defaults,
    },
};

const EXECUTION: &str = r#"{"User":"app:web","ExposedPorts":{"8080/tcp":{}},"Env":["GREETING=hello","MODE=image"],"Entrypoint":["/bin/sh","-c"],"Cmd":["/bin/busybox id; cat /data/keep /data/new; echo $GREETING $MODE; /bin/busybox ls /data /cache; /bin/busybox pwd"],"WorkingDir":"/data","StopSignal":"SIGQUIT"}"#;

fn reference(text: &str) -> Reference {
    Reference::parse(text, Path::new("/")).unwrap()
}

fn shop(folder: &Path) -> Layout {
    let layers = [(Blob::Gzip, base_layer()), (Blob::Gzip, top_layer())];
    Layout::write(&folder.join("shop"), EXECUTION, &layers)
}

/// The layers that a store has unpacked: their inode numbers by name.
fn unpacked(releases: &Path) -> BTreeSet<(String, u64)> {
    let folder = releases.join("images/layers/sha256");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let inode = entry.metadata().unwrap().ino();
            (entry.file_name().into_string().unwrap(), inode)
        })
        .collect()
}

#[test]
fn the_same_image_comes_from_every_source_and_is_unpacked_once() {
    let folder = tempfile::tempdir().unwrap();
    let releases = folder.path().join("releases");
    let layout = shop(folder.path());
    let registry = Registry::start(folder.path());
    let remote = format!("127.0.0.1:{}/team/shop:1", registry.port);
    let archive = format!(
        "docker-archive:{}",
        folder.path().join("shop.tar").display()
    );
    skopeo_copy(&layout.reference(), &format!("docker://{remote}"));
    skopeo_copy(&layout.reference(), &format!("{archive}:team/shop:1"));

    let store = ImageStore::new(&releases);
    assert_eq!(store.load(&reference(&remote)).unwrap(), None);
    let first = store.pull(&reference(&layout.reference())).unwrap();
    let once = unpacked(&releases);
    assert_eq!(once.len(), 2);
    for source in [
        remote.clone(),
        format!("docker://{remote}"),
        archive.clone(),
        format!("{archive}:team/shop:1"),
    ] {
        let image = store.pull(&reference(&source)).unwrap();
        assert_eq!(image, first, "{source}");
        assert_eq!(store.load(&reference(&source)).unwrap(), Some(image));
    }
    assert_eq!(unpacked(&releases), once);
    assert_eq!(store.list().unwrap(), BTreeSet::from([first.id.clone()]));

    // The other way round, each source alone in a store of its own.
    for (number, source) in [remote.clone(), archive].iter().enumerate() {
        let own = ImageStore::new(&folder.path().join(format!("own-{number}")));
        assert_eq!(
            own.pull(&reference(source)).unwrap().id,
            first.id,
            "{source}"
        );
    }

    let raw = run(
        "skopeo",
        Command::new("skopeo")
            .args(["inspect", "--raw", "--tls-verify=false"])
            .arg(format!("docker://{remote}")),
    );
    let pinned = reference(&format!(
        "127.0.0.1:{}/team/shop:1@sha256:{}",
        registry.port,
        image_support::sha256(&raw)
    ));
    assert_eq!(store.pull(&pinned).unwrap(), first);
    drop(registry);
    assert_eq!(
        store.pull(&pinned).unwrap(),
        first,
        "a pinned image needs no registry again"
    );
    let error = store.pull(&reference(&remote)).unwrap_err();
    assert!(matches!(error, ImageError::Fetch { .. }), "{error}");
    assert_eq!(
        store.load(&reference(&remote)).unwrap(),
        Some(first),
        "the last one is still there"
    );
}

/// A plan for an image, completed by what the image says.
fn plan(image: &Image, explicit: &Explicit<'_>) -> ContainerPlan {
    let mut plan = ContainerPlan {
        id: format!("mck-image-{}-{}", std::process::id(), &image.id[..8]),
        network_namespace: format!("/proc/{}/ns/net", std::process::id()).into(),
        hostname: "image".to_owned(),
        command: Vec::new(),
        working_directory: String::new(),
        user: User { uid: 0, gid: 0 },
        environment: Environment([("MODE".to_owned(), "file".to_owned())].into()),
        root: RootTree::Layers(image.layers.clone()),
        read_only_root: true,
        capabilities: Vec::new(),
        trees: Vec::new(),
        binds: Vec::new(),
        folders: Vec::new(),
        temporary: Vec::new(),
        files: Vec::new(),
        masked: Vec::new(),
        cgroup: PathBuf::new(),
        limits: Limits::default(),
        stop_signal: String::new(),
        stop_timeout: Duration::from_secs(1),
        stop_order: 1,
        terminal: false,
    };
    apply_defaults(&mut plan, &image.config, &image.users().unwrap(), explicit).unwrap();
    plan
}

/// Runs a plan by crun over a real overlay, mounted in a thread's own mount namespace; gives what
/// it printed.
fn run_by_crun(plan: ContainerPlan, bundle: PathBuf) -> String {
    for name in ["upper", "work", "rootfs"] {
        fs::create_dir_all(bundle.join(name)).unwrap();
    }
    let config = bundle::config(&plan).to_string();
    fs::write(bundle.join("config.json"), config).unwrap();
    let run_there = move || {
        enter_private_mounts().unwrap();
        mount_overlay(&Overlay {
            lower: plan.root.lower(),
            upper: bundle.join("upper"),
            work: bundle.join("work"),
            target: bundle.join("rootfs"),
            read_only: false,
        })
        .unwrap();
        let mut crun = Command::new("crun");
        crun.arg(format!("--root={}", bundle.join("crun").display()))
            .args(["--cgroup-manager=disabled", "run", "--bundle"])
            .arg(&bundle)
            .arg(&plan.id)
            .stdin(Stdio::null());
        String::from_utf8(run("crun", &mut crun)).unwrap()
    };
    std::thread::spawn(run_there).join().unwrap()
}

#[test]
fn an_image_runs_as_it_says_and_as_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let store = ImageStore::new(&folder.path().join("releases"));
    let image = store
        .pull(&reference(&shop(folder.path()).reference()))
        .unwrap();
    assert_eq!(image.config.exposed_ports, [8080]);

    let silent = plan(&image, &Explicit::default());
    assert_eq!(silent.user, User { uid: 1000, gid: 80 });
    assert_eq!(silent.stop_signal, "SIGQUIT");
    let printed = run_by_crun(silent, folder.path().join("silent, with: comma"));
    let expected = "uid=1000(app) gid=80(web)\nbasenewhello file\n/cache:\nc\n\n/data:\nkeep\nnew\nout\n/data\n";
    assert_eq!(printed, expected);

    let command = ["cat /data/out; /bin/busybox pwd".to_owned()];
    let said = Explicit {
        command: Some(&command),
        user: Some("1001"),
        working_directory: Some("/cache"),
        ..Explicit::default()
    };
    let host = fs::read_to_string("/etc/hostname").unwrap_or_default();
    let mut said = plan(&image, &said);
    assert_eq!(said.user, User { uid: 1001, gid: 0 });
    said.command.last_mut().unwrap().push_str("; true");
    let printed = run_by_crun(said, folder.path().join("said"));
    assert_eq!(
        printed, "/cache\n",
        "the link leads nowhere, and not to {host:?}"
    );
}

#[test]
fn as_many_layers_as_an_image_may_have_are_put_together() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder
        .path()
        .join("a rather long path, with: all that separates options");
    let mut layers: Vec<(Blob, Vec<u8>)> = vec![(Blob::Plain, base_layer())];
    layers.extend((0..126).map(|number| {
        let text = number.to_string();
        let layer = Layer::new().file("data/keep", 0o644, text.as_bytes());
        (Blob::Plain, layer.bytes())
    }));
    // The same layer twice, as builders make of steps that change nothing.
    layers.push(layers[5].clone());
    let layout = Layout::write(&folder.path().join("many"), EXECUTION, &layers);
    let store = ImageStore::new(&folder.path().join("releases"));
    let mut image = store.pull(&reference(&layout.reference())).unwrap();
    assert_eq!(image.layers.len(), 127);

    fs::create_dir_all(&top).unwrap();
    for (number, layer) in image.layers.iter_mut().enumerate() {
        let long = top.join(format!("{number}"));
        fs::rename(&layer, &long).unwrap();
        *layer = long;
    }
    let command = ["cat /data/keep".to_owned()];
    let explicit = Explicit {
        command: Some(&command),
        user: Some("0"),
        ..Explicit::default()
    };
    let printed = run_by_crun(plan(&image, &explicit), folder.path().join("bundle"));
    assert_eq!(printed, "4");
}

#[test]
fn every_compression_gives_the_same_layers() {
    let folder = tempfile::tempdir().unwrap();
    let mut listings = Vec::new();
    for (name, kind) in [
        ("plain", Blob::Plain),
        ("gzip", Blob::Gzip),
        ("zstd", Blob::Zstd),
    ] {
        let layers = [(kind, base_layer())];
        let layout = Layout::write(&folder.path().join(name), "{}", &layers);
        let store = ImageStore::new(&folder.path().join(format!("{name}-releases")));
        let image = store.pull(&reference(&layout.reference())).unwrap();
        listings.push((image.id, listing(&image.layers[0])));
    }
    assert_eq!(listings[0].1.len(), 13);
    assert_eq!(listings[0], listings[1]);
    assert_eq!(listings[0], listings[2]);
}

#[test]
fn what_is_not_what_it_should_be_is_refused_and_leaves_no_layer() {
    let folder = tempfile::tempdir().unwrap();
    let releases = folder.path().join("releases");
    let store = ImageStore::new(&releases);
    let wrong = Layout::write_claiming(
        &folder.path().join("wrong"),
        "{}",
        &[(Blob::Gzip, base_layer())],
        &["0".repeat(64)],
    );
    let error = store.pull(&reference(&wrong.reference())).unwrap_err();
    let content = |source: &LayerError| matches!(source, LayerError::Content(_));
    assert!(
        matches!(&error, ImageError::Layer { source, .. } if content(source)),
        "{error:?}"
    );

    let none = Layout::write(&folder.path().join("none"), "{}", &[]);
    let error = store.pull(&reference(&none.reference())).unwrap_err();
    let count = |source: &ConfigError| matches!(source, ConfigError::LayerCount { .. });
    assert!(
        matches!(&error, ImageError::Config { source, .. } if count(source)),
        "{error:?}"
    );

    let escape = Layer::new()
        .link(
            tar::EntryType::Symlink,
            "out",
            folder.path().to_str().unwrap(),
        )
        .file("out/escaped", 0o644, b"x");
    let escape = Layout::write(
        &folder.path().join("escape"),
        "{}",
        &[(Blob::Gzip, escape.bytes())],
    );
    let error = store.pull(&reference(&escape.reference())).unwrap_err();
    let unpack = |source: &LayerError| matches!(source, LayerError::Unpack(_));
    assert!(
        matches!(&error, ImageError::Layer { source, .. } if unpack(source)),
        "{error:?}"
    );
    assert!(!folder.path().join("escaped").exists());

    let error = store.pull(&reference("oci:/nowhere/at/all")).unwrap_err();
    assert!(matches!(error, ImageError::Fetch { .. }), "{error:?}");
    assert!(unpacked(&releases).is_empty());
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn pruning_keeps_what_is_kept_and_what_it_shares() {
    let folder = tempfile::tempdir().unwrap();
    let releases = folder.path().join("releases");
    let store = ImageStore::new(&releases);
    store.prune(&BTreeSet::new()).unwrap();
    let shop = shop(folder.path());
    let other = Layer::new().file("other", 0o644, b"other").bytes();
    let layers = [(Blob::Gzip, base_layer()), (Blob::Gzip, other)];
    let other = Layout::write(&folder.path().join("other"), EXECUTION, &layers);
    let kept = store.pull(&reference(&shop.reference())).unwrap();
    let gone = store.pull(&reference(&other.reference())).unwrap();
    assert_eq!(kept.layers[1], gone.layers[1]);
    let before = listing(&kept.layers[1]);
    let private = fs::metadata(releases.join("images")).unwrap();
    assert_eq!(
        private.mode() & 0o7777,
        0o700,
        "setuid programs of images are out of reach"
    );

    let blobs = || {
        fs::read_dir(releases.join("images/blobs/sha256"))
            .unwrap()
            .count()
    };
    assert_eq!(blobs(), 7);
    fs::create_dir_all(releases.join("images/work/interrupted/layer")).unwrap();
    store.prune(&BTreeSet::from([kept.id.clone()])).unwrap();
    assert_eq!(store.list().unwrap(), BTreeSet::from([kept.id.clone()]));
    assert_eq!(store.load_id(&gone.id).unwrap(), None);
    assert_eq!(store.load(&reference(&other.reference())).unwrap(), None);
    assert_eq!(
        store.load(&reference(&shop.reference())).unwrap(),
        Some(kept.clone())
    );
    assert_eq!(blobs(), 4);
    assert_eq!(unpacked(&releases).len(), 2);
    assert_eq!(listing(&kept.layers[1]), before);
    assert!(!releases.join("images/work").exists());
    assert_eq!(store.pull(&reference(&other.reference())).unwrap(), gone);
}

#[test]
fn pulls_at_once_agree_and_a_prune_among_them_breaks_none() {
    let folder = tempfile::tempdir().unwrap();
    let releases = folder.path().join("releases");
    let shop = reference(&shop(folder.path()).reference());
    let layers = [(Blob::Gzip, base_layer())];
    let other = Layout::write(&folder.path().join("other"), "{}", &layers);
    let other = reference(&other.reference());
    let images: Vec<Image> = std::thread::scope(|scope| {
        let pulls: Vec<_> = [&shop, &other, &shop, &other]
            .into_iter()
            .map(|reference| {
                let store = ImageStore::new(&releases);
                scope.spawn(move || store.pull(reference).unwrap())
            })
            .collect();
        scope.spawn(|| ImageStore::new(&releases).prune(&BTreeSet::new()).unwrap());
        pulls.into_iter().map(|pull| pull.join().unwrap()).collect()
    });
    assert_eq!(images[0], images[2]);
    assert_eq!(images[1], images[3]);
    let store = ImageStore::new(&releases);
    store.pull(&shop).unwrap();
    store.pull(&other).unwrap();
    assert_eq!(unpacked(&releases).len(), 2);
    assert_eq!(
        fs::read_dir(releases.join("images/work")).unwrap().count(),
        0
    );
}

/// Where the process that is killed finds what to pull; it is this test program again.
const KILLED: &str = "MCK_TEST_IMAGE_PULL";

#[test]
fn a_pull_killed_at_any_instant_leaves_nothing_half_made() {
    if let Some(text) = std::env::var_os(KILLED) {
        let text = text.into_string().unwrap();
        let (releases, source) = text.split_once('\n').unwrap();
        ImageStore::new(Path::new(releases))
            .pull(&reference(source))
            .unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = shop(folder.path()).reference();
    let listings = |image: &Image| -> Vec<_> {
        let layers = image.layers.iter();
        layers.map(|layer| listing(layer)).collect()
    };
    let begin = Instant::now();
    let whole = ImageStore::new(&folder.path().join("whole"));
    let whole = listings(&whole.pull(&reference(&source)).unwrap());
    let length = begin.elapsed();
    let name = "a_pull_killed_at_any_instant_leaves_nothing_half_made";
    let mut killed = 0;
    for instant in 0..12 {
        let releases = folder.path().join(format!("releases-{instant}"));
        let mut pull = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(KILLED, format!("{}\n{source}", releases.display()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        mck_local::wait::pause(length * instant / 10);
        killed += u32::from(pull.try_wait().unwrap().is_none());
        pull.kill().unwrap();
        pull.wait().unwrap();

        let store = ImageStore::new(&releases);
        for id in store.list().unwrap() {
            let image = store.load_id(&id).unwrap().unwrap();
            assert_eq!(listings(&image), whole);
        }
        let image = store.pull(&reference(&source)).unwrap();
        assert_eq!(listings(&image), whole);
        // skopeo itself was not killed, and may write a little longer.
        let keep = BTreeSet::from([image.id.clone()]);
        let is_clean = || {
            let pruned = store.prune(&keep).is_ok();
            (pruned && !releases.join("images/work").exists()).then_some(())
        };
        mck_local::wait::until(Duration::from_secs(10), is_clean).expect("no leftovers");
        assert_eq!(listings(&store.load_id(&image.id).unwrap().unwrap()), whole);
    }
    assert!(killed >= 3, "only {killed} pulls were killed in the middle");
}
