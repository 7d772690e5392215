//! What `--json` prints is what spec/verdict.schema.json says: every member that is there is described, and
//! every one that is required is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec").canonicalize().unwrap()
}

/// Checks the part of JSON Schema that the schema uses, and that no member is missing from it.
fn check(schema: &Value, root: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return check(&root["$defs"][name.strip_prefix("#/$defs/").unwrap()], root, value, at);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        other => panic!("{at}: the schema has the type {other}"),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&is), "{at}: {value} is none of {types:?}");
    if let Some(only) = schema.get("const") {
        assert_eq!(only, value, "{at}");
    }
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{at}: {value} is none of {known:?}");
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str()) {
        let hex =
            |digits: usize| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
        let holds = match pattern {
            "^[0-9a-f]{64}$" => hex(64),
            "^[0-9a-f]{32}$" => hex(32),
            "^V[0-9]+$" => text.strip_prefix('V').is_some_and(|rest| rest.parse::<u8>().is_ok()),
            other => panic!("{at}: the test does not know the pattern {other}"),
        };
        assert!(holds, "{at}: {text}");
    }
    if schema["minimum"] == 0 && !value.is_null() {
        assert!(value.is_u64(), "{at}: {value}");
    }
    for (number, member) in value.as_array().into_iter().flatten().enumerate() {
        check(&schema["items"], root, member, &format!("{at}/{number}"));
    }
    let Some(members) = value.as_object() else { return };
    for (name, member) in members {
        let described = schema["properties"].get(name);
        let described = described.unwrap_or_else(|| panic!("{at}/{name} is not in the schema"));
        check(described, root, member, &format!("{at}/{name}"));
    }
    for name in schema["required"].as_array().unwrap() {
        assert!(members.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
    }
}

/// Runs the verifier with `--json` and holds what it prints against the schema.
fn agrees(arguments: &[&str]) {
    let schema = std::fs::read_to_string(spec().join("verdict.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_unbroken-verify"))
        .args(arguments)
        .arg("--json")
        .current_dir(spec().join("vectors"))
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = document["schema"].as_str().unwrap().strip_prefix("unbroken/").unwrap();
    let name = name.strip_suffix("@v1").unwrap();
    assert!(schema["$defs"].get(name).is_some(), "{name} is not in the schema");
    check(&schema["$defs"][name], &schema, &document, name);
}

#[test]
fn the_documents_of_exhibits_logs_and_objects_are_those_of_the_schema() {
    let id = std::fs::read_to_string(spec().join("vectors/ledger-id.txt")).unwrap();
    let trust = ["--trust", id.trim()];
    let cases = std::fs::read_to_string(spec().join("vectors/exhibits/cases.txt")).unwrap();
    let cases = cases.lines().filter(|line| !line.starts_with('#'));
    let some = ["good", "odd-same-bytes", "named-twice", "left-out-and-why", "wav"];
    for name in cases.filter_map(|line| line.split(' ').next()).step_by(17).chain(some) {
        let path = format!("exhibits/{name}.zip");
        agrees(&[&["exhibit"], &trust[..], &[&path]].concat());
    }
    agrees(&[&["exhibit"], &trust[..], &["no-such.zip", "exhibits/good.zip"]].concat());
    agrees(&[&["log"], &trust[..], &["logs/good"]].concat());
    agrees(&[&["log"], &trust[..], &["no-such"]].concat());
    agrees(&["log", "--no-such-option"]);
    for object in [
        "logs/objects/moved/c-2/r-2.json",
        "logs/objects/call.opus",
        "logs/objects/message.json",
        "trust.txt",
        "no-such",
    ] {
        let log = ["--log", "logs/good", "--openings", "logs/openings", object];
        agrees(&[&["object"], &trust[..], &log].concat());
    }
}
