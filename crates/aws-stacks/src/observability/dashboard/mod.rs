//! The CloudWatch dashboard of an environment.
//!
//! It names what there is few of, and searches for what there may be hundreds of, so that it has the
//! same widgets for one app and for five hundred.

mod compute;
mod data;
mod front;
mod logs;
mod network;
mod traffic;
mod widget;

use mck_blueprint::model::Blueprint;
use mck_cloudformation::{Expression, Json, Render, resources::cloudwatch};
use serde_json::json;

use self::widget::{Section, Widget, lay_out};
use crate::{
    stack::{Handed, Stack},
    synthesis::Scene,
};

/// Alarms in one widget of their states.
const ALARMS_SHOWN: usize = 100;

pub(super) fn add(stack: &mut Stack, scene: &Scene<'_>) {
    let blueprint = scene.blueprint;
    let sections = sections(stack, blueprint);
    let body = body(&sections).to_string();
    stack.add(
        "Dashboard",
        "What the whole environment does, on one page",
        &cloudwatch::Dashboard {
            dashboard_name: format!("{}-{}", blueprint.project, blueprint.environment).into(),
            dashboard_body: Expression::substitute(&body).into(),
            ..Default::default()
        },
    );
}

fn body(sections: &[Section]) -> Json {
    json!({
        "start": "-PT3H",
        "periodOverride": "inherit",
        "widgets": lay_out(sections),
    })
}

fn sections(stack: &mut Stack, blueprint: &Blueprint) -> Vec<Section> {
    let mut sections = vec![
        alarms(stack),
        front::section(stack, blueprint),
        traffic::section(stack, blueprint),
    ];
    sections.extend(compute::sections(blueprint));
    sections.extend(data::sections(stack, blueprint));
    sections.push(network::section(stack, blueprint));
    sections.push(logs::section(blueprint));
    sections
}

/// The alarms of this stack; those of an app are a click away from its curves.
fn alarms(stack: &Stack) -> Section {
    let resources = stack.template.resources().iter();
    let names = resources.filter_map(|(_, resource)| resource.properties["AlarmName"].as_str());
    let arns: Vec<String> = names
        .take(ALARMS_SHOWN)
        .map(|name| {
            format!("arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{name}")
        })
        .collect();
    let title = "Load balancer and data stores".to_owned();
    Section {
        title: "Alarms",
        widgets: if arns.is_empty() {
            Vec::new()
        } else {
            vec![Widget::Alarms { title, arns }]
        },
    }
}

/// What another stack hands over, as `Fn::Sub` puts it into the body.
fn taken(stack: &mut Stack, handed: &Handed) -> String {
    let reference = stack.take(handed).render();
    let name = reference.as_ref().and_then(|it| it["Ref"].as_str());
    format!("${{{}}}", name.expect("what is taken is a parameter"))
}

#[cfg(test)]
mod tests;
