//! Life after the start, by name: what is on record, and the verbs that stand on it.

mod crew;
mod decide;
mod folder;
mod logs;
mod restart;
mod schedule;
pub mod state;
mod status;
mod stop;
mod time;

pub use crew::Named;
pub use decide::{Decision, Wish, command_text, decide};
pub use logs::{KEPT, Logs, ROTATE_AT, Show, open_logs, show_logs};
pub use restart::{RestartError, restart};
pub use schedule::{Schedule, Step};
pub use status::{Listing, Status, list, table};
pub use stop::{StopOutcome, Stopped, UNKNOWN_NAME, stop, stop_claimed};
