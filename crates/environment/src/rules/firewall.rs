//! The web application firewall.

use super::Rules;
use crate::diagnostic::{quoted_list, suggestion};

pub(super) fn check(rules: &mut Rules<'_>) {
    let waf = &rules.settings.waf;
    for (index, group) in waf.rule_groups.iter().enumerate() {
        if waf.rule_groups[..index].contains(group) {
            let path = ["waf", "rule-groups", &index.to_string()];
            let message = format!("Rule group `{group}` is named twice.");
            rules.wrong("repeated_rule_group", &path, message, "Name each once.");
        }
    }
    for (group, counted) in &waf.counted_rules {
        let path = ["waf", "counted-rules", group];
        let is_default = !rules.is_written(&path);
        if !waf.rule_groups.contains(group) && !is_default {
            let message = format!("`{group}` is none of the rule groups.");
            let close = suggestion(group, waf.rule_groups.iter().map(String::as_str));
            let help = format!(
                "{close}`waf.rule-groups` are {}.",
                quoted_list(waf.rule_groups.iter())
            );
            rules.wrong_key("unknown_rule_group", &path, message, &help);
        }
        for (index, rule) in counted.iter().enumerate() {
            let letter = |it: u8| it.is_ascii_alphanumeric() || it == b'_' || it == b'-';
            if rule.is_empty() || rule.len() > 128 || !rule.bytes().all(letter) {
                let path = ["waf", "counted-rules", group, &index.to_string()];
                let message = "A rule's name has other characters than AWS takes.".to_owned();
                let help = "Letters, digits, `_` and `-`, at most 128, such as \
                            `SizeRestrictions_BODY` (WAF).";
                rules.wrong("bad_name", &path, message, help);
            }
        }
    }
}
