//! The reference of the command line, made from the commands themselves.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::program::Program;
use super::{bundled, session};
use crate::base::Errors;
use crate::contract::Stage;
use crate::playbook::setups::describe;
use crate::report::{json, reference};
use crate::resources;

/// Columns of the help texts.
const WIDTH: usize = 90;

/// What stands before the settings.
const PLAYBOOK: &str = "\
# Playbook

This page is made from the schema that `tidewalk schema` prints; editors use the same one.

A playbook is a YAML mapping: a few settings, then one section per kind of resource, each a mapping
from a name to what is wanted of it. An expression `{{ … }}` may stand wherever a value does; where
it is the whole value, it keeps its type. It reads `vars.NAME`, `env.NAME`, `stack`, `region`,
`account`, the outputs of other resources (`instances.server.public_ip`), and inside `for_each` also
`each.key` and `each.value`. `file('NAME')` is the text of a file beside the playbook, and
`files('FOLDER')` the list of the files in a folder there; `fail('MESSAGE')` refuses the playbook.

Sizes and times carry their unit in the name (`size_gib`, `retention_hours`). The column *change* says
what a changed value does to a resource that exists: it is changed *in place*, or the change *makes it
anew*, which the plan says before it is done.

A playbook that has nothing but hosts outside AWS (by `address`) and checks, and names no region, needs no
account: none is asked.

## Settings

";

/// What stands between the settings and the sections.
const COMMON: &str = "
## Keys of every resource

| field | type | default | meaning |
| --- | --- | --- | --- |
| `for_each` | list or mapping |  | Make one of it for each item: `node[a]`, with `each.key` and `each.value`. It may read `vars`, `env` and the answers of `iam_users` and `iam_groups` (`\"{{ iam_users.team.users \\| map(attribute='linux_name') }}\"`), which are asked for first; offline, what such answers make is left out |
| `serial` | number or share | all | So many of `for_each` at once (`1`, `25%`); the next ones follow only when these are done, so nothing is rolled out after a failure |
| `depends_on` | list of addresses |  | What must be in place first, where no reference says so; of what `for_each` makes, all without a key |
| `protect` | true/false | `false` | Destroy leaves it, says so, and ends with exit code 5; it is never replaced |
| `keep` | true/false | `false` | It survives destroy, as intended |
| `tags` | mapping |  | Its own tags, laid over those of the playbook |
";

/// `docs/cli.md`; a test keeps the file current.
#[must_use]
pub fn markdown() -> String {
    let mut program = Program::command()
        .term_width(WIDTH)
        .max_term_width(WIDTH)
        .disable_help_subcommand(true);
    program.build();
    let mut text = "# Command line\n\nThis page is made from `tidewalk --help` and the help of each command.\n".to_owned();
    add(&mut text, &mut program, "tidewalk");
    let _ = write!(text, "\n## JSON lines\n\n{}", json::DOCUMENTATION);
    text
}

/// What stands before the setups.
const SETUPS: &str = "\
# Setups

This page is made from the setups themselves.

A setup is a reusable list of operations with variables of its own. A host takes it by its name, or by its
name with values for its variables; setups come in the order in which they are written, and before
the host's own operations:

```yaml
hosts:
  server:
    instance: server
    setups:
      - base
      - redis: { max_memory: 512mb }
```

A setup of yours is the file `setups/NAME.yml` beside the playbook, and wins over a bundled one of that
name. It has `about`, `vars` (as in a playbook; one without a default must be given) and `operations`, in which
`vars.NAME` is its own variable; templates and files that it names are looked for beside it, too.

The setups below are bundled. Sources that are not your distribution's are variables: give others where
you have mirrors.
";

/// `docs/setups.md`; a test keeps the file current.
///
/// # Errors
/// A setup that is none.
pub fn setups() -> Result<String, Errors> {
    let mut text = SETUPS.to_owned();
    for (path, bytes) in bundled::setup_files() {
        let setup = describe(path, bytes)?;
        let name = path.with_extension("");
        let _ = write!(text, "\n## `{}`\n\n{}.\n\n", name.display(), setup.about);
        text += "| variable | default | meaning |\n| --- | --- | --- |\n";
        for var in setup.vars {
            let default = match var.default {
                _ if var.secret => "secret".to_owned(),
                None => "must be given".to_owned(),
                Some(value) => format!("`{value}`"),
            };
            // A bar would end the cell.
            let [default, meaning] = [default, var.description].map(|it| it.replace('|', "\\|"));
            let _ = writeln!(text, "| `{}` | {default} | {meaning} |", var.name);
        }
    }
    Ok(text)
}

/// `docs/playbook.md`; a test keeps the file current.
#[must_use]
pub fn playbook() -> String {
    let schema = session::schema();
    let sections = session::sections();
    let kinds = resources::registry();
    let names: Vec<&str> = sections.iter().map(|section| section.name).collect();
    let mut text = PLAYBOOK.to_owned();
    text += &reference::settings(&schema, &names);
    text += COMMON;
    for section in &sections {
        let schema = &schema["properties"][section.name];
        text.push('\n');
        let kind = kinds.iter().find(|kind| kind.name() == section.name);
        let changes = match kind.map(|kind| kind.stage()) {
            Some(Stage::Account) => reference::Changes::Shown,
            _ => reference::Changes::Left,
        };
        let borrowed = section.borrows.iter().map(|(_, meaning)| *meaning);
        let outputs = section.outputs.iter().copied().chain(borrowed);
        text += &reference::section(section.name, schema, outputs, changes);
    }
    text
}

fn add(text: &mut String, command: &mut Command, name: &str) {
    let help = command
        .clone()
        .term_width(WIDTH)
        .bin_name(name)
        .mut_args(|arg| arg.hide_env_values(true))
        .render_long_help();
    let help: Vec<_> = help
        .to_string()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    let _ = write!(
        text,
        "\n## `{name}`\n\n```text\n{}\n```\n",
        help.join("\n").trim_end()
    );
    for inner in command.get_subcommands_mut() {
        if !inner.is_hide_set() && inner.get_name() != "help" {
            let name = format!("{name} {}", inner.get_name());
            add(text, inner, &name);
        }
    }
}
