//! Apps that are OCI images, with the real program, servers, skopeo and docker-registry. Needs root
//! and Debian's packages skopeo, docker-registry, busybox-static, mmdebstrap and openssl.

#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod build;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "../it/harness.rs"]
mod harness;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../../local/tests/image_support/mod.rs"]
mod image_support;
mod registries;
mod site;
#[allow(dead_code, reason = "it knows more stand-ins than are needed here")]
#[path = "../../../aws/tests/it/stand_in.rs"]
mod stand_in;
mod token_server;
#[allow(dead_code, reason = "it is for stand-ins that are not needed here")]
#[path = "../../../aws/tests/it/tokens.rs"]
mod tokens;

use std::fs;

use image_support::{Registry, skopeo_copy};
use site::{Site, Visitors, write_image};

/// Every way of running something reaches the image's programs as the image's user.
fn look_inside(site: &Site, content: &str) {
    let user = site.run(&["exec", "shop", "--", "/bin/busybox", "id", "-u"]);
    assert_eq!(user, "1000\n");
    let group = site.run(&["exec", "shop", "--", "/bin/busybox", "id", "-g"]);
    assert_eq!(group, "80\n");
    let folder = site.run(&["exec", "shop", "--", "/bin/busybox", "pwd"]);
    assert_eq!(folder, "/srv\n");
    // The command is given to the image's entry point, which is busybox.
    let page = site.run(&["run", "shop", "--", "cat", "/srv/index.html"]);
    assert_eq!(page, content);
    let greeting = site.run(&["run", "shop", "--", "sh", "-c", "echo $GREETING $MODE"]);
    assert_eq!(greeting, "from the image from the file\n");
}

/// How often the upgrade hook ran in the newest image.
fn upgrades(site: &Site) -> usize {
    let events = site.run(&["events"]);
    events.matches("Runs the upgrade hook").count()
}

#[test]
fn an_image_in_a_folder_is_served_deployed_anew_and_rolled_back() {
    let site = Site::new("folder", "oci:build/site:1");
    let folder = site.place.path().join("build/site");
    write_image(&folder, "one");
    site.run(&["up"]);
    assert_eq!(site.page(), Ok("one".to_owned()));
    look_inside(&site, "one");
    assert_eq!(upgrades(&site), 1);

    assert!(site.run(&["deploy", "shop"]).is_empty());
    assert_eq!(site.page(), Ok("one".to_owned()), "nothing is new");

    fs::remove_dir_all(&folder).unwrap();
    write_image(&folder, "two");
    let visitors = Visitors::of(&site);
    site.run(&["deploy", "shop"]);
    assert_eq!(site.page(), Ok("two".to_owned()));
    site.run(&["rollback", "shop"]);
    assert_eq!(site.page(), Ok("one".to_owned()));
    visitors.assert_all_were_served(&["one", "two"]);
    assert_eq!(upgrades(&site), 2, "a rollback needs no upgrade");

    // Applying it is what leaves the rollback.
    site.run(&["up"]);
    site.wait_for("two");
    look_inside(&site, "two");
}

#[test]
fn an_image_of_a_registry_stays_when_the_registry_goes() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let name = format!("127.0.0.1:{}/team/site:1", registry.port);
    let push = |content: &str| {
        let layout = write_image(&folder.path().join(content), content);
        skopeo_copy(&layout.reference(), &format!("docker://{name}"));
    };
    push("one");
    let site = Site::new("registry", &name);
    site.run(&["up"]);
    assert_eq!(site.page(), Ok("one".to_owned()));

    push("two");
    let visitors = Visitors::of(&site);
    site.run(&["up"]);
    site.wait_for("two");
    visitors.assert_all_were_served(&["one", "two"]);

    drop(registry);
    site.run(&["stop"]);
    site.run(&["up"]);
    assert_eq!(site.page(), Ok("two".to_owned()));
    assert!(site.run(&["events"]).contains("No new images"));
    let failed = site.place.run(&["deploy", "shop"]);
    assert_ne!(failed.code, 0, "{failed}");
    assert!(
        failed.stderr.contains("could not fetch the image"),
        "{failed}"
    );
    assert_eq!(site.page(), Ok("two".to_owned()));
}

#[test]
fn an_image_that_is_not_there_is_told_with_its_name() {
    let site = Site::new("missing", "oci:nowhere:1");
    let failed = site.place.run(&["up"]);
    assert_ne!(failed.code, 0, "{failed}");
    assert!(failed.stderr.contains("image-shop"), "{failed}");
    assert!(
        failed.stderr.contains("could not fetch the image oci:"),
        "{failed}"
    );
    assert!(failed.stderr.contains("nowhere"), "{failed}");
}
