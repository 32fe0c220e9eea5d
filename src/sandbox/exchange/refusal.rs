//! The errors that REST calls are answered with.
//!
//! Source: Binance Spot API documentation, "Error codes".

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What symbols are made of.
pub(super) const SYMBOL: &str = "^[A-Z0-9-_.]{1,20}$";
/// What lists of symbols are made of.
pub(super) const SYMBOLS: &str = r#"^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$"#;
/// What numbers are made of.
pub(super) const NUMBER: &str = "^[0-9]{1,20}$";

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such symbol.
    Symbol,
    /// There is no such interval.
    Interval,
    /// A parameter that must be there is not.
    Missing(&'static str),
    /// A parameter's text, and what it should be made of.
    Illegal(&'static str, &'static str),
    /// A parameter came twice.
    Twice,
    /// Parameters that the endpoint does not know: how many it read, and how many were sent.
    Unread(usize, usize),
    /// Two parameters that exclude each other.
    Combination,
    /// A parameter's number.
    Invalid(&'static str),
    /// Too many calls.
    Limited,
    /// The exchange does not work.
    Down,
}

impl Refusal {
    fn words(&self) -> (u16, i32, String) {
        let (code, message) = match self {
            Self::Symbol => (-1121, "Invalid symbol.".to_owned()),
            Self::Interval => (-1120, "Invalid interval.".to_owned()),
            Self::Missing(name) => (
                -1102,
                format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
            ),
            Self::Illegal(name, range) => (
                -1100,
                format!(
                    "Illegal characters found in parameter '{name}'; legal range is '{range}'."
                ),
            ),
            Self::Twice => (
                -1101,
                "Duplicate values for a parameter detected.".to_owned(),
            ),
            Self::Unread(read, sent) => (
                -1104,
                format!(
                    "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
                ),
            ),
            Self::Combination => (
                -1128,
                "Combination of optional parameters invalid.".to_owned(),
            ),
            Self::Invalid(name) => (
                -1130,
                format!("Data sent for parameter '{name}' is not valid."),
            ),
            Self::Limited => {
                let message = "Too much request weight used; please use WebSocket Streams for live updates to avoid polling the API.";
                return (429, -1003, message.to_owned());
            }
            Self::Down => {
                let message = "The exchange is down, as was asked for.";
                return (503, -1008, message.to_owned());
            }
        };
        (400, code, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = self.words();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let answer = (status, Json(json!({"code": code, "msg": message})));
        if self == Self::Limited {
            ([("retry-after", "1")], answer).into_response()
        } else {
            answer.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_exchanges() {
        assert_eq!(
            Refusal::Illegal("symbol", SYMBOL).words(),
            (
                400,
                -1100,
                "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'."
                    .to_owned()
            )
        );
        let limited = Refusal::Limited.into_response();
        assert_eq!(
            (limited.status().as_u16(), &limited.headers()["retry-after"]),
            (429, &"1".parse().expect("a value"))
        );
    }
}
