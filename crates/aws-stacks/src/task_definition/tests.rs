use serde_json::{Value as Json, json};

use crate::{StackId, testing::stack};

const MOUNTS: &str = r#"
project = "shop"

[app.shop]
preset = "magento2"
source = "shop"
routing.hosts = ["shop.example.com"]

[app.tool]
image = "example/tool:1"
routing = { hosts = ["tool.example.com"], container = "tool" }

[app.tool.container.tool]
port = 8080
memory = "256MiB"
memory-reservation = "256MiB"
capabilities = ["NET_RAW"]
mounts = [{ kind = "temporary", path = "/scratch" }, { kind = "media", path = "/media" }]
user = "1000"

[app.tool.container.tool.health-check]
command = ["true"]

[app.tool.container.proxy]
image = "example/proxy:1"
essential = false

[app.tool.container.proxy.depends-on]
tool = "HEALTHY"

[environment.production]
"#;

fn definition(app: &str) -> Json {
    let template = stack(MOUNTS, &StackId::App(app.to_owned())).template.json();
    template["Resources"]["TaskDefinition"].clone()
}

fn container(definition: &Json, name: &str) -> Json {
    let containers = definition["Properties"]["ContainerDefinitions"].as_array();
    let mut containers = containers.expect("containers").iter();
    let found = containers.find(|container| container["Name"] == name);
    found.expect("the container").clone()
}

#[test]
fn memory_is_a_tmpfs_unless_it_begins_as_a_copy() {
    let php = container(&definition("shop"), "php-fpm");
    let tmpfs = php["LinuxParameters"]["Tmpfs"].to_string();
    assert!(tmpfs.contains(r#"{"ContainerPath":"/var/www/html/var","Size":512}"#));
    assert!(!tmpfs.contains("app/etc"));
    let points = php["MountPoints"].to_string();
    assert!(points.contains("php-fpm-var-www-html-app-etc"));
    // The release is in the image.
    assert!(!points.contains(r#""ContainerPath":"/var/www/html","#));
}

#[test]
fn a_tmpfs_without_a_size_has_as_much_as_the_container_may() {
    let tool = container(&definition("tool"), "tool");
    let tmpfs = &tool["LinuxParameters"]["Tmpfs"][0];
    assert_eq!(*tmpfs, json!({ "ContainerPath": "/scratch", "Size": 256 }));
}

#[test]
fn media_come_by_an_access_point_with_tls_and_the_task_s_role() {
    let definition = definition("tool");
    let volume = &definition["Properties"]["Volumes"][0];
    assert_eq!(volume["Name"], "media-tool");
    let efs = &volume["EFSVolumeConfiguration"];
    assert_eq!(efs["TransitEncryption"], "ENABLED");
    assert_eq!(
        efs["AuthorizationConfig"],
        json!({ "AccessPointId": { "Ref": "MediaTool" }, "IAM": "ENABLED" })
    );
}

#[test]
fn capabilities_are_dropped_but_those_named() {
    let tool = container(&definition("tool"), "tool");
    let capabilities = &tool["LinuxParameters"]["Capabilities"];
    assert_eq!(
        *capabilities,
        json!({ "Add": ["NET_RAW"], "Drop": ["ALL"] })
    );
    let nginx = container(&definition("shop"), "nginx");
    let capabilities = &nginx["LinuxParameters"]["Capabilities"];
    assert_eq!(capabilities["Add"], json!(["NET_BIND_SERVICE"]));
    assert_eq!(
        nginx["SystemControls"],
        json!([{ "Namespace": "net.ipv4.ip_unprivileged_port_start", "Value": "80" }])
    );
}

#[test]
fn an_image_s_own_settings_are_left_to_it() {
    let tool = container(&definition("tool"), "tool");
    for absent in ["Command", "WorkingDirectory", "SystemControls"] {
        assert!(tool.get(absent).is_none(), "{absent}");
    }
    assert_eq!(tool["Image"], "example/tool:1");
    assert_eq!(tool["User"], "1000");
    assert_eq!(tool["LinuxParameters"]["InitProcessEnabled"], false);
}

/// ECS refuses a reservation that is not below the limit.
#[test]
fn a_limit_that_is_reserved_is_said_once() {
    let tool = container(&definition("tool"), "tool");
    assert_eq!(tool["Memory"], 256);
    assert!(tool.get("MemoryReservation").is_none());
    let php = container(&definition("shop"), "php-fpm");
    assert_eq!(php["MemoryReservation"], 768);
    assert!(php.get("Memory").is_none());
}

#[test]
fn containers_wait_for_each_other() {
    let proxy = container(&definition("tool"), "proxy");
    assert_eq!(
        proxy["DependsOn"],
        json!([{ "ContainerName": "tool", "Condition": "HEALTHY" }])
    );
    let tool = container(&definition("tool"), "tool");
    assert_eq!(tool["HealthCheck"]["Command"], json!(["CMD", "true"]));
}

#[test]
fn files_are_in_the_image_and_only_their_digests_here() {
    let shop = definition("shop");
    let digests = &shop["Metadata"]["mck:Files"];
    let digest = digests["nginx"].as_str().expect("nginx has files");
    assert_eq!(digest.len(), 64);
    assert_ne!(digests["php-fpm"], digests["nginx"]);
    assert!(!shop.to_string().contains("fastcgi_pass"));
    assert!(definition("tool")["Metadata"].get("mck:Files").is_none());
}

#[test]
fn an_image_of_the_user_s_own_with_the_kit_s_files_comes_from_the_app_s_repository() {
    let text = MOUNTS.replace("source = \"shop\"", "image = \"example/shop:1\"");
    let template = stack(&text, &StackId::App("shop".to_owned())).template;
    let shop = template.json()["Resources"]["TaskDefinition"].clone();
    for name in ["nginx", "php-fpm"] {
        let image = container(&shop, name)["Image"].to_string();
        let repository = format!("/shop/production/shop/{name}:");
        assert!(image.contains(&repository), "{image}");
    }
    let text = template.text();
    assert!(!text.contains("example/shop:1"));
    assert!(
        text.contains(":repository/shop/production/shop/php-fpm"),
        "it may be pulled"
    );
    // What gets no files is run as it is.
    let tool = container(&definition("tool"), "tool");
    assert_eq!(tool["Image"], "example/tool:1");
}
