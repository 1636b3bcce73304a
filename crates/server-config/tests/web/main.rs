//! Presets on real servers: nginx, php-fpm, MariaDB and Redis. They need root and these programs,
//! and fail without them.

#![allow(clippy::unwrap_used, reason = "a failed step ends its test")]

mod golden;
mod harness;
mod magento1;
mod magento2;
mod plain;
mod syntax;
mod wordpress;

use mck_server_config::web_preset::{WebApp, WebPreset, WebPresetSpec};

/// The preset as the load balancer at `127.0.0.0/8` sees it, with few processes.
fn spec(preset: WebPreset) -> WebPresetSpec {
    app(preset).spec()
}

fn app(preset: WebPreset) -> WebApp {
    let mut app = WebApp::new(preset);
    app.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    app.pool.process_manager = mck_server_config::php_fpm::ProcessManager::Dynamic {
        start_servers: 2,
        min_spare_servers: 1,
        max_spare_servers: 2,
    };
    app.pool.max_children = 4;
    app
}
