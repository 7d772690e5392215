//! Compared with other people's implementations, and with a reference tree as naive as RFC 6962.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use proptest::prelude::*;
use signed_note::{Note as TheirNote, StandardVerifier, VerifierList};
use tlog_tiles::tlog;
use unbroken_evidence::checkpoint::{Checkpoint, UnverifiedCheckpoint};
use unbroken_evidence::hash::Hash;
use unbroken_evidence::key::{Signer, VerifierKey};
use unbroken_evidence::note::{Note, SignatureCheck};
use unbroken_evidence::tile::Tile;
use unbroken_evidence::tree::{
    Edge, Nodes, Subtree, inclusion_length, leaf_hash, node_hash, prove_consistency,
    prove_inclusion, root, verify_consistency, verify_inclusion,
};

/// MTH of RFC 6962, section 2.1, word by word.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
        }
    }
}

struct Leaves<'a>(&'a [Hash]);

impl Nodes for Leaves<'_> {
    type Error = ();

    fn node(&mut self, subtree: Subtree) -> Result<Hash, ()> {
        let start = (subtree.index as usize) << subtree.level;
        Ok(naive(&self.0[start..start + (1 << subtree.level)]))
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

// spec: L1
#[test]
fn roots_and_proofs_are_those_of_the_naive_tree_for_all_sizes_to_256() {
    let all = leaves(256);
    for size in 0..=256 {
        let these = &all[..size];
        let expected = naive(these);
        assert_eq!(root(these.iter().copied()), expected, "{size}");
        assert_eq!(these.iter().copied().collect::<Edge>().size(), size as u64);
        for index in (0..size).step_by(1 + size / 24) {
            let path = prove_inclusion(index as u64, size as u64, &mut Leaves(these)).unwrap();
            let holds = |index, size, path: &[Hash]| {
                verify_inclusion(&all[index as usize % all.len()], index, size, path, &expected)
            };
            let (index, size) = (index as u64, size as u64);
            assert!(holds(index, size, &path), "{index} of {size}");
            assert_eq!(inclusion_length(index, size), u32::try_from(path.len()).ok());
            assert_eq!(inclusion_length(size, size), None);
            assert!(!holds(size, size, &path));
            if let Some((_, short)) = path.split_last() {
                assert!(!holds(index, size, short), "{index} of {size}, cut short");
            }
            assert!(!holds(index, size, &[path.clone(), vec![expected]].concat()));
        }
        for old in (0..=size).step_by(1 + size / 16) {
            let (old_root, old, new) = (naive(&all[..old]), old as u64, size as u64);
            let path = prove_consistency(old, new, &mut Leaves(these)).unwrap();
            assert!(verify_consistency(old, &old_root, new, &expected, &path), "{old} to {new}");
            let wrong = leaf_hash(b"another root");
            assert!(!verify_consistency(old, &wrong, new, &expected, &path), "{old} to {new}");
            if old < new {
                assert!(old == 0 || !verify_consistency(old, &old_root, new, &wrong, &path));
                assert!(!verify_consistency(new, &expected, old, &old_root, &path));
            }
        }
    }
}

// spec: L1
#[test]
fn the_published_vectors_of_certificate_transparency_hold() {
    let data: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    for (size, expected) in roots.into_iter().enumerate() {
        let found = root(data[..size].iter().map(|data| leaf_hash(data)));
        assert_eq!(found.to_string(), expected, "{size}");
    }
}

/// Hashes in the order in which the other implementation stores them.
struct Stored(Vec<tlog::Hash>);

impl tlog::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

// spec: L1 L4
#[test]
fn tlog_tiles_finds_the_same_roots_and_accepts_our_proofs() {
    let mut stored = Stored(Vec::new());
    let mut ours = Vec::new();
    for n in 0..300_u64 {
        let data = n.to_be_bytes();
        let more = tlog::stored_hashes(n, &data, &stored).unwrap();
        stored.0.extend(more);
        ours.push(leaf_hash(&data));
        let size = n + 1;
        let theirs = tlog::tree_hash(size, &stored).unwrap();
        assert_eq!(theirs.0, *root(ours.iter().copied()).as_bytes());
        let index = n / 2;
        let path = prove_inclusion(index, size, &mut Leaves(&ours)).unwrap();
        let path: Vec<tlog::Hash> = path.iter().map(|hash| tlog::Hash(*hash.as_bytes())).collect();
        let leaf = tlog::Hash(*ours[index as usize].as_bytes());
        tlog::check_record(&path, size, theirs, index, leaf).unwrap();
    }
    for (level, number, width) in [(0, 0, 256), (0, 273, 112), (1, 1_234_067, 1), (2, 1_000, 256)] {
        let theirs = tlog_tiles::Tile::new(8, level, number, width, false);
        let ours = Tile { level: Some(u32::from(level)), number, width: u64::from(width) };
        // The other crate writes the older `tile/8/<L>/...`; behind the height they agree.
        let path = theirs.path();
        assert_eq!(
            path.strip_prefix("tile/8/").unwrap_or(&path),
            ours.path().strip_prefix("tile/").unwrap()
        );
    }
}

// spec: L2 E2
#[test]
fn signed_note_reads_our_notes_and_checkpoints_and_we_read_theirs() {
    let signer = Signer::from_seed("example.com/log", &[9; 32]).unwrap();
    let vkey = signer.verifier().to_string();
    let checkpoint =
        Checkpoint { origin: "example.com/log".into(), size: 7, root: Hash::of(&[b"root"]) };
    let note = signer.sign_note(&checkpoint.text());
    let theirs = TheirNote::from_bytes(note.as_bytes()).unwrap();
    let list = || VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).unwrap())]);
    let (known, unknown) = theirs.verify(&list()).unwrap();
    assert_eq!((known.len(), unknown.len()), (1, 0));
    assert_eq!(theirs.to_bytes(), note.as_bytes());
    let ours = UnverifiedCheckpoint::parse(&theirs.to_bytes()).unwrap();
    assert!(ours.verify(&VerifierKey::parse(&vkey).unwrap()).is_ok());
    let changed = note.replacen('7', "8", 1);
    assert!(TheirNote::from_bytes(changed.as_bytes()).unwrap().verify(&list()).is_err());
    let ours = Note::parse(changed.as_bytes()).unwrap();
    assert_eq!(ours.check(signer.verifier()), SignatureCheck::Invalid);
}

proptest! {
    #[test]
    fn whatever_parses_as_a_note_is_written_the_same(text in "[ -~\n]{0,80}", tail in "[A-Za-z0-9+/=]{0,90}") {
        let bytes = format!("{text}\n\n\u{2014} a {tail}\n");
        if let Ok(note) = Note::parse(bytes.as_bytes()) {
            prop_assert_eq!(note.encode(), bytes);
        }
    }

    #[test]
    fn one_changed_byte_of_a_signed_note_never_verifies(place in 0_usize..200, bit in 0_u8..8) {
        let signer = Signer::from_seed("a", &[3; 32]).unwrap();
        let mut bytes = signer.sign_note("a text\nof two lines\n").into_bytes();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_ne!(note.check(signer.verifier()), SignatureCheck::Valid);
        }
    }
}
