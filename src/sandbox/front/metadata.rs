//! The metadata service of instances, in its second version alone: who asks is known by the address.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::addresses::Use;
use super::rights;
use super::server::Front;
use super::sessions;
use crate::base::Result;
use crate::sandbox::hosts::Seat;
use crate::sandbox::place::ACCOUNT;

const TOKEN: &str = "x-aws-ec2-metadata-token";
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// Six hours.
const LONGEST: u64 = 21_600;

/// The tokens that were given: to which address, and until when.
#[derive(Default)]
pub(crate) struct Passes(Mutex<HashMap<String, (Ipv4Addr, Instant)>>);

impl Passes {
    fn give(&self, to: Ipv4Addr, seconds: u64) -> Result<String> {
        let token = sessions::text::<42>()?;
        let until = Instant::now() + Duration::from_secs(seconds);
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, (_, until)| *until > Instant::now());
        given.insert(token.clone(), (to, until));
        Ok(token)
    }

    /// A token is good on the instance that asked for it alone.
    fn holds(&self, token: &str, from: Ipv4Addr) -> bool {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = given.get(token);
        found.is_some_and(|(to, until)| *to == from && *until > Instant::now())
    }
}

/// Answers one request.
pub(super) async fn answer(
    Shared(front): Shared<Arc<Front>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, _) = request.into_parts();
    // Taken up here: it asks the emulator, and a caller may hang up.
    let told = tokio::spawn(async move { told(&front, from.ip(), &parts).await });
    match told.await {
        Ok(Ok(response)) => response,
        _ => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn told(front: &Front, from: IpAddr, parts: &Parts) -> Result<Response<Body>> {
    let IpAddr::V4(from) = from else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    let seat = front.hosts.as_ref().and_then(|hosts| hosts.seat(from));
    // What was passed on by a proxy is not from the instance itself.
    if seat.is_none() || parts.headers.contains_key("x-forwarded-for") {
        return Ok(status(StatusCode::FORBIDDEN));
    }
    let header = |name: &str| parts.headers.get(name)?.to_str().ok();
    let path = parts.uri.path().trim_matches('/');
    if parts.method == Method::PUT {
        if path != "latest/api/token" {
            return Ok(status(StatusCode::NOT_FOUND));
        }
        let ttl = header(TTL).and_then(|it| it.parse().ok());
        let Some(ttl) = ttl.filter(|it| (1..=LONGEST).contains(it)) else {
            return Ok(status(StatusCode::BAD_REQUEST));
        };
        let mut response = text(front.passes.give(from, ttl)?.into_bytes());
        response.headers_mut().insert(TTL, HeaderValue::from(ttl));
        return Ok(response);
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Ok(status(StatusCode::METHOD_NOT_ALLOWED));
    }
    if !header(TOKEN).is_some_and(|token| front.passes.holds(token, from)) {
        return Ok(status(StatusCode::UNAUTHORIZED));
    }
    let (version, path) = path.split_once('/').unwrap_or((path, ""));
    let found = match seat {
        Some(seat) if is_version(version) => find(front, &seat, path).await?,
        _ => None,
    };
    Ok(found.map_or_else(|| status(StatusCode::NOT_FOUND), text))
}

/// `latest`, or a day.
fn is_version(text: &str) -> bool {
    let is_day = text.len() == 10 && text.starts_with("20");
    text == "latest" || is_day
}

fn text(body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let kind = HeaderValue::from_static("text/plain");
    response.headers_mut().insert("content-type", kind);
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// What lies at a path: a value, or the names beneath it.
async fn find(front: &Front, seat: &Seat, path: &str) -> Result<Option<Vec<u8>>> {
    let leaves = leaves(front, seat, path).await?;
    if let Some((_, value)) = leaves.iter().find(|(name, _)| name == path) {
        return Ok(Some(value.clone()));
    }
    let names: BTreeSet<String> = leaves
        .iter()
        .filter_map(|(name, _)| match path {
            "" => Some(name.as_str()),
            _ => name.strip_prefix(path)?.strip_prefix('/'),
        })
        .map(|rest| match rest.split_once('/') {
            Some((name, _)) => format!("{name}/"),
            None => rest.to_owned(),
        })
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    Ok((!names.is_empty()).then(|| names.join("\n").into_bytes()))
}

/// All values of an instance; its credentials only where they are asked for.
async fn leaves(front: &Front, seat: &Seat, path: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let ids = [seat.id.clone()];
    let machines = front.cloud.machines(&seat.region, &ids, None).await?;
    let Some(machine) = machines.into_iter().next() else {
        return Ok(Vec::new());
    };
    let mut leaves = Vec::new();
    let private = seat.private.to_string();
    let hostname = format!(
        "ip-{}.{}.compute.internal",
        private.replace('.', "-"),
        seat.region
    );
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
    let document = json!({
        "accountId": ACCOUNT,
        "availabilityZone": machine.zone,
        "imageId": machine.image,
        "instanceId": seat.id,
        "instanceType": machine.instance_type,
        "privateIp": private,
        "region": seat.region,
    });
    let mut put = |name: &str, value: String| leaves.push((name.to_owned(), value.into_bytes()));
    put("dynamic/instance-identity/document", pretty(&document));
    for name in ["meta-data/hostname", "meta-data/local-hostname"] {
        put(name, hostname.clone());
    }
    put("meta-data/ami-id", machine.image);
    put("meta-data/instance-id", seat.id.clone());
    put("meta-data/instance-type", machine.instance_type);
    put("meta-data/local-ipv4", private);
    put("meta-data/placement/availability-zone", machine.zone);
    put("meta-data/placement/region", seat.region.clone());
    let public = machine.public;
    if let Some(public) = public.and_then(|it| front.addresses.ours(it, Use::Public)) {
        put("meta-data/public-ipv4", public.to_string());
    }
    if let Some(arn) = machine.profile {
        let profile = rights::profile(&front.cloud.iam(&seat.region), &arn).await?;
        put(
            "meta-data/iam/info",
            pretty(&json!({
                "Code": "Success",
                "LastUpdated": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "InstanceProfileArn": arn,
                "InstanceProfileId": profile.id,
            })),
        );
        if let Some(role) = profile.role {
            let name = format!("meta-data/iam/security-credentials/{role}");
            let asked = name == path;
            let given = asked.then(|| credentials(front, seat, &role));
            put(&name, given.transpose()?.unwrap_or_default());
        }
    }
    if let Ok(data) = STANDARD.decode(&seat.user_data)
        && !data.is_empty()
    {
        leaves.push(("user-data".to_owned(), data));
    }
    Ok(leaves)
}

fn credentials(front: &Front, seat: &Seat, role: &str) -> Result<String> {
    Ok(front.sessions.of(&seat.id, role)?.document())
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}
