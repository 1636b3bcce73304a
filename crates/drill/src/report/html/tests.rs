use proptest::prelude::*;

use super::*;
use crate::report::Step;
use crate::sample;

#[test]
fn a_whole_report() {
    insta::assert_snapshot!(render_html(&sample::report()));
}

#[test]
fn nothing_is_loaded_and_no_script_runs() {
    let html = render_html(&sample::report());
    for forbidden in ["<script", "src=", "url(", "@import", "<link", "href="] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn every_text_of_a_report_is_escaped() {
    const EVIL: &str = "<b onclick='x'>&\"";
    let mut report = sample::report();
    let evil = || EVIL.to_owned();
    report.environment = evil();
    report.target = evil();
    report.fault = evil();
    report.started_at = evil();
    report.versions = [(evil(), evil())].into();
    report.steps = vec![Step {
        at_microseconds: 0,
        what: evil(),
    }];
    let figures = &mut report.figures;
    figures.failures[0].kind = evil();
    figures.failures[0].failure = evil();
    figures.kinds[0].kind = evil();
    figures.phases[0].phase = evil();
    figures.tasks[0].task = evil();
    figures.writes.kept.examples = vec![evil()];
    for bar in &mut report.verdict.bars {
        (bar.name, bar.limit, bar.measured) = (evil(), evil(), evil());
    }
    let html = render_html(&report);
    assert!(!html.contains("<b onclick"), "{html}");
    assert!(html.matches(&escape(EVIL)).count() >= 14 + 3 * (report.verdict.bars.len() - 1));
}

proptest! {
    #[test]
    fn escaped_text_has_no_markup(text in ".*") {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
        let back = escaped
            .replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
            .replace("&#39;", "'").replace("&amp;", "&");
        prop_assert_eq!(back, text);
    }
}
