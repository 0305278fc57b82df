//! dbus-daemon says on a descriptor where it listens, and by sd_notify that it does.

use crate::bed::Bed;
use crate::way::Way;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

fn configured(bed: &Bed, flags: &str) -> Way {
    let text = format!(
        "<busconfig><listen>unix:path={}</listen><policy context=\"default\">\
         <allow send_destination=\"*\"/><allow own=\"*\"/></policy></busconfig>\n",
        bed.path("bus")
    );
    let conf = bed.file("bus.conf", text);
    Way::new(&format!("dbus-daemon --config-file={conf} {flags}"), "notify").elsewhere()
}

/// The first step of a login is answered.
fn ask(bed: &Bed) -> io::Result<()> {
    let mut stream = UnixStream::connect(bed.path("bus"))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"\0AUTH\r\n")?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer)?;
    if &answer == b"REJECTED" { Ok(()) } else { Err(io::Error::other(format!("{answer:?}"))) }
}

fn check(flags: &str, change: impl Fn(Way) -> Way) {
    let bed = Bed::new();
    change(configured(&bed, flags)).works(&bed, |server| {
        assert!(server.listens_on(&format!("unix:{}", bed.path("bus"))), "{}", server.report);
        ask(&bed)
    });
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("--nofork", |way| way);
}

/// A line on descriptor 3 is what s6 calls notification-fd.
#[test]
fn until_fd() {
    check("--nofork --print-address=3", |way| way.with("--until fd:3").by("fd:3"));
}

#[test]
fn that_puts_itself_into_the_background() {
    check("--fork", |way| way);
}
