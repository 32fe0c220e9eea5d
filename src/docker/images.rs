//! Images: what is there.

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
}
