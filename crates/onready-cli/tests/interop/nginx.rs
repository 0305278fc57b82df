//! nginx cannot speak; in the background it promises by its exit that it is ready.

use crate::bed::Bed;
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, main: &str) -> Way {
    let (dir, addr) = (bed.folder("data"), bed.addr);
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders: String = folders.iter().map(|name| format!("{name}_temp_path {dir}/{name};\n")).collect();
    let text = format!(
        "{main}\npid {pid};\nworker_processes 2;\nevents {{}}\n\
         http {{ access_log off; {folders} server {{ listen {addr}; return 200 \"pong\"; }} }}\n",
        pid = bed.path("nginx.pid")
    );
    Way::new(&format!("nginx -e stderr -p {dir} -c {}", bed.file("nginx.conf", text)), "listen")
}

fn check(main: &str, change: impl Fn(Way) -> Way) {
    let bed = Bed::new();
    let way = change(configured(&bed, main)).pid_file(&bed.path("nginx.pid"));
    way.works(&bed, |_| clients::http(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("daemon off;", |way| way);
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
    bed.refuses(&configured(&bed, "daemon off; nonsense on;"), "unknown directive \"nonsense\"");
    bed.refuses(&configured(&bed, "nonsense on;").with("--until exit"), "unknown directive \"nonsense\"");
    bed.finish();
}
