//! What a request is answered with, and who answers it: the seam between the API and the ways to reach it.

use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request; its body has been read whole.
    fn answer(&self, request: http::Request<Bytes>) -> Answer;
}

/// An answer.
pub enum Answer {
    /// One that is known whole.
    Whole(http::Response<Bytes>),
    /// One that goes on, such as a watch.
    Stream(http::response::Parts, BoxStream<'static, Bytes>),
    /// One that goes on and breaks off where the stream ends, as when a connection is cut.
    Torn(http::response::Parts, BoxStream<'static, Bytes>),
    /// One that is held back. What was asked has been done already.
    Later(Duration, Box<Answer>),
    /// None: the connection is cut.
    Lost,
}
