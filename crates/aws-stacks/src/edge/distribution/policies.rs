//! What the CDN keeps, passes on and adds.

use mck_blueprint::Blueprint;
use mck_cloudformation::{
    Text,
    resources::cloudfront::{
        self,
        cache_policy::{
            CachePolicyConfig, CookiesConfig, HeadersConfig,
            ParametersInCacheKeyAndForwardedToOrigin, QueryStringsConfig,
        },
        response_headers_policy::{
            ContentTypeOptions, FrameOptions, ReferrerPolicy, ResponseHeadersPolicyConfig,
            SecurityHeadersConfig, StrictTransportSecurity,
        },
    },
};

use crate::{servers, stack::Stack};

/// AWS's policy `Managed-CachingDisabled`.
pub(super) const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
/// AWS's policy `Managed-CachingOptimized`.
pub(super) const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
/// AWS's policy `Managed-AllViewer`: all headers, `Host` among them, cookies and parameters.
pub(super) const ALL_OF_THE_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";

const DAY: i32 = 86_400;
const YEAR: i32 = 365 * DAY;

/// The environment's own policies, by id.
pub(super) struct Policies {
    /// Keeps an app's files.
    pub(super) cached: Text,
    /// Adds headers to answers.
    pub(super) security_headers: Text,
}

pub(super) fn add(stack: &mut Stack, blueprint: &Blueprint) -> Policies {
    Policies {
        cached: add_cached(stack, blueprint),
        security_headers: add_security_headers(stack, blueprint),
    }
}

/// For as long as the app says, for a day where it says nothing; a file of another host or with other
/// parameters is another file. The host is passed on with that: the load balancer finds the app by
/// it, and its certificate is of it.
fn add_cached(stack: &mut Stack, blueprint: &Blueprint) -> Text {
    let key = ParametersInCacheKeyAndForwardedToOrigin {
        cookies_config: Some(CookiesConfig {
            cookie_behavior: "none".into(),
            ..Default::default()
        }),
        headers_config: Some(HeadersConfig {
            header_behavior: "whitelist".into(),
            headers: vec!["Host".into()],
        }),
        query_strings_config: Some(QueryStringsConfig {
            query_string_behavior: "all".into(),
            ..Default::default()
        }),
        enable_accept_encoding_gzip: true.into(),
        enable_accept_encoding_brotli: true.into(),
    };
    let policy = cloudfront::CachePolicy {
        cache_policy_config: Some(CachePolicyConfig {
            name: servers::full_name(blueprint, "cached").into(),
            min_ttl: 0.into(),
            default_ttl: DAY.into(),
            max_ttl: YEAR.into(),
            parameters_in_cache_key_and_forwarded_to_origin: Some(key),
            ..Default::default()
        }),
    };
    let description = "How long the CDN keeps an app's files, and what tells them apart";
    stack
        .add("CachedPaths", description, &policy)
        .id()
        .reference()
}

/// What an app says itself is left as it is.
fn add_security_headers(stack: &mut Stack, blueprint: &Blueprint) -> Text {
    let headers = SecurityHeadersConfig {
        strict_transport_security: Some(StrictTransportSecurity {
            access_control_max_age_sec: YEAR.into(),
            override_: false.into(),
            ..Default::default()
        }),
        // Its only value; CloudFront knows no other way than to set it.
        content_type_options: Some(ContentTypeOptions {
            override_: true.into(),
        }),
        frame_options: Some(FrameOptions {
            frame_option: "SAMEORIGIN".into(),
            override_: false.into(),
        }),
        referrer_policy: Some(ReferrerPolicy {
            referrer_policy: "strict-origin-when-cross-origin".into(),
            override_: false.into(),
        }),
        ..Default::default()
    };
    let policy = cloudfront::ResponseHeadersPolicy {
        response_headers_policy_config: Some(ResponseHeadersPolicyConfig {
            name: servers::full_name(blueprint, "security").into(),
            security_headers_config: Some(headers),
            ..Default::default()
        }),
    };
    let description = "Headers that tell browsers to be careful, where an app says nothing";
    stack
        .add("SecurityHeaders", description, &policy)
        .id()
        .reference()
}
