//! Users of a base image.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;

use crate::{
    error::{ImageError, at},
    layout::Layout,
    manifest::Descriptor,
};

const PASSWD: &str = "etc/passwd";
/// Marks that hide it, or all of its folder or of the root, in the layers below.
const HIDING: [&str; 4] = [
    "etc/.wh.passwd",
    "etc/.wh..wh..opq",
    ".wh.etc",
    ".wh..wh..opq",
];
/// The most that is read of a list of users, in bytes; base images have some kilobytes.
const LONGEST: u64 = 1 << 20;

/// User and group by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) user: u64,
    pub(crate) group: u64,
}

/// The lines of the base image's `/etc/passwd`; empty where it has none.
pub(crate) fn passwd(
    layout: &Layout,
    base: &str,
    layers: &[Descriptor],
) -> Result<String, ImageError> {
    for layer in layers.iter().rev() {
        let path = layout.blob(&layer.digest);
        let file = BufReader::new(File::open(&path).map_err(at(&path))?);
        let archive: Box<dyn Read> = if layer.media_type.ends_with("gzip") {
            Box::new(MultiGzDecoder::new(file))
        } else if layer.media_type.ends_with("tar") {
            Box::new(file)
        } else {
            let reason = format!("its layers are {}, not gzip", layer.media_type);
            return Err(ImageError::unusable(base, reason));
        };
        match find(archive, &path)? {
            Found::Text(text) => return Ok(text),
            Found::Hidden => break,
            Found::Nothing => {}
        }
    }
    Ok(String::new())
}

/// What a layer says of the list of users.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Text(String),
    /// It hides that of the layers below (OCI image layer specification, "Whiteouts").
    Hidden,
    Nothing,
}

fn find(archive: impl Read, path: &Path) -> Result<Found, ImageError> {
    let mut found = Found::Nothing;
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().map_err(at(path))? {
        let entry = entry.map_err(at(path))?;
        let name = entry.path().map_err(at(path))?;
        let name = name.strip_prefix(".").unwrap_or(&name);
        let is_passwd = name == Path::new(PASSWD);
        if HIDING.iter().any(|it| name == Path::new(it)) {
            found = Found::Hidden;
        }
        if is_passwd && entry.header().entry_type().is_file() {
            let mut text = String::new();
            entry
                .take(LONGEST)
                .read_to_string(&mut text)
                .map_err(at(path))?;
            return Ok(Found::Text(text));
        }
    }
    Ok(found)
}

/// A user by name or number, perhaps with a group's number after a colon.
pub(crate) fn owner(base: &str, passwd: &str, user: &str) -> Result<Owner, ImageError> {
    if user.is_empty() || user == "root" {
        return Ok(Owner { user: 0, group: 0 });
    }
    let (name, group) = match user.split_once(':') {
        Some((name, group)) => (name, group.parse().ok()),
        None => (user, None),
    };
    let listed = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (listed, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        let found = listed == name || id == name;
        let own_group = fields.next()?.parse().ok()?;
        let user = id.parse().ok()?;
        found.then(|| Owner {
            user,
            group: group.unwrap_or(own_group),
        })
    });
    let by_number = || {
        let user = name.parse().ok()?;
        let group = group.unwrap_or(0);
        Some(Owner { user, group })
    };
    listed.or_else(by_number).ok_or_else(|| ImageError::NoUser {
        base: base.to_owned(),
        user: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_list_counts_unless_it_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        let layer = |name: &str, content: &str| {
            let mut archive = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            let content = content.as_bytes();
            archive.append_data(&mut header, name, content).unwrap();
            let bytes = archive.into_inner().unwrap();
            layout
                .put("application/vnd.oci.image.layer.v1.tar", &bytes)
                .unwrap()
        };
        let other = layer("etc/group", "");
        let (low, high) = (layer("./etc/passwd", "low"), layer("etc/passwd", "high"));
        let read = |layers: &[&Descriptor]| {
            let layers: Vec<Descriptor> = layers.iter().map(|it| (*it).clone()).collect();
            passwd(&layout, "b", &layers).unwrap()
        };
        assert_eq!(read(&[&low, &other]), "low");
        assert_eq!(read(&[&low, &high, &other]), "high");
        assert_eq!(read(&[&other]), "");
        for mark in HIDING {
            assert_eq!(read(&[&low, &layer(mark, ""), &other]), "", "{mark}");
            assert_eq!(read(&[&low, &layer(mark, ""), &high]), "high", "{mark}");
        }
    }

    #[test]
    fn layers_that_can_not_be_read_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        let kind = "application/vnd.oci.image.layer.v1.tar+zstd";
        let layer = layout.put(kind, b"").unwrap();
        let error = passwd(&layout, "example.com/own:1", &[layer]).unwrap_err();
        assert!(error.to_string().contains("not gzip"), "{error}");
    }

    #[test]
    fn users_are_found_by_name_and_number() {
        let passwd = "root:x:0:0::/:/bin/sh\nwww-data:x:33:34::/:/bin/sh\n";
        for (text, user, group) in [
            ("", 0, 0),
            ("root", 0, 0),
            ("www-data", 33, 34),
            ("33", 33, 34),
            ("www-data:5", 33, 5),
            ("1000", 1000, 0),
            ("1000:1001", 1000, 1001),
        ] {
            assert_eq!(
                owner("b", passwd, text).unwrap(),
                Owner { user, group },
                "{text}"
            );
        }
        assert!(owner("b", passwd, "nobody").is_err());
    }
}
