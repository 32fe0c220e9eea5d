//! The parameters of a REST call, read as strictly as the exchange reads them.

use std::collections::BTreeMap;

use super::interval::Interval;
use super::pairs;
use super::refusal::{NUMBER, Refusal, SYMBOL, SYMBOLS};

/// The largest `limit`: more is taken as this.
const LIMIT: u64 = 1_000;

/// The parameters of one call.
#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// The parameters that were sent, when the endpoint knows them.
    ///
    /// # Errors
    /// When one came twice or is not known.
    pub(super) fn of(sent: Vec<(String, String)>, known: &[&str]) -> Result<Self, Refusal> {
        let many = sent.len();
        let all: BTreeMap<String, String> = sent.into_iter().collect();
        if all.len() < many {
            return Err(Refusal::Twice);
        }
        let read = all.keys().filter(|name| known.contains(&name.as_str()));
        let read = read.count();
        if read < many {
            return Err(Refusal::Unread(read, many));
        }
        Ok(Self(all))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        let text = self.text(name).filter(|text| !text.is_empty());
        text.ok_or(Refusal::Missing(name))
    }

    /// A whole number that need not be there.
    ///
    /// # Errors
    /// When it is no number.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        if text.is_empty() || !text.bytes().all(|one| one.is_ascii_digit()) {
            return Err(Refusal::Illegal(name, NUMBER));
        }
        text.parse()
            .map(Some)
            .map_err(|_| Refusal::Illegal(name, NUMBER))
    }

    /// How much is asked for, 500 unless said, at most 1000.
    ///
    /// # Errors
    /// When it is no number, or 0.
    pub(super) fn limit(&self) -> Result<u64, Refusal> {
        match self.number("limit")? {
            Some(0) => Err(Refusal::Invalid("limit")),
            limit => Ok(limit.unwrap_or(500).min(LIMIT)),
        }
    }

    /// The place of the pair that is asked for.
    ///
    /// # Errors
    /// When there is none, or it is not known.
    pub(super) fn place(&self) -> Result<usize, Refusal> {
        let symbol = self.required("symbol")?;
        if !is_symbol(symbol) {
            return Err(Refusal::Illegal("symbol", SYMBOL));
        }
        pairs::place(symbol).ok_or(Refusal::Symbol)
    }

    /// The interval that is asked for.
    ///
    /// # Errors
    /// When there is none, or it is not known.
    pub(super) fn interval(&self) -> Result<Interval, Refusal> {
        Interval::named(self.required("interval")?).ok_or(Refusal::Interval)
    }

    /// What is asked for by `symbol`, `symbols` or neither.
    ///
    /// # Errors
    /// When both are there, or something of it is not known.
    pub(super) fn choice(&self) -> Result<Choice, Refusal> {
        match (self.text("symbol"), self.text("symbols")) {
            (Some(_), Some(_)) => Err(Refusal::Combination),
            (Some(_), None) => self.place().map(Choice::One),
            (None, None) => Ok(Choice::Many((0..pairs::COUNT).collect())),
            (None, Some(list)) => {
                let illegal = || Refusal::Illegal("symbols", SYMBOLS);
                let list: Vec<String> = serde_json::from_str(list).map_err(|_| illegal())?;
                if list.is_empty() || !list.iter().all(|symbol| is_symbol(symbol)) {
                    return Err(illegal());
                }
                let places = list.iter().map(|symbol| pairs::place(symbol));
                let places: Option<Vec<usize>> = places.collect();
                places.map(Choice::Many).ok_or(Refusal::Symbol)
            }
        }
    }
}

fn is_symbol(text: &str) -> bool {
    let legal = |one: u8| one.is_ascii_uppercase() || one.is_ascii_digit() || b"-_.".contains(&one);
    (1..=20).contains(&text.len()) && text.bytes().all(legal)
}

/// The pairs that a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// One, which is answered by an object.
    One(usize),
    /// Several, which are answered by an array.
    Many(Vec<usize>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(sent: &[(&str, &str)]) -> Result<Query, Refusal> {
        let sent = sent
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Query::of(sent.collect(), &["symbol", "symbols", "interval", "limit"])
    }

    #[test]
    fn symbols_are_checked_as_the_exchange_does() {
        let place = |text| query(&[("symbol", text)]).and_then(|query| query.place());
        assert_eq!(place("ETHUSDT"), Ok(1));
        assert_eq!(place("BTCEUR"), Err(Refusal::Symbol));
        assert_eq!(place("btcusdt"), Err(Refusal::Illegal("symbol", SYMBOL)));
        assert_eq!(place(""), Err(Refusal::Missing("symbol")));
        let none = query(&[]).expect("no parameters");
        assert_eq!(none.place(), Err(Refusal::Missing("symbol")));
    }

    #[test]
    fn limits_are_numbers() {
        let limit = |text| query(&[("limit", text)]).and_then(|query| query.limit());
        assert_eq!((limit("7"), limit("1001")), (Ok(7), Ok(1_000)));
        assert_eq!(limit("0"), Err(Refusal::Invalid("limit")));
        assert_eq!(limit("-1"), Err(Refusal::Illegal("limit", NUMBER)));
    }

    #[test]
    fn several_symbols_may_be_asked_for() {
        let choice = |sent: &[(&str, &str)]| query(sent).and_then(|query| query.choice());
        let list = |text| choice(&[("symbols", text)]);
        assert_eq!(
            list(r#"["ETHUSDT","BTCUSDT"]"#),
            Ok(Choice::Many(vec![1, 0]))
        );
        assert_eq!(list("ETHUSDT"), Err(Refusal::Illegal("symbols", SYMBOLS)));
        assert_eq!(list(r#"["NONE"]"#), Err(Refusal::Symbol));
        assert_eq!(choice(&[("symbol", "ETHUSDT")]), Ok(Choice::One(1)));
        let both = [("symbol", "ETHUSDT"), ("symbols", "[]")];
        assert_eq!(choice(&both), Err(Refusal::Combination));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let refusal = |sent: &[(&str, &str)]| query(sent).map(|_| ()).expect_err("a refusal");
        assert_eq!(
            refusal(&[("limit", "1"), ("limt", "1")]),
            Refusal::Unread(1, 2)
        );
        assert_eq!(refusal(&[("limit", "1"), ("limit", "1")]), Refusal::Twice);
    }
}
