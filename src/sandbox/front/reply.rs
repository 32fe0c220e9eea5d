//! An answer to an AWS request, and errors in the words of each protocol.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::call::Call;
use super::xml::{Element, escape};

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
    /// Body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// An error, in the protocol that the caller speaks.
    pub(crate) fn error(call: &Call, status: u16, code: &str, message: &str) -> Self {
        let (content_type, body) = if call.service == "ec2" {
            (
                "text/xml;charset=UTF-8",
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>00000000-0000-4000-8000-000000000000</RequestID></Response>",
                    escape(code),
                    escape(message)
                ),
            )
        } else if call.params.value("Action").is_some() {
            (
                "text/xml",
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>",
                    escape(code),
                    escape(message)
                ),
            )
        } else {
            (
                "application/x-amz-json-1.1",
                serde_json::json!({ "__type": code, "message": message }).to_string(),
            )
        };
        Self {
            status,
            content_type: content_type.to_owned(),
            code: Some(code.to_owned()),
            rule: None,
            body: body.into_bytes(),
        }
    }

    /// A document of EC2.
    pub(crate) fn document(root: &Element) -> Self {
        Self {
            status: 200,
            content_type: "text/xml;charset=UTF-8".to_owned(),
            code: None,
            rule: None,
            body: root.document().into_bytes(),
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
        let text = std::str::from_utf8(body).ok()?;
        if let Some(start) = text.find("<Code>") {
            let rest = &text[start + 6..];
            return rest.find("</Code>").map(|end| rest[..end].to_owned());
        }
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        json.get("__type")?
            .as_str()?
            .rsplit('#')
            .next()
            .map(str::to_owned)
    }

    /// As an HTTP response.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        if let Ok(value) = HeaderValue::from_str(&self.content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        response
    }
}
