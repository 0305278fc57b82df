//! mosquitto speaks, also from the background, where it is another process that does.

use crate::bed::{Bed, system_program};
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, flag: &str, more: &str) -> Way {
    let (ip, port, pid_file) = (bed.ip(), bed.addr.port(), bed.path("mosquitto.pid"));
    let text = format!(
        "listener {port} {ip}\nallow_anonymous true\npersistence false\nuser root\npid_file {pid_file}\n{more}\n"
    );
    let conf = bed.file("mosquitto.conf", text);
    Way::new(&format!("{} {flag} -c {conf}", system_program("mosquitto")), "notify")
}

fn check(flag: &str, change: impl Fn(Way, &Bed) -> Way) {
    let bed = Bed::new();
    change(configured(&bed, flag, ""), &bed).works(&bed, |_| clients::mqtt(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("", |way, _| way);
}

#[test]
fn until_notify() {
    check("", |way, _| way.with("--until notify"));
}

#[test]
fn that_puts_itself_into_the_background() {
    check("-d", |way, bed| way.pid_file(&bed.path("mosquitto.pid")));
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&configured(&bed, "", "nonsense 1"), "Unknown configuration variable \"nonsense\"");
    bed.finish();
}
