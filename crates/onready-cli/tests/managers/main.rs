//! Real service managers: readiness arrives there by the same `notify`, through the program too, and what they are told
//! of the server's end is true.
//!
//! `sdbox` boots this machine's systemd as PID 1 of namespaces of its own; where that is not allowed, the tests that need
//! it say so and pass.
#![cfg(target_os = "linux")]

mod activate;
mod machine;
mod programs;
mod runit;
mod s6;
mod supervisord;
mod systemd;

use std::time::Duration;

/// Far more than anything here takes.
pub const LONG: Duration = Duration::from_secs(30);
/// How long the servers take to start, so that a manager that does not wait is seen not to.
pub const INIT_MS: u64 = 300;
/// That as a time.
pub const INIT: Duration = Duration::from_millis(INIT_MS);
