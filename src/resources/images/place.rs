//! Where an image is, and by what it is known there.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::Image;
use crate::aws::Tags;
use crate::base::{Address, Outputs, hex};
use crate::contract::kind::aws_name;
use crate::contract::{Found, Target};

/// Hexadecimal digits of the hash of whose an image is.
const OWNER: usize = 8;

/// Where it is pushed to.
pub(super) struct Place {
    /// The repository's name.
    pub(super) repository: String,
    /// What images in it are called, without their tag.
    pub(super) uri: String,
}

impl Place {
    pub(super) fn of(spec: &Image, target: Target<'_>) -> Option<Self> {
        let repository = Address::new("repositories", &spec.repository.0);
        let text = |name| target.world.output(&repository, name)?.as_str();
        Some(Self {
            repository: text("name")?.to_owned(),
            uri: text("uri")?.to_owned(),
        })
    }

    /// Name and port of the registry.
    pub(super) fn registry(&self) -> &str {
        self.uri.split('/').next().unwrap_or_default()
    }
}

/// What the tags of one image of a stack begin with, whatever it was built from.
pub(super) fn begin(stack: &str, address: &Address) -> String {
    let owner = digest(&SHA256, format!("{stack}\0{address}").as_bytes());
    let owner = hex(owner.as_ref());
    format!("{}-{}-", aws_name(address), &owner[..OWNER])
}

/// An image that is there.
pub(super) fn found(place: &Place, tag: &str, digest: &str) -> Found {
    let pinned = format!("{}@{digest}", place.uri);
    Found {
        id: format!("{}:{tag}", place.repository),
        name: None,
        tags: Tags::default(),
        outputs: Outputs::default()
            .with("id", pinned.as_str())
            .with("uri", pinned.as_str())
            .with("digest", digest)
            .with("tag", tag),
        parts: Vec::new(),
        live: Arc::new(()),
    }
}

/// The repository, and what the tags of the image begin with: by them it is asked for again.
pub(super) fn from_id(id: &str) -> Option<(&str, &str)> {
    let (repository, tag) = id.split_once(':')?;
    let end = tag.rfind('-')?;
    Some((repository, &tag[..=end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_where_the_images_are_whatever_they_were_built_from() {
        let address = Address::new("images", "web[eu-1]");
        let begin = begin("shop", &address);
        assert!(begin.starts_with("web-eu-1-"), "{begin}");
        for tag in ["0123", ""] {
            let id = format!("team/shop:{begin}{tag}");
            assert_eq!(from_id(&id), Some(("team/shop", begin.as_str())));
        }
    }
}
