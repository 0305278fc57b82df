//! Who a user, a group or a host is, by name.
//!
//! The C library loads a module for each database that nsswitch.conf names (systemd's, an LDAP server's). In a program
//! that is linked statically they may crash, so there getent(1) is asked, which is linked as they are; without it, the
//! files are read.
//!
//! # References
//! getpwnam(3), getgrouplist(3), getaddrinfo(3), nsswitch.conf(5), getent(1), passwd(5), group(5), hosts(5)

use crate::sys;
use std::ffi::{CStr, CString};
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::process::{Command, Stdio};

/// An entry of the user database.
#[derive(Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// Its name, if it has an entry: a number needs none.
    pub name: Option<CString>,
}

/// A user; of a number without an entry, the group is the one of the same number.
pub fn user(name: &str) -> Option<User> {
    let entry = if sys::is_static() { user_of(&ask("passwd", name)) } else { user_here(name) };
    entry.or_else(|| number(name).map(|uid| User { uid, gid: uid, name: None }))
}

/// The number of a group.
pub fn group(name: &str) -> Option<u32> {
    let entry = if sys::is_static() { field(&ask("group", name), 2) } else { sys::group(&CString::new(name).ok()?) };
    entry.or_else(|| number(name))
}

/// The highest one means "none".
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|&number| number != u32::MAX)
}

/// All groups that a user is in, `gid` among them.
pub fn groups(user: &CStr, gid: u32) -> Vec<u32> {
    if !sys::is_static() {
        return sys::group_list(user, gid);
    }
    let text = ask("initgroups", &user.to_string_lossy());
    let others = text.split_whitespace().skip(1).filter_map(|number| number.parse().ok());
    std::iter::once(gid).chain(others.filter(|&other| other != gid)).collect()
}

/// The addresses of a host, by name or number, with this port.
///
/// # Errors
/// There is no such host.
pub fn host(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if name.parse::<IpAddr>().is_ok() || !sys::is_static() {
        return Ok((name, port).to_socket_addrs()?.collect());
    }
    let found = addresses_of(&ask("ahosts", name), port);
    if found.is_empty() { Err(io::Error::new(io::ErrorKind::NotFound, "its name is not known")) } else { Ok(found) }
}

/// Each once: there is a line for every kind of socket.
fn addresses_of(lines: &str, port: u16) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for address in lines.lines().filter_map(|line| line.split_whitespace().next()?.parse::<IpAddr>().ok()) {
        let address = SocketAddr::new(address, port);
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

fn user_here(name: &str) -> Option<User> {
    let by_name = CString::new(name).ok()?;
    if let Some((uid, gid)) = sys::user(&by_name) {
        return Some(User { uid, gid, name: Some(by_name) });
    }
    let uid = number(name)?;
    let (name, gid) = sys::user_by_id(uid)?;
    Some(User { uid, gid, name: Some(name) })
}

fn user_of(line: &str) -> Option<User> {
    Some(User { uid: field(line, 2)?, gid: field(line, 3)?, name: CString::new(line.split(':').next()?).ok() })
}

fn field(line: &str, number: usize) -> Option<u32> {
    line.trim_end().split(':').nth(number)?.parse().ok()
}

/// What a database says about a name or number: a line (of a host several), or nothing.
fn ask(database: &str, key: &str) -> String {
    let mut getent = Command::new("getent");
    getent.args([database, "--", key]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = getent.spawn() else { return read(database, key) };
    let mut line = String::new();
    // Cut off is as good as not found; its exit status would say the same, and may be lost (an ignored SIGCHLD).
    let _ = child.stdout.take().map(|mut out| out.read_to_string(&mut line));
    let _ = child.wait();
    line
}

fn read(database: &str, key: &str) -> String {
    let file = |name: &str| std::fs::read_to_string(format!("/etc/{name}")).unwrap_or_default();
    if database == "initgroups" {
        return groups_in(&file("group"), key);
    }
    if database == "ahosts" {
        let is_it = |line: &&str| {
            line.split_whitespace().skip(1).take_while(|word| !word.starts_with('#')).any(|word| word == key)
        };
        return file("hosts").lines().filter(is_it).collect::<Vec<_>>().join("\n");
    }
    let is_it = |line: &&str| line.split(':').next() == Some(key) || line.split(':').nth(2) == Some(key);
    file(database).lines().find(is_it).unwrap_or_default().into()
}

/// In the form of getent(1).
fn groups_in(file: &str, user: &str) -> String {
    let is_in = |line: &&str| line.split(':').nth(3).is_some_and(|members| members.split(',').any(|name| name == user));
    let numbers = file.lines().filter(is_in).filter_map(|line| line.split(':').nth(2));
    std::iter::once(user).chain(numbers).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each way to ask says the same of who is on every system.
    #[test]
    fn root_is_root_however_it_is_asked() {
        let root = || Some(User { uid: 0, gid: 0, name: CString::new("root").ok() });
        for key in ["root", "0"] {
            assert_eq!(user(key), root());
            assert_eq!(user_of(&ask("passwd", key)), root());
            assert_eq!(user_of(&read("passwd", key)), root());
            assert_eq!(field(&ask("group", key), 2), field(&read("group", key), 2));
        }
        assert_eq!(user_of(&ask("passwd", "no-such-user")), None);
        assert_eq!(user_of(&read("passwd", "no-such-user")), None);
        assert_eq!(user("4000000000"), Some(User { uid: 4_000_000_000, gid: 4_000_000_000, name: None }));
        assert_eq!((user("no-such-user"), group("no-such-group")), (None, None));
        assert_eq!(groups(c"root", 0).first(), Some(&0));
    }

    #[test]
    fn localhost_is_here_however_it_is_asked() {
        let here = |found: Vec<SocketAddr>| found.iter().any(|found| found.ip().is_loopback() && found.port() == 80);
        assert!(here(host("localhost", 80).expect("localhost")) && here(host("::1", 80).expect("an address")));
        assert!(here(addresses_of(&ask("ahosts", "localhost"), 80)));
        assert_eq!(addresses_of("::1 STREAM a\n::1 DGRAM\n127.0.0.1 STREAM\n", 1).len(), 2);
        assert_eq!(addresses_of(&read("ahosts", "no-such-host.invalid"), 80), []);
    }

    #[test]
    fn a_user_is_in_the_groups_that_name_it() {
        let file = "root:x:0:\naudio:x:29:me,you\nvideo:x:44:you\nusers:x:100:me\n";
        assert_eq!(groups_in(file, "me"), "me 29 100");
        assert_eq!(groups_in(file, "m"), "m");
    }
}
