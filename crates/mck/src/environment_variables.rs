//! Every environment variable that `mck` reads.

use std::{ffi::OsString, path::PathBuf};

/// The environment file.
pub const FILE: &str = "MCK_FILE";
/// The environment.
pub const ENVIRONMENT: &str = "MCK_ENVIRONMENT";
/// The images that releases are built on.
pub const BASE_IMAGES: &str = "MCK_BASE_IMAGES";
/// The folder of all local environments.
pub const STATE_DIR: &str = "MCK_STATE_DIR";
/// The authorities whose certificates databases on AWS have.
pub const DATABASE_CA: &str = "MCK_DATABASE_CA";
/// The folder of the user's data.
pub const XDG_DATA_HOME: &str = "XDG_DATA_HOME";
/// The user's own folder.
pub const HOME: &str = "HOME";
/// The folder of the user's caches.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// No colour.
pub const NO_COLOR: &str = "NO_COLOR";
/// Colour or not, on a terminal.
pub const CLICOLOR: &str = "CLICOLOR";
/// Colour, on no terminal either.
pub const CLICOLOR_FORCE: &str = "CLICOLOR_FORCE";
/// Who ran `sudo`.
pub const SUDO_USER: &str = "SUDO_USER";
/// The number of who ran `sudo`.
pub const SUDO_UID: &str = "SUDO_UID";
/// The number of that user's group.
pub const SUDO_GID: &str = "SUDO_GID";
/// The user.
pub const USER: &str = "USER";
/// What the terminal can do.
pub const TERM: &str = "TERM";

/// Name and meaning of each, for the reference.
pub const ALL: [(&str, &str); 16] = [
    (FILE, "The environment file, as `--file`."),
    (ENVIRONMENT, "The environment, as `--environment`."),
    (
        BASE_IMAGES,
        "The images that releases are built on, as `--base` of `mck build`, with commas between.",
    ),
    (
        STATE_DIR,
        "The folder of all local environments. Default: `/var/lib/magecloudkit`.",
    ),
    (
        XDG_CACHE_HOME,
        "Where `mck build` keeps images of environments on AWS. Default: `~/.cache`.",
    ),
    (
        DATABASE_CA,
        "The authorities whose certificates databases on AWS have, as `--ca` of `mck db shell`.",
    ),
    (
        XDG_DATA_HOME,
        "Where they are looked for else: `mck/rds-global-bundle.pem` in it. Default: \
         `~/.local/share`.",
    ),
    (NO_COLOR, "Not empty: no colour (<https://no-color.org>)."),
    (
        CLICOLOR,
        "`0`: no colour (<https://bixense.com/clicolors>).",
    ),
    (
        CLICOLOR_FORCE,
        "Not empty and not `0`: colour even where the output is no terminal.",
    ),
    (
        SUDO_USER,
        "Who ran `sudo`: written beside each deployment, with the machine's name.",
    ),
    (USER, "The same where there was no `sudo`."),
    (
        SUDO_UID,
        "The number of who ran `sudo`: files that `mck db export` writes are theirs.",
    ),
    (SUDO_GID, "The number of their group."),
    (
        HOME,
        "Where the folders of caches and data are that are not named otherwise.",
    ),
    (
        TERM,
        "`dumb`: no colour and no progress display that redraws itself.",
    ),
];

/// The value of one of the variables above; none where it is empty.
pub fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The folder of all local environments.
pub fn state_folder() -> PathBuf {
    read(STATE_DIR).map_or_else(
        || PathBuf::from(mck_local::layout::DEFAULT_STATE_FOLDER),
        PathBuf::from,
    )
}
