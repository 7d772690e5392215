//! A copy that is made while the ledger is in use is a ledger.

use std::os::unix::fs::PermissionsExt as _;

use super::{append, created, surroundings, verified_size};
use crate::audit::{Progress, audit};
use crate::backup::backup;
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::private::Private;
use crate::restore::restore;

#[test]
fn a_copy_of_an_open_ledger_is_restored_to_the_last_published_entry() {
    let place = tempfile::tempdir().unwrap();
    let (folder, to) = (place.path().join("ledger"), place.path().join("copies/one"));
    let mut ledger = created(&folder);
    append(&mut ledger, 0..600).unwrap();
    ledger.checkpoint().unwrap();
    // Acknowledged, and not published: the log does not have them.
    append(&mut ledger, 600..605).unwrap();
    let copied = backup(&folder, &to, true).unwrap();
    assert_eq!(copied.entries, 601);
    append(&mut ledger, 605..900).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(verified_size(&to), 601, "a log by itself, before anything is restored");
    for (path, mode) in [("keys", 0o700), ("keys/log.key", 0o600), ("private.db", 0o600)] {
        let metadata = std::fs::metadata(to.join(path));
        let found = metadata.unwrap_or_else(|error| panic!("{path}: {error}")).permissions().mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
    let restored = restore(&to, surroundings(), None).unwrap();
    assert_eq!((restored.entries, restored.lost), (601, 0));
    let audit = audit(&to, "a test", 2, &Progress::default()).unwrap();
    assert_eq!((audit.exit_code(), audit.differences), (0, vec![]));
    drop(ledger);
    assert_eq!(
        Ledger::open(&folder, surroundings()).unwrap().size(),
        901,
        "and this one is as it was"
    );
}

#[test]
fn a_copy_goes_to_a_new_place_outside_and_the_keys_stay_where_they_are_wanted() {
    let place = tempfile::tempdir().unwrap();
    let (folder, to) = (place.path().join("ledger"), place.path().join("copy"));
    let mut ledger = created(&folder);
    append(&mut ledger, 0..3).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    let inside = backup(&folder, &folder.join("copy"), true).unwrap_err();
    assert!(matches!(inside, LedgerError::Inside { .. }), "{inside}");
    assert!(!folder.join("copy").exists(), "nothing was made");
    // In a source the next run would seal the keys as recordings.
    let source = place.path().join("calls");
    std::fs::create_dir(&source).unwrap();
    let mut ledger = Ledger::open(&folder, surroundings()).unwrap();
    ledger.private_mut().source("more calls", source.to_str().unwrap()).unwrap();
    drop(ledger);
    let inside = backup(&folder, &source.join("a/b"), true).unwrap_err();
    assert!(matches!(inside, LedgerError::Inside { .. }) && !source.join("a").exists(), "{inside}");
    backup(&folder, &to, false).unwrap();
    assert!(!to.join("keys").exists());
    assert_eq!(Private::open_to_read(&to.join("private.db")).unwrap().end().unwrap(), 4);
    let again = backup(&folder, &to, false).unwrap_err();
    assert!(matches!(again, LedgerError::NotEmpty { .. }), "{again}");
    let nothing =
        backup(&place.path().join("nowhere"), &place.path().join("x"), false).unwrap_err();
    assert!(!place.path().join("x").exists(), "{nothing}");
    // A damaged log is not copied as if it were whole.
    std::fs::remove_file(folder.join("log/tile/entries/000.p/4")).unwrap();
    assert!(backup(&folder, &place.path().join("y"), false).is_err());
    assert!(!place.path().join("y/log/checkpoint").exists());
}

/// Without the place of the head copy an old copy that is put back would go on, and nobody would refuse it.
#[test]
fn an_old_copy_that_is_put_back_is_held_against_the_head_copy() {
    let place = tempfile::tempdir().unwrap();
    let (folder, to) = (place.path().join("ledger"), place.path().join("copy"));
    let head = place.path().join("head");
    let name = "example.com/recordings";
    let mut ledger = Ledger::create(&folder, name, surroundings(), Some(&head)).unwrap();
    ledger.private_mut().source("calls", "/exports/calls").unwrap();
    append(&mut ledger, 0..3).unwrap();
    ledger.checkpoint().unwrap();
    backup(&folder, &to, true).unwrap();
    append(&mut ledger, 3..6).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    std::fs::rename(&folder, place.path().join("lost")).unwrap();
    std::fs::rename(&to, &folder).unwrap();
    let refused = restore(&folder, surroundings(), None).err().map(|error| error.to_string());
    let opened = Ledger::open(&folder, surroundings()).err().map(|error| error.to_string());
    assert!(refused.is_some() || opened.is_some(), "it goes on");
}
