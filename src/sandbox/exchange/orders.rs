//! What a client asks for over its websocket, and the answer.
//!
//! Source: Binance Spot API documentation, "WebSocket Streams", "Live Subscribing/Unsubscribing to
//! streams" and "Error Messages".

use serde::Deserialize;
use serde_json::{Value, json};

use super::frames::Wanted;
use super::pairs::PAIRS;

/// So many streams a connection can have.
const MOST: usize = 1_024;

/// The streams that a client has.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// In the order they were asked for; also those that never bring anything.
    names: Vec<String>,
    /// The pairs among them.
    pub(super) wanted: Wanted,
}

#[derive(Debug, Deserialize)]
struct Order {
    method: Method,
    #[serde(default)]
    params: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Method {
    Subscribe,
    Unsubscribe,
    ListSubscriptions,
}

impl Subscriptions {
    /// Those of a list as in a path, `btcusdt@trade/ethusdt@trade`.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn of(list: &str) -> Result<Self, String> {
        let mut all = Self::default();
        let names = list.split('/').filter(|name| !name.is_empty());
        all.add(names.map(str::to_owned).collect())?;
        Ok(all)
    }

    fn add(&mut self, names: Vec<String>) -> Result<(), String> {
        for name in names {
            if !self.names.contains(&name) {
                if self.names.len() == MOST {
                    return Err("Invalid request: too many parameters".to_owned());
                }
                self.names.push(name);
            }
        }
        self.look_up();
        Ok(())
    }

    fn look_up(&mut self) {
        let has = |stream: &str| self.names.iter().any(|name| name == stream);
        self.wanted = PAIRS.each_ref().map(|pair| has(pair.stream));
    }

    /// Does what a text asks for; the answer to it.
    pub(super) fn answer(&mut self, text: &str) -> String {
        let asked: Value = match serde_json::from_str(text) {
            Ok(asked) => asked,
            Err(error) => return refusal(3, &format!("Invalid JSON: {error}"), &Value::Null),
        };
        let id = asked.get("id").cloned().unwrap_or_default();
        if !(id.is_u64() || id.is_string() || id.is_null()) {
            let message = "Invalid request: request ID must be an unsigned integer";
            return refusal(2, message, &Value::Null);
        }
        // From the text, so that the error can say where it is.
        let order: Order = match serde_json::from_str(text) {
            Ok(order) => order,
            Err(error) => return refusal(2, &format!("Invalid request: {error}"), &id),
        };
        match self.follow(order) {
            Ok(result) => json!({"result": result, "id": id}).to_string(),
            Err(message) => refusal(2, &message, &id),
        }
    }

    fn follow(&mut self, order: Order) -> Result<Value, String> {
        match order.method {
            Method::Subscribe => self.add(order.params)?,
            Method::Unsubscribe => {
                self.names.retain(|name| !order.params.contains(name));
                self.look_up();
            }
            Method::ListSubscriptions => return Ok(json!(self.names)),
        }
        Ok(Value::Null)
    }
}

fn refusal(code: u8, message: &str, id: &Value) -> String {
    json!({"error": {"code": code, "msg": message}, "id": id}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_come_and_go() {
        let mut all = Subscriptions::of("btcusdt@trade//ethbtc@trade").expect("two");
        let wanted = |all: &Subscriptions| all.wanted.iter().filter(|one| **one).count();
        assert_eq!(wanted(&all), 2);
        let order =
            r#"{"method":"SUBSCRIBE","params":["neousdt@trade","nothing@kline_1m"],"id":"a"}"#;
        assert_eq!(all.answer(order), r#"{"result":null,"id":"a"}"#);
        assert_eq!(wanted(&all), 3);
        let order = r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":312}"#;
        assert_eq!(all.answer(order), r#"{"result":null,"id":312}"#);
        assert_eq!(
            all.answer(r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#),
            r#"{"result":["ethbtc@trade","neousdt@trade","nothing@kline_1m"],"id":3}"#
        );
        assert!(!all.wanted[0] && all.wanted[5]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut all = Subscriptions::default();
        for (order, answer) in [
            (
                r#"{"method":"LISTEN","id":1}"#,
                r#"{"error":{"code":2,"msg":"Invalid request: unknown variant `LISTEN`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS` at line 1 column 18"},"id":1}"#,
            ),
            (
                r#"{"params":[],"id":1}"#,
                r#"{"error":{"code":2,"msg":"Invalid request: missing field `method` at line 1 column 20"},"id":1}"#,
            ),
            (
                r#"{"method":"SUBSCRIBE","params":[],"id":-1}"#,
                r#"{"error":{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"},"id":null}"#,
            ),
            (
                "hello",
                r#"{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"},"id":null}"#,
            ),
        ] {
            assert_eq!(all.answer(order), answer);
        }
    }

    #[test]
    fn there_are_not_too_many_streams() {
        let names: Vec<String> = (0..=MOST).map(|number| number.to_string()).collect();
        Subscriptions::of(&names.join("/")).expect_err("too many");
        Subscriptions::of(&names[1..].join("/")).expect("just enough");
    }
}
