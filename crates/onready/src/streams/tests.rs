//! What cannot be carried is told.

use super::*;

#[test]
fn a_pipe_that_cannot_be_read_is_told() {
    // Of a directory nothing can be read.
    let pipe = rustix::fs::open("/", rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty()).expect("open /");
    let mut relay = Relay::new(pipe, Sink::new(rustix::stdio::stdout(), None), None).expect("a relay");
    assert!(!relay.carry() && relay.read_error().is_some());
}
