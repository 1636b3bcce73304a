//! The database of an environment on AWS from this machine: MariaDB's own programs, a real server that
//! speaks TLS, and between them what stands in for the session-manager-plugin. moto has the cluster and
//! its secrets; sessions are opened by the test, since no stand-in has any.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "database_support.rs"]
mod support;

use std::{fs, process::Command};

use crate::stand_in::{Kind, beside};
use support::{MASTER, Place, SCHEMA};

/// What there is to be exported: all kinds of things that a schema may have, and enough rows to fill
/// a pipe a few times.
const SHOP: &str = "CREATE TABLE t (id INT PRIMARY KEY, v TEXT, b BLOB) DEFAULT CHARSET utf8mb4;
INSERT INTO t SELECT seq, REPEAT(MD5(seq), 20), UNHEX(MD5(seq)) FROM seq_1_to_4000;
INSERT INTO t VALUES (0, 'Größe; \\\\ \\' \\n 🛒', x'00ff0a0d');
CREATE VIEW w AS SELECT COUNT(*) AS n FROM t;
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.v = CONCAT(NEW.v, '!');
DELIMITER ;;
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END;;
DELIMITER ;";
const ROWS: &str =
    "SELECT COUNT(*), SUM(CRC32(CONCAT(id, v, HEX(b)))) FROM shop.t; SELECT n FROM shop.w";

#[test]
fn a_schema_goes_out_and_into_another_database() {
    let name = "database::a_schema_goes_out_and_into_another_database";
    beside(Kind::Moto, name, || {
        let place = Place::new();
        let one = place.server("one");
        one.sql("shop", SHOP);
        let rows = one.sql("shop", ROWS);
        assert!(rows.starts_with("4001\t"), "{rows}");

        let file = place.path("shop.sql.zst");
        let exported = place.mck(&["db", "export", "--output", &file], &one).good();
        assert!(
            exported.err.contains("Schema shop is in "),
            "{}",
            exported.err
        );
        assert!(fs::read(&file).unwrap().starts_with(b"\x28\xb5\x2f\xfd"));
        place.saw_session();
        let plain = place.mck(&["db", "export"], &one).good();
        assert!(plain.out.contains("-- Dump completed"), "{}", plain.err);
        assert!(plain.out.contains("PROCEDURE `p`") && plain.out.contains("TRIGGER"));

        let two = place.server("two");
        let asked = place.mck(&["db", "import", "--input", &file], &two);
        assert_eq!(asked.code, 2, "somebody must be asked: {}", asked.err);
        assert!(asked.err.contains("give it with `--yes`"), "{}", asked.err);
        let imported = place
            .mck(&["db", "import", "--input", &file, "--yes"], &two)
            .good();
        assert!(
            imported.err.contains("mck db restore --time"),
            "{}",
            imported.err
        );
        assert_eq!(two.sql("shop", ROWS), rows);
        let definer = "SELECT definer FROM information_schema.triggers";
        assert_eq!(two.sql("shop", definer), "admin@%\n");
        assert_eq!(two.sql("shop", "CALL p()"), "1\n2\n");
        place.left_nothing();
    });
}

#[test]
fn dumps_of_others_are_loaded_or_refused_whole() {
    let name = "database::dumps_of_others_are_loaded_or_refused_whole";
    beside(Kind::Moto, name, || {
        let place = Place::new();
        let one = place.server("one");
        let import = |text: &str| {
            fs::write(place.path("a.sql"), text).unwrap();
            let file = place.path("a.sql");
            place.mck(&["db", "import", "--yes", "--input", &file], &one)
        };
        let foreign = "-- MySQL dump 10.13  Distrib 8.0.39\n\
            SET @@SESSION.SQL_LOG_BIN= 0;\n\
            SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n\
            4c22fa47-71ca-11e1-9e33-c80aa9429562:1-3';\n\
            CREATE DATABASE `store`;\nUSE `store`;\n\
            CREATE TABLE k (id INT PRIMARY KEY);\n\
            /*!50003 CREATE*/ /*!50017 DEFINER=`gone`@`%`*/ /*!50003 TRIGGER kk BEFORE INSERT ON k FOR EACH ROW SET NEW.id = NEW.id + 1 */;\n\
            INSERT INTO k VALUES (41);\n-- Dump completed\n";
        import(foreign).good();
        assert_eq!(one.sql("shop", "SELECT id FROM k"), "42\n");

        let cut = import("-- MySQL dump 10.13\nDROP TABLE k;\n");
        assert_eq!(cut.code, 2, "{}", cut.err);
        assert!(cut.err.contains("cut off"), "{}", cut.err);
        assert_eq!(
            one.sql("shop", "SELECT id FROM k"),
            "42\n",
            "it is as it was"
        );

        let wrong =
            import("-- MySQL dump 10.13\nINSERT INTO nowhere VALUES (1);\n-- Dump completed\n");
        assert_eq!(wrong.code, 10, "{}", wrong.err);
        assert!(wrong.err.contains("nowhere"), "{}", wrong.err);
        assert!(
            wrong.err.contains("goes back to before it"),
            "{}",
            wrong.err
        );
        let shell = import("-- MySQL dump 10.13\n\\! touch /pwned\n-- Dump completed\n");
        assert_eq!(shell.code, 10, "{}", shell.err);
        assert!(!fs::exists("/pwned").unwrap());

        let piped = place.feed(&["db", "import", "--yes"], &one, "UPDATE k SET id = 7;");
        piped.good();
        assert_eq!(one.sql("shop", "SELECT id FROM k"), "7\n");
        place.left_nothing();
    });
}

#[test]
fn a_shell_is_the_app_s_user_and_ends_as_the_client_does() {
    let name = "database::a_shell_is_the_app_s_user_and_ends_as_the_client_does";
    beside(Kind::Moto, name, || {
        let place = Place::new();
        let one = place.server("one");
        let who = ["-N", "-e", "SELECT CURRENT_USER(), DATABASE()"];
        let shell = place
            .mck(&[&["db", "shell", "--"][..], &who].concat(), &one)
            .good();
        assert_eq!(shell.out, "shop@%\tshop\n");
        let master = place.mck(
            &[&["db", "shell", "--master", "--"][..], &who].concat(),
            &one,
        );
        assert_eq!(master.good().out, "admin@%\tshop\n");
        let tls = "SELECT VARIABLE_VALUE > '' FROM information_schema.session_status \
                   WHERE VARIABLE_NAME = 'Ssl_cipher'";
        let piped = place.feed(&["db", "shell", "--", "-N"], &one, tls).good();
        assert_eq!(piped.out, "1\n");
        let wrong = place.mck(&["db", "shell", "--", "-e", "SELECT nothing"], &one);
        assert_eq!(wrong.code, 1, "the client's own: {}", wrong.err);
        assert!(wrong.err.contains("Unknown column"), "{}", wrong.err);

        // Ctrl-C ends the query and not the way on which the next one comes.
        let screen = place.typed(&["db", "shell"], &one);
        assert!(screen.contains("4711"), "{screen}");
        place.saw_session();

        let ended = place.ended(&["db", "shell", "--", "-e", "SELECT SLEEP(50)"], &one);
        assert_eq!(ended.code, 143, "as shells tell SIGTERM: {}", ended.err);
        place.saw_session();
        place.left_nothing();
    });
}

#[test]
fn what_stands_in_the_way_is_told_and_leaves_nothing() {
    let name = "database::what_stands_in_the_way_is_told_and_leaves_nothing";
    beside(Kind::Moto, name, || {
        let mut place = Place::new();
        let one = place.server("one");
        one.sql("shop", SHOP);
        let file = place.path("shop.sql");
        let export: &[&str] = &["db", "export", "--output", &file];

        place.has_plugin(false);
        let missing = place.mck(export, &one);
        assert_eq!(missing.code, 4, "{}", missing.err);
        assert!(
            missing.err.contains("session-manager-plugin.deb"),
            "{}",
            missing.err
        );
        place.has_plugin(true);

        place.plugin("dies");
        let dead = place.mck(export, &one);
        assert_eq!(dead.code, 23, "{}", dead.err);
        assert!(
            dead.err.contains("Plugin with name Port not found"),
            "{}",
            dead.err
        );
        assert!(
            place
                .requests()
                .last()
                .unwrap()
                .contains("TerminateSession")
        );

        place.plugin("breaks");
        let broken = place.mck(export, &one);
        assert_eq!(broken.code, 10, "{}", broken.err);
        assert!(
            broken.err.contains("the session-manager-plugin ended"),
            "{}",
            broken.err
        );
        assert!(
            broken.err.contains("the data channel was closed"),
            "{}",
            broken.err
        );
        place.plugin("forwards");

        place.write_environment("[bastion]\nenabled = false\n");
        let none = place.mck(export, &one);
        assert_eq!(none.code, 11, "{}", none.err);
        assert!(
            none.err.contains("production has no Bastion"),
            "{}",
            none.err
        );
        assert!(
            none.err.contains("`database-access = true`"),
            "{}",
            none.err
        );
        place.write_environment("");
        let closed = place.mck(export, &one);
        assert_eq!(closed.code, 2, "{}", closed.err);
        assert!(
            closed.err.contains("`database-access = true`"),
            "{}",
            closed.err
        );
        place.write_environment(support::OPEN);

        place.seed("password", "not the master's", SCHEMA);
        let denied = place.mck(export, &one);
        assert_eq!(denied.code, 10, "{}", denied.err);
        assert!(denied.err.contains("Access denied"), "{}", denied.err);
        assert!(denied.err.contains("mck secret rotate"), "{}", denied.err);
        place.seed("password", MASTER, SCHEMA);

        assert!(!fs::exists(&file).unwrap());
        place.left_nothing();
    });
}

#[test]
fn only_the_database_itself_gets_a_password() {
    let name = "database::only_the_database_itself_gets_a_password";
    beside(Kind::Moto, name, || {
        let place = Place::new();
        let one = place.server("one");
        let query: &[&str] = &["db", "shell", "--", "-e", "SELECT 1"];
        place.mck(query, &one).good();

        let other = place.authority("other");
        let ca = other.display().to_string();
        let unknown = place.mck(&["db", "shell", "--ca", &ca, "--", "-e", "SELECT 1"], &one);
        assert_eq!(unknown.code, 10, "{}", unknown.err);
        assert!(
            unknown.err.contains("does not prove that it is"),
            "{}",
            unknown.err
        );

        let impostor = place.server_of("impostor", Some("db.example.com"));
        let told = place.mck(query, &impostor);
        assert_eq!(told.code, 10, "{}", told.err);
        assert!(
            told.err.contains("does not prove that it is"),
            "{}",
            told.err
        );

        let plain = place.server_of("plain", None);
        let told = place.mck(query, &plain);
        assert_eq!(told.code, 10, "{}", told.err);
        assert!(told.err.contains("offers no TLS"), "{}", told.err);

        let absent = place.mck(&["db", "shell", "--ca", "/nowhere.pem"], &one);
        assert_eq!(absent.code, 4, "{}", absent.err);
        assert!(
            absent.err.contains("global-bundle.pem` gets them"),
            "{}",
            absent.err
        );
        place.left_nothing();
    });
}

#[test]
fn a_full_disk_and_ctrl_c_leave_no_half_dump() {
    let name = "database::a_full_disk_and_ctrl_c_leave_no_half_dump";
    beside(Kind::Moto, name, || {
        let mut place = Place::new();
        let one = place.server("one");
        one.sql("shop", SHOP);

        let small = place.path("small");
        fs::create_dir(&small).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs", &small])
            .status();
        assert!(mounted.unwrap().success());
        for file in ["shop.sql", "shop.sql.gz"] {
            let file = format!("{small}/{file}");
            let full = place.mck(&["db", "export", "--output", &file], &one);
            assert_eq!(full.code, 7, "{}", full.err);
            assert!(full.err.contains("free some room"), "{}", full.err);
            assert_eq!(fs::read_dir(&small).unwrap().count(), 0);
        }
        assert!(
            Command::new("umount")
                .arg(&small)
                .status()
                .unwrap()
                .success()
        );

        place.plugin("slow");
        let file = place.path("shop.sql");
        let interrupted = place.interrupted(&["db", "export", "--output", &file], &one);
        assert_eq!(interrupted.code, 130, "{}", interrupted.err);
        assert!(!fs::exists(&file).unwrap());
        place.saw_session();
        place.left_nothing();
    });
}
