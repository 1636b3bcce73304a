use mck_blueprint::Blueprint;
use mck_environment::EnvironmentFile;

use super::*;

fn app(text: &str) -> App {
    let text = format!("project = \"shop\"\n[app.shop]\n{text}\n[environment.production]\n");
    let file = EnvironmentFile::parse("magecloudkit.toml", text.as_bytes()).unwrap();
    let environment = file.environment("production").unwrap();
    let mut blueprint = Blueprint::plan(&environment).unwrap();
    blueprint.apps.remove(0)
}

const CODE: &str = "preset = \"php\"\nsource = \".\"";

fn summary(app: &App) -> Vec<(String, Base, bool, usize, Vec<String>)> {
    let contents = contents(app).unwrap();
    contents
        .into_iter()
        .map(|it| {
            let labels = it.labels.into_keys().collect();
            (
                it.name,
                it.base,
                it.release.is_some(),
                it.files.len(),
                labels,
            )
        })
        .collect()
}

#[test]
fn each_image_holds_what_its_containers_get() {
    let named = |name: &str| Base::Named(name.to_owned());
    let own = Base::Own("example.com/own:1".to_owned());
    let label = |name: &str| vec![format!("mck.files.{name}")];
    let nginx =
        |base: &Base, release| ("nginx".to_owned(), base.clone(), release, 1, label("nginx"));
    let php = |base: &Base, release| {
        (
            "php-fpm".to_owned(),
            base.clone(),
            release,
            3,
            label("php-fpm"),
        )
    };
    let image = "image = \"example.com/own:1\"";
    let worker = "container.worker.command = [\"work\"]";
    for (text, expected) in [
        (
            CODE.to_owned(),
            vec![nginx(&named("nginx"), true), php(&named("php-fpm"), true)],
        ),
        // The user's own images, of the app and of a container.
        (
            format!("preset = \"php\"\n{image}"),
            vec![nginx(&own, false), php(&own, false)],
        ),
        (
            format!("{CODE}\ncontainer.php-fpm.{image}"),
            vec![nginx(&named("nginx"), true), php(&own, true)],
        ),
        // What the kit puts nothing into is run as it is.
        (format!("{image}\ncontainer.web.port = 80"), vec![]),
        (
            format!("source = \".\"\n{worker}\ncontainer.web.{image}\ncontainer.web.port = 80"),
            vec![("worker".to_owned(), named("worker"), true, 0, vec![])],
        ),
    ] {
        assert_eq!(summary(&app(&text)), expected, "{text}");
    }
}

#[test]
fn folders_that_are_written_to_belong_to_the_container_s_user() {
    let magento = "preset = \"magento2\"\nsource = \".\"";
    let contents = contents(&app(magento)).unwrap();
    let owners: BTreeSet<&str> = contents
        .iter()
        .flat_map(|it| it.folders.values())
        .map(|it| it.owner.as_str())
        .collect();
    assert_eq!(owners, BTreeSet::from(["www-data"]));
}

#[test]
fn containers_of_one_image_must_agree() {
    let mut app = app(CODE);
    let containers = &mut app.task_definition.containers;
    let mut other = containers[0].clone();
    other.name = "other".to_owned();
    containers.push(other);
    assert!(contents(&app).is_ok());
    let last = app.task_definition.containers.len() - 1;
    let other = &mut app.task_definition.containers[last];
    other.files[0].content.push('\n');
    let path = other.files[0].path.clone();
    let conflict = contents(&app).unwrap_err().to_string();
    assert_eq!(
        conflict,
        format!("the containers of the image php-fpm want different files at {path}")
    );
    let other = &mut app.task_definition.containers[last];
    other.files.clear();
    other.stop_signal = "SIGUSR1".to_owned();
    let signals = contents(&app).unwrap_err().to_string();
    assert!(
        signals.starts_with("php-fpm: its containers want the signals"),
        "{signals}"
    );
}
