//! Images: what is there, made of containers, removed.

use std::collections::HashMap;

use bollard::models::ContainerConfig;
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, ListImagesOptions, ListImagesOptionsBuilder,
    RemoveImageOptionsBuilder,
};

use super::Engine;
use super::engine::is_absent;
use crate::base::{Result, ResultExt};

impl Engine {
    /// The value of an image's label; an empty text when the image has no such label, `None` when
    /// there is no such image.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn image_label(&self, image: &str, label: &str) -> Result<Option<String>> {
        match self.docker.inspect_image(image).await {
            Ok(found) => Ok(Some(
                found
                    .config
                    .and_then(|config| config.labels)
                    .and_then(|mut labels| labels.remove(label))
                    .unwrap_or_default(),
            )),
            Err(cause) if is_absent(&cause) => Ok(None),
            Err(cause) => Err(cause).context(format!("looking for image `{image}`")),
        }
    }

    /// Makes an image of a container's disk as it is now; it has the container's labels.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn commit_container(&self, name: &str, repository: &str, tag: &str) -> Result<()> {
        let options = CommitContainerOptionsBuilder::default()
            .container(name)
            .repo(repository)
            .tag(tag)
            .pause(false)
            .build();
        let made = self
            .docker
            .commit_container(options, ContainerConfig::default());
        let made = made.await.map(drop);
        made.context(format!("making an image of container `{name}`"))
    }

    /// Ids of the images with this label, made of containers or not.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn images_with(&self, label: &str, value: &str) -> Result<Vec<String>> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{label}={value}")])]);
        let options = ListImagesOptionsBuilder::default()
            .filters(&filters)
            .build();
        let images = self.docker.list_images(Some(options)).await;
        let images = images.context("listing images")?.into_iter();
        Ok(images.map(|image| image.id).collect())
    }

    /// Names of the images that were pulled from or named for a registry, such as `127.0.0.1:5000`.
    ///
    /// # Errors
    /// What the engine said.
    pub async fn images_of(&self, registry: &str) -> Result<Vec<String>> {
        let images = self.docker.list_images(None::<ListImagesOptions>).await;
        let images = images.context("listing images")?.into_iter();
        let names = images.flat_map(|image| [image.repo_tags, image.repo_digests].concat());
        let place = format!("{registry}/");
        let named = |name: &String| name.starts_with(&place) && !name.contains("<none>");
        Ok(names.filter(named).collect())
    }

    /// Removes an image; one that is not there is fine.
    ///
    /// # Errors
    /// What the engine said; also that a container uses it.
    pub async fn remove_image(&self, image: &str) -> Result<()> {
        let options = RemoveImageOptionsBuilder::default().force(true).build();
        match self.docker.remove_image(image, Some(options), None).await {
            Err(cause) if !is_absent(&cause) => {
                Err(cause).context(format!("removing image `{image}`"))
            }
            _ => Ok(()),
        }
    }
}
