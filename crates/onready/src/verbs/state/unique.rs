//! Names made unique: a server that is started without a name gets one that nobody has, in few looks.

use super::claim::{Claim, is_in_use};
use super::dir::StateDir;
use super::name::check_name;
use super::record::{Outcome, line_of, state_of};
use crate::error::StartError;
use crate::instance::Identity;
use serde::Deserialize;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::time::Duration;

/// One part in so many is near enough.
const NEAR: u64 = 16;
/// If this number is in use, there are many.
const MANY: u64 = 32;

/// Another number every time.
fn any_number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What of a record says whether its name is taken; the rest is skipped.
#[derive(Deserialize)]
struct Glance {
    outcome: Outcome,
    identity: Option<Identity>,
}

impl Glance {
    fn is_in_use(&self, is_alive: fn(&Identity) -> bool) -> bool {
        is_in_use(state_of(self.outcome, self.identity.as_ref(), false, || {
            self.identity.as_ref().is_some_and(is_alive)
        }))
    }
}

impl StateDir {
    /// Takes the lock of `base`, `base-2`, `base-3` or so: the first name found, in few looks, under which nothing
    /// runs and nobody starts anything. With fewer than 32 of them it is the lowest such number, but for accidents.
    ///
    /// # Errors
    /// As [`StateDir::claim`].
    pub fn claim_unique(&self, base: &str) -> Result<Claim, StartError> {
        check_name(base)?;
        let are_many = self.is_taken(base, MANY);
        let mut number = if are_many || self.runs(base) { self.free_number(base, are_many) } else { 1 };
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
            number = match number {
                1 => self.free_number(base, self.is_taken(base, MANY)),
                _ => self.free_above(base, number),
            };
        }
    }

    /// Whether there is a first one: who starts a second need not take the lock of the first to know.
    fn runs(&self, base: &str) -> bool {
        self.glance(base).is_ok_and(|glance| glance.is_some_and(|it| it.is_in_use(Identity::is_alive)))
    }

    /// A number above 1 that seems free: fourfold steps up to one, then halving ones down to where the taken ones end,
    /// or near it. With a thousand servers of one name these are 11 looks, not a thousand.
    fn free_number(&self, base: &str, are_many: bool) -> u64 {
        // Among many, what is on record is taken for what is in use: to look costs five times as much.
        let seems_taken = |number: u64| match are_many {
            true => self.is_on_record(&numbered(base, number)),
            false => number < MANY && self.is_taken(base, number),
        };
        let (mut taken, mut free) = if are_many { (MANY, MANY * 4) } else { (1, 2) };
        while seems_taken(free) {
            (taken, free) = (free, free * 4);
        }
        while free - taken > 1 + free / NEAR {
            let middle = taken + (free - taken) / 2;
            if seems_taken(middle) {
                taken = middle;
            } else {
                free = middle;
            }
        }
        // One that has ended, anywhere before them, sooner or later: there are not to be ever more of them.
        let other = 1 + any_number() % taken;
        if are_many && !self.is_taken(base, other) {
            return other;
        }
        // Of many who start one now, not all try the same.
        let number = taken + 1 + any_number() % (free - taken);
        if number < free && self.is_taken(base, number) { free } else { number }
    }

    /// The next one for somebody who was too late for this.
    fn free_above(&self, base: &str, number: u64) -> u64 {
        let step = 1 + any_number() % NEAR;
        let mut next = number.saturating_add(step);
        while self.is_taken(base, next) {
            next = next.saturating_add(step);
        }
        next
    }

    /// Whether it seems so: another name will do if this is wrong, and who takes the lock of a name sees what it is.
    fn is_taken(&self, base: &str, number: u64) -> bool {
        let glance = self.glance(&numbered(base, number));
        glance.map_or(true, |glance| glance.is_some_and(|it| it.is_in_use(Identity::seems_alive)))
    }

    fn glance(&self, name: &str) -> io::Result<Option<Glance>> {
        let Some(text) = self.read_line(name)? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(line_of(&text)?)?))
    }
}

fn numbered(base: &str, number: u64) -> String {
    if number == 1 { base.into() } else { format!("{base}-{number}") }
}
