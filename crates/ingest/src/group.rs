//! Groups listed objects: those of one folder belong together, or each is by itself.

use unbroken_evidence::hash::Hash;
use unbroken_ledger::private::Settled;

use crate::layout::Layout;
use crate::source::Listed;

/// Objects that are looked at together, each with its place in the listing.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) objects: Vec<(u64, Listed)>,
}

impl Group {
    /// What settles this group: its name and a digest over what the source says of its objects.
    pub(crate) fn settled(&self, source: i64, layout: &Layout) -> Settled {
        let mut data = Vec::new();
        for (_, listed) in &self.objects {
            for part in [listed.key.as_slice(), &listed.stamp] {
                data.extend_from_slice(&(part.len() as u64).to_be_bytes());
                data.extend_from_slice(part);
            }
        }
        let key = self.objects.first().map(|(_, listed)| listed.key.as_slice()).unwrap_or_default();
        let name = if layout.groups_by_folder() { folder_of(key) } else { key };
        let digest = Hash::of(&[&layout.identity(), b"\n", name]);
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        let group = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
        Settled { source, group, fingerprint: Hash::of(&[&data]) }
    }
}

/// The folder of a key, with its slash; empty at the top.
pub(crate) fn folder_of(key: &[u8]) -> &[u8] {
    let end = key.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    key.get(..end).unwrap_or_default()
}

/// The last part of a key.
pub(crate) fn name_of(key: &[u8]) -> &[u8] {
    key.get(folder_of(key).len()..).unwrap_or_default()
}

/// Makes groups out of a listing that ascends by key.
pub(crate) struct Grouper {
    in_folders: bool,
    /// Folders that the listing is inside of, the outermost first.
    open: Vec<(Vec<u8>, Group)>,
}

impl Grouper {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { in_folders: layout.groups_by_folder(), open: Vec::new() }
    }

    /// Takes the next object; gives the groups that are complete now.
    pub(crate) fn push(&mut self, place: u64, listed: Listed) -> Vec<Group> {
        if !self.in_folders {
            return vec![Group { objects: vec![(place, listed)] }];
        }
        if listed.key.ends_with(b"/") {
            // A console's marker of a folder belongs to nothing, and a group of its own lets the
            // listing go on: the folder above everything would stay open to the end.
            return vec![Group { objects: vec![(place, listed)] }];
        }
        let folder = folder_of(&listed.key).to_vec();
        let mut complete = Vec::new();
        while let Some((open, _)) = self.open.last() {
            if folder.starts_with(open) {
                break;
            }
            complete.extend(self.open.pop().map(|(_, group)| group));
        }
        match self.open.last_mut() {
            Some((open, group)) if *open == folder => group.objects.push((place, listed)),
            _ => self.open.push((folder, Group { objects: vec![(place, listed)] })),
        }
        complete
    }

    /// The groups that are still open at the end.
    pub(crate) fn finish(self) -> Vec<Group> {
        self.open.into_iter().map(|(_, group)| group).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_folder_stay_together_though_a_folder_sorts_between_them() {
        let keys: [&[u8]; 5] = [b"a/1", b"a/b/2", b"a/b/3", b"a/c", b"d"];
        let mut grouper = Grouper::new(&Layout::ready("genesys-cloud").unwrap());
        let mut groups = Vec::new();
        for (place, key) in (0..).zip(keys) {
            let listed = Listed {
                key: key.to_vec(),
                version: String::new(),
                etag: String::new(),
                size: 0,
                modified: String::new(),
                stamp: vec![],
                not_readable: None,
            };
            groups.extend(grouper.push(place, listed));
        }
        groups.extend(grouper.finish());
        let places: Vec<Vec<u64>> = groups
            .iter()
            .map(|group| group.objects.iter().map(|(place, _)| *place).collect())
            .collect();
        assert_eq!(places, [vec![1, 2], vec![0, 3], vec![4]]);
    }
}
