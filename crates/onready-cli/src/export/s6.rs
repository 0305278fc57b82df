//! A service folder for s6, as a shell script that makes it.
//!
//! # References
//! s6: servicedir, notifywhenup, s6-notifyoncheck

use super::Server;
use crate::when::Sign;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A script that makes the folder NAME below the directory in which it is run.
pub fn folder(server: &Server) -> Vec<u8> {
    let name = &server.record.name;
    let mut script = format!(
        "#!/bin/sh -eu\n# Makes ./{name}, a service folder for s6: onready export s6 {name} | sh\n\
         # Look over what run exports: it is the shell's environment.\nmkdir -p {name}/data\n"
    )
    .into_bytes();
    let (fd, run, check) = match (server.options.until.as_slice(), server.needs_us()) {
        // s6's own way.
        ([only], false) if matches!(only.sign, Sign::Fd(_)) => {
            let Sign::Fd(fd) = only.sign else { return script };
            (fd, run(server, server.command(), true), None)
        }
        _ => {
            let mut through = server.through_us(Some(name));
            // data/check is found from the folder, so it is onready that enters the directory.
            through.splice(1..1, ["--chdir".into(), server.directory.clone().into_os_string()]);
            let own = through[0].clone();
            (3, run(server, checked(server).chain(through).collect(), false), Some(own))
        }
    };
    file(&mut script, &format!("{name}/notification-fd"), format!("{fd}\n").as_bytes());
    file(&mut script, &format!("{name}/run"), &run);
    script.extend(format!("chmod +x {name}/run\n").bytes());
    if let Some(own) = check {
        let mut text = b"#!/bin/sh\nexec ".to_vec();
        text.extend(words(&[own, "status".into(), "--quiet".into(), name.into()]));
        text.push(b'\n');
        file(&mut script, &format!("{name}/data/check"), &text);
        script.extend(format!("chmod +x {name}/data/check\n").bytes());
    }
    script
}

/// `onready` waits for the sign, and data/check asks it by name until it is there.
fn checked(server: &Server) -> impl Iterator<Item = OsString> {
    let limit = server.options.timeout.as_millis().to_string();
    ["s6-notifyoncheck", "-d", "-n", "0", "-w", "100", "-T", &limit].map(OsString::from).into_iter()
}

/// The file `run`.
fn run(server: &Server, command: Vec<OsString>, enter: bool) -> Vec<u8> {
    let mut run = b"#!/bin/sh -eu\nexec 2>&1\n".to_vec();
    for (name, value) in server.environment.iter().filter(|(name, _)| is_name(name)) {
        run.extend(b"export ");
        run.extend(name.as_bytes());
        run.push(b'=');
        run.extend(quoted(value));
        run.push(b'\n');
    }
    let options = &server.options;
    if enter {
        run.extend(b"cd ");
        run.extend(quoted(server.directory.as_os_str()));
        run.push(b'\n');
    }
    options.special.umask.iter().for_each(|mask| run.extend(format!("umask {mask:03o}\n").bytes()));
    let mut before: Vec<OsString> = Vec::new();
    options.special.nice.iter().for_each(|nice| before.extend(["nice", "-n", &nice.to_string()].map(Into::into)));
    if !options.special.rlimit.is_empty() {
        before.push("prlimit".into());
    }
    for limit in &options.special.rlimit {
        let bound = |n: u64| if n == u64::MAX { "unlimited".into() } else { n.to_string() };
        before.push(format!("--{}={}:{}", limit.name, bound(limit.soft), bound(limit.hard)).into());
    }
    if let Some(user) = &options.special.user {
        before.extend(["s6-setuidgid".into(), user.into()]);
    }
    before.extend(command);
    run.extend(b"exec ");
    run.extend(words(&before));
    run.push(b'\n');
    run
}

/// What a shell takes for the name of a variable.
fn is_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|first| !first.is_ascii_digit())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn words(all: &[OsString]) -> Vec<u8> {
    all.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(&b' ')
}

fn quoted(word: &OsStr) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:=,@+%".contains(byte);
    if !word.is_empty() && word.as_bytes().iter().all(plain) {
        return word.as_bytes().to_vec();
    }
    let mut text = vec![b'\''];
    for &byte in word.as_bytes() {
        match byte {
            b'\'' => text.extend(b"'\\''"),
            _ => text.push(byte),
        }
    }
    text.push(b'\'');
    text
}

/// printf keeps every byte; a here-document would end at its own last line.
fn file(script: &mut Vec<u8>, path: &str, text: &[u8]) {
    script.extend(b"printf %s ");
    script.extend(quoted(OsStr::from_bytes(text)));
    script.extend(format!(" >{path}\n").bytes());
}
