//! sshd speaks, in the foreground and from the background. It runs as an ordinary user here: root's wants a directory
//! in /run.

use crate::bed::{Bed, is_root, system_program};
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, more: &str) -> Way {
    let key = bed.path("key");
    bed.prepare(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", &key]);
    let (ip, port, pid_file) = (bed.ip(), bed.addr.port(), bed.path("sshd.pid"));
    let text = format!("ListenAddress {ip}:{port}\nHostKey {key}\nPidFile {pid_file}\nUsePAM no\n{more}\n");
    let way = Way::new(&format!("{} -f {}", system_program("sshd"), bed.file("sshd_config", text)), "notify");
    if !is_root() {
        return way;
    }
    bed.prepare(&["chown", "nobody", &key]);
    way.with("--user nobody")
}

fn check(flag: &str, change: impl Fn(Way) -> Way) {
    let bed = Bed::new();
    let mut way = change(configured(&bed, "").pid_file(&bed.path("sshd.pid")));
    way.command.extend(flag.split_whitespace().map(str::to_owned));
    way.works(&bed, |_| clients::ssh(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("-D", |way| way);
}

#[test]
fn until_notify() {
    check("-D", |way| way.with("--until notify"));
}

#[test]
fn that_puts_itself_into_the_background() {
    check("", |way| way);
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&configured(&bed, "Nonsense yes"), "Bad configuration option: Nonsense");
    bed.finish();
}
