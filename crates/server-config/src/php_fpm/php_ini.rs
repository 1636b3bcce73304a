//! `php.ini` for the PHP container, and `php-cli.ini` for its commands and jobs.
//!
//! Both are found through the environment variable `PHPRC`, which processes that PHP starts
//! inherit; extensions still come from the distribution's scan folder.

use std::fmt::Write as _;

/// The settings of one PHP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpIni {
    /// `memory_limit` in MiB; none is no limit.
    pub memory_limit_mib: Option<u32>,
    /// `max_execution_time` in seconds; 0 is no limit.
    pub max_execution_time_seconds: u32,
    /// `post_max_size` and `upload_max_filesize` in MiB.
    pub upload_max_mib: u32,
    /// `max_input_vars`. Magento's administration sends thousands.
    pub max_input_vars: u32,
    /// The byte code cache.
    pub opcache: Opcache,
}

/// OPcache settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opcache {
    /// Whether it is on.
    pub enabled: bool,
    /// `opcache.memory_consumption` in MiB, at least 8.
    pub memory_mib: u32,
    /// `opcache.interned_strings_buffer` in MiB.
    pub interned_strings_mib: u32,
    /// `opcache.max_accelerated_files`, from 200 to 1,000,000.
    pub max_accelerated_files: u32,
    /// Whether changed files are noticed. An immutable release has none.
    pub validate_timestamps: bool,
}

impl Opcache {
    /// Adobe's "Software recommendations" for Commerce in production: 512 MB, 60,000 files, no
    /// time stamps, comments kept.
    #[must_use]
    pub fn magento(production: bool) -> Self {
        Self {
            enabled: true,
            memory_mib: 512,
            interned_strings_mib: 64,
            max_accelerated_files: 60_000,
            validate_timestamps: !production,
        }
    }

    /// For an app of a few thousand files.
    #[must_use]
    pub fn small() -> Self {
        Self {
            enabled: true,
            memory_mib: 128,
            interned_strings_mib: 16,
            max_accelerated_files: 20_000,
            validate_timestamps: false,
        }
    }

    /// Off: a command compiles each file once.
    #[must_use]
    pub fn off() -> Self {
        Self {
            enabled: false,
            ..Self::small()
        }
    }
}

/// Renders a complete `php.ini`.
#[must_use]
pub fn render(ini: &PhpIni) -> String {
    let mut out = String::from("[PHP]\n");
    let adjustable = limits(ini).into_iter().chain(opcache(&ini.opcache));
    for (name, value) in adjustable {
        // Writing to a String does not fail.
        let _ = writeln!(out, "{name} = {value}");
    }
    for (name, value) in FIXED {
        let _ = writeln!(out, "{name} = {value}");
    }
    out
}

/// The same for every app: errors go to the log only, files to `/tmp` only, and Magento's
/// documentation has the real path cache and needs `$_ENV`.
const FIXED: [(&str, &str); 22] = [
    ("upload_tmp_dir", "/tmp"),
    ("sys_temp_dir", "/tmp"),
    ("date.timezone", "UTC"),
    ("expose_php", "0"),
    ("display_errors", "0"),
    ("display_startup_errors", "0"),
    ("log_errors", "1"),
    ("error_log", "/dev/stderr"),
    ("error_reporting", "E_ALL & ~E_DEPRECATED & ~E_STRICT"),
    ("html_errors", "0"),
    ("variables_order", "\"EGPCS\""),
    ("allow_url_include", "0"),
    ("cgi.fix_pathinfo", "0"),
    ("realpath_cache_size", "10M"),
    ("realpath_cache_ttl", "7200"),
    ("session.auto_start", "0"),
    ("session.cookie_httponly", "1"),
    ("session.save_path", "/tmp"),
    ("session.gc_probability", "1"),
    // nginx compresses what PHP answers, static files too, and once is enough.
    ("zlib.output_compression", "0"),
    ("pcre.backtrack_limit", "10000000"),
    ("opcache.consistency_checks", "0"),
];

fn limits(ini: &PhpIni) -> Vec<(&'static str, String)> {
    let memory_limit = ini
        .memory_limit_mib
        .map_or_else(|| "-1".to_owned(), |mib| format!("{mib}M"));
    let upload = format!("{}M", ini.upload_max_mib);
    vec![
        ("memory_limit", memory_limit),
        (
            "max_execution_time",
            ini.max_execution_time_seconds.to_string(),
        ),
        ("max_input_vars", ini.max_input_vars.to_string()),
        ("post_max_size", upload.clone()),
        ("upload_max_filesize", upload),
    ]
}

fn opcache(opcache: &Opcache) -> Vec<(&'static str, String)> {
    let flag = |on: bool| u8::from(on).to_string();
    vec![
        ("opcache.enable", flag(opcache.enabled)),
        ("opcache.enable_cli", flag(false)),
        ("opcache.memory_consumption", opcache.memory_mib.to_string()),
        (
            "opcache.interned_strings_buffer",
            opcache.interned_strings_mib.to_string(),
        ),
        (
            "opcache.max_accelerated_files",
            opcache.max_accelerated_files.to_string(),
        ),
        (
            "opcache.validate_timestamps",
            flag(opcache.validate_timestamps),
        ),
        ("opcache.save_comments", flag(true)),
        ("opcache.enable_file_override", flag(false)),
    ]
}
