//! Rules of the load balancer within its limits: a rule has at most five values and five wildcards
//! (ELB, "Quotas for your Application Load Balancers"). The environment refuses more values; an app
//! with more wildcards, such as two in a path, has several rules.

use std::collections::HashMap;

use mck_blueprint::model::{Blueprint, ListenerRule};
use mck_cloudformation::resources::elasticloadbalancingv2::listener_rule::{
    HostHeaderConfig, PathPatternConfig, RuleCondition,
};

/// Values and wildcards of one rule.
const LIMIT: usize = 5;

/// A part of a blueprint's rule that the load balancer takes as one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// Host patterns, any of which.
    pub(crate) hosts: Vec<&'a str>,
    /// Path patterns, any of which.
    pub(crate) paths: Vec<&'a str>,
}

impl<'a> Piece<'a> {
    /// A rule that the load balancer takes as it is.
    pub(crate) fn whole(rule: &'a ListenerRule) -> Self {
        Self {
            hosts: rule.hosts.iter().map(String::as_str).collect(),
            paths: rule.paths.iter().map(String::as_str).collect(),
        }
    }

    /// Its conditions. A rule must have one: what answers every request has that of every path.
    pub(crate) fn conditions(&self) -> Vec<RuleCondition> {
        let mut conditions = Vec::new();
        if !self.hosts.is_empty() {
            conditions.push(RuleCondition {
                field: "host-header".into(),
                host_header_config: Some(HostHeaderConfig {
                    values: self.hosts.iter().map(|it| (*it).into()).collect(),
                    ..Default::default()
                }),
                ..Default::default()
            });
        }
        let paths = match self.paths.as_slice() {
            [] if conditions.is_empty() => &["*"],
            paths => paths,
        };
        if !paths.is_empty() {
            conditions.push(RuleCondition {
                field: "path-pattern".into(),
                path_pattern_config: Some(PathPatternConfig {
                    values: paths.iter().map(|it| (*it).into()).collect(),
                    ..Default::default()
                }),
                ..Default::default()
            });
        }
        conditions
    }
}

/// A rule as few pieces that together match the same requests: each host with each path.
pub(crate) fn pieces(rule: &ListenerRule) -> Vec<Piece<'_>> {
    let of_hosts = |limit| chunks(&rule.hosts, limit);
    let of_paths = |limit| chunks(&rule.paths, limit);
    let (hosts, paths) = if rule.hosts.is_empty() || rule.paths.is_empty() {
        (of_hosts(LIMIT), of_paths(LIMIT))
    } else {
        (1..LIMIT)
            .map(|limit| (of_hosts(limit), of_paths(LIMIT - limit)))
            .min_by_key(|(hosts, paths)| hosts.len() * paths.len())
            .expect("there are several ways to share the values")
    };
    let pairs = hosts
        .iter()
        .flat_map(|hosts| paths.iter().map(move |paths| (hosts, paths)));
    pairs
        .map(|(hosts, paths)| Piece {
            hosts: hosts.clone(),
            paths: paths.clone(),
        })
        .collect()
}

/// Groups of at most `limit` values and wildcards; one empty group of no values.
fn chunks(values: &[String], limit: usize) -> Vec<Vec<&str>> {
    let mut groups = vec![Vec::new()];
    let mut weight = 0;
    for value in values {
        let own = value.matches(['*', '?']).count().max(1);
        if weight > 0 && weight + own > limit {
            groups.push(Vec::new());
            weight = 0;
        }
        weight += own;
        let last = groups.last_mut();
        last.expect("there is a group").push(value.as_str());
    }
    groups
}

/// The priorities of all rules.
pub(crate) struct ListenerRules<'a> {
    apps: HashMap<&'a str, u16>,
    jenkins: Option<u16>,
}

impl<'a> ListenerRules<'a> {
    /// Each rule keeps the blueprint's priority, and its further pieces follow it. Where they would
    /// meet the next rule, that one and what is behind it moves on: the order stays.
    pub(crate) fn of(blueprint: &'a Blueprint) -> Self {
        let jenkins = blueprint.jenkins.iter();
        let jenkins = jenkins
            .filter_map(|it| it.listener_rule.as_ref())
            .map(|rule| (rule, None));
        let apps = blueprint.apps.iter();
        let apps = apps.filter_map(|it| Some((it.listener_rule.as_ref()?, Some(it.name.as_str()))));
        let mut rules: Vec<_> = jenkins.chain(apps).collect();
        rules.sort_by_key(|(rule, _)| rule.priority);
        let mut free = 1;
        let mut priorities = Self {
            apps: HashMap::new(),
            jenkins: None,
        };
        for (rule, app) in rules {
            let first = rule.priority.max(free);
            let count = u16::try_from(pieces(rule).len()).unwrap_or(u16::MAX);
            free = first.saturating_add(count);
            match app {
                Some(app) => {
                    priorities.apps.insert(app, first);
                }
                None => priorities.jenkins = Some(first),
            }
        }
        priorities
    }

    /// The priority of an app's first rule; its others follow.
    pub(crate) fn first(&self, app: &str) -> u16 {
        self.apps[app]
    }

    /// The priority of Jenkins' rule, where it has one.
    pub(crate) fn of_jenkins(&self) -> Option<u16> {
        self.jenkins
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn rule(hosts: &[&str], paths: &[&str]) -> ListenerRule {
        let owned = |values: &[&str]| values.iter().copied().map(str::to_owned).collect();
        ListenerRule {
            priority: 10,
            hosts: owned(hosts),
            paths: owned(paths),
        }
    }

    #[test]
    fn a_small_rule_is_one_piece() {
        let rule = rule(&["a.example.com", "b.example.com"], &["/blog/*"]);
        let piece = Piece {
            hosts: vec!["a.example.com", "b.example.com"],
            paths: vec!["/blog/*"],
        };
        assert_eq!(pieces(&rule), [piece]);
    }

    #[test]
    fn a_rule_for_everything_is_one_piece() {
        assert_eq!(pieces(&rule(&[], &[])).len(), 1);
    }

    #[test]
    fn six_hosts_are_two_pieces() {
        let rule = rule(&["a", "b", "c", "d", "e", "f"], &[]);
        let sizes: Vec<usize> = pieces(&rule).iter().map(|it| it.hosts.len()).collect();
        assert_eq!(sizes, [5, 1]);
    }

    #[test]
    fn wildcards_count_as_well() {
        let rule = rule(&["*.a.de"], &["/a/*/x/*", "/b/*/x/*", "/c/*/x/*"]);
        let sizes: Vec<usize> = pieces(&rule).iter().map(|it| it.paths.len()).collect();
        assert_eq!(sizes, [2, 1]);
    }

    #[test]
    fn pieces_never_meet_another_app_s_rule() {
        let text = r#"
            project = "shop"
            [app.many]
            preset = "php"
            source = "many"
            routing = { hosts = ["a.de"], paths = ["/a/*/x/*", "/b/*/x/*", "/c/*/x/*"], priority = 10 }
            [app.next]
            preset = "php"
            source = "next"
            routing = { hosts = ["g.de"], priority = 11 }
            [app.far]
            preset = "php"
            source = "far"
            routing = { hosts = ["h.de"], priority = 50 }
            [environment.production]
        "#;
        let blueprint = crate::testing::blueprint(text);
        let rules = ListenerRules::of(&blueprint);
        assert_eq!(rules.first("many"), 10);
        assert_eq!(rules.first("next"), 12);
        assert_eq!(rules.first("far"), 50);
    }

    proptest! {
        #[test]
        fn pieces_match_what_the_rule_matches(
            hosts in vec("[a-z]{1,3}\\.de", 0..12),
            paths in vec("/[a-z]{1,3}\\*?", 0..12),
        ) {
            let rule = ListenerRule { priority: 1, hosts: hosts.clone(), paths: paths.clone() };
            let pieces = pieces(&rule);
            for piece in &pieces {
                prop_assert!(piece.hosts.len() + piece.paths.len() <= LIMIT);
            }
            for host in &hosts {
                for path in &paths {
                    let both = pieces.iter().any(|piece| {
                        piece.hosts.contains(&host.as_str()) && piece.paths.contains(&path.as_str())
                    });
                    prop_assert!(both, "{host} {path}");
                }
            }
            let all_hosts: usize = if paths.is_empty() {
                pieces.iter().map(|piece| piece.hosts.len()).sum()
            } else {
                hosts.len()
            };
            prop_assert_eq!(all_hosts, hosts.len());
        }
    }
}
