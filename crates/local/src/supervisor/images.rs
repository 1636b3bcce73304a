//! Images of apps: pulled as a release is made, kept as long as a deployment or task may need them.

use std::collections::{BTreeMap, BTreeSet};

use mck_blueprint::model::App;

use super::{
    Supervisor,
    component::{Component, Condition, Kind},
    components::image_references,
};
use crate::{events::Level, text::chain};

/// How much of an image's id is shown, as Docker shows it.
const SHOWN_ID: usize = 12;

impl Supervisor {
    /// The ids of the images that an app's tasks should be made of, by reference.
    pub(super) fn image_ids(&self, app: &str) -> BTreeMap<String, String> {
        self.record.images.get(app).cloned().unwrap_or_default()
    }

    /// Whether the images of an app were pulled and are still there.
    pub(super) fn has_images(&self, app: &App) -> bool {
        let ids = self.record.images.get(&app.name);
        image_references(app).iter().all(|reference| {
            let id = ids.and_then(|ids| ids.get(*reference));
            id.is_some_and(|id| self.workshop.images.get(id).is_ok())
        })
    }

    /// Whether nobody asked to pull the images of an app that is there.
    pub(super) fn keeps_its_images(&self, app: &str) -> bool {
        !self.pulls.contains(app) && self.app(app).is_some_and(|app| self.has_images(app))
    }

    pub(super) fn images_pulled(&mut self, app: &str, ids: BTreeMap<String, String>) {
        self.pulls.remove(app);
        let before = self.image_ids(app);
        for (reference, id) in &ids {
            if before.get(reference) != Some(id) {
                let shown = id.get(..SHOWN_ID).unwrap_or(id);
                self.note(app, Level::Info, format!("Image {shown} of {reference}."));
            }
        }
        if before != ids {
            self.record.images.insert(app.to_owned(), ids);
            self.save();
            let app = app.to_owned();
            self.look_again(|it| it.kind == Kind::Upgrade(app.clone()));
        }
        // Where the app has code of its own as well, that comes with the same deployment.
        if !self.builds.contains(app) {
            let release = self.record.releases.get(app).cloned();
            self.answer_waiting(app, &Ok(release));
        }
    }

    /// Images could not be pulled: those who wait hear it, and where there are older ones they go
    /// on.
    pub(super) fn pull_failed(&mut self, component: &Component, app: &str, reason: String) {
        self.pulls.remove(app);
        self.answer_waiting(app, &Err(reason.clone()));
        if self.app(app).is_some_and(|app| self.has_images(app)) {
            self.note(app, Level::Warning, format!("No new images: {reason}"));
            self.component_ready(component);
        } else {
            self.pulls.insert(app.to_owned());
            self.component_failed(&component.name, reason);
        }
    }

    /// Removes images that no app, task or completed deployment needs. Not while one is pulled,
    /// which is not in the record yet.
    pub(super) fn prune_images(&mut self) {
        let pulling = self.components.iter().any(|component| {
            matches!(component.kind, Kind::Image(_))
                && matches!(
                    self.conditions.get(&component.name),
                    Some(Condition::Working { .. })
                )
        });
        if pulling {
            return;
        }
        let deployments = self.record.deployments.values().flatten();
        let kept: BTreeSet<String> = deployments
            .filter(|it| it.may_come_back())
            .map(|it| &it.images)
            .chain(self.record.tasks.values().map(|task| &task.images))
            .chain(self.record.images.values())
            .flat_map(|ids| ids.values().cloned())
            .collect();
        if let Err(error) = self.workshop.images.store().prune(&kept) {
            let reason = format!("Old images stay: {}", chain(&error));
            self.note("images", Level::Warning, reason);
        }
    }
}
