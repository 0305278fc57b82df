//! Services written for s6: a line on the notification descriptor.

use crate::bed::Bed;
use crate::way::Way;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// The run script of a server that says itself, by `-1`, that it listens.
#[test]
fn a_server_that_says_it() {
    let bed = Bed::new();
    let socket = bed.path("s");
    let run = bed.script("run", format!("#!/bin/sh\nexec s6-ipcserver -1 {socket} cat >&3\n"));
    let way = Way::new(&run, "fd:3").with("--until fd:3").elsewhere();
    way.works(&bed, |server| {
        assert!(server.listens_on(&format!("unix:{socket}")), "{}", server.report);
        let mut stream = UnixStream::connect(&socket)?;
        stream.write_all(b"pong")?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer)?;
        assert_eq!(&answer, b"pong");
        Ok(())
    });
    bed.finish();
}
