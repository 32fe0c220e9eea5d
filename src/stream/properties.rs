//! The file that a `MultiLangDaemon` of the Kinesis Client Library is configured by.
//!
//! Names and defaults are the library's
//! (<https://github.com/awslabs/amazon-kinesis-client/blob/master/docs/multilang/configuring-credential-providers.md>
//! and its sample files); what this program has no use for is left alone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::position::Position;
use crate::base::suggestion::hint;
use crate::base::{Error, Result, ResultExt};

/// What is to be run on which stream.
#[derive(Clone, Debug)]
pub struct Job {
    /// The program and its arguments.
    pub executable: Vec<String>,
    /// Where it runs: the folder of the file.
    pub folder: PathBuf,
    /// The stream's name.
    pub stream: String,
    /// The application's name, which is its lease table's, too.
    pub application: String,
    /// AWS region, if the file says so.
    pub region: Option<String>,
    /// Where a shard that nobody has read is begun.
    pub position: Position,
    /// This worker's name, if the file says so.
    pub worker: Option<String>,
    /// A lease that was not renewed for so long is anybody's.
    pub failover: Duration,
    /// Between two reads that found nothing.
    pub idle: Duration,
    /// Of one batch.
    pub most_records: i32,
    /// How long the program may take for an answer.
    pub timeout: Option<Duration>,
}

const NAMES: [&str; 10] = [
    "executableName",
    "streamName",
    "applicationName",
    "regionName",
    "initialPositionInStream",
    "workerId",
    "failoverTimeMillis",
    "idleTimeBetweenReadsInMillis",
    "maxRecords",
    "timeoutInSeconds",
];

impl Job {
    /// Reads a file such as `app.properties`.
    ///
    /// # Errors
    /// When it cannot be read, lacks something, or says something that cannot be.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read(path).context(format!("reading `{shown}`"))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        Self::parse(&text, folder).map_err(|error| error.note(format!("in `{shown}`")))
    }

    fn parse(text: &[u8], folder: &Path) -> Result<Self> {
        let values = java_properties::read(text)
            .map_err(|cause| Error::failed(format!("this is no properties file: {cause}")))?;
        let file = File(values);
        let executable = file.need("executableName")?;
        let executable: Vec<String> = executable.split_whitespace().map(str::to_owned).collect();
        Ok(Self {
            executable,
            folder: folder.to_owned(),
            stream: file.need("streamName")?,
            application: file.need("applicationName")?,
            region: file.value("regionName"),
            position: match file.value("initialPositionInStream").as_deref() {
                None | Some("LATEST") => Position::Latest,
                Some("TRIM_HORIZON") => Position::TrimHorizon,
                Some(other) => {
                    return Err(
                        Error::failed(format!("`initialPositionInStream` is `{other}`"))
                            .hint("it is `TRIM_HORIZON` or `LATEST`"),
                    );
                }
            },
            worker: file.value("workerId"),
            failover: Duration::from_millis(file.number("failoverTimeMillis", 10_000, 1_000)?),
            idle: Duration::from_millis(file.number("idleTimeBetweenReadsInMillis", 1_000, 200)?),
            most_records: i32::try_from(file.number("maxRecords", 10_000, 1)?)
                .unwrap_or(i32::MAX)
                .min(10_000),
            timeout: match file.number("timeoutInSeconds", 0, 0)? {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
        })
    }
}

struct File(HashMap<String, String>);

impl File {
    fn value(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn need(&self, name: &str) -> Result<String> {
        self.value(name).ok_or_else(|| {
            let error = Error::failed(format!("`{name}` is missing"));
            let others: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let near = others.iter().find(|it| it.eq_ignore_ascii_case(name));
            match near {
                Some(near) => error.hint(format!("it is written `{name}`, not `{near}`")),
                None => error.hint(hint(name, &NAMES)),
            }
        })
    }

    fn number(&self, name: &str, usual: u64, least: u64) -> Result<u64> {
        let Some(text) = self.value(name) else {
            return Ok(usual);
        };
        match text.parse() {
            Ok(number) if number >= least => Ok(number),
            _ => {
                let text = format!("`{name}` is `{text}`");
                Err(Error::failed(text).hint(format!("it is a whole number, {least} or more")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Job> {
        Job::parse(text.as_bytes(), Path::new("app"))
    }

    const WHOLE: &str = "# the app\nexecutableName = ./app.R --quiet\nstreamName=crypto\n\
        applicationName : trade-counter\n";

    #[test]
    fn what_is_not_said_is_as_in_the_library() {
        let job = parse(WHOLE).unwrap();
        assert_eq!(job.executable, ["./app.R", "--quiet"]);
        assert_eq!(
            (job.stream.as_str(), job.application.as_str()),
            ("crypto", "trade-counter")
        );
        assert_eq!(job.position, Position::Latest);
        assert_eq!(job.failover, Duration::from_secs(10));
        assert_eq!((job.most_records, job.timeout), (10_000, None));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_is_right() {
        let wrong = |text: &str| format!("{:?}", parse(text).unwrap_err());
        assert!(wrong("executablename = x\n").contains("written `executableName`"));
        assert!(wrong(&format!("{WHOLE}initialPositionInStream = NOW\n")).contains("TRIM_HORIZON"));
        assert!(wrong(&format!("{WHOLE}failoverTimeMillis = 10\n")).contains("1000 or more"));
    }
}
