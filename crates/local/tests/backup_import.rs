//! Dumps out of and into real servers.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod backup_support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use backup_support::{Environment, NEW_WRITER, Running, run};
use mck_local::{
    backup::{BackupError, Import, Imported},
    text::chain,
};
use mck_server_config::mariadb::dump::{Definers, NotADump};

/// What a move by renaming would lose: a trigger, a view, a foreign key, a routine.
const SHOP: &str = "CREATE DATABASE shop; USE shop;
CREATE TABLE orders (id INT PRIMARY KEY, note TEXT);
CREATE TABLE items (id INT PRIMARY KEY, order_id INT, FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE changes (id INT AUTO_INCREMENT PRIMARY KEY, order_id INT);
CREATE TRIGGER changed AFTER INSERT ON orders FOR EACH ROW INSERT INTO changes (order_id) VALUES (NEW.id);
CREATE VIEW open_orders AS SELECT id FROM orders;
CREATE PROCEDURE greet() SELECT 'hello';
INSERT INTO orders VALUES (1, 'USE `other`;'), (2, 'DEFINER=`a`@`b`');
INSERT INTO items VALUES (10, 1);";

fn state(server: &Running) -> String {
    server.sql("SELECT * FROM shop.orders; SELECT * FROM shop.items; SELECT * FROM shop.changes; SELECT * FROM shop.open_orders; CALL shop.greet(); SHOW DATABASES")
}

fn import(
    environment: &Environment,
    server: &Running,
    file: &Path,
) -> Result<Imported, BackupError> {
    let import = Import {
        file: file.to_owned(),
        schema: "shop".to_owned(),
        definers: Definers::Drop,
    };
    environment
        .backups
        .import(&server.server, &import, &mut |_| ())
}

#[test]
fn a_dump_comes_back_whole_and_a_bad_one_changes_nothing() {
    let environment = Environment::new();
    let writer = environment.start("db-0", 1, &environment.data("db-0"), NEW_WRITER);
    writer.sql(SHOP);
    let before = state(&writer);
    let plain = environment.open("shop.sql");
    let export = |file: &PathBuf| environment.backups.export(&writer.server, "shop", file);
    export(&plain).unwrap();
    let small = environment.open("shop.sql.zst");
    export(&small).unwrap();
    run("gzip", &["-k", plain.to_str().unwrap()]);
    let unnamed = environment.open("dump");
    fs::rename(environment.open("shop.sql.gz"), &unnamed).unwrap();
    assert!(
        environment
            .backups
            .export(&writer.server, "nothing", &environment.open("x"))
            .is_err()
    );
    assert!(!environment.open("x").exists() && !environment.open("x.new").exists());

    for file in [&plain, &small, &unnamed] {
        writer.sql(
            "DELETE FROM shop.items; DROP VIEW shop.open_orders; CREATE TABLE shop.extra (id INT)",
        );
        let imported = import(&environment, &writer, file).unwrap();
        assert_eq!(imported.tables, 4);
        assert_eq!(state(&writer), before);
        let kept = run("zstd", &["-dcq", imported.kept.unwrap().to_str().unwrap()]);
        assert!(kept.contains("CREATE TABLE `extra`"));
    }

    let text = fs::read_to_string(&plain).unwrap();
    let file = |name: &str, content: &str| {
        let path = environment.open(name);
        fs::write(&path, content).unwrap();
        path
    };
    let broken = text.replacen("INSERT INTO `items`", "INSERT INTO `itemz`", 1);
    let foreign = text.replacen(
        "LOCK TABLES",
        "CREATE TABLE test.x (id INT); LOCK TABLES",
        1,
    );
    let escaping = text.replacen(
        "LOCK TABLES",
        "/*!50000 CREATE DATABASE other */; LOCK TABLES",
        1,
    );
    let unpacked = fs::read(&unnamed).unwrap();
    fs::write(
        environment.open("torn.gz"),
        &unpacked[..unpacked.len() - 20],
    )
    .unwrap();
    let refused = [
        (
            file("page.sql", "<html></html>\n"),
            "does not begin like an SQL dump",
        ),
        (file("empty.sql", ""), "it is empty"),
        (file("cut.sql", &text[..text.len() - 80]), "it is cut off"),
        (file("broken.sql", &broken), "itemz"),
        (file("foreign.sql", &foreign), "test"),
        (file("escaping.sql", &escaping), "other"),
        (file("not.gz", "\u{1f}\u{8b}"), "can't be imported"),
        (environment.open("torn.gz"), ""),
        (environment.open("missing.sql"), "missing.sql"),
    ];
    for (path, reason) in refused {
        let error = import(&environment, &writer, &path).unwrap_err();
        assert!(
            chain(&error).contains(reason),
            "{}: {}",
            path.display(),
            chain(&error)
        );
        assert!(
            !matches!(error, BackupError::PutBack { .. }),
            "{}",
            chain(&error)
        );
        assert_eq!(state(&writer), before, "{}", path.display());
    }
    let cut = import(&environment, &writer, &environment.open("cut.sql")).unwrap_err();
    assert!(matches!(
        cut,
        BackupError::NotADump {
            source: NotADump::CutOff,
            ..
        }
    ));
}

#[test]
fn an_import_that_breaks_off_puts_back_what_was_there() {
    let environment = Environment::new();
    let writer = environment.start("db-0", 1, &environment.data("db-0"), NEW_WRITER);
    writer.sql(SHOP);
    let before = state(&writer);
    let dump = environment.open("large.sql");
    let large = "x".repeat(3 << 20);
    fs::write(
        &dump,
        format!("CREATE TABLE big (t LONGTEXT);\nINSERT INTO big VALUES ('{large}');\n"),
    )
    .unwrap();
    // The rehearsal takes it; this server refuses the packet.
    writer.sql("SET GLOBAL max_allowed_packet=1048576");
    let error = import(&environment, &writer, &dump).unwrap_err();
    assert!(
        matches!(error, BackupError::PutBack { .. }),
        "{}",
        chain(&error)
    );
    assert_eq!(state(&writer), before);
    writer.sql("SET GLOBAL max_allowed_packet=16777216");
    assert_eq!(import(&environment, &writer, &dump).unwrap().tables, 1);
}
