//! `mck init`

use crate::harness::Place;

#[test]
fn a_new_file_is_clean_and_what_comes_next_is_told() {
    for app in ["magento2", "magento1", "wordpress", "storefront"] {
        let place = Place::empty();
        place
            .run(&["init", "--app", app, "--name", "my-store"])
            .expect(0);
        assert!(
            place
                .read("magecloudkit.toml")
                .contains("project = \"my-store\"")
        );
        place.run(&["check"]).expect(0);
    }
    let outcome = Place::empty().run(&["init", "--name", "my-store"]);
    insta::assert_snapshot!(outcome);
}

#[test]
fn a_file_that_is_there_is_kept() {
    let place = Place::with("# mine\n");
    let outcome = place.run(&["init", "--name", "my-store"]);
    assert_eq!(place.read("magecloudkit.toml"), "# mine\n");
    insta::assert_snapshot!(outcome);
}

#[test]
fn the_folder_names_the_project() {
    let place = Place::empty();
    place.write("My Shop/.keep", "");
    let mut command = place.command(&["init"]);
    place
        .finish(command.current_dir(place.path().join("My Shop")))
        .expect(0);
    assert!(
        place
            .read("My Shop/magecloudkit.toml")
            .contains("project = \"my-shop\"")
    );
}

#[test]
fn a_name_that_aws_would_refuse_is_refused() {
    let place = Place::empty();
    insta::assert_snapshot!(place.run(&["init", "--name", "My_Shop"]));
    assert!(!place.path().join("magecloudkit.toml").exists());
}

#[test]
fn another_file_can_be_named() {
    let place = Place::empty();
    place
        .run(&["init", "--name", "a", "--file", "other.toml"])
        .expect(0);
    assert!(place.path().join("other.toml").exists());
}
