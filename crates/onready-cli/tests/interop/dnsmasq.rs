//! dnsmasq does not speak, though libdbus brings libsystemd along; it closes its streams in the foreground, which means
//! nothing.

use crate::bed::{Bed, system_program};
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, flag: &str, more: &str) -> Way {
    let (ip, port, pid_file) = (bed.ip(), bed.addr.port(), bed.path("dnsmasq.pid"));
    let text = format!(
        "port={port}\nlisten-address={ip}\nbind-interfaces\nno-resolv\nno-hosts\nuser=root\n\
         address=/a.test/127.9.9.9\npid-file={pid_file}\nlog-facility=-\n{more}\n"
    );
    let conf = bed.file("dnsmasq.conf", text);
    Way::new(&format!("{} {flag} -C {conf}", system_program("dnsmasq")), "listen (quiet)")
}

fn check(flag: &str, change: impl Fn(Way, &Bed) -> Way) {
    let bed = Bed::new();
    change(configured(&bed, flag, ""), &bed).works(&bed, |_| clients::dns(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("-k", |way, _| way);
}

#[test]
fn that_puts_itself_into_the_background() {
    check("", |way, bed| way.pid_file(&bed.path("dnsmasq.pid")));
}

#[test]
fn until_exit() {
    check("", |way, bed| way.pid_file(&bed.path("dnsmasq.pid")).with("--until exit").by("exit"));
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&configured(&bed, "-k", "nonsense"), "bad option");
    bed.finish();
}
