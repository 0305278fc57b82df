//! What is on record about servers with a name: one file and one lock for each, in a directory of this user's own.
//!
//! A record is replaced as a whole (a file beside it, then a rename) and only by whoever holds the name's lock, so a
//! reader needs no lock and never sees half of one. Locks end with the process that holds them, so a killed starter
//! leaves a record that says "starting" and a lock that is free: the next one knows what happened.
//!
//! # References
//! flock(2), rename(2)

mod bytes;
mod claim;
mod clock;
mod dir;
mod name;
mod record;
mod unique;

pub use claim::Claim;
pub(super) use clock::since_start;
pub use dir::StateDir;
pub use name::{LONGEST_NAME, check_name, default_name};
pub use record::{Outcome, Record, State};
