//! Exhibits as folders: a .zip that was unpacked, and what somebody did to the folder then (X1 to X3).

/// One exhibit that is unpacked and changed.
pub struct FolderCase {
    /// Its name.
    pub name: &'static str,
    /// The exit code.
    pub exit: u8,
    /// The step that must say so; `container` where no verification takes place, `-` for none.
    pub step: &'static str,
    /// The exhibit that is unpacked, under `exhibits`.
    pub zip: &'static str,
    /// What is done: `-`, or one of the deeds of `spec/vectors/README.md` and its words.
    pub deed: &'static str,
}

/// All folders; each is given `trust.txt`.
#[must_use]
pub fn folders() -> Vec<FolderCase> {
    let of = |zip, name, exit, step, deed| FolderCase { name, exit, step, zip, deed };
    let good = |name, exit, step, deed| of("good", name, exit, step, deed);
    vec![
        good("as-it-was", 0, "-", "-"),
        of("anchored", "as-it-was-anchored", 0, "-", "-"),
        of("recording-bit-flipped", "as-it-was-flipped", 1, "V3", "-"),
        of("companion-in-fetch", "as-it-was-with-fetch", 2, "V3", "-"),
        good("empty-folder", 1, "V1", "folder data/9"),
        good("empty-folder-at-the-top", 1, "V1", "folder reports"),
        good("empty-folders-in-each-other", 1, "V1", "folder data/9/9/9"),
        good("hidden-file", 1, "V1", "write .DS_Store x"),
        good("hidden-file-beside-a-recording", 1, "V1", "write data/2/.DS_Store x"),
        good("thumbnails", 1, "V1", "write data/2/Thumbs.db x"),
        good("name-with-a-space", 1, "V1", "rename data/2/recording.opus data/2/recording%20.opus"),
        good("name-with-a-control-character", 1, "V1", "write data/2/a%0Ab x"),
        good("name-with-a-backslash", 1, "V1", "write data%5C2%5Crecording.opus x"),
        good("name-beyond-ascii", 1, "V1", "write data/2/%C3%A4 x"),
        good("name-that-is-not-utf-8", 1, "V1", "write data/2/%FF x"),
        good("name-that-windows-reserves", 1, "V1", "write data/2/con.wav x"),
        good("name-that-ends-with-a-dot", 1, "V1", "write data/2/recording. x"),
        good("name-in-another-case", 1, "V1", "rename bagit.txt BagIt.txt"),
        good("name-twice-in-two-cases", 1, "V1", "write BAGIT.TXT x"),
        good("path-of-more-than-112-bytes", 1, "V1", LONG),
        good("link-to-a-file", 3, "container", "link notes.txt bagit.txt"),
        good("link-to-nothing", 3, "container", "link notes.txt nothing"),
        good("link-in-a-recordings-place", 3, "container", "link data/2/recording.opus /dev/null"),
        good("link-to-a-folder", 3, "container", "link data/9 2"),
        good("pipe", 3, "container", "pipe data/2/pipe"),
        good("pipe-in-a-recordings-place", 3, "container", "pipe data/2/recording.opus"),
        good("no-exhibit", 3, "container", "remove manifest-sha256.txt ledger/checkpoint"),
        good("without-its-manifest", 1, "V2", "remove manifest-sha256.txt"),
        good("without-its-checkpoint", 1, "V8", "remove ledger/checkpoint"),
        good("cut", 1, "V3", "write data/2/recording.opus x"),
        good("emptied", 1, "V3", "write data/2/recording.opus"),
    ]
}

const LONG: &str = "write xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx x";
