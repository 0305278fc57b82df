//! `python3 -m http.server`, the server that everybody has.

use crate::bed::Bed;
use crate::clients;
use crate::way::Way;

#[test]
fn on_a_given_port() {
    let bed = Bed::new();
    let way = Way::new(&format!("python3 -m http.server {} --bind {}", bed.addr.port(), bed.ip()), "listen");
    way.works(&bed, |_| clients::http(bed.addr));
    bed.finish();
}

/// The report says which one it took.
#[test]
fn on_any_port() {
    let bed = Bed::new();
    let way = Way::new(&format!("python3 -m http.server 0 --bind {}", bed.ip()), "listen").elsewhere();
    way.works(&bed, |server| {
        let address = server.report["listening"][0].as_str().and_then(|text| text.parse().ok());
        clients::http(address.expect("an address"))
    });
    bed.finish();
}

#[test]
fn refuses_an_address_that_is_not_ours() {
    let bed = Bed::new();
    bed.refuses(&Way::new("python3 -m http.server 0 --bind 192.0.2.1", ""), "Cannot assign requested address");
    bed.finish();
}
