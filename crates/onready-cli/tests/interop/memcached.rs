//! memcached cannot speak; `memcached -d` exits before it listens. It takes a second to stop.

use crate::bed::{Bed, is_root};
use crate::clients;
use crate::way::Way;

fn command(bed: &Bed, more: &str) -> Way {
    let user = if is_root() { "-u nobody" } else { "" };
    Way::new(&format!("memcached -l {} -p {} -U 0 {user} {more}", bed.ip(), bed.addr.port()), "listen").slow(4)
}

#[test]
fn in_the_foreground() {
    let bed = Bed::new();
    command(&bed, "").works(&bed, |_| clients::memcached(bed.addr));
    bed.finish();
}

#[test]
fn that_puts_itself_into_the_background() {
    let bed = Bed::new();
    let pid_file = bed.path("memcached.pid");
    let way = command(&bed, &format!("-d -P {pid_file}")).pid_file(&pid_file);
    way.works(&bed, |_| clients::memcached(bed.addr));
    bed.finish();
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&command(&bed, "--no-such-option"), "unrecognized option");
    bed.finish();
}
