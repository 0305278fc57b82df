//! etcd listens, waits for half a second until it has elected itself, and then speaks. Without a flag it may be believed
//! because it is quiet while it waits: its first client waits with it, and is answered.

use crate::bed::Bed;
use crate::clients;
use crate::way::Way;

fn command(bed: &Bed, more: &str) -> Way {
    let (client, peer) = (format!("http://{}", bed.addr), format!("http://{}:{}", bed.ip(), bed.addr.port() + 1));
    Way::new(
        &format!(
            "etcd --data-dir {} --listen-client-urls {client} --advertise-client-urls {client} \
             --listen-peer-urls {peer} --initial-advertise-peer-urls {peer} --initial-cluster default={peer} {more}",
            bed.path("data")
        ),
        "notify or listen (quiet)",
    )
}

#[test]
fn without_a_flag() {
    let bed = Bed::new();
    command(&bed, "").slow(4).works(&bed, |_| clients::http_path(bed.addr, "/health"));
    bed.finish();
}

#[test]
fn until_notify() {
    let bed = Bed::new();
    let way = command(&bed, "").with("--until notify").by("notify").slow(4);
    way.works(&bed, |_| clients::http_path(bed.addr, "/health"));
    bed.finish();
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.refuses(&command(&bed, "--no-such-flag"), "flag provided but not defined");
    bed.finish();
}
