//! Known answers that are no files of a ledger: what a headline speaks of (A7), and paths of tiles (L4).

/// Exhibits or folders with a contradiction, and what their headline must speak of: `evidence`,
/// `another-ledger` or `package`.
pub const HEADLINES: &[(&str, &str)] = &[
    ("recording-bit-flipped", "evidence"),
    ("opening-edited", "evidence"),
    ("checkpoint-signature", "evidence"),
    ("signed-by-a-stranger", "evidence"),
    ("amendment-left-out", "evidence"),
    ("produced-manifest-digest", "package"),
    ("produced-fetch-missing", "evidence"),
    ("bagging-date", "package"),
    ("manifest-line-ending", "package"),
    ("tag-manifest-without-line", "package"),
    ("file-added-beside", "package"),
    ("wrong-anchor", "another-ledger"),
    ("wrong-ledger-id", "another-ledger"),
    ("two-anchors", "another-ledger"),
    ("right-anchor-and-wrong-ledger-id", "another-ledger"),
    ("checkpoint-by-a-key-never-added", "evidence"),
    ("folder/hidden-file", "package"),
    ("folder/thumbnails", "package"),
    ("folder/empty-folder", "package"),
    ("folder/name-in-another-case", "package"),
    ("folder/cut", "evidence"),
];

/// Exhibits and the outcome of each axis (A1, A5), in their order: content, ledger, signer, time, witness,
/// scope, custody, disclosure; `E` for established, `C` contradicted, `N` not established, `-` not checked.
pub const AXES: &[(&str, &str)] = &[
    ("good", "EEE--E-E"),
    ("no-anchor", "ENNNNNNE"),
    ("wrong-anchor", "ECNNNNNE"),
    ("wrong-ledger-id", "ECNNNNNE"),
    ("checkpoint-signature", "ECNNNNNE"),
    ("proof-hash", "ECNNNNNE"),
    ("recording-bit-flipped", "CEE--E-E"),
    ("file-added-beside", "CEE--E-E"),
    ("tag-file-removed", "ECNNNNNE"),
    ("recordings-not-packed", "-EE--E-E"),
    ("content-closed", "NEE--E-E"),
    ("no-recording-shown", "-EE--E-E"),
    ("number-too-high", "EEC--E-E"),
    ("key-disputed", "EEN--E-E"),
    ("amendment-left-out", "CEE--C-E"),
    ("unknown-kind", "EEE--N-N"),
    ("ref-leaf-wrong", "EEE--ECE"),
    ("branched", "EEE--ENE"),
    ("custody-entry", "EEE--EEE"),
    ("opening-edited", "CEE--E-C"),
    ("sidecar-value-differs", "EEE--E-C"),
];

/// Level (`entries` for bundles), number, width, path.
pub const TILE_PATHS: &[(&str, u64, u64, &str)] = &[
    ("0", 0, 256, "tile/0/000"),
    ("0", 5, 256, "tile/0/005"),
    ("0", 999, 256, "tile/0/999"),
    ("0", 1_000, 256, "tile/0/x001/000"),
    ("0", 1_234_067, 256, "tile/0/x001/x234/067"),
    ("1", 0, 1, "tile/1/000.p/1"),
    ("2", 1, 255, "tile/2/001.p/255"),
    ("entries", 15_624, 64, "tile/entries/x015/624.p/64"),
];
