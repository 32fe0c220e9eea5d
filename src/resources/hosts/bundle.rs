//! All that a host needs to configure itself: its operations, with the templates rendered and the
//! files that they name, as one JSON document.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::base::node::Value;
use crate::base::{Blob, Error, Location, Node, Result, ResultExt, Source};
use crate::contract::{Fact, Render, Target};
use crate::operations::Declared;

/// The form of bundles that this program writes and reads.
const VERSION: u32 = 1;
/// Operations that a host cannot do to itself at its first boot, and why.
const NOT_ALONE: (&str, &str) = (
    "reboot",
    "a host that configures itself at its first boot cannot wait for its own restart",
);

/// A host's configuration, whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    version: u32,
    /// Name of the stack.
    pub stack: String,
    /// Name of the host in the playbook.
    pub host: String,
    /// AWS region, for parameters that operations read.
    pub region: String,
    operations: Vec<Item>,
}

/// One operation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    /// As it stands in `operations:`, evaluated.
    operation: Json,
    /// What its `source` gave, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

impl Bundle {
    /// Packs what is declared; `None` while something of it is known only after apply.
    ///
    /// # Errors
    /// A playbook error: a secret, which nobody may read in a bucket, or what no host can do alone.
    pub(super) fn pack(
        (stack, region): (&str, &str),
        host: Target<'_>,
        declared: &[Declared],
    ) -> Result<Option<Self>> {
        let mut operations = Vec::new();
        for item in declared {
            match pack_item(host, item)? {
                Some(item) => operations.push(item),
                None => return Ok(None),
            }
        }
        Ok(Some(Self {
            version: VERSION,
            stack: stack.to_owned(),
            host: host.address.name.clone(),
            region: region.to_owned(),
            operations,
        }))
    }

    /// Reads one that was fetched.
    ///
    /// # Errors
    /// When it is no bundle, or one of another version.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let bundle: Self = serde_json::from_slice(bytes).context("reading the bundle")?;
        if bundle.version != VERSION {
            return Err(Error::failed(format!(
                "the bundle has version {}, and this program reads version {VERSION}",
                bundle.version
            )));
        }
        Ok(bundle)
    }

    /// As it is kept in the bucket.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).context("writing the bundle")
    }

    /// The list of operations, each at a line of its own: by that it finds its content.
    pub(super) fn list(&self) -> Node {
        let source = Source::new(format!("bundle of hosts.{}", self.host), "");
        let items = self.operations.iter().enumerate().map(|(index, item)| {
            let at = Location::new(&source, index + 1, 1);
            Node::from_json(&at, &item.operation)
        });
        Node::new(&Location::new(&source, 1, 1), Value::List(items.collect()))
    }
}

impl Render for Bundle {
    fn template(&self, source: &Node, _extra: &Json) -> Result<Node> {
        let text = String::from_utf8(self.file(source)?.to_vec()).context("reading the bundle")?;
        Ok(Node::new(&source.at, Value::Text(text)))
    }

    fn file(&self, source: &Node) -> Result<Blob> {
        let item = source.at.line.checked_sub(1);
        let item = item.and_then(|index| self.operations.get(index));
        let content = item.and_then(|item| item.content.as_ref());
        let content = content.ok_or_else(|| Error::playbook("not in the bundle", &source.at))?;
        let bytes = STANDARD.decode(content).context("reading the bundle")?;
        Ok(bytes.into())
    }
}

fn pack_item(host: Target<'_>, item: &Declared) -> Result<Option<Item>> {
    let Some(operation) = &item.operation else {
        return Ok(None);
    };
    if item.name == NOT_ALONE.0 {
        return Err(Error::playbook(NOT_ALONE.1, &item.node.at)
            .hint("leave it out here, and let the image be up to date"));
    }
    let read = Read {
        render: host.render,
        last: Mutex::default(),
    };
    let target = item.target(Target {
        render: &read,
        ..host
    });
    operation.probe(target)?;
    // As on a host that has nothing yet: then everything is read.
    operation.work(target, &vec![Fact::nothing(); 4])?;
    let last = read.last.into_inner();
    let (content, secret) = match last.unwrap_or_else(PoisonError::into_inner) {
        None => (None, false),
        Some(Content::Later) => return Ok(None),
        Some(Content::Known(bytes, secret)) => (Some(STANDARD.encode(bytes)), secret),
    };
    if secret || item.node.has_secret() {
        let text = format!(
            "a secret is in `{}`: it would be in the bucket, for all who may read there",
            item.label()
        );
        return Err(Error::playbook(text, &item.node.at)
            .hint("let the host read a parameter or secret by itself, by its instance profile"));
    }
    Ok(Some(Item {
        operation: json!({ item.name.as_str(): item.node.to_json() }),
        content,
    }))
}

/// Remembers what an operation reads. None has more than one source.
struct Read<'a> {
    render: &'a dyn Render,
    last: Mutex<Option<Content>>,
}

enum Content {
    Known(Vec<u8>, bool),
    Later,
}

impl Read<'_> {
    fn note(&self, content: Content) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(content);
    }
}

impl Render for Read<'_> {
    fn template(&self, source: &Node, extra: &Json) -> Result<Node> {
        let rendered = self.render.template(source, extra)?;
        self.note(match &rendered.value {
            Value::Text(text) => Content::Known(text.clone().into_bytes(), rendered.has_secret()),
            _ => Content::Later,
        });
        Ok(rendered)
    }

    fn file(&self, source: &Node) -> Result<Blob> {
        let bytes = self.render.file(source)?;
        self.note(Content::Known(bytes.to_vec(), false));
        Ok(bytes)
    }
}
