//! Names made unique: a server that is started without a name gets one that nobody has, in few looks.

use super::claim::{Claim, is_in_use};
use super::dir::StateDir;
use super::name::check_name;
use super::record::{Outcome, State, line_of, state_of};
use crate::error::StartError;
use crate::instance::Identity;
use serde::Deserialize;
use std::io;
use std::time::Duration;

/// What of a record says whether its name is taken; the rest is skipped.
#[derive(Deserialize)]
struct Glance {
    outcome: Outcome,
    identity: Option<Identity>,
}

impl Glance {
    fn state(&self, is_alive: fn(&Identity) -> bool) -> State {
        state_of(self.outcome, self.identity.as_ref(), false, || self.identity.as_ref().is_some_and(is_alive))
    }
}

impl StateDir {
    /// Takes the lock of `base`, `base-2`, `base-3` or so: the first name found, in few looks, under which nothing
    /// runs and nobody starts anything. It is not always the lowest such number.
    ///
    /// # Errors
    /// As [`StateDir::claim`].
    pub fn claim_unique(&self, base: &str) -> Result<Claim, StartError> {
        check_name(base)?;
        // Who starts a second server of a name need not take the lock of the first to know.
        let runs =
            self.glance(base).is_ok_and(|glance| glance.is_some_and(|it| it.state(Identity::is_alive) == State::Ready));
        let mut number = if runs { self.free_number(base) } else { 1 };
        loop {
            let name = numbered(base, number);
            check_name(&name)?;
            let lock = self.lock(&name, Duration::ZERO).map_err(|error| self.cannot_lock(&name, error))?;
            if let Some(lock) = lock {
                let claim = self.claimed(&name, lock)?;
                if !claim.is_in_use() {
                    return Ok(claim);
                }
            }
            number = if number == 1 { self.free_number(base) } else { self.free_above(base, number) };
        }
    }

    /// A free number above 1: fourfold steps up to one, then halving ones down to one whose lower neighbour is taken.
    /// With a thousand servers of one name 16 looks, not a thousand, and half of them at names that nobody has.
    fn free_number(&self, base: &str) -> u64 {
        let is_free = |number: u64| !self.is_taken(&numbered(base, number));
        let (mut taken, mut free) = (1, 2);
        while !is_free(free) {
            (taken, free) = (free, free * 4);
        }
        while free - taken > 1 {
            let middle = taken + (free - taken) / 2;
            if is_free(middle) {
                free = middle;
            } else {
                taken = middle;
            }
        }
        free
    }

    /// The next one for somebody who was too late for this: of many, not all try the same.
    fn free_above(&self, base: &str, number: u64) -> u64 {
        let step = 1 + u64::from(std::process::id() % 16);
        let mut next = number.saturating_add(step);
        while self.is_taken(&numbered(base, next)) {
            next = next.saturating_add(step);
        }
        next
    }

    /// Whether it seems so: another name will do if this is wrong.
    fn is_taken(&self, name: &str) -> bool {
        match self.glance(name) {
            Ok(Some(glance)) => is_in_use(glance.state(Identity::seems_alive)) || self.is_locked(name),
            Ok(None) => self.is_locked(name),
            Err(_) => true,
        }
    }

    fn glance(&self, name: &str) -> io::Result<Option<Glance>> {
        let Some(text) = self.read_line(name)? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(line_of(&text)?)?))
    }
}

fn numbered(base: &str, number: u64) -> String {
    if number == 1 { base.into() } else { format!("{base}-{number}") }
}
