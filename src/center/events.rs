//! The center's event stream (server-sent events).

use super::CenterError;
use super::client::{Call, CenterClient};
use super::contract::{AssignmentChanged, EVENT_ASSIGNMENT, EVENT_PING, EVENT_RESYNC, Ping, Resync, paths};
use futures_util::StreamExt as _;
use std::pin::Pin;

/// Longest event that is read.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// What the center tells.
#[derive(Debug, Clone, PartialEq)]
pub enum CenterEvent {
    /// An assignment changed; read it.
    Assignment {
        /// Number of the event.
        id: u64,
        /// What changed.
        change: AssignmentChanged,
    },
    /// A sign of life with the center's clock.
    Ping(Ping),
    /// Read the whole worklist and go on from here.
    Resync(Resync),
}

/// An open stream.
pub struct EventStream {
    bytes: Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    parser: Parser,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStream(…)")
    }
}

impl CenterClient {
    /// Opens the stream after event `since`.
    pub async fn events(&self, since: u64) -> Result<EventStream, CenterError> {
        let call = Call::get(format!("{}?since={since}", paths::EVENTS)).header("accept", "text/event-stream")?;
        let answer = self.send_with(&self.streaming, &call).await?;
        Ok(EventStream { bytes: Box::pin(answer.bytes_stream()), parser: Parser::default() })
    }
}

impl EventStream {
    /// The next event; `None` when the center ended the stream. Events of kinds unknown here are passed over.
    pub async fn next(&mut self) -> Result<Option<CenterEvent>, CenterError> {
        loop {
            while let Some(raw) = self.parser.next() {
                if let Some(event) = understand(&raw)? {
                    return Ok(Some(event));
                }
            }
            match self.bytes.next().await {
                None => return Ok(None),
                Some(chunk) => self.parser.push(&chunk?)?,
            }
        }
    }
}

fn understand(raw: &Raw) -> Result<Option<CenterEvent>, CenterError> {
    fn data<T: serde::de::DeserializeOwned>(raw: &Raw) -> Result<T, CenterError> {
        serde_json::from_str(&raw.data).map_err(|_| CenterError::Protocol("an event is not understood".to_owned()))
    }
    Ok(match raw.event.as_str() {
        EVENT_ASSIGNMENT => {
            let id = raw.id.parse().map_err(|_| CenterError::Protocol("an event without number".to_owned()))?;
            Some(CenterEvent::Assignment { id, change: data(raw)? })
        }
        EVENT_PING => Some(CenterEvent::Ping(data(raw)?)),
        EVENT_RESYNC => Some(CenterEvent::Resync(data(raw)?)),
        _ => None,
    })
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Raw {
    event: String,
    id: String,
    data: String,
}

/// Lines to events (WHATWG HTML §9.2.6): `field: value`, a blank line ends an event, `:` begins a comment.
#[derive(Debug, Default)]
struct Parser {
    pending: Vec<u8>,
    current: Raw,
    ready: std::collections::VecDeque<Raw>,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) -> Result<(), CenterError> {
        self.pending.extend_from_slice(bytes);
        while let Some(end) = self.pending.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            self.line(line.trim_end_matches(['\n', '\r']));
        }
        if self.pending.len() + self.current.data.len() > MAX_EVENT_BYTES {
            return Err(CenterError::Protocol("an event is too long".to_owned()));
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            let whole = std::mem::take(&mut self.current);
            if !whole.data.is_empty() {
                self.ready.push_back(whole);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.current.event),
            "id" => value.clone_into(&mut self.current.id),
            "data" => {
                if !self.current.data.is_empty() {
                    self.current.data.push('\n');
                }
                self.current.data.push_str(value);
            }
            _ => {}
        }
    }

    fn next(&mut self) -> Option<Raw> {
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_of_the_stream_gives_the_same_events() {
        let text = ": hello\r\nevent: ping\r\ndata: {\"server_time\":\"2026-01-01T00:00:00Z\"}\r\n\r\n\
                    event: other\ndata: x\n\nevent: resync\nid: 7\ndata: {\"last_event_id\":\ndata: 7}\n\n";
        let whole = {
            let mut parser = Parser::default();
            parser.push(text.as_bytes()).expect("short");
            std::iter::from_fn(|| parser.next()).collect::<Vec<_>>()
        };
        assert_eq!(whole.len(), 3);
        assert!(matches!(understand(&whole[0]), Ok(Some(CenterEvent::Ping(_)))));
        assert_eq!(understand(&whole[1]), Ok(None));
        assert_eq!(understand(&whole[2]), Ok(Some(CenterEvent::Resync(Resync { last_event_id: 7 }))));
        for step in 1..7 {
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for chunk in text.as_bytes().chunks(step) {
                parser.push(chunk).expect("short");
                events.extend(std::iter::from_fn(|| parser.next()));
            }
            assert_eq!(events, whole, "chunks of {step}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let line = format!("data: {}\n", "x".repeat(600_000));
        parser.push(line.as_bytes()).expect("still short");
        assert!(parser.push(line.as_bytes()).is_err());
    }
}
