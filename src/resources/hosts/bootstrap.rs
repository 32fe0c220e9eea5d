//! A host that configures itself at its first boot: what it needs lies in a bucket, and the user data
//! of its instance or launch template fetches it. Nobody connects to it, so there may be thousands.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context as Digest, SHA256, digest};
use aws_sdk_s3::primitives::ByteStream;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::bundle::Bundle;
use super::reach::local_path;
use super::spec::Host;
use crate::aws::versions::{self, NO_BUCKET};
use crate::aws::{Tags, is_code, refused};
use crate::base::{Address, Diff, Error, Node, Outputs, Result, ResultExt, Shown, hex};
use crate::contract::{Context, Found, Presence, Target};
use crate::operations::Declared;

const SCRIPT: &str = include_str!("bootstrap.py");
const WANTED: &str = "@WANTED@";
const SCHEME: &str = "s3://";
/// Characters of a hash that are shown.
const SHORT: usize = 12;

/// How a host is configured without a connection to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bootstrap {
    /// By itself, at its first boot.
    UserData,
}

/// What the host needs, and where it is put.
struct Bundled {
    place: Place,
    bytes: Vec<u8>,
    /// SHA-256 of the bundle, hexadecimal.
    hash: String,
    program: PathBuf,
    /// SHA-256 of the program, hexadecimal.
    program_hash: String,
}

/// A folder in a bucket.
#[derive(Clone)]
struct Place {
    bucket: String,
    /// With a slash at its end.
    folder: String,
}

/// What lies there.
struct Seen {
    /// The hash of the bundle that is wanted, once all of it is known.
    wanted: Option<String>,
    /// It is there, and the program with it.
    is_there: bool,
    /// Hashes of the bundles that are there.
    hashes: Vec<String>,
}

/// Something of the stack in a bucket that stays.
struct Left(Place);

impl Place {
    fn of(cx: &Context, spec: &Host, target: Target<'_>) -> Option<Self> {
        let bucket = Address::new("buckets", spec.bucket.as_ref()?);
        let name = target.world.output(&bucket, "name")?;
        Some(Self {
            bucket: name.as_str()?.to_owned(),
            folder: format!("tidewalk/{}/{}/", cx.stack, target.address.name),
        })
    }

    fn id(&self) -> String {
        format!("{SCHEME}{}/{}", self.bucket, self.folder)
    }

    fn from_id(id: &str) -> Option<Self> {
        let (bucket, folder) = id.strip_prefix(SCHEME)?.split_once('/')?;
        Some(Self {
            bucket: bucket.to_owned(),
            folder: folder.to_owned(),
        })
    }

    fn bundle(&self, hash: &str) -> String {
        format!("{}bundle-{hash}.json", self.folder)
    }

    fn program(&self, hash: &str) -> String {
        format!("{}program-{hash}", self.folder)
    }

    /// Names in the folder; none when there is no such bucket.
    async fn keys(&self, cx: &Context) -> Result<Vec<String>> {
        let call = cx.aws.s3.list_objects_v2().bucket(&self.bucket);
        let mut pages = call.prefix(&self.folder).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page.map_err(refused("s3:ListBucket")) {
                Err(error) if is_code(&error, NO_BUCKET) => return Ok(keys),
                page => page?,
            };
            keys.extend(page.contents.into_iter().flatten().filter_map(|it| it.key));
        }
        Ok(keys)
    }

    async fn put(&self, cx: &Context, key: &str, body: ByteStream) -> Result<()> {
        let call = cx.aws.s3.put_object().bucket(&self.bucket).key(key);
        let put = call.body(body).send().await;
        put.map(drop).map_err(refused("s3:PutObject"))
    }
}

impl Bundled {
    fn of(
        cx: &Context,
        spec: &Host,
        target: Target<'_>,
        declared: &[Declared],
    ) -> Result<Option<Self>> {
        let Some(place) = Place::of(cx, spec, target) else {
            return Ok(None);
        };
        let Some(bundle) = Bundle::pack((&cx.stack, &cx.region), target, declared)? else {
            return Ok(None);
        };
        let bytes = bundle.bytes()?;
        let program = match &spec.program {
            Some(path) => local_path(&cx.folder, path),
            None => std::env::current_exe().context("finding this program")?,
        };
        Ok(Some(Self {
            place,
            hash: hex(digest(&SHA256, &bytes).as_ref()),
            bytes,
            program_hash: hash_of(&program)
                .map_err(|error| error.at(target.node.entry("program").map_or(target.at, at)))?,
            program,
        }))
    }

    /// The user data that fetches exactly this.
    fn user_data(&self, cx: &Context) -> String {
        let wanted = json!({
            "region": cx.region,
            "bucket": self.place.bucket,
            "program": self.place.program(&self.program_hash),
            "bundle": self.place.bundle(&self.hash),
        });
        SCRIPT.replace(WANTED, &wanted.to_string())
    }

    fn found(&self, cx: &Context, seen: Seen) -> Found {
        let user_data = Json::from(self.user_data(cx));
        found(&self.place, user_data, Arc::new(seen))
    }
}

fn at(node: &Node) -> &crate::base::Location {
    &node.at
}

fn found(place: &Place, user_data: Json, live: Arc<dyn std::any::Any + Send + Sync>) -> Found {
    Found {
        id: place.id(),
        name: None,
        tags: Tags::default(),
        outputs: Outputs::default()
            .with("id", place.id())
            .with("address", Json::Null)
            .with("os", Json::Null)
            .with("user_data", user_data),
        parts: Vec::new(),
        live,
    }
}

fn hash_of(path: &Path) -> Result<String> {
    let reading = || format!("reading the program `{}`", path.display());
    let mut file = std::fs::File::open(path).context(reading())?;
    let mut digest = Digest::new(&SHA256);
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).context(reading())? {
            0 => return Ok(hex(digest.finish().as_ref())),
            length => digest.update(&chunk[..length]),
        }
    }
}

/// What lies in the bucket; `None` while there is no bucket, or nothing of this host in it.
pub(super) async fn observe(
    cx: &Context,
    spec: &Host,
    target: Target<'_>,
    declared: &[Declared],
) -> Result<Option<Found>> {
    let Some(place) = Place::of(cx, spec, target) else {
        return Ok(None);
    };
    let keys = place.keys(cx).await?;
    let begin = place.bundle("");
    let begin = begin.trim_end_matches(".json");
    let hashes = keys.iter().filter_map(|key| key.strip_prefix(begin));
    let hashes: Vec<String> = hashes
        .map(|rest| rest.trim_end_matches(".json").to_owned())
        .collect();
    if hashes.is_empty() {
        return Ok(None);
    }
    let seen = |wanted: Option<&Bundled>| Seen {
        wanted: wanted.map(|it| it.hash.clone()),
        is_there: wanted.is_some_and(|it| {
            keys.contains(&place.program(&it.program_hash)) && hashes.contains(&it.hash)
        }),
        hashes: hashes.clone(),
    };
    Ok(Some(match Bundled::of(cx, spec, target, declared)? {
        Some(bundled) => bundled.found(cx, seen(Some(&bundled))),
        None => found(&place, Json::Null, Arc::new(seen(None))),
    }))
}

/// What an apply puts there.
///
/// # Errors
/// What cannot be in a bundle.
pub(super) fn diff(
    target: Target<'_>,
    declared: &[Declared],
    live: Option<&Found>,
) -> Result<Diff> {
    Bundle::pack(("", ""), target, declared)?;
    let wanted = || {
        Shown::of(match declared.len() {
            1 => "1 operation".to_owned(),
            count => format!("{count} operations"),
        })
    };
    let Some(seen) = live.and_then(|live| live.live.downcast_ref::<Seen>()) else {
        return Ok(Diff::default().field("bundle", Shown::Absent, wanted()));
    };
    if seen.is_there {
        return Ok(Diff::default());
    }
    let short = |hash: &String| Shown::of(hash.get(..SHORT).unwrap_or(hash).to_owned());
    let old = match seen.hashes.as_slice() {
        [one] => short(one),
        several => Shown::of(format!("{} others", several.len())),
    };
    let new = seen.wanted.as_ref().map_or(Shown::AfterApply, short);
    Ok(Diff::default().field("bundle", old, new))
}

/// Puts what is missing into the bucket. What lay there before stays: instances may be starting by it.
pub(super) async fn apply(
    cx: &Context,
    spec: &Host,
    target: Target<'_>,
    declared: &[Declared],
) -> Result<Found> {
    let Some(bundled) = Bundled::of(cx, spec, target, declared)? else {
        let text = format!("{} cannot be put into its bucket yet", target.address);
        return Err(Error::failed(text)
            .note("the bucket does not exist, or an operation is still not known")
            .at(target.at));
    };
    let Bundled { place, .. } = &bundled;
    let keys = place.keys(cx).await?;
    let program = place.program(&bundled.program_hash);
    if !keys.contains(&program) {
        cx.progress
            .doing(target.address, "putting the program into the bucket");
        let body = ByteStream::from_path(&bundled.program).await;
        place
            .put(cx, &program, body.context("reading the program")?)
            .await?;
    }
    cx.progress
        .doing(target.address, "putting the bundle into the bucket");
    let body = ByteStream::from(bundled.bytes.clone());
    place.put(cx, &place.bundle(&bundled.hash), body).await?;
    let seen = Seen {
        wanted: Some(bundled.hash.clone()),
        is_there: true,
        hashes: Vec::new(),
    };
    Ok(bundled.found(cx, seen))
}

/// What is left in a bucket that stays.
pub(super) async fn remains(
    cx: &Context,
    spec: &Host,
    target: Target<'_>,
) -> Result<Option<Found>> {
    let Some(place) = Place::of(cx, spec, target) else {
        return Ok(None);
    };
    let left = versions::page(&cx.aws.s3, &place.bucket, &place.folder).await?;
    if left.is_empty() {
        return Ok(None);
    }
    let found = found(&place, Json::Null, Arc::new(Left(place.clone())));
    Ok(Some(Found {
        outputs: Outputs::default().with("remains", left.len()),
        ..found
    }))
}

/// Deletes what is left; whether it was something in a bucket.
pub(super) async fn take_away(cx: &Context, live: &Found) -> Result<bool> {
    let Some(Left(place)) = live.live.downcast_ref::<Left>() else {
        return Ok(false);
    };
    let done = versions::delete_all(&cx.aws.s3, &place.bucket, &place.folder, |_| {}).await;
    done.map_err(|error| error.context("deleting what the host was to fetch"))?;
    Ok(true)
}

/// Whether something is left there, for the id of something in a bucket.
pub(super) async fn presence(cx: &Context, id: &str) -> Option<Presence> {
    let place = Place::from_id(id)?;
    let left = versions::page(&cx.aws.s3, &place.bucket, &place.folder).await;
    Some(match left.map(|left| left.len()) {
        Ok(0) => Presence::Absent,
        Ok(1) => Presence::Present("1 object".to_owned()),
        Ok(count) => Presence::Present(format!("{count} objects and versions")),
        Err(error) => Presence::unknown(&error),
    })
}

/// What is wrong with it, offline.
pub(super) fn check(spec: &Host, node: &Node) -> Vec<Error> {
    let mut errors = Vec::new();
    let own = ["bucket", "program"];
    if spec.bootstrap.is_none() {
        for key in own {
            if let Some(given) = node.entry(key) {
                let text = format!("`{key}` belongs to `bootstrap: user_data`");
                errors.push(Error::playbook(text, &given.at));
            }
        }
        return errors;
    }
    if spec.bucket.is_none() {
        let text = "`bootstrap: user_data` needs the `bucket` that the host fetches from";
        errors.push(Error::playbook(text, &node.at));
    }
    let allowed = ["bootstrap", "setups", "operations"];
    let given = node.as_map().into_iter().flatten();
    for (key, entry) in given {
        if !own.contains(&key.as_str()) && !allowed.contains(&key.as_str()) {
            let text = format!("`{key}` has no use where nobody connects: `bootstrap: user_data`");
            errors.push(Error::playbook(text, &entry.key_at));
        }
    }
    errors
}
