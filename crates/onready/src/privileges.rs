//! Giving privileges up: whom a server becomes, in the one order that works, with a check that it is for good.
//!
//! # References
//! setgroups(2), setregid(2), setreuid(2), getgrouplist(3); POS36-C, POS37-C of the CERT C standard

use crate::error::StartError;
use crate::{accounts, sys};
use std::io;

/// Whom a server becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The user, if it changes.
    pub uid: Option<u32>,
    /// The group, if it changes.
    pub gid: Option<u32>,
    /// The supplementary groups that come with it.
    pub groups: Vec<u32>,
}

fn unknown(what: &str, name: &str) -> StartError {
    StartError::io(
        format!("become {what} {name}"),
        io::Error::new(io::ErrorKind::NotFound, format!("there is no such {what}")),
    )
}

impl Credentials {
    /// Finds a user and a group, by name or number, before anything is started.
    ///
    /// # Errors
    /// There is no such user or group.
    pub fn look_up(user: Option<&str>, group: Option<&str>) -> Result<Credentials, StartError> {
        let found = user.map(|name| accounts::user(name).ok_or_else(|| unknown("user", name))).transpose()?;
        let own_gid = group.map(|name| accounts::group(name).ok_or_else(|| unknown("group", name))).transpose()?;
        let gid = own_gid.or(found.as_ref().map(|user| user.gid));
        let groups = match (found.as_ref().and_then(|user| user.name.as_deref()), gid) {
            (Some(name), Some(gid)) => accounts::groups(name, gid),
            (None, Some(gid)) => vec![gid],
            (_, None) => Vec::new(),
        };
        Ok(Credentials { uid: found.map(|user| user.uid), gid, groups })
    }

    /// Whether nothing is to change.
    pub fn is_unchanged(&self) -> bool {
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        self.uid.is_none_or(|wanted| wanted == uid && uid != 0) && self.gid.is_none_or(|wanted| wanted == gid)
            || (self.uid.is_none() && self.gid.is_none())
    }

    /// Changes all threads of this process: groups, group, user, in this order, because each needs the privileges
    /// that the next gives away.
    ///
    /// # Errors
    /// It cannot be done, or could be undone; the process must not go on then.
    pub fn assume(&self) -> io::Result<()> {
        if self.is_unchanged() {
            return Ok(());
        }
        if let Some(gid) = self.gid {
            sys::set_groups(&self.groups, gid)?;
        }
        let Some(uid) = self.uid else { return Ok(()) };
        sys::set_user(uid)?;
        if uid != 0 && sys::could_return_to_root() {
            return Err(io::Error::other("the privileges could be taken back"));
        }
        Ok(())
    }
}
