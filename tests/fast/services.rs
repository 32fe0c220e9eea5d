//! What a service in its short form stands for: what is made, with which rights, and what is refused.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tidewalk::base::{Outputs, World};
use tidewalk::cli::session::sections;
use tidewalk::playbook::{Facts, LoadOptions, Playbook};

const WHOLE: &str = "
stack: shop
region: eu-west-1
vars: { port: { default: 8000 } }
repositories: { apps: {} }
images: { api: { context: ., repository: apps } }
keys: { own: {} }
parameters:
  plain: { type: SecureString, generate: { length: 9 } }
  sealed: { type: SecureString, generate: { length: 9 }, key: own }
clusters: { main: {} }
networks: { main: {} }
services:
  api:
    cluster: main
    cpu: 256
    memory_mib: 512
    network: main
    tags: { Team: one }
    execute_command: true
    permissions: [{ Effect: Allow, Action: 's3:GetObject', Resource: '*' }]
    containers:
      web:
        image: api
        port: '{{ vars.port }}'
        secrets:
          PLAIN: { parameter: plain }
          SEALED: { parameter: sealed }
          THERE: { parameter: /there }
          KEYED: { secret: vault, key: k }
          EXACT: { arn: 'arn:aws:secretsmanager:eu-west-1:1:secret:x-abcdef:k::' }
      proxy: { image: 'nginx:1', logs: { group: /others } }
    load_balancer: { health_check: { path: /well, grace_seconds: 7 } }
outputs: { url: '{{ services.api.url }}' }
";

/// A task that a service of the long form runs.
const TASKS: &str = "
stack: shop
clusters: { main: {} }
task_definitions: { api: { requires_compatibilities: EC2, memory_mib: 9, containers: { web: { image: nginx } } } }
";

fn load(text: &str) -> Result<Playbook, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.yml");
    std::fs::write(&path, text).unwrap();
    let loaded = Playbook::load(&path, &LoadOptions::default(), &sections());
    loaded.map_err(|errors| {
        let texts = errors.0.iter().map(|error| error.message().to_owned());
        texts.collect::<Vec<_>>().join("\n")
    })
}

/// The ARNs of everything, as if it was there.
fn world(playbook: &Playbook) -> World {
    let mut world = World::default();
    for address in playbook.declarations.keys() {
        let outputs = Outputs::default()
            .with("arn", format!("arn:{address}"))
            .with("uri", format!("uri:{address}"))
            .with("url", format!("url:{address}"));
        world.know(address.clone(), outputs);
    }
    world
}

/// All specs by address.
fn specs(playbook: &Playbook) -> BTreeMap<String, Json> {
    let world = world(playbook);
    let facts = Facts {
        region: Some("eu-west-1".to_owned()),
        account: Some("1".to_owned()),
    };
    let declarations = playbook.declarations.iter();
    let specs = declarations.map(|(address, it)| {
        let node = playbook.evaluate(it, &world, &facts).unwrap();
        (address.to_string(), node.to_json())
    });
    specs.collect()
}

#[test]
fn a_short_service_stands_for_all_that_it_takes() {
    let playbook = load(WHOLE).unwrap();
    let specs = specs(&playbook);
    assert_eq!(
        specs["services.api"],
        json!({
            "cluster": "main", "network": "main", "execute_command": true, "task_definition": "api",
            "health_check_grace_seconds": 7, "security_groups": ["api-tasks"],
            "load_balancer": { "target_group": "api", "container": "web", "container_port": 8000 },
        })
    );
    let task = &specs["task_definitions.api"];
    assert_eq!(task["containers"]["web"]["image"], "uri:images.api");
    assert_eq!(task["containers"]["web"]["logs"], json!({ "group": "api" }));
    assert_eq!(task["containers"]["proxy"]["image"], "nginx:1");
    assert_eq!(
        (
            &task["cpu"],
            &task["memory_mib"],
            &task["execution_role"],
            &task["task_role"]
        ),
        (
            &json!(256),
            &json!(512),
            &json!("api-execution"),
            &json!("api-task")
        )
    );
    assert_eq!(specs["log_groups.api"], json!({ "name": "/ecs/api" }));
    assert_eq!(
        specs["target_groups.api"],
        json!({
            "port": 8000, "network": "main", "deregistration_delay_seconds": 30,
            "health_check": { "path": "/well", "interval_seconds": 10 },
        })
    );
    assert_eq!(
        specs["load_balancers.api"],
        json!({
            "network": "main", "security_groups": ["api-balancer"],
            "listeners": [{ "port": 80, "forward": "api" }],
        })
    );
    let rules = |name: &str| &specs[&format!("security_groups.{name}")]["ingress"];
    assert_eq!(
        rules("api-balancer"),
        &json!([{ "ports": [80], "from": "anywhere" }])
    );
    assert_eq!(
        rules("api-tasks"),
        &json!([{ "ports": 8000, "from": "api-balancer" }])
    );
    for (address, declaration) in &playbook.declarations {
        let made = address.name.starts_with("api") && address.kind != "images";
        let tags = declaration.tags.get("Team").map(String::as_str);
        assert_eq!(tags, made.then_some("one"), "{address}");
    }
    // Requests come only through the balancer, so it comes first; and it tells the address.
    let service = playbook
        .declarations
        .values()
        .find(|it| it.address.kind == "services");
    let mut targets = service
        .unwrap()
        .references
        .iter()
        .map(|it| it.target.to_string());
    assert!(targets.any(|target| target == "load_balancers.api"));
    let outputs = playbook.evaluate_outputs(&world(&playbook), &Facts::default());
    assert_eq!(
        outputs.unwrap()["url"].as_text(),
        Some("url:load_balancers.api")
    );
}

#[test]
fn its_roles_may_do_what_is_needed_and_no_more() {
    let specs = specs(&load(WHOLE).unwrap());
    let start = &specs["roles.api-execution"]["policies"]["start"];
    let allowed = |at: usize| (&start[at]["Action"], &start[at]["Resource"]);
    let wanted = [
        (json!(["ecr:GetAuthorizationToken"]), json!(["*"])),
        (
            json!([
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer"
            ]),
            json!(["arn:repositories.apps"]),
        ),
        (
            json!(["logs:CreateLogStream", "logs:PutLogEvents"]),
            json!([
                "arn:aws:logs:eu-west-1:1:log-group:/others:*",
                "arn:log_groups.api:*"
            ]),
        ),
        (
            json!(["ssm:GetParameters"]),
            json!([
                "arn:aws:ssm:eu-west-1:1:parameter/there",
                "arn:parameters.plain",
                "arn:parameters.sealed",
            ]),
        ),
        (
            json!(["kms:Decrypt"]),
            json!(["arn:aws:kms:eu-west-1:1:key/*"]),
        ),
        (
            json!(["secretsmanager:GetSecretValue"]),
            json!([
                "arn:aws:secretsmanager:eu-west-1:1:secret:x-abcdef",
                "arn:aws:secretsmanager:eu-west-1:1:secret:vault-??????",
            ]),
        ),
        (
            json!(["kms:Decrypt"]),
            json!(["arn:aws:kms:eu-west-1:1:key/*"]),
        ),
    ];
    assert_eq!(start.as_array().unwrap().len(), wanted.len(), "{start:#}");
    for (at, (actions, resources)) in wanted.iter().enumerate() {
        assert_eq!(allowed(at), (actions, resources));
    }
    // A key opens only what is sealed for one of these; AWS's own key needs no right.
    assert_eq!(
        start[4]["Condition"],
        json!({ "StringLike": { "kms:EncryptionContext:PARAMETER_ARN": [
            "arn:aws:ssm:eu-west-1:1:parameter/there", "arn:parameters.sealed",
        ] } })
    );
    let task = &specs["roles.api-task"]["policies"];
    assert_eq!(task["permissions"][0]["Action"], "s3:GetObject");
    let commands = task["execute_command"][0]["Action"].as_array().unwrap();
    assert!(
        commands
            .iter()
            .all(|it| it.as_str().unwrap().starts_with("ssmmessages:"))
    );

    // Without rights, the containers have no role at all.
    let plain = WHOLE.replace("execute_command: true", "execute_command: false");
    let plain = plain.lines().filter(|line| !line.contains("permissions:"));
    let plain = load(&plain.collect::<Vec<_>>().join("\n")).unwrap();
    assert!(!plain.declarations.keys().any(|it| it.name == "api-task"));
}

#[test]
fn one_of_several_has_its_own() {
    let text = WHOLE
        .replace(
            "    cluster: main",
            "    name: 'shop-{{ each.key }}'\n    for_each: [one, two]\n    cluster: main",
        )
        .replace("services.api.url", "services.api.one.url")
        .replace("load_balancer: {", "load_balancer: { certificate: x.org,");
    let specs = specs(&load(&text).unwrap());
    assert_eq!(specs["services.api[two]"]["task_definition"], "api[two]");
    assert_eq!(specs["task_definitions.api[two]"]["family"], "shop-two");
    assert_eq!(specs["log_groups.api[two]"]["name"], "/ecs/shop-two");
    assert_eq!(
        specs["roles.api-execution[two]"]["name"],
        "shop-two-execution"
    );
    let logs = &specs["roles.api-execution[two]"]["policies"]["start"][2]["Resource"];
    assert!(
        logs.as_array()
            .unwrap()
            .contains(&json!("arn:log_groups.api[two]:*")),
        "{logs}"
    );
    assert_eq!(
        specs["load_balancers.api[two]"]["listeners"],
        json!([
            { "forward": "api[two]", "port": 443, "certificates": "x.org" },
            { "port": 80, "redirect": "https" },
        ])
    );
}

#[test]
fn a_target_group_is_served_before_the_service_that_names_it() {
    let text = "
target_groups: { api: {} }
load_balancers: { front: { listeners: [{ port: 80, forward: api }] }, other: {} }
services:
  api:
    cluster: main
    task_definition: api
    load_balancer: { target_group: api, container: web, container_port: 80 }
";
    let text = &(TASKS.to_owned() + text);
    let playbook = load(text).unwrap();
    let service = playbook
        .declarations
        .values()
        .find(|it| it.address.kind == "services");
    let references = service
        .unwrap()
        .references
        .iter()
        .map(|it| it.target.to_string());
    let balancers: Vec<_> = references
        .filter(|it| it.starts_with("load_balancers"))
        .collect();
    assert_eq!(balancers, ["load_balancers.front"]);
}

#[test]
fn what_cannot_be_made_is_told() {
    for (from, to, wanted) in [
        (
            "        port: '{{ vars.port }}'\n",
            "",
            "which container takes the requests?",
        ),
        (
            "port: '{{ vars.port }}'",
            "port: [1, 2]",
            "which port takes the requests?",
        ),
        (
            "network: main\n    tags",
            "subnets: [a]\n    tags",
            "needs a `network`",
        ),
        (
            "clusters:",
            "log_groups: { api: {} }\nclusters:",
            "`log_groups.api` is made by `services.api`",
        ),
        (
            "    permissions:",
            "    task_role: mine\n    permissions:",
            "`permissions` are for a role that is made",
        ),
        (
            "load_balancer: {",
            "load_balancer: { container: wob,",
            "there is no container `wob`",
        ),
        (
            "services.api.url",
            "services.api.nothing",
            "has no output `nothing`",
        ),
        (
            "{ health_check:",
            "{ helth_check:",
            "unknown key `helth_check`",
        ),
    ] {
        let text = WHOLE.replace(from, to);
        assert_ne!(text, WHOLE, "{from}");
        let told = load(&text).err().unwrap();
        assert!(told.contains(wanted), "{from} -> {to}: {told}");
    }
}

#[test]
fn what_is_in_another_network_is_told_offline() {
    let text = "
networks: { a: {}, b: {} }
target_groups: { api: { network: a } }
security_groups: { web: { network: a } }
services:
  api:
    cluster: main
    task_definition: api
    network: a
    security_groups: [web]
    load_balancer: { target_group: api, container: web, container_port: 80 }
";
    let text = &(TASKS.to_owned() + text);
    assert!(load(text).is_ok());
    for (kind, from) in [
        ("target_groups", "api: { network: a }"),
        ("security_groups", "web: { network: a }"),
    ] {
        let told = load(&text.replace(from, &from.replace("network: a", "network: b")))
            .err()
            .unwrap();
        let name = from.split(':').next().unwrap();
        let wanted = format!("its tasks are in `a`, but `{kind}.{name}` is in `b`");
        assert!(told.contains(&wanted), "{told}");
    }
}
