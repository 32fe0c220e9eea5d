//! What AWS refuses with, in our words: the code and message it gave, and what to do about it.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId as _;

use crate::base::{Error, Result};

/// Turns an SDK error of `action` (`ec2:RunInstances`) into ours, for `map_err`.
pub fn refused<E>(action: &str) -> impl FnOnce(SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    move |error| sort(action, &error)
}

/// The service gave this code.
#[must_use]
pub fn is_code(error: &Error, code: &str) -> bool {
    error.service_code() == Some(code)
}

/// `Ok` also when the service says `code`: what was to go is gone already.
///
/// # Errors
/// Every other one.
pub fn unless(code: &str, done: Result<()>) -> Result<()> {
    match done {
        Err(error) if !is_code(&error, code) => Err(error),
        _ => Ok(()),
    }
}

/// Forgets what a call answered; its refusal becomes ours.
///
/// # Errors
/// What AWS said.
pub fn done<T, E>(
    action: &str,
    answer: std::result::Result<T, SdkError<E, HttpResponse>>,
) -> Result<()>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    answer.map(drop).map_err(refused(action))
}

/// The cause at the bottom of a chain of errors: the one that says something.
#[must_use]
pub fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn sort<E>(action: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let sorted = match error.code() {
        Some(code) => by_code(action, code, error.message().unwrap_or_default()),
        None => no_answer(action, error),
    };
    match error.request_id() {
        Some(id) => sorted.note(format!("AWS request id: {id}")),
        None => sorted,
    }
}

fn by_code(action: &str, code: &str, message: &str) -> Error {
    let message = message.trim().trim_end_matches('.');
    let text = if message.is_empty() {
        format!("{action} failed with {code}")
    } else {
        format!("{action}: {message} ({code})")
    };
    let error = Error::failed(text).code(code);
    match hint(action, code) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn hint(action: &str, code: &str) -> Option<String> {
    let fixed = match code {
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => {
            return Some(format!(
                "the credentials need the IAM action `{action}`; ask whoever runs the account"
            ));
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            "the session has expired: sign in again (`aws sso login`, or new temporary keys)"
        }
        "AuthFailure"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch" => {
            "AWS does not know these credentials: look at AWS_PROFILE, AWS_ACCESS_KEY_ID and the \
             machine's clock"
        }
        "OptInRequired" => "the account has not enabled this region: enable it, or use another",
        "VcpuLimitExceeded" | "InstanceLimitExceeded" => {
            "the account's limit of running instances is reached: stop some, use a smaller \
             `instance_type`, or ask for more under Service Quotas"
        }
        "AddressLimitExceeded" => {
            "the account's limit of elastic IPs (5 by default) is reached: release some, or ask \
             for more under Service Quotas"
        }
        "InsufficientInstanceCapacity" => {
            "AWS has no free capacity for this type there now: try another `instance_type` or \
             `subnet`, or later"
        }
        "Unsupported" => {
            "the type may not be offered there: try another `instance_type` or `subnet`"
        }
        "InvalidKeyPair.Duplicate" | "InvalidGroup.Duplicate" => {
            "that name is taken in this region: write another `name:`, or delete the other one"
        }
        "InvalidAMIID.NotFound" | "InvalidAMIID.Malformed" | "InvalidAMIID.Unavailable" => {
            "image ids belong to one region; a release, such as `ami: { ubuntu: \"22.04\" }`, is \
             looked up in any"
        }
        "InvalidKeyPair.NotFound" => "key pairs belong to one region: import it there",
        "DependencyViolation" => "something still uses it; `tidewalk status` shows what is there",
        "RequestLimitExceeded" | "Throttling" | "ThrottlingException" => {
            "AWS throttles this account: try again, with a smaller `--parallelism`"
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// The request never got an answer that could be read.
fn no_answer<E>(action: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let cause = deepest(error);
    if let Some(credentials) = credentials_error(error) {
        return no_credentials(action, credentials, &cause);
    }
    match error {
        SdkError::TimeoutError(_) => unreachable(action, "no answer in time", &cause),
        SdkError::DispatchFailure(_) => unreachable(action, "AWS cannot be reached", &cause),
        SdkError::ConstructionFailure(_) => Error::failed(format!("{action}: {cause}")),
        _ => Error::failed(format!("{action}: the answer could not be read: {cause}")),
    }
}

fn no_credentials(action: &str, error: &CredentialsError, cause: &str) -> Error {
    let failed = Error::failed(format!("{action}: no AWS credentials")).code("NoCredentials");
    // A headline, then one line for each place that was looked at.
    let mut failed = cause
        .lines()
        .map(str::trim)
        .filter(|line| !line.ends_with("Attempted:"))
        .fold(failed, Error::note);
    if let Ok(profile) = std::env::var("AWS_PROFILE") {
        failed = failed.note(format!("AWS_PROFILE is `{profile}`"));
    }
    failed.hint(match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            "sign in (`aws sso login`), set AWS_PROFILE or AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY, or try it without an account: `--sandbox`"
        }
        _ => {
            "look at the profile in ~/.aws/config; an expired sign-in is renewed with \
             `aws sso login`; without an account, try it with `--sandbox`"
        }
    })
}

fn unreachable(action: &str, what: &str, cause: &str) -> Error {
    Error::failed(format!("{action}: {what}: {cause}"))
        .code("Unreachable")
        .hint("look at the network, the proxy settings, and whether the region's name is right")
}

fn credentials_error<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a CredentialsError> {
    let mut error: Option<&'a (dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = error {
        if let Some(found) = current.downcast_ref::<CredentialsError>() {
            return Some(found);
        }
        error = current.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_action_the_code_and_what_to_do() {
        let error = by_code("ec2:RunInstances", "UnauthorizedOperation", "Not allowed.");
        assert_eq!(
            error.message(),
            "ec2:RunInstances: Not allowed (UnauthorizedOperation)"
        );
        assert!(error.hints()[0].contains("`ec2:RunInstances`"));
        assert!(is_code(&error, "UnauthorizedOperation"));
    }
}
