//! Which release a task definition is of, and the same definition of another one. Pure.

use aws_sdk_ecs::{
    operation::register_task_definition::builders::RegisterTaskDefinitionInputBuilder,
    types::{ContainerDefinition, KeyValuePair, Tag, TaskDefinition},
};
use mck_aws_stacks::NO_RELEASE;

/// The variable of all containers of an app that names its release.
const REVISION: &str = "REVISION";
/// The tag of a revision with who deployed it.
pub(super) const DEPLOYED_BY: &str = "mck:deployed-by";
/// What the keys of AWS's own tags begin with; nobody else may set them.
const RESERVED: &str = "aws:";

/// The release that a task definition is of; none before the first deployment.
pub(super) fn release_of(definition: &TaskDefinition) -> Option<&str> {
    let containers = definition.container_definitions().iter();
    let mut variables = containers.flat_map(ContainerDefinition::environment);
    let found = variables.find(|it| it.name() == Some(REVISION));
    found?.value().filter(|release| *release != NO_RELEASE)
}

/// Who deployed a revision: as its tag says, else AWS's word for who registered it, without the path.
pub(super) fn deployed_by(definition: &TaskDefinition, tags: &[Tag]) -> String {
    let tag = tags.iter().find(|it| it.key() == Some(DEPLOYED_BY));
    let arn = || definition.registered_by().map(crate::ecs::short);
    let by = tag.and_then(Tag::value).or_else(arn);
    by.unwrap_or_default().to_owned()
}

/// What to register so that a definition is of another release: the images of the app's own
/// repositories and the variable `REVISION` are of the release, and who asks is a tag; all else stays
/// as it is.
pub(super) fn with_release(
    definition: &TaskDefinition,
    tags: &[Tag],
    repositories: &[&str],
    release: &str,
    by: &str,
) -> RegisterTaskDefinitionInputBuilder {
    let containers = definition.container_definitions.as_ref().map(|all| {
        let containers = all.iter();
        containers
            .map(|it| of_release(it, repositories, release))
            .collect()
    });
    RegisterTaskDefinitionInputBuilder::default()
        .set_family(definition.family.clone())
        .set_task_role_arn(definition.task_role_arn.clone())
        .set_execution_role_arn(definition.execution_role_arn.clone())
        .set_network_mode(definition.network_mode.clone())
        .set_container_definitions(containers)
        .set_volumes(definition.volumes.clone())
        .set_placement_constraints(definition.placement_constraints.clone())
        .set_requires_compatibilities(definition.requires_compatibilities.clone())
        .set_cpu(definition.cpu.clone())
        .set_memory(definition.memory.clone())
        .set_tags(Some(with_deployer(tags, by)))
        .set_pid_mode(definition.pid_mode.clone())
        .set_ipc_mode(definition.ipc_mode.clone())
        .set_proxy_configuration(definition.proxy_configuration.clone())
        .set_ephemeral_storage(definition.ephemeral_storage.clone())
        .set_runtime_platform(definition.runtime_platform.clone())
        .set_enable_fault_injection(definition.enable_fault_injection)
}

fn with_deployer(tags: &[Tag], by: &str) -> Vec<Tag> {
    let is_kept = |it: &&Tag| {
        let key = it.key().unwrap_or_default();
        key != DEPLOYED_BY && !key.starts_with(RESERVED)
    };
    let own = Tag::builder().key(DEPLOYED_BY).value(by).build();
    tags.iter().filter(is_kept).cloned().chain([own]).collect()
}

fn of_release(
    container: &ContainerDefinition,
    repositories: &[&str],
    release: &str,
) -> ContainerDefinition {
    let mut container = container.clone();
    let image = container.image.as_deref();
    if let Some(own) = image.and_then(|it| own_repository(it, repositories)) {
        container.image = Some(format!("{own}:{release}"));
    }
    for variable in container.environment.iter_mut().flatten() {
        if variable.name() == Some(REVISION) {
            *variable = KeyValuePair::builder()
                .name(REVISION)
                .value(release)
                .build();
        }
    }
    container
}

/// The image without its tag or digest, where it is of one of the repositories.
fn own_repository<'a>(image: &'a str, repositories: &[&str]) -> Option<&'a str> {
    let name = image.split('@').next().unwrap_or(image);
    let slash = name.rfind('/')?;
    // A `:` before the last `/` is that of a registry's port.
    let end = name[slash..].find(':').map_or(name.len(), |at| slash + at);
    let name = &name[..end];
    let (_, repository) = name.split_once('/')?;
    repositories.contains(&repository).then_some(name)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::{
        operation::register_task_definition::RegisterTaskDefinitionInput,
        types::{Compatibility, NetworkMode, Volume},
    };
    use proptest::prelude::*;

    use super::*;

    const REGISTRY: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
    const OWN: [&str; 2] = ["shop/production/shop/php-fpm", "shop/production/shop/nginx"];

    fn container(name: &str, image: &str, revision: Option<&str>) -> ContainerDefinition {
        let variable = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value);
        let revision = revision.map(|it| variable(REVISION, it).build());
        ContainerDefinition::builder()
            .name(name)
            .image(image)
            .environment(variable("MAGE_MODE", "production").build())
            .set_environment(Some(
                [variable("MAGE_MODE", "production").build()]
                    .into_iter()
                    .chain(revision)
                    .collect(),
            ))
            .memory_reservation(768)
            .essential(true)
            .build()
    }

    fn definition(containers: Vec<ContainerDefinition>) -> TaskDefinition {
        TaskDefinition::builder()
            .family("shop-production-shop")
            .revision(7)
            .task_role_arn("arn:aws:iam::123456789012:role/shop/production/tasks/shop")
            .execution_role_arn("arn:aws:iam::123456789012:role/shop/production/tasks/x")
            .network_mode(NetworkMode::Awsvpc)
            .requires_compatibilities(Compatibility::Ec2)
            .set_container_definitions(Some(containers))
            .volumes(Volume::builder().name("media").build())
            .build()
    }

    fn registered(
        definition: &TaskDefinition,
        tags: &[Tag],
        release: &str,
    ) -> RegisterTaskDefinitionInput {
        let built = with_release(definition, tags, &OWN, release, "ann@laptop").build();
        built.expect("all fields are optional")
    }

    #[test]
    fn own_images_and_the_variable_are_of_the_release() {
        let before = definition(vec![
            container(
                "php-fpm",
                &format!("{REGISTRY}/shop/production/shop/php-fpm:old"),
                Some("old"),
            ),
            container(
                "nginx",
                &format!("{REGISTRY}/shop/production/shop/nginx@sha256:00"),
                Some("old"),
            ),
            container("agent", "datadog/agent:7", None),
        ]);
        let after = registered(&before, &[], "new");
        let containers = after.container_definitions();
        let images: Vec<_> = containers.iter().filter_map(|it| it.image()).collect();
        assert_eq!(
            images,
            [
                format!("{REGISTRY}/shop/production/shop/php-fpm:new").as_str(),
                &format!("{REGISTRY}/shop/production/shop/nginx:new"),
                "datadog/agent:7",
            ]
        );
        assert_eq!(containers[0].environment()[1].value(), Some("new"));
        assert_eq!(containers[2], before.container_definitions()[2]);
        assert_eq!(release_of(&before), Some("old"));
    }

    #[test]
    fn before_the_first_deployment_there_is_no_release() {
        assert_eq!(
            release_of(&definition(vec![container("a", "b", Some("none"))])),
            None
        );
        assert_eq!(
            release_of(&definition(vec![container("a", "b", None)])),
            None
        );
    }

    #[test]
    fn tags_stay_but_aws_s_own_and_the_deployer_is_the_last_one() {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = [
            tag("project", "shop"),
            tag("aws:cloudformation:stack-name", "shop-production-app-shop"),
            tag(DEPLOYED_BY, "bob@desk"),
        ];
        let after = registered(&definition(Vec::new()), &tags, "new");
        assert_eq!(
            after.tags(),
            [tag("project", "shop"), tag(DEPLOYED_BY, "ann@laptop")]
        );
        let before = definition(Vec::new());
        assert_eq!(deployed_by(&before, &tags), "bob@desk");
        let registered_by = "arn:aws:sts::123456789012:assumed-role/deploy/ci";
        let before = TaskDefinition::builder()
            .registered_by(registered_by)
            .build();
        assert_eq!(deployed_by(&before, &[]), "ci");
    }

    #[test]
    fn a_repository_is_its_whole_name() {
        for (image, own) in [
            (
                "localhost:5000/shop/production/shop/nginx",
                Some("localhost:5000/shop/production/shop/nginx"),
            ),
            (
                "localhost:5000/shop/production/shop/nginx:1",
                Some("localhost:5000/shop/production/shop/nginx"),
            ),
            ("registry/other/shop/nginx:1", None),
            ("nginx:1", None),
            ("", None),
        ] {
            assert_eq!(own_repository(image, &OWN), own, "{image}");
        }
    }

    proptest! {
        /// Nothing but the release changes: set back to the old one, all is as it was.
        #[test]
        fn nothing_else_changes(
            others in prop::collection::vec(("[a-z]{1,8}", "[a-z]{1,6}/[a-z]{1,6}(:[0-9])?"), 0..4),
            (old, new) in ("[0-9a-f]{12}", "[0-9a-f]{12}"),
            cpu in prop::option::of("[0-9]{3}"),
        ) {
            let own = format!("{REGISTRY}/{}:{old}", OWN[0]);
            let mut containers = vec![container("php-fpm", &own, Some(&old))];
            containers.extend(others.iter().map(|(name, image)| container(name, image, None)));
            let mut before = definition(containers);
            before.cpu = cpu;
            let there = registered(&before, &[], &new);
            let mut after = before.clone();
            after.container_definitions = there.container_definitions.clone();
            prop_assert_eq!(release_of(&after), Some(new.as_str()));
            let back = registered(&after, &[], &old);
            let unchanged = registered(&before, &[], &old);
            prop_assert_eq!(&back, &unchanged);
            prop_assert_eq!(back.container_definitions(), before.container_definitions());
            prop_assert_eq!(there.cpu, before.cpu);
            prop_assert_eq!(there.volumes, before.volumes);
        }
    }
}
