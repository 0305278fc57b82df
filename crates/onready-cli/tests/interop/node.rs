//! An HTTP server in node.

use crate::bed::Bed;
use crate::clients;
use crate::way::Way;

fn listening_on(bed: &Bed, ip: &str) -> Way {
    let text = format!(
        "require('http').createServer((_, answer) => answer.end('pong')).listen({}, '{ip}')\n",
        bed.addr.port()
    );
    Way::new(&format!("node {}", bed.file("server.js", text)), "listen")
}

#[test]
fn without_a_flag() {
    let bed = Bed::new();
    listening_on(&bed, &bed.ip().to_string()).works(&bed, |_| clients::http(bed.addr));
    bed.finish();
}

#[test]
fn refuses_an_address_that_is_not_ours() {
    let bed = Bed::new();
    bed.refuses(&listening_on(&bed, "192.0.2.1"), "EADDRNOTAVAIL");
    bed.finish();
}
