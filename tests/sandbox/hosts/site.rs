//! A playbook's surroundings for one host, without a playbook: the kind is driven directly.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use tidewalk::aws::Tags;
use tidewalk::aws::clients::{ConnectOptions, Credentials, connect};
use tidewalk::base::node::Value;
use tidewalk::base::{
    Address, Blob, Error, FieldChange, Location, Node, Outputs, Result, Secret, World,
};
use tidewalk::contract::{self, Context, Found, Kind, Progress, Render, Target};
use tidewalk::resources::hosts::Hosts;
use tidewalk::resources::hosts::reach::{self, Reach};
use tidewalk::resources::hosts::way::Way;
use tidewalk::ssh::Destination;

use super::node;

/// The id of the instance that the host pretends to be.
pub(crate) const INSTANCE: &str = "i-0123456789abcdef0";

/// An EC2 endpoint that knows `CreateTags` only.
#[derive(Clone, Default)]
pub(crate) struct TagLog {
    /// Values written, in order.
    pub(crate) values: Arc<Mutex<Vec<String>>>,
    /// How many more writes succeed; the ones after them are refused.
    pub(crate) allowed: Arc<Mutex<usize>>,
}

async fn create_tags(State(log): State<TagLog>, body: String) -> (StatusCode, String) {
    let values = url::form_urlencoded::parse(body.as_bytes())
        .filter(|(key, _)| key == "Tag.1.Value")
        .map(|(_, value)| value.into_owned())
        .collect::<Vec<_>>();
    let mut allowed = log.allowed.lock().expect("the count");
    if *allowed == 0 {
        let text = "<Response><Errors><Error><Code>UnauthorizedOperation</Code>\
                    <Message>no</Message></Error></Errors></Response>";
        return (StatusCode::FORBIDDEN, text.to_owned());
    }
    *allowed -= 1;
    log.values.lock().expect("the values").extend(values);
    let text = "<CreateTagsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
                <return>true</return></CreateTagsResponse>";
    (StatusCode::OK, text.to_owned())
}

pub(crate) struct Site {
    pub(crate) cx: Context,
    folder: PathBuf,
    address: Address,
    at: Location,
    pub(crate) world: World,
    pub(crate) tags: TagLog,
    /// What the progress display would have shown.
    pub(crate) news: Arc<News>,
    /// The host's spec, without its operations.
    pub(crate) spec: serde_json::Value,
}

/// Keeps the news.
#[derive(Default)]
pub(crate) struct News(Mutex<Vec<String>>);

impl News {
    pub(crate) fn have(&self, text: &str) -> bool {
        let news = self.0.lock().expect("the news");
        news.iter().any(|said| said.contains(text))
    }

    /// The same, and forgets all of it.
    pub(crate) fn take(&self, text: &str) -> bool {
        let found = self.have(text);
        if found {
            self.0.lock().expect("the news").clear();
        }
        found
    }
}

impl Progress for News {
    fn doing(&self, _address: &Address, what: &str) {
        self.0.lock().expect("the news").push(what.to_owned());
    }
}

impl Render for Site {
    fn template(&self, source: &Node, extra: &serde_json::Value) -> Result<Node> {
        let bytes = self.file(source)?;
        let text = String::from_utf8(bytes.to_vec()).expect("a text template");
        let rendered = minijinja::Environment::new()
            .render_str(
                &text,
                minijinja::Value::from(minijinja::value::Serde(extra)),
            )
            .map_err(|cause| Error::playbook(cause.to_string(), &source.at))?;
        Ok(Node::new(&source.at, Value::Text(rendered)))
    }

    fn file(&self, source: &Node) -> Result<Blob> {
        let path = self.folder.join(source.as_text().unwrap_or_default());
        std::fs::read(path)
            .map(Into::into)
            .map_err(|cause| Error::playbook(cause.to_string(), &source.at))
    }
}

impl Site {
    /// For a host outside AWS, pinned by its own key.
    pub(crate) async fn of(node: &node::Node) -> Self {
        let spec = serde_json::json!({
            "address": node.address,
            "user": "root",
            "identity": node.identity(),
            "host_key": node.host_key,
        });
        Self::with_spec(node, spec).await
    }

    /// For an instance whose tag holds `host_key`.
    pub(crate) async fn of_instance(node: &node::Node, host_key: &str) -> Self {
        let spec = serde_json::json!({
            "instance": "server",
            "user": "root",
            "identity": node.identity(),
        });
        let mut site = Self::with_spec(node, spec).await;
        site.know_instance(node, host_key, "running");
        site
    }

    pub(crate) async fn with_spec(node: &node::Node, spec: serde_json::Value) -> Self {
        let tags = TagLog::default();
        *tags.allowed.lock().expect("the count") = usize::MAX;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        let app = Router::new().fallback(create_tags).with_state(tags.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let aws = connect(&ConnectOptions {
            region: Some("eu-west-1".to_owned()),
            endpoint: Some(endpoint),
            credentials: Some(Credentials {
                access_key_id: "test".to_owned(),
                secret_access_key: Secret::from("test".to_owned()),
            }),
            ..ConnectOptions::default()
        })
        .await
        .expect("clients");
        let folder = node.folder.path().to_owned();
        let news = Arc::<News>::default();
        Self {
            cx: Context {
                stack: "test".to_owned(),
                region: "eu-west-1".to_owned(),
                account: "123456789012".to_owned(),
                tags: BTreeMap::new(),
                lease_until: None,
                folder: folder.clone(),
                local: folder.join(".tidewalk"),
                aws,
                keep: None,
                progress: Arc::<News>::clone(&news),
            },
            folder,
            address: Address::new("hosts", "server"),
            at: Location::nowhere("test"),
            world: World::default(),
            tags,
            news,
            spec,
        }
    }

    pub(crate) fn know_instance(&mut self, node: &node::Node, host_key: &str, state: &str) {
        let outputs = Outputs::default()
            .with("id", INSTANCE)
            .with("state", state)
            .with("public_ip", serde_json::Value::Null)
            .with("private_ip", node.address.as_str())
            .with("host_key", host_key);
        self.world
            .know(Address::new("instances", "server"), outputs);
    }

    /// A file that `source:` can name.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).expect("a file");
    }

    fn node(&self, operations: &str) -> Node {
        let operations: serde_json::Value = serde_saphyr::from_str(operations).expect("YAML");
        let mut spec = self.spec.clone();
        spec["operations"] = operations;
        Node::from_json(&self.at, &spec)
    }

    fn target<'a>(&'a self, node: &'a Node, tags: &'a Tags) -> Target<'a> {
        Target {
            address: &self.address,
            at: &self.at,
            node,
            world: &self.world,
            tags,
            render: self,
        }
    }

    pub(crate) async fn observe(&self, operations: &str) -> Result<Option<Found>> {
        let (node, tags) = (self.node(operations), Tags::default());
        Hosts
            .observe(
                &self.cx,
                self.target(&node, &tags),
                contract::Patience::Standing,
            )
            .await
    }

    /// What a plan would show.
    pub(crate) async fn plan(&self, operations: &str) -> Result<Vec<FieldChange>> {
        let (node, tags) = (self.node(operations), Tags::default());
        Hosts.check(&node).expect("nothing wrong offline");
        let target = self.target(&node, &tags);
        let found = Hosts
            .observe(&self.cx, target, contract::Patience::Standing)
            .await?;
        Ok(Hosts.diff(target, found.as_ref())?.changes)
    }

    pub(crate) async fn apply(&self, operations: &str) -> Result<Found> {
        let (node, tags) = (self.node(operations), Tags::default());
        Hosts.apply(&self.cx, self.target(&node, &tags), None).await
    }

    /// Where the host is.
    pub(crate) fn destination(&self) -> Destination {
        let (node, tags) = (self.node("[]"), Tags::default());
        match reach::of_node(&self.folder, self.target(&node, &tags)) {
            Ok(Reach::At {
                way: Way::Ssh(destination),
                ..
            }) => destination,
            other => panic!("the host can be reached: {other:?}"),
        }
    }

    /// Applies, and expects that nothing is left to do.
    pub(crate) async fn converge(&self, operations: &str) {
        self.apply(operations).await.expect("applied");
        let left = self.plan(operations).await.expect("planned");
        assert!(left.is_empty(), "left after apply:{}", shown(&left));
    }
}

/// Changes as lines, for messages.
pub(crate) fn shown(changes: &[FieldChange]) -> String {
    changes.iter().fold(String::new(), |mut text, change| {
        let _ = write!(text, "\n{}: {} -> {}", change.field, change.old, change.new);
        text
    })
}
