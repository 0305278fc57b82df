//! Giving privileges up: whom a server becomes, in the one order that works, with a check that it is for good.
//!
//! # References
//! setgroups(2), setregid(2), setreuid(2), getgrouplist(3); POS36-C, POS37-C of the CERT C standard

use crate::error::StartError;
use crate::sys;
use std::ffi::CString;
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
        let found = user.map(|name| find_user(name).ok_or_else(|| unknown("user", name))).transpose()?;
        let own_gid = group.map(|name| find_group(name).ok_or_else(|| unknown("group", name))).transpose()?;
        let gid = own_gid.or(found.as_ref().map(|(_, gid, _)| *gid));
        let groups = match (&found, gid) {
            (Some((_, _, Some(name))), Some(gid)) => sys::group_list(name, gid),
            (_, Some(gid)) => vec![gid],
            (_, None) => Vec::new(),
        };
        Ok(Credentials { uid: found.map(|(uid, _, _)| uid), gid, groups })
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

type User = (u32, u32, Option<CString>);

fn find_user(name: &str) -> Option<User> {
    let by_name = CString::new(name).ok()?;
    if let Some((uid, gid)) = sys::user(&by_name) {
        return Some((uid, gid, Some(by_name)));
    }
    let uid = name.parse().ok().filter(|&uid| uid != u32::MAX)?;
    match sys::user_by_id(uid) {
        Some((name, gid)) => Some((uid, gid, Some(name))),
        // A number needs no entry; its group is the one of the same number then.
        None => Some((uid, uid, None)),
    }
}

fn find_group(name: &str) -> Option<u32> {
    let by_name = CString::new(name).ok()?;
    sys::group(&by_name).or_else(|| name.parse().ok().filter(|&gid| gid != u32::MAX))
}
