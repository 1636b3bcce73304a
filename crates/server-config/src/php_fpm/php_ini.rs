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
    let flag = |on: bool| if on { "1" } else { "0" };
    let memory_limit = ini
        .memory_limit_mib
        .map_or_else(|| "-1".to_owned(), |mib| format!("{mib}M"));
    let upload = format!("{}M", ini.upload_max_mib);
    let settings: Vec<(&str, String)> = vec![
        ("memory_limit", memory_limit),
        (
            "max_execution_time",
            ini.max_execution_time_seconds.to_string(),
        ),
        ("max_input_vars", ini.max_input_vars.to_string()),
        ("post_max_size", upload.clone()),
        ("upload_max_filesize", upload),
        ("upload_tmp_dir", "/tmp".to_owned()),
        ("sys_temp_dir", "/tmp".to_owned()),
        ("date.timezone", "UTC".to_owned()),
        ("expose_php", "0".to_owned()),
        ("display_errors", "0".to_owned()),
        ("display_startup_errors", "0".to_owned()),
        ("log_errors", "1".to_owned()),
        ("error_log", "/dev/stderr".to_owned()),
        (
            "error_reporting",
            "E_ALL & ~E_DEPRECATED & ~E_STRICT".to_owned(),
        ),
        ("html_errors", "0".to_owned()),
        ("variables_order", "\"EGPCS\"".to_owned()),
        ("allow_url_include", "0".to_owned()),
        ("cgi.fix_pathinfo", "0".to_owned()),
        ("realpath_cache_size", "10M".to_owned()),
        ("realpath_cache_ttl", "7200".to_owned()),
        ("session.auto_start", "0".to_owned()),
        ("session.cookie_httponly", "1".to_owned()),
        ("session.save_path", "/tmp".to_owned()),
        ("session.gc_probability", "1".to_owned()),
        // nginx compresses what PHP answers, static files too, and once is enough.
        ("zlib.output_compression", "0".to_owned()),
        ("pcre.backtrack_limit", "10000000".to_owned()),
        ("opcache.enable", flag(ini.opcache.enabled).to_owned()),
        ("opcache.enable_cli", "0".to_owned()),
        (
            "opcache.memory_consumption",
            ini.opcache.memory_mib.to_string(),
        ),
        (
            "opcache.interned_strings_buffer",
            ini.opcache.interned_strings_mib.to_string(),
        ),
        (
            "opcache.max_accelerated_files",
            ini.opcache.max_accelerated_files.to_string(),
        ),
        (
            "opcache.validate_timestamps",
            flag(ini.opcache.validate_timestamps).to_owned(),
        ),
        ("opcache.save_comments", "1".to_owned()),
        ("opcache.enable_file_override", "0".to_owned()),
        ("opcache.consistency_checks", "0".to_owned()),
    ];
    let mut out = String::from("[PHP]\n");
    for (name, value) in settings {
        // Writing to a String does not fail.
        let _ = writeln!(out, "{name} = {value}");
    }
    out
}
