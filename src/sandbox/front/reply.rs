//! An answer to an AWS request, and errors in the words of each protocol.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::call::Call;
use super::protocol::Protocol;
use super::xml::Element;

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Content type.
    pub(crate) content_type: String,
    /// AWS's error code, when it is an error.
    pub(crate) code: Option<String>,
    /// The page that documents the rule that refused, when one of ours did.
    pub(crate) rule: Option<&'static str>,
    /// Other headers.
    pub(crate) headers: HeaderMap,
    /// Body.
    pub(crate) body: Vec<u8>,
    /// A body too large to keep, on its way: whoever takes it first has it.
    pub(crate) stream: Option<Arc<Mutex<Body>>>,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            status: 200,
            content_type: String::new(),
            code: None,
            rule: None,
            headers: HeaderMap::new(),
            body: Vec::new(),
            stream: None,
        }
    }
}

impl Reply {
    /// An error, in the protocol that the caller speaks.
    pub(crate) fn error(call: &Call, status: u16, code: &str, message: &str) -> Self {
        let (content_type, body) = call.protocol.error(status, code, message);
        Self {
            status,
            content_type: content_type.to_owned(),
            code: Some(code.to_owned()),
            headers: error_headers(call.protocol, code),
            body,
            ..Self::default()
        }
    }

    /// A document of EC2.
    pub(crate) fn document(root: &Element) -> Self {
        Self {
            content_type: "text/xml;charset=UTF-8".to_owned(),
            body: root.document().into_bytes(),
            ..Self::default()
        }
    }

    /// An answer in JSON.
    pub(crate) fn json(answer: &serde_json::Value) -> Self {
        Self {
            content_type: "application/x-amz-json-1.1".to_owned(),
            body: answer.to_string().into_bytes(),
            ..Self::default()
        }
    }

    /// The body as XML, when it is an answer and no error.
    pub(crate) fn xml(&self) -> Option<Element> {
        (self.status == 200)
            .then(|| std::str::from_utf8(&self.body).ok())
            .flatten()
            .and_then(Element::parse)
    }

    /// Reads the error code out of an error's body.
    pub(crate) fn find_code(status: u16, body: &[u8]) -> Option<String> {
        if status < 400 {
            return None;
        }
        let text = String::from_utf8_lossy(body);
        if let Some(start) = text.find("<Code>") {
            let rest = &text[start + 6..];
            return rest.find("</Code>").map(|end| rest[..end].to_owned());
        }
        let after = |text: &[u8], name: &[u8]| {
            let start = text.windows(name.len()).position(|part| part == name)?;
            text.get(start + name.len()..).map(<[u8]>::to_vec)
        };
        let rest = after(body, b"__type")?;
        // CBOR puts the length of a text before it, JSON a colon and a quotation mark.
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, it| sum << 8 | usize::from(*it));
        let (head, length) = match rest.first()? {
            short @ 0x60..=0x77 => (1, usize::from(short - 0x60)),
            0x78 => (2, number(rest.get(1..2)?)),
            0x79 => (3, number(rest.get(1..3)?)),
            0x7a => (5, number(rest.get(1..5)?)),
            _ => (rest.iter().position(u8::is_ascii_alphabetic)?, rest.len()),
        };
        let is_part = |it: &u8| it.is_ascii_alphanumeric() || b".#_-".contains(it);
        let code = rest.into_iter().skip(head).take(length);
        let code: Vec<u8> = code.take_while(is_part).collect();
        String::from_utf8_lossy(&code)
            .rsplit('#')
            .next()
            .map(str::to_owned)
    }

    /// As an HTTP response.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = match self.stream {
            Some(stream) => {
                std::mem::take(&mut *stream.lock().unwrap_or_else(PoisonError::into_inner))
            }
            None => Body::from(self.body),
        };
        let mut response = Response::new(body);
        *response.headers_mut() = self.headers;
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        if let Ok(value) = HeaderValue::from_str(&self.content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        response
    }
}

/// Where clients look for an error's code beside the body.
fn error_headers(protocol: Protocol, code: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    match protocol {
        Protocol::RestJson => set("x-amzn-errortype", code),
        Protocol::Cbor => {
            set("smithy-protocol", "rpc-v2-cbor");
            // CloudWatch keeps the codes that it had as a query service.
            set("x-amzn-query-error", &format!("{code};Sender"));
        }
        _ => {}
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_the_words_of_each_protocol() {
        let protocols = [
            Protocol::Ec2,
            Protocol::Query,
            Protocol::Json,
            Protocol::S3,
            Protocol::Cbor,
        ];
        for protocol in protocols {
            let (_, body) = protocol.error(400, "Some.Code", "message");
            assert_eq!(Reply::find_code(400, &body).as_deref(), Some("Some.Code"));
        }
        assert_eq!(
            Reply::find_code(404, b"{\"__type\": \"a#B\"}").as_deref(),
            Some("B")
        );
        assert_eq!(Reply::find_code(404, b""), None);
    }
}
