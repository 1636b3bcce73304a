//! A disk without room.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    environment::Environments,
    run::outcome,
    stand_in::{Kind, beside},
    whole::SHOP,
};

/// Mounts a file system of so many KiB. The mount is this namespace's own, and goes with it.
fn mount(folder: &Path, kib: u32) {
    fs::create_dir_all(folder).expect("the folder can be made");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "none"])
        .arg(folder)
        .status();
    assert!(mount.expect("there is `mount`").success());
}

fn fill(folder: &Path) {
    let ballast = fs::write(folder.join("ballast"), vec![0; 1_000_000]);
    ballast.expect_err("it is smaller than that");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|it| it.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|it| it.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Templates that don't fit are told, and none is there in part; what was there before is whole.
#[test]
fn templates_are_written_whole_or_not_at_all() {
    let name = "disk::templates_are_written_whole_or_not_at_all";
    beside(Kind::Own, name, || {
        let shop = Environments::of(name, SHOP);
        let small = shop.folder().join("small");
        mount(&small, 64);
        let out = small.join("out");
        let out = out.to_string_lossy();
        let synth = ["synth", "--out", &out];
        let words = ["hint: free some room and run it again; nothing was lost"];
        shop.mck(&synth).ended(7, &words);
        assert_eq!(names(Path::new(&*out)), [""; 0], "nothing is there in part");
        // With room it is finished by the same command.
        let more = Command::new("mount")
            .args(["-o", "remount,size=4m", &small.to_string_lossy()])
            .status();
        assert!(more.expect("there is `mount`").success());
        shop.mck(&synth).ended(0, &[]);
        let all = names(Path::new(&*out));
        assert!(
            all.len() == 9 && all.contains(&"manifest.json".to_owned()),
            "{all:?}"
        );

        // And a folder that is there stays what it was.
        let read = || {
            let files = all.iter().map(|it| fs::read(Path::new(&*out).join(it)));
            files.map(|it| it.expect("a file")).collect::<Vec<_>>()
        };
        let before = read();
        fs::write(small.join("ballast"), vec![0; 8_000_000]).expect_err("it fills the disk");
        shop.write(&SHOP.replace("www.example.com", "shop.example.com"));
        shop.mck(&synth).ended(7, &words);
        assert!(read() == before, "it is no mixture of old and new");
        assert_eq!(names(Path::new(&*out)), all);
    });
}

/// Neither a plan nor an apply writes to this machine: CloudFormation keeps what there is.
#[test]
fn a_plan_and_an_apply_need_no_room() {
    let name = "disk::a_plan_and_an_apply_need_no_room";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = Environments::of(name, SHOP);
        let full = shop.folder().join("full");
        mount(&full, 16);
        fs::write(full.join("magecloudkit.toml"), SHOP).expect("there is room for it");
        fill(&full);
        let before = names(&full);
        let run = |arguments: &[&str]| {
            let mut command = shop.command("production", arguments);
            command.current_dir(&full);
            for place in [
                "HOME",
                "TMPDIR",
                "XDG_CACHE_HOME",
                "XDG_STATE_HOME",
                "MCK_STATE_DIR",
            ] {
                command.env(place, &full);
            }
            command
        };
        outcome(&mut run(&["plan"])).ended(2, &[]);
        outcome(&mut run(&["apply", "--yes"])).ended(0, &["8 changed"]);
        outcome(&mut run(&["plan"])).ended(0, &["Nothing to do."]);
        assert_eq!(names(&full), before);

        // Where its own words have no room, it says so to whom it still can.
        let out = fs::File::create("/dev/full").expect("there is /dev/full");
        let mut plan = run(&["plan", "--json"]);
        let child = plan.stdout(out).stderr(Stdio::piped()).spawn();
        let told = child.expect("the program runs").wait_with_output();
        let told = told.expect("it ends");
        let said = String::from_utf8_lossy(&told.stderr);
        assert_eq!(told.status.code(), Some(1), "{said}");
        assert!(said.contains("there is no room for the output"), "{said}");
    });
}
