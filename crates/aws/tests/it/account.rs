//! What stacks need of the account around them.

use std::process::Command;

use mck_aws::Progress;
use mck_aws_stacks::{ParameterSource, Stack, StackId};
use mck_cloudformation::{
    Parameter, ParameterType,
    resources::opensearchservice::{Domain, domain::VpcOptions},
};

use crate::{
    stacks::{account, apply, assert_fine, parameter, stack, stacks},
    stand_in::{Kind, beside, tool},
};

/// CloudFront's addresses towards origins.
const CLOUDFRONT: &str = "com.amazonaws.global.cloudfront.origin-facing";

/// A stack that needs the id of a prefix list which its template does not know.
fn with_prefix_list(list: &str) -> Stack {
    let mut network = stack(StackId::Network);
    parameter(&mut network, "Vpc", "network", "10.0.0.0/16");
    let name = "PrefixList".to_owned();
    let source = ParameterSource::ManagedPrefixList(list.to_owned());
    network.parameters.insert(name.clone(), source);
    network.template.parameter(Parameter {
        name,
        description: "The prefix list".to_owned(),
        kind: ParameterType::String,
        default: None,
    });
    network
}

/// What boto3 says.
fn told(expression: &str) -> String {
    let code = format!(
        "import boto3\n\
         of = lambda name: boto3.client(name, region_name='us-east-1')\n\
         print({expression})"
    );
    let output = Command::new(tool("stand-ins", "python"))
        .args(["-c", &code])
        .output()
        .expect("Python runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn an_unknown_prefix_list_is_looked_up() {
    let name = "account::an_unknown_prefix_list_is_looked_up";
    beside(Kind::Moto, name, || {
        let wanted = stacks(vec![with_prefix_list(CLOUDFRONT)]);
        assert_fine(&apply(&account(), &wanted).0);
        let given = told(
            "of('cloudformation').describe_stacks()['Stacks'][0]['Parameters'][0]['ParameterValue']",
        );
        let known = told(&format!(
            "of('ec2').describe_managed_prefix_lists(Filters=[{{'Name': 'prefix-list-name', \
             'Values': ['{CLOUDFRONT}']}}])['PrefixLists'][0]['PrefixListId']"
        ));
        assert!(known.starts_with("pl-"), "{known}");
        assert_eq!(given, known);
        let plan = account().plan(&wanted).expect("a plan");
        assert!(plan.difference.is_empty(), "{:?}", plan.difference);
    });
}

#[test]
fn a_prefix_list_that_a_region_lacks_is_told() {
    let name = "account::a_prefix_list_that_a_region_lacks_is_told";
    beside(Kind::Moto, name, || {
        let wanted = stacks(vec![with_prefix_list("com.amazonaws.global.none")]);
        let (applied, _) = apply(&account(), &wanted);
        assert_eq!(
            applied.failed[0].message(),
            "AWS keeps no prefix list com.amazonaws.global.none in us-east-1, which rules of \
             security groups need"
        );
    });
}

/// A stack with a search engine in the VPC.
fn with_search(color: &str) -> Stack {
    let mut data = stack(StackId::Data);
    parameter(&mut data, "Color", "color", color);
    let domain = Domain {
        domain_name: "shop-production".into(),
        vpc_options: Some(VpcOptions {
            subnet_ids: vec!["subnet-1".into()],
            ..VpcOptions::default()
        }),
        ..Domain::default()
    };
    data.add("SearchDomain", "The search engine's domain", &domain);
    data
}

/// Roles that OpenSearch Service was given. moto names them its own way, so that they are found by
/// their path, and a second apply makes one that is there.
const GIVEN: &str = "[role['RoleId'] for role in of('iam').list_roles(\
                     PathPrefix='/aws-service-role/opensearchservice.amazonaws.com/')['Roles']]";

#[test]
fn a_search_engine_s_role_is_made_once() {
    let name = "account::a_search_engine_s_role_is_made_once";
    beside(Kind::Moto, name, || {
        let (applied, told_of) = apply(&account(), &stacks(vec![with_search("red")]));
        assert_fine(&applied);
        let made = told(GIVEN);
        assert!(made.starts_with("['AROA"), "{made}");
        let what = told_of.iter().filter_map(|it| match it {
            Progress::Begun { what, .. } => Some(*what),
            _ => None,
        });
        let what: Vec<&str> = what.collect();
        assert_eq!(what, ["make a service-linked role", "create"]);
        assert_fine(&apply(&account(), &stacks(vec![with_search("blue")])).0);
        assert_eq!(told(GIVEN), made);
    });
}

#[test]
fn a_search_engine_s_role_that_is_there_is_taken() {
    let name = "account::a_search_engine_s_role_that_is_there_is_taken";
    beside(Kind::Moto, name, || {
        told(
            "of('iam').create_role(RoleName='AWSServiceRoleForAmazonOpenSearchService', \
             AssumeRolePolicyDocument='{}')",
        );
        assert_fine(&apply(&account(), &stacks(vec![with_search("red")])).0);
        assert_eq!(told(GIVEN), "[]");
    });
}
