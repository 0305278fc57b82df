//! What the documents say of the tests is true.

use std::path::{Path, PathBuf};

/// All Rust files below a directory.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.extension() {
            Some(extension) if extension == "rs" => found.push(path),
            None if path.is_dir() => sources(&path, found),
            _ => {}
        }
    }
}

/// Every test that GOTCHAS names is there, in whatever crate of the workspace.
#[test]
fn gotchas_name_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/GOTCHAS.md")).expect("read the page");
    let mut files = Vec::new();
    sources(root.parent().expect("the folder of all crates"), &mut files);
    let mut named = 0;
    for paragraph in page.split("*Test:*").skip(1) {
        let text = paragraph.split("\n\n").next().unwrap_or_default();
        // Between backticks. What has no module in front is short for the one before, or a command.
        for name in text.split('`').skip(1).step_by(2) {
            let Some((module, function)) = name.rsplit_once("::") else { continue };
            let file = format!("{}.rs", module.replace("::", "/"));
            let holds = |path: &&PathBuf| {
                let text = || std::fs::read_to_string(path).unwrap_or_default();
                path.ends_with(&file) && (function == "*" || text().contains(&format!("fn {function}()")))
            };
            assert!(files.iter().any(|path| holds(&path)), "{name} is in no {file}");
            named += 1;
        }
    }
    assert!(named > 50, "only {named}");
}
