//! Times of AWS's as texts.

use aws_sdk_ecs::primitives::{DateTime, DateTimeFormat};

/// In RFC 3339; none for what has no such form.
pub(super) fn rfc_3339(at: Option<&DateTime>) -> Option<String> {
    at?.fmt(DateTimeFormat::DateTime).ok()
}
