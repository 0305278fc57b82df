//! caddy says RELOADING=1 before READY=1; `caddy start` puts it into the background.

use crate::bed::Bed;
use crate::clients;
use crate::way::Way;

fn configured(bed: &Bed, verb: &str, more: &str) -> Way {
    let text = format!(
        "{{\n  admin off\n  auto_https off\n}}\nhttp://{} {{\n  bind {}\n  respond \"pong\"\n  {more}\n}}\n",
        bed.addr,
        bed.ip()
    );
    let (conf, data) = (bed.file("Caddyfile", text), bed.folder("data"));
    Way::new(&format!("caddy {verb} --config {conf} --adapter caddyfile"), "notify")
        .with(&format!("--env XDG_DATA_HOME={data} --env XDG_CONFIG_HOME={data}"))
}

fn check(verb: &str, change: impl Fn(Way) -> Way) {
    let bed = Bed::new();
    change(configured(&bed, verb, "")).works(&bed, |_| clients::http(bed.addr));
    bed.finish();
}

#[test]
fn in_the_foreground() {
    check("run", |way| way);
}

#[test]
fn until_notify() {
    check("run", |way| way.with("--until notify"));
}

#[test]
fn that_puts_itself_into_the_background() {
    check("start", |way| way);
}

#[test]
fn refuses_a_wrong_configuration() {
    let bed = Bed::new();
    bed.sandbox.allow("home/**");
    bed.refuses(&configured(&bed, "run", "nonsense"), "unrecognized directive: nonsense");
    bed.finish();
}
