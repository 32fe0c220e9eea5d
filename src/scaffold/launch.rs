//! How a container starts the app.

use super::code::Code;

/// How an app is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Launch {
    /// By R code, with `PORT` to be filled in
    Call(String),
    /// By running a file, which serves by itself if it does
    Program(String),
    /// As the image says
    Image,
}

impl Launch {
    /// By `call`, or by running the file, where that serves as soon as it is run.
    pub(super) fn of(code: &Code, call: String) -> Self {
        let serves = code.serving().iter().any(|it| it.always);
        if serves {
            Self::Program(code.path.clone())
        } else {
            Self::Call(call)
        }
    }

    /// The command, in words.
    pub(super) fn command(&self, port: Option<u16>) -> Vec<String> {
        match self {
            Self::Image => Vec::new(),
            Self::Program(file) => vec!["Rscript".to_owned(), file.clone()],
            Self::Call(call) => {
                // The last one: a file's name may have these letters, too.
                let (before, after) = call.rsplit_once("PORT").unwrap_or((call, ""));
                let call = format!("{before}{}{after}", port.unwrap_or_default());
                vec!["Rscript".to_owned(), "-e".to_owned(), call]
            }
        }
    }
}
