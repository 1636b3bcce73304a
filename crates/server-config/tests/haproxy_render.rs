//! What is rendered for HAProxy.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of a test fail it by a panic"
)]

mod support;

use mck_server_config::haproxy::{
    Algorithm, Binding, HttpListener, HttpsListener, Node, RenderError, Stickiness,
    check_command_line, command_line, commands, render,
};
use support::load_balancer::{group, rule, target};

fn full_node() -> Node {
    let mut shop = group("shop", &[("shop-1", "172.31.3.10:80".parse().unwrap())]);
    shop.stickiness = Some(Stickiness {
        cookie_name: "AWSALB".to_owned(),
        duration_seconds: 86_400,
        key: "shop's key".to_owned(),
    });
    let mut admin = group("admin", &[]);
    admin.algorithm = Algorithm::LeastOutstandingRequests;
    Node {
        http: Some(HttpListener {
            binding: Binding {
                inherited_descriptor: Some(3),
                address: Some("172.31.0.10:80".parse().unwrap()),
            },
            redirect_to_https_port: Some(8443),
        }),
        https: Some(HttpsListener {
            binding: Binding {
                inherited_descriptor: Some(4),
                address: Some("172.31.0.10:443".parse().unwrap()),
            },
            certificate: "/etc/mck/tls.pem".to_owned(),
        }),
        rules: vec![
            rule(20, &["shop.localhost", "*.shop.localhost"], &[], "shop"),
            rule(
                10,
                &["shop.localhost"],
                &["/admin", "/admin/*", "/it's \"a\" $x?"],
                "admin",
            ),
        ],
        target_groups: vec![shop, admin],
        trusted_proxies: vec!["103.21.244.0/22".to_owned()],
        metrics: "172.31.0.10:8404".parse().unwrap(),
        ..Node::new("shop-local/us-east-1a")
    }
}

#[test]
fn renders_a_full_node() {
    insta::assert_snapshot!(render(&full_node()).unwrap());
}

#[test]
fn renders_the_command_lines() {
    insta::assert_debug_snapshot!((command_line("/etc/h.cfg"), check_command_line("/etc/h.cfg")));
}

#[test]
fn renders_the_runtime_commands() {
    let group = &full_node().target_groups[0];
    let target = target("shop-2", "172.31.4.10:80".parse().unwrap());
    insta::assert_snapshot!(
        [
            commands::register(group, &target, commands::Admission::WhenHealthy).unwrap(),
            commands::admit_to_fail_open("shop", "shop-2").unwrap(),
            commands::set_state("shop", "shop-2", commands::State::Drain).unwrap(),
            commands::drain("shop", "shop-2").unwrap(),
            commands::shut_sessions_down("shop", "shop-2").unwrap(),
            commands::remove("shop", "shop-2").unwrap(),
        ]
        .concat()
    );
    assert!(commands::drain("shop", "x; shutdown").is_err());
}

#[test]
fn refuses_what_has_no_correct_configuration() {
    let error = |change: &dyn Fn(&mut Node)| {
        let mut node = full_node();
        change(&mut node);
        render(&node).unwrap_err()
    };
    assert_eq!(
        error(&|node| node.rules[0].priority = 10),
        RenderError::DuplicatePriority(10)
    );
    assert_eq!(
        error(&|node| node.rules[0].hosts.clear()),
        RenderError::NoCondition(20)
    );
    assert!(matches!(
        error(&|node| node.rules[0].target_group = "x".to_owned()),
        RenderError::UnknownTargetGroup(_)
    ));
    assert!(matches!(
        error(&|node| node.target_groups[0].health_check.matcher = "2xx".to_owned()),
        RenderError::Matcher(_)
    ));
    assert!(matches!(
        error(&|node| node.rules[0].hosts = vec!["a\nglobal".to_owned()]),
        RenderError::UnsafeText(_)
    ));
    assert!(matches!(
        error(&|node| node.target_groups[1].name = "shop".to_owned()),
        RenderError::DuplicateName(_)
    ));
    assert!(matches!(
        error(&|node| {
            node.http = None;
            node.https = None;
        }),
        RenderError::NoListener
    ));
    assert!(matches!(
        error(&|node| node.idle_timeout_seconds = 0),
        RenderError::OutOfRange { .. }
    ));
}
