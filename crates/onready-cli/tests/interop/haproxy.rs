//! haproxy speaks with `-Ws` alone, and says RELOADING=1 first then.

use crate::bed::{Bed, system_program};
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, mode: &str, more: &str) -> Way {
    let text = format!(
        "defaults\n  mode http\n  timeout client 5s\n  timeout connect 5s\n  timeout server 5s\n\
         frontend web\n  bind {}\n  http-request return status 200 content-type text/plain string pong\n  {more}\n",
        bed.addr
    );
    let (program, conf) = (system_program("haproxy"), bed.file("haproxy.cfg", text));
    Way::new(&format!("{program} {mode} -f {conf} -p {}", bed.path("haproxy.pid")), "listen")
}

fn check(mode: &str, change: impl Fn(Way, &Bed) -> Way) {
    let bed = Bed::new();
    let way = change(configured(&bed, mode, ""), &bed);
    way.works(&bed, |_| clients::http(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("-db", |way, _| way.by("listen (quiet)"));
}

#[test]
fn with_a_master() {
    check("-W", |way, _| way.by("listen (quiet)"));
}

#[test]
fn with_a_master_that_speaks() {
    check("-Ws", |way, _| way.by("notify"));
}

#[test]
fn until_notify() {
    check("-Ws", |way, _| way.by("notify").with("--until notify"));
}

#[test]
fn that_puts_itself_into_the_background() {
    check("-D", |way, bed| way.by("listen (quiet)").pid_file(&bed.path("haproxy.pid")));
}

#[test]
fn until_exit() {
    check("-D", |way, bed| way.by("exit").with("--until exit").pid_file(&bed.path("haproxy.pid")));
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&configured(&bed, "-Ws", "nonsense"), "unknown keyword 'nonsense'");
    bed.finish();
}
