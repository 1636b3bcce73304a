//! Which image each image of an app is built on.

use std::collections::BTreeMap;

use mck_image::{Base, Content};

use crate::{cli::parse_base, environment_variables::BASE_IMAGES, exit::Exit, failure::Failure};

/// Base images that have Dockerfiles in the kit's folder `images`.
const DOCKERFILES: [&str; 2] = ["nginx", "php-fpm"];

/// Where base images are named, the weakest first.
pub struct Told<'a> {
    /// `[base-image]` of the file.
    pub file: &'a BTreeMap<String, String>,
    /// `MCK_BASE_IMAGES`; may be empty.
    pub variable: String,
    /// `--base`.
    pub options: &'a [(String, String)],
}

/// The image below each of the contents. What names no base image of the app is refused only on the
/// command line: file and variable may be for several apps.
pub fn choose(app: &str, contents: &[Content], told: &Told<'_>) -> Result<Vec<String>, Failure> {
    let names: Vec<&str> = contents
        .iter()
        .filter_map(|it| match &it.base {
            Base::Named(name) => Some(name.as_str()),
            Base::Own(_) => None,
        })
        .collect();
    let named = named(told)?;
    refuse_unknown(app, &names, told)?;
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !named.contains_key(*name))
        .collect();
    if let Some(first) = missing.first() {
        return Err(nothing_named(first, &missing));
    }
    let images = contents.iter().map(|it| match &it.base {
        Base::Named(name) => named[name].clone(),
        Base::Own(reference) => reference.clone(),
    });
    Ok(images.collect())
}

fn named(told: &Told<'_>) -> Result<BTreeMap<String, String>, Failure> {
    let mut named = told.file.clone();
    for text in told.variable.split(',').filter(|text| !text.is_empty()) {
        let (name, image) = parse_base(text).map_err(|reason| {
            Failure::new(
                Exit::Usage,
                format!("`{text}` in `{BASE_IMAGES}`: {reason}"),
            )
        })?;
        named.insert(name, image);
    }
    named.extend(told.options.iter().cloned());
    Ok(named)
}

fn refuse_unknown(app: &str, names: &[&str], told: &Told<'_>) -> Result<(), Failure> {
    let variable = told
        .variable
        .split(',')
        .filter_map(|it| parse_base(it).ok());
    let of_variable: Vec<(String, String)> = variable.collect();
    let own = told.options.iter().filter(|it| !of_variable.contains(it));
    let mut unknown = own.filter(|(name, _)| !names.contains(&name.as_str()));
    let Some((name, _)) = unknown.next() else {
        return Ok(());
    };
    let failure = Failure::new(
        Exit::Usage,
        format!("the app {app} has no base image {name}"),
    );
    Err(if names.is_empty() {
        failure.hint("it is built on images of its own")
    } else {
        failure.hint(format!("its base images are {}", names.join(", ")))
    })
}

fn nothing_named(first: &str, missing: &[&str]) -> Failure {
    let message = format!("no image is named to build on for {}", missing.join(", "));
    let failure = Failure::new(Exit::Usage, message).hint(format!(
        "name it in the file: `{first} = \"HOST/NAME:TAG\"` in `[base-image]`; in the variable \
         `{BASE_IMAGES}={first}=HOST/NAME:TAG`; or with `--base {first}=HOST/NAME:TAG`"
    ));
    let files = missing.iter().filter(|it| DOCKERFILES.contains(it));
    let files: Vec<String> = files.map(|it| format!("images/{it}/Dockerfile")).collect();
    if files.is_empty() {
        return failure;
    }
    let files = files.join(" and ");
    failure.hint(format!(
        "{files} of the kit make it; docs/images.md says how"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(name: &str, base: Base) -> Content {
        Content {
            name: name.to_owned(),
            base,
            release: None,
            files: BTreeMap::new(),
            folders: BTreeMap::new(),
            stop_signal: String::new(),
            labels: BTreeMap::new(),
        }
    }

    fn contents() -> [Content; 3] {
        let named = |name: &str| content(name, Base::Named(name.to_owned()));
        let own = Base::Own("example.com/own:1".to_owned());
        [named("nginx"), named("php-fpm"), content("worker", own)]
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        let all = all.iter();
        all.map(|(name, image)| ((*name).to_owned(), (*image).to_owned()))
            .collect()
    }

    fn chosen(
        file: &[(&str, &str)],
        variable: &str,
        options: &[(&str, &str)],
    ) -> Result<Vec<String>, Failure> {
        let options = pairs(options);
        let told = Told {
            file: &pairs(file).into_iter().collect(),
            variable: variable.to_owned(),
            options: &options,
        };
        choose("shop", &contents(), &told)
    }

    #[test]
    fn options_go_before_the_variable_and_that_before_the_file() {
        let file = [("nginx", "f/n:1"), ("php-fpm", "f/p:1")];
        for (variable, options, nginx, php) in [
            ("", &[][..], "f/n:1", "f/p:1"),
            ("nginx=v/n:1", &[], "v/n:1", "f/p:1"),
            ("nginx=v/n:1", &[("php-fpm", "o/p:1")], "v/n:1", "o/p:1"),
            (
                "nginx=v/n:1,php-fpm=v/p:1",
                &[("nginx", "o/n:1")],
                "o/n:1",
                "v/p:1",
            ),
            // The command line's reader gives the variable where there is no option.
            ("other=v/o:1", &[("other", "v/o:1")], "f/n:1", "f/p:1"),
        ] {
            let images = chosen(&file, variable, options).unwrap();
            assert_eq!(
                images,
                [nginx, php, "example.com/own:1"],
                "{variable} {options:?}"
            );
        }
    }

    #[test]
    fn a_missing_one_is_told_with_the_ways_to_name_it() {
        let failure = chosen(&[("nginx", "f/n:1")], "", &[]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        let text = format!("{failure:?}");
        for word in [
            "for php-fpm",
            "`[base-image]`",
            "MCK_BASE_IMAGES=php-fpm=",
            "--base php-fpm=",
            "images/php-fpm/Dockerfile",
        ] {
            assert!(text.contains(word.trim_matches('`')), "{word}: {text}");
        }
        assert!(!text.contains("images/nginx"), "{text}");
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for (variable, options) in [("", &[("redis", "a:1")][..]), ("nginx", &[]), ("=a:1", &[])] {
            let file = [("nginx", "f/n:1"), ("php-fpm", "f/p:1")];
            let failure = chosen(&file, variable, options).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{variable} {options:?}");
        }
    }
}
