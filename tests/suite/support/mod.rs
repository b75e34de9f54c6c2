//! What the suite and the benchmarks stand on: a closed environment for the program, what it printed as one text, handles
//! on API servers, and stacks of any size. It judges nothing; that is the tests' part.
#![allow(dead_code, unused_imports, reason = "shared by the suite and the benchmarks; neither uses all of it")]

pub mod api;
pub mod audit;
pub mod cluster;
pub mod environment;
pub mod generate;
pub mod interrupt;
pub mod output;
pub mod plan;
pub mod redact;
pub mod sandbox;
pub mod testbed;
