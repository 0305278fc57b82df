//! unbound speaks, as Debian builds it, also from the background.

use crate::bed::{Bed, system_program};
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, flag: &str, more: &str) -> Way {
    let (ip, port, dir) = (bed.ip(), bed.addr.port(), bed.folder("data"));
    let text = format!(
        "server:\n  interface: {ip}@{port}\n  username: \"\"\n  chroot: \"\"\n  directory: \"{dir}\"\n  use-syslog: no\n  \
         pidfile: \"{}\"\n  local-data: \"a.test. A 127.9.9.9\"\n  {more}\nremote-control:\n  control-enable: no\n",
        bed.path("unbound.pid")
    );
    let conf = bed.file("unbound.conf", text);
    Way::new(&format!("{} {flag} -c {conf}", system_program("unbound")), "notify").pid_file(&bed.path("unbound.pid"))
}

fn check(flag: &str, more: &str, change: impl Fn(Way) -> Way) {
    let bed = Bed::new();
    change(configured(&bed, flag, more)).works(&bed, |_| clients::dns(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("-d", "use-systemd: no", |way| way);
}

#[test]
fn until_notify() {
    check("-d", "use-systemd: yes", |way| way.with("--until notify"));
}

#[test]
fn that_puts_itself_into_the_background() {
    check("", "use-syslog: no", |way| way);
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&configured(&bed, "-d", "nonsense: 1"), "unknown keyword 'nonsense'");
    bed.finish();
}
