//! Settings of ECS in the account, each of a region.

use aws_sdk_ecs::{
    Client,
    types::{Setting, SettingName},
};

use crate::{account::Account, error::AwsError};

const SUBJECT: &str = "awsvpcTrunking";
const ON: &str = "enabled";

impl Account {
    /// Whether container instances that start from now on have network interfaces for more tasks
    /// than their type gives (ENI trunking).
    ///
    /// # Errors
    /// Where ECS does not answer.
    pub fn has_trunking(&self, region: &str) -> Result<bool, AwsError> {
        let client = Client::new(self.clients.config(region));
        let call = client
            .list_account_settings()
            .name(SettingName::AwsvpcTrunking)
            .effective_settings(true);
        let answer = self.runtime.block_on(call.send());
        let answer =
            answer.map_err(|error| AwsError::call("ListAccountSettings", SUBJECT, &error))?;
        Ok(is_on(answer.settings()))
    }

    /// Switches trunking on for all of the account's roles that do not say otherwise themselves.
    /// What counts is the role of the container instances, for which nobody but the account's root
    /// user can say it by name (Amazon ECS API reference, `PutAccountSetting`, `principalArn`).
    ///
    /// # Errors
    /// Where ECS does not answer or refuses.
    pub fn turn_on_trunking(&self, region: &str) -> Result<(), AwsError> {
        let client = Client::new(self.clients.config(region));
        let call = client
            .put_account_setting_default()
            .name(SettingName::AwsvpcTrunking)
            .value(ON);
        let answer = self.runtime.block_on(call.send());
        answer.map_err(|error| AwsError::call("PutAccountSettingDefault", SUBJECT, &error))?;
        Ok(())
    }
}

fn is_on(settings: &[Setting]) -> bool {
    let mut of_trunking = settings
        .iter()
        .filter(|it| it.name() == Some(&SettingName::AwsvpcTrunking));
    of_trunking.any(|it| it.value() == Some(ON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_on_where_that_is_said() {
        let setting = |name: SettingName, value: &str| {
            let setting = Setting::builder().name(name).value(value);
            setting.build()
        };
        let trunking = |value| setting(SettingName::AwsvpcTrunking, value);
        let other = setting(SettingName::ContainerInsights, ON);
        assert!(!is_on(&[]));
        assert!(!is_on(&[other.clone(), trunking("disabled")]));
        assert!(is_on(&[other, trunking(ON)]));
    }
}
