//! The same answers without sockets: a service that a client of the `http` kind may call in this process.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future, stream};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame};

use crate::sandbox::{
    answer::{Answer, Handler},
    refusal::Refusal,
};

/// Bodies beyond this are refused, as the API server does.
pub const MOST_BODY_BYTES: usize = 3 * 1024 * 1024;

/// The body of an answer.
pub type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Gives a handler to a client in this process.
#[derive(Clone)]
pub struct InMemory(pub Arc<dyn Handler>);

impl<B> tower_service::Service<Request<B>> for InMemory
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<AnswerBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        answer(Arc::clone(&self.0), request, future::pending()).boxed()
    }
}

/// Reads a request's body and has it answered; streams end with `stopped`.
pub(super) async fn answer<B>(
    handler: Arc<dyn Handler>,
    request: Request<B>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<Response<AnswerBody>, BoxError>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Ok(too_large()),
        Err(error) => return Err(error),
    };
    let mut answer = handler.answer(Request::from_parts(parts, body));
    while let Answer::Later(delay, later) = answer {
        tokio::time::sleep(delay).await;
        answer = *later;
    }
    Ok(match answer {
        Answer::Whole(response) => response.map(whole),
        Answer::Stream(parts, stream) => {
            let frames = stream.take_until(stopped).map(|bytes| Ok(Frame::data(bytes)));
            Response::from_parts(parts, StreamBody::new(frames).boxed_unsync())
        }
        Answer::Torn(parts, stream) => {
            let frames = stream.map(|bytes| Ok(Frame::data(bytes))).chain(stream::once(async { Err(lost()) }));
            Response::from_parts(parts, StreamBody::new(frames.take_until(stopped)).boxed_unsync())
        }
        Answer::Lost | Answer::Later(..) => return Err(lost().into()),
    })
}

fn whole(body: Bytes) -> AnswerBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

/// What a connection ends with that is cut on purpose: nothing more is sent on it.
fn lost() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was lost on purpose")
}

fn too_large() -> Response<AnswerBody> {
    let message = format!("Request entity too large: limit is {MOST_BODY_BYTES}");
    let refusal = Refusal::new(413, "RequestEntityTooLarge", message);
    let mut response = Response::new(whole(Bytes::from(refusal.status().to_string())));
    *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    headers.insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-cache, private"));
    // What is left of the body has not been read, so nothing more can follow on this connection.
    headers.insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}
