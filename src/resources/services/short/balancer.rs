//! The load balancer that is made for a service: in front of its tasks, with a target group, and
//! security groups that let requests in there and from there to the tasks.

use indexmap::IndexMap;

use super::Short;
use crate::base::node::Entry;
use crate::base::{Node, Result, Value, Written};

impl Short<'_> {
    /// Takes the load balancer out of the spec and makes it, where the service has one of its own.
    pub(super) fn balancer(&mut self, containers: Option<&IndexMap<String, Entry>>) -> Result<()> {
        let there = self.spec.get("load_balancer").map(|it| it.node.clone());
        let Some(Value::Map(given)) = there.map(|node| node.value) else {
            return Ok(());
        };
        let mut given: IndexMap<String, Entry> = (*given).clone();
        let own = !given.contains_key("target_group");
        if own && self.spec.contains_key("subnets") && !self.spec.contains_key("network") {
            let text = "a load balancer of its own needs a `network`, and this has `subnets` only";
            return Err(self.error(text));
        }
        if let Some(containers) = containers {
            self.find_container(&mut given, containers)?;
        } else if own {
            for field in ["container", "container_port"] {
                if !given.contains_key(field) {
                    let text = format!("which one takes the requests? Give the `{field}`");
                    return Err(self.error(&text));
                }
            }
        }
        if own {
            self.make_balancer(&mut given);
        } else if let Some(group) = given.get("target_group").and_then(|it| it.node.as_text()) {
            self.same_network("target_groups", group)?;
            self.after(&self.balancers_of(group));
        }
        if let Some(entry) = self.spec.get_mut("load_balancer") {
            entry.node.value = Value::Map(given.into());
        }
        Ok(())
    }

    /// What the playbook declares of another section is in the network of the tasks, as far as both are
    /// written out.
    pub(super) fn same_network(&self, kind: &str, name: &str) -> Result<()> {
        let declared = self.sections.get(kind).and_then(|it| it.get(name));
        let Some(declared) = declared.filter(|_| !self.spec.contains_key("subnets")) else {
            return Ok(());
        };
        if declared.node.entry("vpc").is_some() {
            return Ok(());
        }
        let network = |node: Option<&Node>| match node.map(|it| &it.value) {
            None | Some(Value::Null) => Some("the default VPC".to_owned()),
            Some(Value::Text(name)) if !name.contains("{{") => Some(format!("`{name}`")),
            Some(_) => None,
        };
        let ours = network(self.spec.get("network").map(|it| &it.node));
        let its = network(declared.node.entry("network"));
        match (ours, its) {
            (Some(ours), Some(its)) if ours != its => {
                let text = format!("its tasks are in {ours}, but `{kind}.{name}` is in {its}");
                Err(self.error(&text).hint("give both the same `network`"))
            }
            _ => Ok(()),
        }
    }

    /// Adds the container and its port, where there is only one.
    fn find_container(
        &self,
        given: &mut IndexMap<String, Entry>,
        containers: &IndexMap<String, Entry>,
    ) -> Result<()> {
        let port = |entry: &Entry| entry.node.entry("port").cloned();
        if !given.contains_key("container") {
            let mut open = containers.iter().filter(|(_, it)| port(it).is_some());
            let (Some((name, _)), None) = (open.next(), open.next()) else {
                let text = "which container takes the requests? Give its `port`, or name it by \
                            `container` of the `load_balancer`";
                return Err(self.error(text));
            };
            let name = Node::new(self.at, Value::Text(name.clone()));
            given.insert("container".to_owned(), self.entry(name));
        }
        let name = given.get("container").and_then(|it| it.node.as_text());
        if let Some(name) = name.filter(|it| !it.contains("{{") && !containers.contains_key(*it)) {
            return Err(self.error(&format!("there is no container `{name}`")));
        }
        if !given.contains_key("container_port") {
            let port = name.and_then(|name| port(containers.get(name)?));
            let port = match port {
                Some(node) => match node.as_list() {
                    Some([one]) => Some(one.clone()),
                    Some(_) => None,
                    None => Some(node),
                },
                None => None,
            };
            let text = "which port takes the requests? Give the container's one `port`, or the \
                        `container_port` of the `load_balancer`";
            let port = port.ok_or_else(|| self.error(text))?;
            given.insert("container_port".to_owned(), self.entry(port));
        }
        Ok(())
    }

    /// Leaves in `given` what the service itself takes.
    fn make_balancer(&mut self, given: &mut IndexMap<String, Entry>) {
        let port = given.get("container_port").cloned();
        let network = self.spec.get("network").cloned();
        let secure = given.shift_remove("certificate");
        let (listeners, ports) = self.listeners(given.shift_remove("port"), secure);
        let front = format!("{}-balancer", self.name);
        let from = given.shift_remove("from");
        let from = from.unwrap_or_else(|| self.text("anywhere"));
        self.security_group(&front, "Requests to the service", ports, from);
        let none = |it: &Entry| it.node.as_list().is_some_and(<[Node]>::is_empty);
        if self.spec.get("security_groups").is_none_or(none) {
            let back = format!("{}-tasks", self.name);
            let text = "Requests from the load balancer of the service";
            let from = self.text(&self.named(&front));
            self.security_group(&back, text, port.clone(), from);
            let groups = self.list([self.text(&self.named(&back)).node]);
            self.spec.insert("security_groups".to_owned(), groups);
        }
        let target_group = Written::at(self.at)
            .taking("name", self.aws_name(""))
            .taking("port", port)
            .taking("network", network.clone())
            .with("deregistration_delay_seconds", 30)
            .taking(
                "deregistration_delay_seconds",
                given.shift_remove("deregistration_delay_seconds"),
            )
            .taking("health_check", Some(self.health_check(given)));
        self.make("target_groups", self.name, target_group);
        let groups = self.list([self.text(&self.named(&front)).node]);
        let balancer = Written::at(self.at)
            .taking("name", self.aws_name(""))
            .taking("network", network)
            .taking("scheme", given.shift_remove("scheme"))
            .taking(
                "idle_timeout_seconds",
                given.shift_remove("idle_timeout_seconds"),
            )
            .taking("security_groups", Some(groups))
            .taking("listeners", Some(listeners));
        self.make("load_balancers", self.name, balancer);
        given.insert("target_group".to_owned(), self.text(&self.named(self.name)));
        self.after(&[self.named(self.name)]);
    }

    /// The listeners, and the ports that are open to the world for them.
    fn listeners(&self, port: Option<Entry>, secure: Option<Entry>) -> (Entry, Option<Entry>) {
        let forward = self.named(self.name);
        let listener = Written::at(self.at).with("forward", forward);
        let ports = |ports: &[u16]| Written::at(self.at).with("ports", ports.to_vec());
        let (listeners, open) = match (port, secure) {
            (None, Some(secure)) => {
                let one = listener
                    .with("port", 443)
                    .taking("certificates", Some(secure));
                let other = Written::at(self.at)
                    .with("port", 80)
                    .with("redirect", "https");
                (vec![one.node(), other.node()], ports(&[80, 443]))
            }
            (Some(port), secure) => {
                let open = Written::at(self.at).taking("ports", Some(port.clone()));
                let one = listener.taking("port", Some(port));
                (vec![one.taking("certificates", secure).node()], open)
            }
            (None, None) => (vec![listener.with("port", 80).node()], ports(&[80])),
        };
        let open = open.node();
        let open = open.as_map().and_then(|map| map.get("ports")).cloned();
        (self.list(listeners), open)
    }

    fn security_group(&mut self, name: &str, about: &str, ports: Option<Entry>, from: Entry) {
        let rule = Written::at(self.at)
            .taking("ports", ports)
            .taking("from", Some(from));
        let ingress = self.list([rule.node()]);
        let ending = name.strip_prefix(self.name).unwrap_or_default();
        let group = Written::at(self.at)
            .taking("name", self.aws_name(ending))
            .with("description", format!("{about} {}", self.name))
            .taking("network", self.spec.get("network").cloned())
            .taking("ingress", Some(ingress));
        self.make("security_groups", name, group);
    }

    /// The target group's health check; its grace period goes to the service.
    fn health_check(&mut self, given: &mut IndexMap<String, Entry>) -> Entry {
        let mut entry = given
            .shift_remove("health_check")
            .unwrap_or_else(|| Written::at(self.at).entry());
        if let Value::Map(map) = &mut entry.node.value {
            if let Some(grace) = map.shift_remove("grace_seconds") {
                let field = "health_check_grace_seconds".to_owned();
                self.spec.entry(field).or_insert(grace);
            }
            if !map.contains_key("interval_seconds") {
                let interval = Node::new(self.at, Value::Int(10));
                map.insert("interval_seconds".to_owned(), self.entry(interval));
            }
        }
        entry
    }

    /// The load balancers of the playbook that send requests to a target group.
    fn balancers_of(&self, group: &str) -> Vec<String> {
        let base = |name: &str| name.split('[').next().map(str::to_owned);
        let sends = |entry: &Entry| {
            let mut found = false;
            entry.node.walk(&mut |node| {
                let forward = node.entry("forward").and_then(Node::as_text);
                found |= forward.is_some_and(|it| base(it) == base(group));
            });
            found
        };
        let balancers = self.sections.get("load_balancers").into_iter().flatten();
        let sending = balancers.filter(|(_, entry)| sends(entry));
        sending.map(|(name, _)| name.clone()).collect()
    }

    /// ECS takes a target group only once a load balancer sends requests to it.
    fn after(&mut self, balancers: &[String]) {
        let address = |name: &String| {
            let address = format!("load_balancers.{name}");
            Node::new(self.at, Value::Text(address))
        };
        let mut after: Vec<_> = balancers.iter().map(address).collect();
        if after.is_empty() {
            return;
        }
        if let Some(given) = self.spec.shift_remove("depends_on") {
            match given.node.as_list() {
                Some(list) => after.extend(list.iter().cloned()),
                None => after.push(given.node),
            }
        }
        let after = self.list(after);
        self.spec.insert("depends_on".to_owned(), after);
    }

    fn entry(&self, node: Node) -> Entry {
        Entry {
            key_at: self.at.clone(),
            node,
        }
    }

    fn text(&self, text: &str) -> Entry {
        self.entry(Node::new(self.at, Value::Text(text.to_owned())))
    }

    fn list(&self, items: impl IntoIterator<Item = Node>) -> Entry {
        self.entry(Node::new(self.at, Value::List(items.into_iter().collect())))
    }
}
