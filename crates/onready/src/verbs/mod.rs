//! Life after the start, by name: what is on record, and the verbs that stand on it.

mod decide;
mod logs;
pub mod state;

pub use decide::{Decision, Wish, command_text, decide};
pub use logs::{KEPT, Logs, ROTATE_AT, open_logs};
