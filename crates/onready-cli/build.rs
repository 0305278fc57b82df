//! Links the program statically where that can be done: of what a launcher costs, a third would be the dynamic
//! linker's work (docs/BENCHMARKS.md). `ONREADY_DYNAMIC=1` builds it as usual.
//!
//! rustc's own switch (`-C target-feature=+crt-static`) is for whole builds with `--target` only, since it would hold
//! for procedural macros too. So the linker is told `-static`, and finds in a folder of ours, ahead of all others,
//! linker scripts under the names of the shared libraries that lead to the static ones.
//!
//! And what a start executes is put side by side (`order.txt`), as the kernel maps a program 64 KiB at a time.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What rustc links on this target, and the archives that stand for it.
const LIBRARIES: [(&str, &[&str]); 7] = [
    ("gcc_s", &["libgcc_eh.a", "libgcc.a", "libc.a"]),
    ("c", &["libc.a", "libgcc_eh.a", "libgcc.a"]),
    ("m", &["libm.a"]),
    ("dl", &["libdl.a"]),
    ("rt", &["librt.a"]),
    ("pthread", &["libpthread.a"]),
    ("util", &["libutil.a"]),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=order.txt");
    println!("cargo::rerun-if-env-changed=ONREADY_DYNAMIC");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let here = variable("TARGET") == "x86_64-unknown-linux-gnu" && variable("HOST") == variable("TARGET");
    let wanted = variable("ONREADY_DYNAMIC").is_empty() && variable("PROFILE") == "release";
    let already = variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static");
    let folder = PathBuf::from(variable("OUT_DIR"));
    if here && wanted && !already && write_scripts(&folder).is_some() {
        // For the program alone: a search path of the package would be the tests' too, which are linked as usual.
        println!("cargo::rustc-link-arg-bins=-L{}", folder.display());
        println!("cargo::rustc-link-arg-bins=-static");
        println!("cargo::rustc-link-arg-bins=-no-pie");
        if is_usual_linker(variable) {
            if let Some(script) = write_order(&folder) {
                println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
            }
        }
    }
}

/// rustc's own or the C compiler's: both understand a script that is inserted into theirs. Some others do not.
fn is_usual_linker(variable: impl Fn(&str) -> String) -> bool {
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    variable("RUSTC_LINKER").is_empty() && !flags.contains("fuse-ld") && !flags.contains("linker")
}

/// The order as a script; `None` if the C compiler's linker cannot do anything with it.
fn write_order(folder: &Path) -> Option<PathBuf> {
    let list = std::fs::read_to_string("order.txt").ok()?;
    let code: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    // What the C library's part of it reads lies in the same files.
    let read: Vec<String> = code
        .iter()
        .filter_map(|line| line.strip_suffix("(.text .text.*)"))
        .map(|file| format!("{file}(.rodata .rodata.*)"))
        .collect();
    let script = folder.join("order.ld");
    let section = |name: &str, patterns: &str| {
        format!(
            "SECTIONS\n{{\n  {name}.start : ALIGN(0x10000)\n  {{\n    {patterns}\n  }}\n}}\nINSERT BEFORE {name};\n"
        )
    };
    let text = section(".text", &code.join("\n    ")) + &section(".rodata", &read.join("\n    "));
    std::fs::write(&script, text).ok()?;
    let (source, program) = (folder.join("nothing.c"), folder.join("nothing"));
    std::fs::write(&source, "int main(void) { return 0; }\n").ok()?;
    let mut link = Command::new("cc");
    link.arg(format!("-Wl,-T,{}", script.display())).args(["-static", "-no-pie", "-o"]).arg(&program).arg(&source);
    let works = link.output().ok()?.status.success() && Command::new(&program).status().ok()?.success();
    works.then_some(script)
}

/// `None` if an archive is missing: then the program is linked as usual.
fn write_scripts(folder: &Path) -> Option<()> {
    for (name, archives) in LIBRARIES {
        let found: Option<Vec<String>> = archives.iter().map(|archive| find(archive)).collect();
        std::fs::write(folder.join(format!("lib{name}.a")), format!("GROUP ( {} )\n", found?.join(" "))).ok()?;
    }
    Some(())
}

/// Where the C compiler has an archive.
fn find(archive: &str) -> Option<String> {
    let asked = Command::new("cc").arg(format!("-print-file-name={archive}")).output().ok()?;
    let path = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    Path::new(&path).is_absolute().then_some(path)
}
