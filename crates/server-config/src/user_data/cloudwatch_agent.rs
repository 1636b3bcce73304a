//! The CloudWatch agent: logs that would go with the server, and what EC2 can't see from outside.

use std::fmt::Write;

use super::script::Script;

/// Where its configuration is kept.
const CONFIGURATION: &str = "/opt/aws/amazon-cloudwatch-agent/etc/mck.json";

/// A log file and the name of its stream after the instance's id.
pub(super) type LogFile = (&'static str, &'static str);

/// What is read on every server.
const EVERYWHERE: [LogFile; 2] = [
    ("/var/log/cloud-init-output.log", "cloud-init"),
    ("/var/log/audit/audit.log", "audit"),
];

/// Configures and starts the agent, which must be installed.
pub(super) fn start(script: &mut Script, log_group: &str, files: &[LogFile]) {
    script.file(CONFIGURATION, "0644", &configuration(log_group, files));
    script.line(&format!(
        "/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 \
         -s -c file:{CONFIGURATION}"
    ));
}

/// Memory and the disk's use are what alarms want and EC2's own metrics lack (CloudWatch user guide,
/// "Metrics collected by the CloudWatch agent").
fn configuration(log_group: &str, files: &[LogFile]) -> String {
    let mut list = String::new();
    for (path, stream) in EVERYWHERE.iter().chain(files) {
        let comma = if list.is_empty() { "" } else { ",\n" };
        let _ = write!(
            list,
            "{comma}   {{\"file_path\": \"{path}\", \"log_group_name\": \"{log_group}\", \
             \"log_stream_name\": \"{{instance_id}}/{stream}\"}}"
        );
    }
    format!(
        "{{
 \"agent\": {{\"metrics_collection_interval\": 60}},
 \"metrics\": {{
  \"append_dimensions\": {{\"InstanceId\": \"${{aws:InstanceId}}\"}},
  \"metrics_collected\": {{
   \"mem\": {{\"measurement\": [\"mem_used_percent\"]}},
   \"disk\": {{\"measurement\": [\"used_percent\"], \"resources\": [\"/\"], \"drop_device\": true}}
  }}
 }},
 \"logs\": {{\"logs_collected\": {{\"files\": {{\"collect_list\": [
{list}
 ]}}}}}}
}}
"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_configuration_is_json() {
        let text = super::configuration("/mck/shop", &[("/var/log/dnf.log", "dnf")]);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let files = &json["logs"]["logs_collected"]["files"]["collect_list"];
        assert_eq!(files.as_array().unwrap().len(), 3);
        assert_eq!(files[2]["file_path"], "/var/log/dnf.log");
    }
}
