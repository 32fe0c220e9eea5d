//! Ten bad configurations: each is refused, and the old one goes on serving.

use super::{PLAYBOOK, Server, contains};

pub(super) const PROXIES: &str = "[{ path: /rstudio, port: 8787, strip_prefix: true, websocket: true }, \
    { path: /shiny, port: 3838, strip_prefix: true, websocket: true }, { path: /jenkins, port: 8080 }]";

/// Bad configurations: what is wrong, what stands instead of the host's own operations or of a
/// setup's line, and what is said.
pub(super) const BAD: [(&str, &str, &str); 10] = [
    (
        "a server name that is none",
        "setup nginx-proxy: { server_name: 'a b {', proxies: PROXIES }",
        "nginx -t",
    ),
    (
        "a proxy that is none",
        "setup nginx-proxy: { proxies: UNFIT }",
        "nginx -t",
    ),
    (
        "a certificate that is not there",
        "setup nginx-proxy: { proxies: PROXIES, certificate: /etc/none.pem, certificate_key: /etc/none.key }",
        "nginx -t",
    ),
    (
        "a directive that Nginx does not know",
        "file: { path: /etc/nginx/conf.d/bad.conf, content: 'serve all;', validate: nginx -t, reload: nginx }",
        "unknown directive \"serve\"",
    ),
    (
        "a port that RStudio cannot open",
        "setup rstudio-server: { url: 'http://127.0.0.1:9999/apt/rstudio-server_99.0_all.deb', port: 99999, address: 127.0.0.1 }",
        "put back as before and loaded again",
    ),
    (
        "a size that Redis cannot read",
        "setup redis: { max_memory: lots }",
        "put back as before and loaded again",
    ),
    (
        "a rule that sudo cannot read",
        "file: { path: /etc/sudoers.d/90-passwordless, content: 'sudo ALL', validate: visudo -c -f %s }",
        "visudo -c -f",
    ),
    (
        "a word that sshd does not know",
        "line: { path: /etc/ssh/sshd_config, line: PermitAll yes, validate: sshd -t -f %s, reload: ssh }",
        "Bad configuration option: PermitAll",
    ),
    (
        "a unit that starts nothing",
        "unit: { name: bad.service, content: \"[Service]\\nExecStart=nothing\\n\" }",
        "systemd does not accept the unit",
    ),
    (
        "JSON that is none",
        "file: { path: /etc/aws-kinesis/agent.json, content: '{', validate: python3 -m json.tool %s, restart: aws-kinesis-agent }",
        "json.tool",
    ),
];

/// A bad configuration is refused, what was there goes on serving, and is as it was.
pub(super) fn refuses(server: &Server, what: &str, bad: &str, why: &str) {
    let (head, _) = PLAYBOOK.split_once("    setups:").unwrap();
    let unfit = PROXIES.replace("3838", "'3838 {'");
    let bad = bad.replace("UNFIT", &unfit).replace("PROXIES", PROXIES);
    let text = match bad.strip_prefix("setup ") {
        Some(setup) => format!("{head}    setups:\n      - {setup}\n"),
        None => format!("{head}    operations:\n      - {bad}\n"),
    };
    server.beach.write("bad.yml", &server.filled(&text));
    let args = ["apply", "bad.yml", "--sandbox", "--yes"];
    let refused = server.beach.run_with(&args, &server.env());
    assert_eq!(refused.code, Some(1), "{what}: {}", refused.stdout);
    assert!(refused.stderr.contains(why), "{what}: {}", refused.stderr);
    contains(&server.get("/rstudio/"), &["200 OK", "RStudio"]);
    assert_eq!(server.node.sh("redis-cli ping"), "PONG\n", "{what}");
    let left = server.run(0, "plan", &[]);
    contains(&left.stdout, &["Nothing to do"]);
}
