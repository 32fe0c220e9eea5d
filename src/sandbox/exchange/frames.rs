//! The frames that trades are sent in: written once, shared by all who get them.

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes};

use super::pairs::{COUNT, PAIRS};
use super::trade::Trade;

/// The frame of one trade.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The place of the trade's pair.
    pub(super) place: usize,
    /// The event alone.
    pub(super) raw: Message,
    /// The event within `{"stream":…,"data":…}`.
    pub(super) combined: Message,
}

/// The frames of the trades of one moment, in their order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// One for each trade.
    pub(super) frames: Vec<Frame>,
}

/// Writes frames one after another into one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Press {
    text: Vec<u8>,
    /// Of each frame: its pair, and where it, its event and the frame end.
    marks: Vec<Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    place: usize,
    start: usize,
    event: usize,
    event_end: usize,
    end: usize,
    broken: Option<u64>,
}

impl Press {
    /// Adds a trade, perhaps in a frame that is broken in the way of that number.
    pub(super) fn add(&mut self, trade: &Trade, broken: Option<u64>) {
        let start = self.text.len();
        self.text.extend_from_slice(br#"{"stream":""#);
        let stream = PAIRS[trade.place].stream;
        self.text.extend_from_slice(stream.as_bytes());
        self.text.extend_from_slice(br#"","data":"#);
        let event = self.text.len();
        trade.write(&mut self.text);
        let event_end = self.text.len();
        self.text.push(b'}');
        self.marks.push(Mark {
            place: trade.place,
            start,
            event,
            event_end,
            end: self.text.len(),
            broken,
        });
    }

    /// The frames.
    pub(super) fn done(self) -> Batch {
        let text = Bytes::from(self.text);
        let frame = |mark: Mark| {
            let part = |from, to| shaped(text.slice(from..to), mark.broken);
            Frame {
                place: mark.place,
                raw: part(mark.event, mark.event_end),
                combined: part(mark.start, mark.end),
            }
        };
        Batch {
            frames: self.marks.into_iter().map(frame).collect(),
        }
    }
}

/// A text as a message: whole, cut off in the middle, of other types, or no text at all.
fn shaped(text: Bytes, broken: Option<u64>) -> Message {
    let text = match broken.map(|number| number % 3) {
        None => text,
        Some(0) => text.slice(..text.len() / 2),
        Some(1) => Bytes::from_static(
            br#"{"e":"trade","E":"soon","s":7,"t":"x","p":12.5,"q":null,"T":[],"m":"no","M":{}}"#,
        ),
        Some(_) => return Message::Binary(Bytes::from_static(b"\x00\xff\xfe{\"e\"\x80\x01")),
    };
    // All that is written here is ASCII.
    Utf8Bytes::try_from(text).map_or(Message::Binary(Bytes::new()), Message::Text)
}

/// The pairs whose frames somebody wants.
pub(super) type Wanted = [bool; COUNT];

#[cfg(test)]
mod tests {
    use super::*;

    const TRADE: Trade = Trade {
        place: 5,
        id: 2,
        time: 1_600_000_000_000,
        price: 5_700_000,
        quantity: 10_000,
        maker: false,
    };

    fn texts(broken: Option<u64>) -> (String, String) {
        let mut press = Press::default();
        press.add(&TRADE, None);
        press.add(&TRADE, broken);
        let frame = press.done().frames.pop().expect("a frame");
        let text = |message: Message| match message {
            Message::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        };
        (text(frame.raw), text(frame.combined))
    }

    #[test]
    fn the_combined_form_holds_the_event() {
        let (raw, combined) = texts(None);
        let event: serde_json::Value = serde_json::from_str(&raw).expect("JSON");
        assert_eq!(event["s"], "ETHBTC");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&combined).expect("JSON"),
            serde_json::json!({"stream": "ethbtc@trade", "data": event})
        );
    }

    #[test]
    fn broken_frames_are_no_events() {
        for number in 0..3 {
            let (raw, _) = texts(Some(number));
            let event = serde_json::from_str::<serde_json::Value>(&raw);
            assert!(
                event.is_ok_and(|event| event["s"] == 7) == (number == 1),
                "{raw}"
            );
        }
    }
}
