//! Just enough JSON to write results.

use std::fmt::Write;

/// A string in quotes.
pub fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// A number with as many places as are worth keeping, or null.
pub fn number(number: Option<f64>) -> String {
    match number {
        Some(number) if number.is_finite() => format!("{number:.4}"),
        _ => "null".to_owned(),
    }
}

/// `{"key": value, ...}` of values that are JSON already.
pub fn object(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{}: {value}", text(key))).collect();
    format!("{{{}}}", pairs.join(", "))
}
