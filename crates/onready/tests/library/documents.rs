//! What the documents say of the tests is true.

use std::path::Path;

/// Every test that GOTCHAS names is there.
#[test]
fn gotchas_name_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let page = read("docs/GOTCHAS.md");
    let mut named = 0;
    for paragraph in page.split("*Test:*").skip(1) {
        let text = paragraph.split("\n\n").next().unwrap_or_default();
        // Between backticks. What has no module in front is short for the one before, or a command.
        for name in text.split('`').skip(1).step_by(2) {
            let Some((module, function)) = name.rsplit_once("::") else { continue };
            let module = module.replace("::", "/");
            let places =
                [format!("tests/library/{module}.rs"), format!("tests/{module}.rs"), format!("src/{module}.rs")];
            let file = places.iter().find(|place| root.join(place).exists());
            let file = file.unwrap_or_else(|| panic!("{name}: none of {places:?} is there"));
            let found = function == "*" || read(file).contains(&format!("fn {function}()"));
            assert!(found, "{name} is not in {file}");
            named += 1;
        }
    }
    assert!(named > 50, "only {named}");
}
