//! redis says READY=1 only if its configuration tells it to; told nothing it listens, linked with libsystemd though
//! it is, and is believed once it is quiet.

use crate::bed::Bed;
use crate::clients;
use crate::way::Way;

/// A configuration with these further lines.
fn configured(bed: &Bed, more: &str) -> Way {
    let (ip, port) = (bed.ip(), bed.addr.port());
    let (dir, pid_file) = (bed.folder("data"), bed.path("redis.pid"));
    let text = format!("bind {ip}\nport {port}\nprotected-mode no\nsave \"\"\ndir {dir}\npidfile {pid_file}\n{more}\n");
    Way::new(&format!("redis-server {}", bed.file("redis.conf", text)), "listen (quiet)")
}

fn check(more: &str, change: impl Fn(Way) -> Way) {
    let bed = Bed::new();
    let way = change(configured(&bed, more)).pid_file(&bed.path("redis.pid"));
    way.works(&bed, |_| clients::redis(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("", |way| way);
}

#[test]
fn that_is_told_to_speak() {
    check("supervised systemd", |way| way.by("notify"));
}

#[test]
fn until_notify() {
    check("supervised auto", |way| way.with("--until notify").by("notify"));
}

#[test]
fn that_puts_itself_into_the_background() {
    check("daemonize yes", |way| way);
}

/// It exits before it listens: its exit alone is no readiness.
#[test]
fn until_exit_and_listen() {
    check("daemonize yes", |way| way.with("--until exit --until listen").by("exit, listen"));
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&configured(&bed, "no-such-word 1"), "Bad directive or wrong number of arguments");
    bed.refuses(
        &configured(&bed, "no-such-word 1").with("--until notify"),
        "Bad directive or wrong number of arguments",
    );
    bed.finish();
}
