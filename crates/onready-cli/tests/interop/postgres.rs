//! postgres listens before it is ready, and answers "the database system is starting up" until then.

use crate::bed::{Bed, is_root};
use crate::clients;
use crate::way::Way;
use std::path::PathBuf;

/// Debian keeps each version's programs in a folder of its own.
fn program(name: &str) -> String {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    let found = found.pop().expect("postgresql is installed: run scripts/install-system-packages");
    found.display().to_string()
}

/// An empty database; as root it is another user's, since postgres refuses to be root.
fn database(bed: &Bed) -> String {
    let data = bed.path("data");
    let program = program("initdb");
    let initdb = [program.as_str(), "-A", "trust", "-U", "postgres", "--no-sync", "-D", &data];
    if is_root() {
        bed.prepare(&["install", "-d", "-o", "nobody", "-m", "700", &data]);
        bed.prepare(&[&["setpriv", "--reuid=nobody", "--clear-groups"], &initdb[..]].concat());
    } else {
        bed.prepare(&initdb);
    }
    data
}

fn started_by(bed: &Bed, command: &str) -> Way {
    let way = Way::new(command, "notify").pid_file(&bed.path("data/postmaster.pid"));
    if is_root() { way.with("--user nobody") } else { way }
}

fn settings(bed: &Bed) -> String {
    format!("-h {} -p {} -k {}", bed.ip(), bed.addr.port(), bed.folder("sockets"))
}

fn foreground(bed: &Bed) -> Way {
    started_by(bed, &format!("{} -D {} {} -F", program("postgres"), bed.path("data"), settings(bed)))
}

#[test]
fn in_the_foreground() {
    let bed = Bed::new();
    database(&bed);
    foreground(&bed).works(&bed, |_| clients::postgres(bed.addr));
    bed.finish();
}

#[test]
fn until_notify() {
    let bed = Bed::new();
    database(&bed);
    foreground(&bed).with("--until notify").works(&bed, |_| clients::postgres(bed.addr));
    bed.finish();
}

/// What the sign `listen` is worth: a connection, not an answer.
#[test]
fn pg_ctl() {
    let bed = Bed::new();
    let data = database(&bed);
    let conf = format!(
        "listen_addresses='{}'\nport={}\nunix_socket_directories='{}'\nfsync=off\n",
        bed.ip(),
        bed.addr.port(),
        bed.folder("sockets")
    );
    bed.file("data/postgresql.conf", conf);
    let command = format!("{} start -D {data} -l {}", program("pg_ctl"), bed.folder("logs") + "/log");
    started_by(&bed, &format!("{command} --wait")).works(&bed, |_| clients::postgres(bed.addr));
    started_by(&bed, &format!("{command} --wait"))
        .with("--until exit")
        .by("exit")
        .works(&bed, |_| clients::postgres(bed.addr));
    bed.finish();
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    database(&bed);
    let mut way = foreground(&bed);
    way.command.extend(["-c".to_owned(), "nonsense=1".to_owned()]);
    let mut alone = way.clone();
    if is_root() {
        alone.command.splice(0..0, ["setpriv", "--reuid=nobody", "--clear-groups"].map(str::to_owned));
        alone.options.clear();
    }
    bed.refuses(&alone, "unrecognized configuration parameter \"nonsense\"");
    bed.finish();
}
