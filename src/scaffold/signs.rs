//! The table by which a folder is taken for something: what is looked for, what it means, how it
//! is run. The help and the error for unknown folders are made from it.

use std::fmt::Write as _;

use super::app::Form;
use super::folder::Folder;
use super::found::{
    Found, api, api_by_content, by_name, dockerfile, documents, job, quarto, scripts, server_yml,
    servers, shiny, ui_and_server,
};
use crate::base::{Error, Result};

/// A row of the table.
pub struct Sign {
    /// What is looked for in the folder.
    pub looked_for: &'static str,
    /// What a folder with it is.
    pub form: Form,
    /// How it is run.
    pub run: &'static str,
    /// It counts only where no other sign is found.
    pub last: bool,
    find: fn(&Folder) -> Result<Vec<Found>>,
}

/// The rows, in the order in which they are looked for: of the same form, the first one counts.
pub const SIGNS: [Sign; 10] = [
    Sign {
        looked_for: "`_server.yml` with its `engine` (plumber2)",
        form: Form::Api,
        run: "by `ENGINE:::launch_server()` on port 8000",
        last: false,
        find: server_yml,
    },
    Sign {
        looked_for: "`entrypoint.R`, which returns a plumber router",
        form: Form::Api,
        run: "by `plumber::pr_run()` on port 8000",
        last: false,
        find: |folder| Ok(by_name(folder, "entrypoint.R", api)),
    },
    Sign {
        looked_for: "`plumber.R`",
        form: Form::Api,
        run: "by `plumber::pr_run()` on port 8000",
        last: false,
        find: |folder| Ok(by_name(folder, "plumber.R", api)),
    },
    Sign {
        looked_for: "`ui.R` and `server.R`",
        form: Form::Shiny,
        run: "by `shiny::runApp()` on port 3838",
        last: false,
        find: |folder| Ok(ui_and_server(folder)),
    },
    Sign {
        looked_for: "`app.R` that uses shiny",
        form: Form::Shiny,
        run: "by `shiny::runApp()` on port 3838",
        last: false,
        find: |folder| Ok(by_name(folder, "app.R", shiny)),
    },
    Sign {
        looked_for: "an R Markdown document with `runtime: shiny` or `shinyrmd`",
        form: Form::Shiny,
        run: "by `rmarkdown::run()` on port 3838",
        last: false,
        find: |folder| Ok(documents(folder)),
    },
    Sign {
        looked_for: "a Quarto document with `server: shiny`",
        form: Form::Shiny,
        run: "as its Dockerfile says; without one, it is refused",
        last: false,
        find: quarto,
    },
    Sign {
        looked_for: "`Dockerfile`",
        form: Form::Container,
        run: "as it is, on the port that it exposes; a scheduled job with `--schedule`",
        last: true,
        find: |folder| Ok(dockerfile(folder)),
    },
    Sign {
        looked_for: "an R script that serves at once (`pr_run()`, `api_run()`, `runApp()`)",
        form: Form::Api,
        run: "by `Rscript`, on the port that it names",
        last: true,
        find: |folder| Ok(servers(folder)),
    },
    Sign {
        looked_for: "an R script: one with `#!/usr/bin/env Rscript`, or the only one",
        form: Form::Job,
        run: "by `Rscript`, as `--schedule` says",
        last: true,
        find: |folder| Ok(scripts(folder)),
    },
];

impl Sign {
    /// What in the folder is this sign.
    pub(super) fn find(&self, folder: &Folder) -> Result<Vec<Found>> {
        (self.find)(folder)
    }
}

/// The table as text, a line for each row: for the help and for errors.
#[must_use]
pub fn table() -> String {
    let mut text = String::new();
    for sign in &SIGNS {
        let form = sign.form.noun();
        let _ = writeln!(text, "- {}: {form}, run {}", sign.looked_for, sign.run);
    }
    text
}

/// What one file is, by its name and then by what is in it.
pub(super) fn of_file(folder: &Folder, file: &str) -> Result<Found> {
    for sign in &SIGNS {
        let found = sign.find(folder)?;
        if let Some(found) = found.into_iter().find(|it| it.file == file) {
            return Ok(found);
        }
    }
    let Some(code) = folder.code(file) else {
        return Err(
            Error::usage(format!("`{file}` is none of the folder's R files"))
                .hint("name a file as it is seen from the folder, such as `jobs/prices.R`"),
        );
    };
    let found = api_by_content(code).or_else(|| shiny(code));
    let found = found.or_else(|| code.is_script().then(|| job(code)));
    found.ok_or_else(|| {
        Error::usage(format!("nothing in `{file}` can be run on a server"))
            .note("it is a document without `runtime: shiny`")
            .hint("run it from a script, by `rmarkdown::render`")
    })
}
