//! Imports a public key into AWS.

use aws_sdk_ec2::types::ResourceType;
use ssh_key::PublicKey;

use super::{FINGERPRINT, KeyPair, Live, PRIVATE_KEY, fingerprint, list};
use crate::aws::ec2::{filter, specification, tags_of};
use crate::aws::{is_code, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};

/// Imports the public key, once.
pub(super) async fn import(spec: &KeyPair, cx: &Context, target: Target<'_>) -> Result<Live> {
    let mut tags = target.tags.clone();
    let key = match &spec.create {
        Some(create) => {
            let path = create.private_key_text(target);
            tags.0.insert(PRIVATE_KEY.to_owned(), path);
            // Before the import: a key in AWS whose private half is lost would be useless.
            create.ensure(cx, target)?.public_key().clone()
        }
        None => spec.read_public_key(target)?,
    };
    tags.0.insert(FINGERPRINT.to_owned(), fingerprint(&key));
    let text = openssh(&key)?;
    let name = spec.aws_name(target);
    let call = cx.aws.ec2.import_key_pair().key_name(name);
    let call = call
        .public_key_material(aws_smithy_types::Blob::new(text.as_bytes()))
        .tag_specifications(specification(ResourceType::KeyPair, &tags));
    match call.send().await.map_err(refused("ec2:ImportKeyPair")) {
        Ok(made) => Ok(Live {
            id: made.key_pair_id.unwrap_or_default(),
            name: made.key_name.unwrap_or_default(),
            fingerprint: made.key_fingerprint.unwrap_or_default(),
            public_key: Some(text),
            tags: tags_of(made.tags),
        }),
        Err(error) if is_code(&error, "InvalidKeyPair.Duplicate") => {
            // An earlier try, whose answer was lost, or somebody else's.
            let named = list(cx, vec![filter("key-name", [name])]).await?;
            let ours = |live: &Live| {
                let owner = live.tags.owner();
                owner.is_some_and(|o| o.stack == cx.stack && o.address == *target.address)
                    && live.key_fingerprint().as_deref() == Some(fingerprint(&key).as_str())
            };
            named.into_iter().find(ours).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

fn openssh(key: &PublicKey) -> Result<String> {
    key.to_openssh()
        .map_err(|cause| Error::failed(format!("encoding the public key: {cause}")))
}
