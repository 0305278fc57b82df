//! lighttpd cannot speak, and closes its streams in the foreground, which means nothing.

use crate::bed::{Bed, system_program};
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, flag: &str, more: &str) -> Way {
    let (ip, port, root) = (bed.ip(), bed.addr.port(), bed.folder("root"));
    bed.file("root/index.html", "pong");
    let text = format!(
        "server.bind = \"{ip}\"\nserver.port = {port}\nserver.document-root = \"{root}\"\n\
         index-file.names = (\"index.html\")\nserver.pid-file = \"{}\"\n{more}\n",
        bed.path("lighttpd.pid")
    );
    let conf = bed.file("lighttpd.conf", text);
    Way::new(&format!("{} {flag} -f {conf}", system_program("lighttpd")), "listen").pid_file(&bed.path("lighttpd.pid"))
}

fn check(flag: &str, change: impl Fn(Way) -> Way) {
    let bed = Bed::new();
    change(configured(&bed, flag, "")).works(&bed, |_| clients::http(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("-D", |way| way);
}

#[test]
fn that_puts_itself_into_the_background() {
    check("", |way| way);
}

#[test]
fn until_exit() {
    check("", |way| way.with("--until exit").by("exit"));
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&configured(&bed, "-D", "nonsense"), "parser failed somehow near here");
    bed.finish();
}
