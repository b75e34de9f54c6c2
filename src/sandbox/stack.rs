//! A stack of its own for what recurses deeply because somebody else said so.

use std::thread::{Builder, scope};

/// The deepest that is read with it takes up to 200 kilobytes a level, where nothing is optimised. What is not used costs
/// nothing.
const BYTES: usize = 256 << 20;

/// Does something with much room on the stack; `None` if there is no such thread to be had, or if it panics: what a library
/// fails at is no reason to fail a request.
pub(super) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    scope(|scope| {
        let thread = Builder::new().stack_size(BYTES).spawn_scoped(scope, work).ok()?;
        thread.join().ok()
    })
}
