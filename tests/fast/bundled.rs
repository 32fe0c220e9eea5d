//! What is bundled says the same thing everywhere.

use std::path::Path;

use serde_json::Value as Json;

fn vars(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    let text = std::fs::read_to_string(path.join(name)).unwrap();
    // Its release is the one of the data server's instance.
    let text = text.replace("{{ vars.release }}", "jammy");
    let document: Json = serde_saphyr::from_str(&text).unwrap();
    document["vars"].clone()
}

/// Variables of the data server, and those of setups that they are values for.
const SAME: [(&str, &str, &str); 9] = [
    ("cran", "r", "cran"),
    ("r2u", "r", "r2u"),
    ("r_packages", "r", "packages"),
    ("rstudio_server", "rstudio-server", "url"),
    ("shiny_server", "shiny-server", "url"),
    ("jenkins", "jenkins", "repository"),
    ("jenkins_java", "jenkins", "java"),
    ("jenkins_plugin_manager", "jenkins", "plugin_manager"),
    ("proxies", "nginx-proxy", "proxies"),
];

#[test]
fn the_data_servers_sources_are_those_of_the_setups() {
    let server = vars("data-server.yml");
    for (own, setup, name) in SAME {
        let default = &vars(&format!("setups/{setup}.yml"))[name]["default"];
        assert!(!default.is_null(), "{setup}.{name}");
        assert_eq!(&server[own]["default"], default, "{own}");
    }
}
