//! Layouts: which objects belong to one recording, and what their names and contents say.

pub(crate) mod genesys_cloud;

use unbroken_evidence::body::Media;

/// How objects are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As Genesys Cloud exports recordings to S3.
    GenesysCloud,
    /// Every object is a recording by itself; no companions, no policy.
    Plain,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::GenesysCloud, Self::Plain];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GenesysCloud => "genesys-cloud",
            Self::Plain => "plain",
        }
    }

    /// The layout of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    /// The ready policy that it is judged by where nobody names another.
    #[must_use]
    pub const fn policy(self) -> Option<&'static str> {
        match self {
            Self::GenesysCloud => Some("genesys-default"),
            Self::Plain => None,
        }
    }

    /// Who has a value of this name, where the platform's own export never carries it in this source.
    pub(crate) fn never_exports(self, source: &str, name: &str) -> Option<&'static str> {
        match self {
            Self::GenesysCloud => genesys_cloud::never_exports(source, name),
            Self::Plain => None,
        }
    }

    pub(crate) const fn groups_by_folder(self) -> bool {
        matches!(self, Self::GenesysCloud)
    }
}

/// A recording and the objects that belong to it; numbers are places in the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assembled {
    pub(crate) recording: usize,
    pub(crate) companions: Vec<(usize, Role)>,
    pub(crate) identity: Identity,
}

impl Assembled {
    /// An object by itself.
    pub(crate) fn alone(recording: usize) -> Self {
        Self { recording, companions: Vec::new(), identity: Identity::default() }
    }
}

/// What a companion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Sidecar,
    /// Not read: broken, too long or too deep.
    UnreadSidecar,
    Transcript,
    Conversation,
}

impl Role {
    pub(crate) const ALL: [Self; 4] =
        [Self::Sidecar, Self::UnreadSidecar, Self::Transcript, Self::Conversation];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::UnreadSidecar => "sidecar, not read",
            Self::Transcript => "transcript",
            Self::Conversation => "conversation",
        }
    }
}

/// Who and what a recording is, as far as names and sidecar say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) organization: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) recording: Option<String>,
    /// The conversation in the path, where the sidecar says another.
    pub(crate) path_conversation: Option<String>,
    /// The recording in the file's name, where the sidecar says another.
    pub(crate) path_recording: Option<String>,
}

impl Identity {
    /// What a sidecar names stands before what path and name say, which stays where it is another.
    fn take(&mut self, recording: Option<&str>, conversation: Option<&str>) {
        let other = |said: Option<&str>, path: &Option<String>| {
            path.clone().filter(|path| said.is_some_and(|said| said != path))
        };
        self.path_recording = other(recording, &self.recording);
        self.path_conversation = other(conversation, &self.conversation);
        self.recording = recording.map(str::to_owned).or_else(|| self.recording.take());
        self.conversation = conversation.map(str::to_owned).or_else(|| self.conversation.take());
    }
}

/// What a layout takes from a JSON document: it stays, while the document may have to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sketch {
    /// What its members make it; `None` where they say nothing.
    pub(crate) says: Option<Role>,
    /// The recording that it names.
    pub(crate) recording: Option<Box<str>>,
    /// The conversation that it names.
    pub(crate) conversation: Option<Box<str>>,
    /// Its own id, where it names no conversation.
    pub(crate) id: Option<Box<str>>,
}

/// One object of a group, as a layout sees it.
pub(crate) struct Seen<'a> {
    pub(crate) key: &'a [u8],
    /// Its JSON document, if it is one and could be read.
    pub(crate) document: Option<&'a Sketch>,
}

/// The medium that a file's name ending stands for.
pub(crate) fn media_of_name(name: &[u8]) -> Media {
    let lower = name.to_ascii_lowercase();
    let ends = |endings: &[&[u8]]| endings.iter().any(|ending| lower.ends_with(ending));
    if ends(&[b".opus", b".wav", b".mp3", b".ogg"]) {
        Media::Call
    } else if ends(&[b".webm", b".mp4"]) {
        Media::Screen
    } else {
        Media::Unknown
    }
}
