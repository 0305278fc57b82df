//! What the figures' driver, the step counter and the fixture servers share. Not published.
//!
//! `bench/run` is the command; `src/main.rs` is the driver, `src/figures/` the figures, `src/bin/` the servers that are started.

pub mod caller;
pub mod children;
pub mod flood;
pub mod shot;
pub mod stats;
pub mod sys;
