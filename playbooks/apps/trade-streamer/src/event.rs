//! What the exchange sends over the websocket, read without copying.

use serde::Deserialize;
use serde_json::Value;

use crate::pairs::Pairs;

/// The longest trade that is taken, in bytes. Real ones have about 200; a Kinesis record may have 1 MiB.
const LONGEST: usize = 64 * 1024;

/// One trade
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Consecutive within a pair
    pub(crate) id: u64,
    /// When it was made, in milliseconds since 1970
    pub(crate) time: u64,
    /// The JSON object, on one line
    pub(crate) line: Box<str>,
}

/// One message of the exchange
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Trade {
        pair: usize,
        event: Event,
    },
    /// The answer to the request of this id: it is subscribed
    Accepted {
        id: u64,
    },
    /// The answer of an exchange that does not do what it was asked, in its own words
    Refused {
        id: Option<u64>,
        why: String,
    },
    /// Some other event, which is no concern of ours
    Other,
}

/// The fields that readers of the stream rely on; a frame that lacks one is malformed
#[derive(Deserialize)]
struct Fields<'a> {
    e: &'a str,
    #[serde(rename = "E")]
    _sent: u64,
    s: &'a str,
    t: u64,
    p: &'a str,
    q: &'a str,
    #[serde(rename = "T")]
    time: u64,
    #[serde(rename = "m")]
    _buyer_is_maker: bool,
}

impl Frame {
    /// Reads a text frame; `None` if it is malformed
    pub(crate) fn read(text: &str, pairs: &Pairs) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST {
            return None;
        }
        match serde_json::from_str::<Fields>(text) {
            Ok(trade) if trade.e == "trade" => {
                if !(decimal(trade.p) && decimal(trade.q)) {
                    return None;
                }
                let event = Event {
                    id: trade.t,
                    time: trade.time,
                    line: one_line(text),
                };
                let pair = pairs.index(trade.s)?;
                Some(Self::Trade { pair, event })
            }
            _ => Self::other(text),
        }
    }

    fn other(text: &str) -> Option<Self> {
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else {
            return None;
        };
        let id = fields.get("id").and_then(Value::as_u64);
        let refusal = match fields.get("error") {
            Some(error) => Some(error),
            None => fields.get("msg"),
        };
        if let Some(refusal) = refusal {
            let why = refusal.get("msg").unwrap_or(refusal);
            let why = why.as_str().map_or_else(|| why.to_string(), str::to_owned);
            return Some(Self::Refused { id, why });
        }
        match (fields.get("e").and_then(Value::as_str), id) {
            (None, Some(id)) if fields.contains_key("result") => Some(Self::Accepted { id }),
            (Some(kind), _) if kind != "trade" => Some(Self::Other),
            _ => None,
        }
    }
}

fn decimal(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(part)
}

/// JSON has no line ends inside strings, so a space says the same
fn one_line(text: &str) -> Box<str> {
    if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], " ").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRADE: &str = r#"{"e":"trade","E":1600000000123,"s":"BTCUSDT","t":12345,"p":"8300.10000000","q":"0.00120000","b":88,"a":50,"T":1600000000122,"m":true,"M":true}"#;

    fn read(text: &str) -> Option<Frame> {
        Frame::read(text, &Pairs::new(["ETHUSDT".into(), "BTCUSDT".into()]))
    }

    #[test]
    fn a_trade_is_passed_on_as_it_came() {
        let event = Event {
            id: 12345,
            time: 1_600_000_000_122,
            line: TRADE.into(),
        };
        let frame = Frame::Trade { pair: 1, event };
        assert_eq!(read(TRADE), Some(frame));
    }

    #[test]
    fn a_trade_is_one_line() {
        let spread = TRADE.replace(',', ",\r\n ");
        let Some(Frame::Trade { event, .. }) = read(&format!("\n {spread}\n")) else {
            panic!("no trade");
        };
        assert!(!event.line.contains(['\n', '\r']));
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(value(&event.line), value(TRADE));
        assert!(event.line.starts_with('{') && event.line.ends_with('}'));
    }

    #[test]
    fn malformed_frames_are_none() {
        let cases = [
            "",
            "{",
            "[]",
            "{}",
            "nonsense",
            &TRADE[..60],
            &TRADE.replace("12345", "-1"),
            &TRADE.replace("12345", "\"12345\""),
            &TRADE.replace("8300.1", "83x0.1"),
            &TRADE.replace("0.00120000", ""),
            &TRADE.replace("0.00120000", "1."),
            &TRADE.replace("BTCUSDT", "XRPUSDT"),
            &TRADE.replace("\"m\":true,", ""),
            &format!("{TRADE}{TRADE}"),
            &TRADE.replace("88", &"8".repeat(LONGEST)),
        ];
        for case in cases {
            assert_eq!(read(case), None, "{case}");
        }
    }

    #[test]
    fn answers_are_told_from_events() {
        let refused = |id, why: &str| {
            Some(Frame::Refused {
                id,
                why: why.into(),
            })
        };
        assert_eq!(
            read(r#"{"result":null,"id":7}"#),
            Some(Frame::Accepted { id: 7 })
        );
        assert_eq!(
            read(r#"{"error":{"code":2,"msg":"Invalid request"},"id":7}"#),
            refused(Some(7), "Invalid request")
        );
        assert_eq!(
            read(r#"{"code":-1121,"msg":"Invalid symbol."}"#),
            refused(None, "Invalid symbol.")
        );
        assert_eq!(read(r#"{"e":"serverShutdown","E":1}"#), Some(Frame::Other));
    }
}
