//! mariadb speaks.

use crate::bed::{Bed, system_program};
use crate::clients;
use crate::way::Way;

fn command(bed: &Bed, more: &str) -> Way {
    let data = bed.path("data");
    Way::new(
        &format!(
            "{} --no-defaults --datadir={data} --user=root --bind-address={} --port={} --socket={data}/s \
             --pid-file={data}/pid {more}",
            system_program("mariadbd"),
            bed.ip(),
            bed.addr.port()
        ),
        "notify",
    )
}

#[test]
fn without_a_flag() {
    let bed = Bed::new();
    let folder = format!("--datadir={}", bed.path("data"));
    let plain = "--auth-root-authentication-method=normal";
    bed.prepare(&["mariadb-install-db", "--no-defaults", &folder, "--user=root", plain, "--skip-test-db"]);
    let way = command(&bed, "").slow(4).pid_file(&bed.path("data/pid"));
    way.works(&bed, |_| clients::mariadb(bed.addr));
    bed.finish();
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.folder("data");
    bed.refuses(&command(&bed, "--no-such-option"), "unknown option '--no-such-option'");
    bed.finish();
}
