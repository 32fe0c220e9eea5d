//! What an error of Kinesis means: whether trying again can help, and what the operator can do.

use aws_sdk_kinesis::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_kinesis::operation::put_records::PutRecordsError;

use crate::say::causes;

/// Whether to go on
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may work the next time
    Again(String),
    /// It will not; the text says what to do
    Never(String),
}

/// Sorts what went wrong with a whole request
pub(crate) fn verdict<R: std::fmt::Debug + 'static>(
    error: &SdkError<PutRecordsError, R>,
    stream: &str,
) -> Verdict {
    let Some(service) = error.as_service_error() else {
        return Verdict::Again(causes(error));
    };
    of_code(
        service.code().unwrap_or_default(),
        service.message().unwrap_or_default(),
        stream,
    )
}

fn of_code(code: &str, message: &str, stream: &str) -> Verdict {
    let what = format!("{code}: {message}");
    let advice = match code {
        "ResourceNotFoundException" => format!(
            "there is no stream `{stream}` in this region: create it, or correct --stream (KINESIS_STREAM) or AWS_REGION"
        ),
        "AccessDeniedException" => {
            format!("allow the role to do kinesis:PutRecords on the stream `{stream}`")
        }
        "KMSAccessDeniedException"
        | "KMSDisabledException"
        | "KMSNotFoundException"
        | "KMSInvalidStateException"
        | "KMSOptInRequired" => {
            format!(
                "the key that encrypts the stream `{stream}` cannot be used: enable it, and allow the role to use it"
            )
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationTokenException" => {
            "AWS does not know these credentials: correct them (and see whether the clock is right)"
                .into()
        }
        "ValidationException" | "InvalidArgumentException" | "SerializationException" => {
            format!("the request is wrong: is `{stream}` the name of a stream?")
        }
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => {
            return Verdict::Again(format!("{what}: the credentials have expired, renew them"));
        }
        _ => return Verdict::Again(what),
    };
    Verdict::Never(format!("{what}; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_says_what_to_do() {
        for (code, advice) in [
            ("ResourceNotFoundException", "create it"),
            ("AccessDeniedException", "kinesis:PutRecords"),
            ("UnrecognizedClientException", "credentials"),
            ("KMSDisabledException", "key"),
        ] {
            let Verdict::Never(text) = of_code(code, "no", "crypto") else {
                panic!("{code} would be tried again");
            };
            assert!(text.contains(advice), "{text}");
        }
    }

    #[test]
    fn what_passes_is_tried_again() {
        for code in [
            "ProvisionedThroughputExceededException",
            "InternalFailure",
            "ExpiredTokenException",
            "",
        ] {
            assert!(
                matches!(of_code(code, "no", "crypto"), Verdict::Again(_)),
                "{code}"
            );
        }
    }
}
