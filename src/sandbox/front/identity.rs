//! Who calls: an instance in its role is held to its signature and to what the role may do.
//!
//! The sandbox's own keys, and any other that it does not know, may do everything.

use axum::http::request::Parts;

use super::call::Call;
use super::iam_names;
use super::protocol::Protocol;
use super::reply::Reply;
use super::rights::{self, Verdict};
use super::server::{Door, Front};
use super::sessions::Session;
use super::signature;
use crate::sandbox::place::ACCOUNT;

/// What is wrong with a call.
#[derive(Clone, Copy)]
enum Wrong {
    Token,
    Signature,
    Age,
    Rights,
}

/// The answer to a call that must not reach a service, or that is about the caller itself.
pub(super) async fn answer(
    front: &Front,
    door: Door,
    call: &Call,
    parts: &Parts,
    body: &[u8],
) -> Option<Reply> {
    if call.key.is_empty() {
        return (door == Door::Hosts).then(|| unsigned(call));
    }
    let session = front.sessions.by_key(&call.key)?;
    let header = parts.headers.get("x-amz-security-token");
    let header = header.and_then(|it| it.to_str().ok().map(str::to_owned));
    let query = parts.uri.query().unwrap_or_default();
    let token = header.or_else(|| signature::in_pairs(query, "X-Amz-Security-Token"));
    if token.as_ref() != Some(&session.token) {
        let message = "The security token included in the request is invalid.";
        return Some(refusal(call, Wrong::Token, message));
    }
    if !signature::fits(parts, &session.secret, body) {
        let message = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
        return Some(refusal(call, Wrong::Signature, message));
    }
    if session.ends < jiff::Timestamp::now() {
        let message = "The provided token has expired.";
        return Some(refusal(call, Wrong::Age, message));
    }
    if call.service == "sts" && call.action == "GetCallerIdentity" {
        return Some(caller(&session));
    }
    denied(front, call, &session).await
}

/// The answer to a question for an object that is not there: only who may list the bucket is told so.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(super) async fn seen(front: &Front, call: &Call, reply: Reply) -> Reply {
    let asked = ["GetObject", "HeadObject"].contains(&call.action.as_str());
    if call.service != "s3" || reply.status != 404 || !asked {
        return reply;
    }
    let Some(session) = front.sessions.by_key(&call.key) else {
        return reply;
    };
    let mut listing = call.clone();
    "ListObjectsV2".clone_into(&mut listing.action);
    let bucket = call.path.trim_start_matches('/').split(['/', '?']).next();
    listing.path = format!("/{}", bucket.unwrap_or_default());
    denied(front, &listing, &session).await.unwrap_or(reply)
}

/// The refusal of what the role of a session does not allow.
async fn denied(front: &Front, call: &Call, session: &Session) -> Option<Reply> {
    let resource = iam_names::resource(call);
    let iam = front.cloud.iam(&call.region);
    // A role that is gone may do nothing.
    let policies = rights::policies(&iam, &session.role).await;
    let policies = policies.unwrap_or_default();
    let action = iam_names::action(call);
    let verdict = rights::judge(&policies, &action, resource.as_deref());
    let because = match verdict {
        Verdict::Allowed => return None,
        Verdict::Denied => "with an explicit deny in an identity-based policy".to_owned(),
        Verdict::Unmentioned => {
            format!("because no identity-based policy allows the {action} action")
        }
    };
    let on = resource.map(|it| format!(" on resource: \"{it}\""));
    let who = arn(session);
    let message = format!(
        "User: {who} is not authorized to perform: {action}{} {because}",
        on.unwrap_or_default()
    );
    Some(refusal(call, Wrong::Rights, &message))
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
fn arn(session: &Session) -> String {
    let (role, instance) = (&session.role, &session.instance);
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{instance}")
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>: no policy is
/// asked.
fn caller(session: &Session) -> Reply {
    let (who, instance) = (arn(session), &session.instance);
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{who}</Arn><UserId>AROASANDBOXSANDBOX00:{instance}</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    Reply {
        content_type: "text/xml".to_owned(),
        body: body.into_bytes(),
        ..Reply::default()
    }
}

/// Nobody's call: no bucket is public, and the other services take none.
fn unsigned(call: &Call) -> Reply {
    if call.protocol == Protocol::Json || call.params.value("Action").is_some() {
        let message = "Missing Authentication Token";
        return Reply::error(call, 403, "MissingAuthenticationToken", message);
    }
    let mut call = call.clone();
    call.protocol = Protocol::S3;
    Reply::error(&call, 403, "AccessDenied", "Access Denied")
}

/// A refusal in the service's words:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>,
/// <https://docs.aws.amazon.com/awsec2/latest/APIReference/errors-overview.html>,
/// <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html>.
fn refusal(call: &Call, wrong: Wrong, message: &str) -> Reply {
    let words = match call.protocol {
        Protocol::S3 => [
            (400, "InvalidToken"),
            (403, "SignatureDoesNotMatch"),
            (400, "ExpiredToken"),
            (403, "AccessDenied"),
        ],
        Protocol::Ec2 => [
            (401, "AuthFailure"),
            (401, "AuthFailure"),
            (400, "RequestExpired"),
            (403, "UnauthorizedOperation"),
        ],
        Protocol::Json | Protocol::RestJson => [
            (400, "UnrecognizedClientException"),
            (400, "InvalidSignatureException"),
            (400, "ExpiredTokenException"),
            (400, "AccessDeniedException"),
        ],
        Protocol::Query | Protocol::RestXml | Protocol::Cbor => [
            (403, "InvalidClientTokenId"),
            (403, "SignatureDoesNotMatch"),
            (403, "ExpiredToken"),
            (403, "AccessDenied"),
        ],
    };
    let (status, code) = words[wrong as usize];
    let status = if call.protocol == Protocol::RestJson {
        403
    } else {
        status
    };
    Reply::error(call, status, code, message)
}
