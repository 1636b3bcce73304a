//! The number of an app's tasks.

use aws_sdk_ecs::operation::update_service::builders::UpdateServiceInputBuilder;
use mck_aws_stacks::located::LocatedApp;

use crate::{Account, AwsError};

impl Account {
    /// Asks ECS for so many tasks of an app, which come and go without a deployment. Answers how many
    /// were wanted before; none where the app has no service yet.
    ///
    /// # Errors
    /// Where AWS refuses.
    pub fn scale_app(
        &self,
        region: &str,
        app: &LocatedApp,
        tasks: u32,
    ) -> Result<Option<u32>, AwsError> {
        let ecs = self.ecs(region);
        self.runtime.block_on(async {
            let Some(service) = ecs.service(&app.cluster, &app.service).await? else {
                return Ok(None);
            };
            let count = i32::try_from(tasks).unwrap_or(i32::MAX);
            let change = UpdateServiceInputBuilder::default().desired_count(count);
            ecs.update_service(&app.cluster, &app.service, change)
                .await?;
            Ok(Some(service.desired_count().try_into().unwrap_or(0)))
        })
    }
}
