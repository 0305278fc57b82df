//! Makes a child as vfork(2) does, which goes on as NEXT and never executes anything: the parent stays suspended in the
//! kernel for as long as the child lives.

use super::{Answer, Args};
use crate::sys;

pub(super) const USAGE: &str = "-- NEXT   (exits with the child's code)";

pub(super) fn run(args: Args) -> Answer {
    match sys::fork_suspended()? {
        None => {
            // A timer is not inherited.
            super::life::live(super::LIFE)?;
            args.then()
        }
        Some(child) => Ok(u8::try_from(sys::wait_for(child) & 255).unwrap_or(1)),
    }
}
