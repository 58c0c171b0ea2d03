//! What terminals and the center say to each other, kept word for word by a layer around the center's service.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use std::sync::{Arc, Mutex};

/// One request and its answer.
#[derive(Clone)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub status: u16,
    pub answer_headers: HeaderMap,
    /// Of an event stream: what came of it until now.
    pub answer: Arc<Mutex<Vec<u8>>>,
}

/// Keeps all exchanges.
#[derive(Clone, Default)]
pub struct Recorder {
    kept: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// The service, listened to.
    pub fn around(&self, service: Router) -> Router {
        let me = self.clone();
        service.layer(middleware::from_fn(move |request, next| {
            let me = me.clone();
            async move { me.pass(request, next).await }
        }))
    }

    /// Everything until now.
    pub fn kept(&self) -> Vec<Exchange> {
        self.kept.lock().expect("lock").clone()
    }

    async fn pass(&self, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        let (method, uri, headers) = (parts.method.to_string(), parts.uri.clone(), parts.headers.clone());
        let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
        let (head, answer) = next.run(Request::from_parts(parts, Body::from(body.clone()))).await.into_parts();
        let said = Arc::new(Mutex::new(Vec::new()));
        let streamed = head.headers.get("content-type").is_some_and(|v| v.as_bytes().starts_with(b"text/event-stream"));
        let answer = if streamed {
            let said = Arc::clone(&said);
            Body::from_stream(answer.into_data_stream().inspect(move |chunk| {
                if let Ok(bytes) = chunk {
                    said.lock().expect("lock").extend_from_slice(bytes);
                }
            }))
        } else {
            let bytes = to_bytes(answer, usize::MAX).await.expect("the center's answer is whole");
            said.lock().expect("lock").extend_from_slice(&bytes);
            Body::from(bytes)
        };
        self.kept.lock().expect("lock").push(Exchange {
            method,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers,
            body: body.to_vec(),
            status: head.status.as_u16(),
            answer_headers: head.headers.clone(),
            answer: said,
        });
        Response::from_parts(head, answer)
    }
}
