//! The client against a scripted server, and against a real one where there is one.

mod documents;
mod failing;
mod observing;
mod testbed;
mod watching;
mod writing;
