//! Names of tasks and their containers: as on the local target, from the ids that ECS gives. Pure.

use mck_aws::ExecTarget;

/// How much of ECS's id is in a task's name; `--json` has all of it.
const SHORT: usize = 8;

/// A task's name, such as `shop-0123abcd`.
pub fn task_name(app: &str, id: &str) -> String {
    format!("{app}-{}", id.get(..SHORT).unwrap_or(id))
}

/// Whether a task is meant: by its name, or by its id or the beginning of that.
pub fn is_meant(app: &str, id: &str, what: &str) -> bool {
    what == task_name(app, id) || (what.len() >= SHORT && id.starts_with(what))
}

/// What is asked for as a task and, after a dot, one of its containers.
pub fn parts(what: &str) -> (&str, Option<&str>) {
    match what.split_once('.') {
        Some((task, container)) => (task, Some(container)),
        None => (what, None),
    }
}

/// The container that is meant by an app, task or container's name: PHP's where none is named, else
/// the first.
pub fn choose<'a>(running: &'a [(String, ExecTarget)], what: &str) -> Option<&'a ExecTarget> {
    let (task, container) = parts(what);
    let fits = |(app, target): &&(String, ExecTarget)| {
        let is_task = is_meant(app, &target.task, task) || app == what;
        is_task && container.is_none_or(|name| name == target.container)
    };
    let mut found = running.iter().filter(fits);
    let php = found.clone().find(|(_, it)| it.container == "php-fpm");
    php.or_else(|| found.next()).map(|(_, target)| target)
}

/// Words as one line that a shell reads as the same words.
pub fn quoted(words: &[String]) -> String {
    let quote = |word: &String| {
        let plain = |one: char| one.is_ascii_alphanumeric() || "_-./:=@%+,".contains(one);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(task: &str, container: &str) -> (String, ExecTarget) {
        let target = ExecTarget {
            cluster: "shop-production-app".to_owned(),
            task: task.to_owned(),
            container: container.to_owned(),
            runtime_id: format!("{task}-1"),
        };
        ("shop".to_owned(), target)
    }

    #[test]
    fn a_container_is_chosen_by_app_task_or_container() {
        let running = [
            target("aaaaaaaa0000", "nginx"),
            target("aaaaaaaa0000", "php-fpm"),
            target("bbbbbbbb0000", "nginx"),
        ];
        let of = |what: &str| {
            let found = choose(&running, what)?;
            Some(format!("{}/{}", found.task, found.container))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("shop"), some("aaaaaaaa0000/php-fpm"));
        assert_eq!(of("shop-bbbbbbbb"), some("bbbbbbbb0000/nginx"));
        assert_eq!(of("shop-aaaaaaaa.nginx"), some("aaaaaaaa0000/nginx"));
        assert_eq!(of("bbbbbbbb0000"), some("bbbbbbbb0000/nginx"));
        assert_eq!(of("shop-bbbbbbbb.php-fpm"), None);
        assert_eq!(of("shop-cccccccc"), None);
        assert_eq!(of("aaaa"), None, "that is too short to be an id");
    }

    #[test]
    fn a_shell_reads_the_same_words() {
        let words = ["sh", "-c", "echo \"it's $HOME\"", ""];
        let line = quoted(&words.map(str::to_owned));
        assert_eq!(line, r#"sh -c 'echo "it'\''s $HOME"' ''"#);
        let out = std::process::Command::new("sh")
            .args(["-c", &format!("printf '<%s>' {line}")])
            .output()
            .expect("there is a shell");
        let out = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(out, r#"<sh><-c><echo "it's $HOME"><>"#);
    }
}
