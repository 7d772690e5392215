//! The examples in the specification are those of the vectors, to the last character that they print.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use unbroken_container::open::Exhibit;
use unbroken_evidence::package::Package as _;

fn spec(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}

fn of_the_good_exhibit(path: &str) -> String {
    let zip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../exhibits/good.zip");
    let mut bytes = Vec::new();
    let mut exhibit = Exhibit::open(&zip).unwrap();
    exhibit.stream(path, &mut |piece| bytes.extend_from_slice(piece)).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The example in `page`: what stands in its first code block.
fn example(page: &str) -> String {
    spec(page).split("```\n").nth(1).unwrap().to_owned()
}

#[test]
fn the_checkpoint_of_the_log_page_is_that_of_the_good_exhibit() {
    assert_eq!(example("log.md"), of_the_good_exhibit("ledger/checkpoint"));
}

#[test]
fn the_entry_of_the_entry_page_is_that_of_the_good_exhibit_where_it_is_not_shortened() {
    let (shown, whole) = (example("entry.md"), of_the_good_exhibit("ledger/entries/2.note"));
    let mut rest = whole.as_str();
    for piece in shown.trim_end().split("...") {
        let place = rest.find(piece).unwrap_or_else(|| panic!("{piece} is not in {rest}"));
        let skipped = &rest[..place];
        assert!(skipped.len() < 90 && !skipped.contains(','), "{skipped} was left out");
        rest = &rest[place + piece.len()..];
    }
}
