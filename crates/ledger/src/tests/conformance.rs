//! One suite for every store.

use unbroken_evidence::hash::Hash;

use crate::head::Head;
use crate::store::memory::MemoryStore;
use crate::store::{SledStore, Store};

fn entry(n: u64) -> (Hash, Vec<u8>) {
    let note = format!("note {n}").into_bytes();
    (unbroken_evidence::tree::leaf_hash(&note), note)
}

fn head(entries: &[(Hash, Vec<u8>)]) -> Head {
    let mut head = Head::default();
    for (leaf, _) in entries {
        head.edge.push(*leaf);
        head.last_leaf = Some(*leaf);
    }
    head
}

/// `reopen` gives a fresh handle on the same contents.
fn conforms<S: Store>(mut reopen: impl FnMut(Option<S>) -> S) {
    let mut store = reopen(None);
    assert!(store.head().unwrap().is_none() && store.entry(0).unwrap().is_none());
    assert!(store.checkpoint().unwrap().is_none());
    let entries: Vec<_> = (0..700).map(entry).collect();
    store.append(0, &entries[..3], &head(&entries[..3])).unwrap();
    store.append(3, &entries[3..700], &head(&entries)).unwrap();
    store.put_checkpoint(b"one").unwrap();
    store.put_checkpoint(b"two").unwrap();
    let mut store = reopen(Some(store));
    assert_eq!(store.head().unwrap(), Some(head(&entries)));
    assert_eq!(store.checkpoint().unwrap(), Some(b"two".to_vec()));
    for (index, expected) in (0..).zip(&entries) {
        assert_eq!(store.entry(index).unwrap().as_ref(), Some(expected));
    }
    // Entries above an old head are overwritten: what a crash left there was never acknowledged.
    let other: Vec<_> = entries[..10].iter().cloned().chain((5_000..5_020).map(entry)).collect();
    store.append(10, &other[10..], &head(&other)).unwrap();
    let store = reopen(Some(store));
    assert_eq!(store.head().unwrap(), Some(head(&other)));
    assert_eq!(store.entry(10).unwrap(), Some(entry(5_000)));
}

#[test]
fn sled_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conforms(|old: Option<SledStore>| {
        drop(old);
        SledStore::open(folder.path()).unwrap()
    });
}

/// Batches of every size across many segments, each opened anew; and what a kill leaves of a segment that was
/// being made.
#[test]
fn entries_are_found_across_segments_and_a_segment_cut_off_at_its_making_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let listed = std::fs::read_dir(folder.path()).unwrap();
        let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("from-")).collect();
        names.sort();
        names
    };
    let mut all: Vec<(Hash, Vec<u8>)> = Vec::new();
    for batch in 1..=25_u64 {
        let mut store = SledStore::open(folder.path()).unwrap();
        let first = all.len() as u64;
        all.extend((first..first + batch).map(entry));
        store.append(first, &all[usize::try_from(first).unwrap()..], &head(&all)).unwrap();
        store.put_checkpoint(&batch.to_be_bytes()).unwrap();
        drop(store);
        // Half made, and made but never written to.
        std::fs::create_dir_all(folder.path().join("begun")).unwrap();
        std::fs::write(folder.path().join("begun/conf"), "half").unwrap();
        let unwritten = folder.path().join(format!("from-{}", all.len()));
        drop(SledStore::open(&unwritten).unwrap());
        let store = SledStore::open(folder.path()).unwrap();
        assert_eq!(store.head().unwrap(), Some(head(&all)));
        assert_eq!(store.checkpoint().unwrap(), Some(batch.to_be_bytes().to_vec()));
        for (index, expected) in (0..).zip(&all) {
            assert_eq!(store.entry(index).unwrap().as_ref(), Some(expected), "{index} of {batch}");
        }
        assert_eq!(store.entry(all.len() as u64).unwrap(), None);
        assert!(!unwritten.exists());
    }
    assert!(names().len() > 5, "{:?}", names());
    // A segment that is gone takes its entries with it, and no others.
    std::fs::remove_dir_all(folder.path().join(&names()[2])).unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let lost = (0..).zip(&all).filter(|(index, _)| store.entry(*index).unwrap().is_none()).count();
    assert!((40..80).contains(&lost), "{lost}");
    assert_eq!(store.head().unwrap(), Some(head(&all)));
}

#[test]
fn memory_conforms() {
    let contents = MemoryStore::default();
    conforms(|_| contents.clone());
}

#[test]
fn a_newer_format_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open(folder.path()).unwrap());
    let db = sled::open(folder.path()).unwrap();
    db.insert(b"format", &99_u32.to_be_bytes()).unwrap();
    db.flush().unwrap();
    drop(db);
    let refused = SledStore::open(folder.path()).err().unwrap();
    assert_eq!(refused.to_string(), "format 99");
}

/// sled's lock outlived its handle by a moment, about once in five hundred times on busy cores.
#[test]
fn a_store_can_be_opened_right_after_it_was_dropped() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let folder = tempfile::tempdir().unwrap();
                for n in 0..200_u32 {
                    let mut store = SledStore::open(folder.path()).unwrap();
                    store.put_checkpoint(&n.to_be_bytes()).unwrap();
                }
            });
        }
    });
}
