//! Whether a request is signed with a secret, by Signature Version 4.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt::Write as _;

use axum::http::request::Parts;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::base::hex;

/// What a request says of its signature.
struct Signed {
    /// `KEY/DATE/REGION/SERVICE/aws4_request`.
    credential: String,
    /// Names of the headers that are signed, with semicolons between them.
    headers: String,
    signature: String,
    /// It stands in the query.
    in_query: bool,
}

/// Whether the signature is that of the secret. `body` is hashed where no header tells the hash.
pub(super) fn fits(parts: &Parts, secret: &str, body: &[u8]) -> bool {
    wanted(parts, secret, body).is_some_and(|(wanted, given)| wanted == given)
}

/// The signature that a request should have, and the one it has.
fn wanted(parts: &Parts, secret: &str, body: &[u8]) -> Option<(String, String)> {
    let query = parts.uri.query().unwrap_or_default();
    let signed = in_header(parts).or_else(|| in_query(query))?;
    let scope: Vec<&str> = signed.credential.split('/').skip(1).collect();
    let [date, region, service, end] = scope[..] else {
        return None;
    };
    let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
    let time = header("x-amz-date").or_else(|| in_pairs(query, "X-Amz-Date"))?;
    let path = match service {
        "s3" => encode(&decode(parts.uri.path()), true),
        // The path as it was sent, encoded once more.
        _ => encode(parts.uri.path().as_bytes(), true),
    };
    let payload = header("x-amz-content-sha256").unwrap_or_else(|| {
        if signed.in_query && service == "s3" {
            return "UNSIGNED-PAYLOAD".to_owned();
        }
        hex(&Sha256::digest(body))
    });
    let mut request = format!("{}\n{path}\n{}\n", parts.method, canonical(query));
    for name in signed.headers.split(';') {
        let mut values = Vec::new();
        for value in parts.headers.get_all(name) {
            let words = value.to_str().ok()?.split_whitespace();
            values.push(words.collect::<Vec<_>>().join(" "));
        }
        // Writing to a `String` cannot fail.
        let _ = writeln!(request, "{name}:{}", values.join(","));
    }
    let _ = write!(request, "\n{}\n{payload}", signed.headers);
    let text = format!(
        "AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/{end}\n{}",
        hex(&Sha256::digest(request.as_bytes()))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [date, region, service, end, &text] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Some((hex(&key), signed.signature))
}

fn in_header(parts: &Parts) -> Option<Signed> {
    let text = parts.headers.get("authorization")?.to_str().ok()?;
    let fields = text.strip_prefix("AWS4-HMAC-SHA256")?;
    let field = |name: &str| {
        let mut fields = fields.split(',').map(str::trim);
        fields.find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
    };
    Some(Signed {
        credential: field("Credential")?.to_owned(),
        headers: field("SignedHeaders")?.to_owned(),
        signature: field("Signature")?.to_owned(),
        in_query: false,
    })
}

fn in_query(query: &str) -> Option<Signed> {
    Some(Signed {
        credential: in_pairs(query, "X-Amz-Credential")?,
        headers: in_pairs(query, "X-Amz-SignedHeaders")?,
        signature: in_pairs(query, "X-Amz-Signature")?,
        in_query: true,
    })
}

/// One value of a query.
pub(super) fn in_pairs(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(is, _)| *is == name)?;
    String::from_utf8(decode(value)).ok()
}

/// A query as it is signed: encoded alike, in order, without the signature.
fn canonical(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let pairs = pairs.filter(|(name, _)| *name != "X-Amz-Signature");
    let alike = |text: &str| encode(&decode(text), false);
    let mut pairs: Vec<_> = pairs.map(|(it, value)| (alike(it), alike(value))).collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(it, value)| format!("{it}={value}"))
        .collect();
    pairs.join("&")
}

fn encode(bytes: &[u8], is_path: bool) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || (is_path && *byte == b'/') {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// Percent signs and two digits become what they stand for.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// The examples of
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html> and
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
    #[test]
    fn documented_examples_fit_and_nothing_else_does() {
        let scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
        let named = "host;range;x-amz-content-sha256;x-amz-date";
        let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        let header = |range: &str| {
            let request = Request::get("/test.txt")
                .header("host", "examplebucket.s3.amazonaws.com")
                .header("range", range)
                .header("x-amz-content-sha256", EMPTY)
                .header("x-amz-date", "20130524T000000Z")
                .header(
                    "authorization",
                    format!("AWS4-HMAC-SHA256 Credential={scope},SignedHeaders={named},Signature={signature}"),
                );
            request.body(()).unwrap().into_parts().0
        };
        assert!(fits(&header("bytes=0-9"), SECRET, b""));
        assert!(!fits(&header("bytes=0-8"), SECRET, b""));
        assert!(!fits(&header("bytes=0-9"), "another", b""));
        let query = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        let request = Request::get(query).header("host", "examplebucket.s3.amazonaws.com");
        let parts = request.body(()).unwrap().into_parts().0;
        assert!(fits(&parts, SECRET, b""));
    }
}
