//! The logs of servers with a name: opened and rotated at the start, shown and followed later.
//!
//! They hold the server's own bytes and nothing else. When each start was is told by a file beside them.

mod follow;
mod open;
mod reader;
mod show;
mod starts;

pub use open::{KEPT, Logs, ROTATE_AT, StartMark, open_logs};
pub use show::{Show, show_logs};
