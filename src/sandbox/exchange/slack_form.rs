//! The forms that requests to Slack have: JSON, a form, or a file within a multipart body.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde_json::{Map, Value};

/// The arguments of a request.
#[derive(Debug)]
pub(super) struct Form(Map<String, Value>);

impl Form {
    /// The arguments of a method: of the query, and of a body that is JSON or a form.
    ///
    /// # Errors
    /// Slack's word for a body that cannot be read.
    pub(super) fn read(parts: &Parts, body: &[u8]) -> Result<Self, &'static str> {
        let mut all = pairs(parts.uri.query().unwrap_or_default());
        if is(&parts.headers, "application/json") {
            let body: Value = serde_json::from_slice(body).map_err(|_| "invalid_json")?;
            let Value::Object(body) = body else {
                return Err("json_not_object");
            };
            all.extend(body);
        } else {
            let body = str::from_utf8(body).map_err(|_| "invalid_form_data")?;
            all.extend(pairs(body));
        }
        Ok(Self(all))
    }

    /// What a webhook got: JSON whatever it is called, or a form whose `payload` is JSON.
    pub(super) fn payload(parts: &Parts, body: &[u8]) -> Option<Self> {
        let json = if is(&parts.headers, "application/x-www-form-urlencoded") {
            let form = pairs(str::from_utf8(body).ok()?);
            // `curl --data` says that its JSON is a form, and Slack takes it.
            let payload = form.get("payload").and_then(Value::as_str);
            payload.map_or_else(|| body.to_vec(), |payload| payload.as_bytes().to_vec())
        } else {
            body.to_vec()
        };
        match serde_json::from_slice(&json) {
            Ok(Value::Object(all)) => Some(Self(all)),
            _ => None,
        }
    }

    /// An argument that is a text or a number.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// An argument that is a list, which a form has as a text of JSON.
    pub(super) fn list(&self, name: &str) -> Option<Vec<Value>> {
        match self.0.get(name)? {
            Value::Array(list) => Some(list.clone()),
            Value::String(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }

    /// There is something in an argument.
    pub(super) fn has(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::String(text)) => !text.is_empty(),
            _ => false,
        }
    }
}

fn is(headers: &HeaderMap, media: &str) -> bool {
    let sent = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    sent.is_some_and(|sent| sent.starts_with(media))
}

fn pairs(form: &str) -> Map<String, Value> {
    let pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs
        .map(|(name, text)| (name.into_owned(), Value::from(text)))
        .collect()
}

/// The file that was sent: the body, or the first part of a multipart one.
pub(super) fn file_in(headers: &HeaderMap, body: Bytes) -> Bytes {
    if !is(headers, "multipart/form-data") {
        return body;
    }
    first_part(&body).map_or_else(Bytes::new, |range| body.slice(range))
}

/// Where the content of the first part is: after its headers, and before the next boundary.
fn first_part(body: &[u8]) -> Option<std::ops::Range<usize>> {
    let find = |what: &[u8], from: usize| {
        let mut places = body.get(from..)?.windows(what.len());
        places.position(|place| place == what).map(|at| from + at)
    };
    let line_end = find(b"\r\n", 0)?;
    let start = find(b"\r\n\r\n", line_end)? + 4;
    let boundary = [b"\r\n", &body[..line_end]].concat();
    Some(start..find(&boundary, start)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_body_holds_the_file() {
        let body = "--xyz\r\ncontent-disposition: form-data; name=\"filename\"\r\n\r\na\r\n\r\nb\r\n--xyz--\r\n";
        let mut headers = HeaderMap::new();
        assert_eq!(file_in(&headers, body.into()), body);
        let media = "multipart/form-data; boundary=xyz";
        headers.insert(CONTENT_TYPE, media.parse().expect("a value"));
        assert_eq!(file_in(&headers, body.into()), "a\r\n\r\nb");
        assert_eq!(file_in(&headers, "broken".into()), "");
    }
}
