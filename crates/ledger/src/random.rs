//! Randomness from the operating system: salts, keys, nonces, subjects.

use unbroken_evidence::body::Subject;
use unbroken_evidence::content::BlockKey;
use unbroken_evidence::field::Salt;

/// Where random bytes come from; a test brings its own.
pub trait Random: Send {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// Those of the source.
    fn fill(&mut self, bytes: &mut [u8]) -> std::io::Result<()>;
}

/// The operating system's generator, drawn in larger pieces.
#[derive(Default)]
pub struct SystemRandom {
    drawn: Vec<u8>,
}

const DRAW_BYTES: usize = 4_096;

impl Random for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> std::io::Result<()> {
        if bytes.len() > DRAW_BYTES {
            return getrandom::fill(bytes).map_err(std::io::Error::other);
        }
        if self.drawn.len() < bytes.len() {
            self.drawn.resize(DRAW_BYTES, 0);
            getrandom::fill(&mut self.drawn).map_err(std::io::Error::other)?;
        }
        let rest = self.drawn.split_off(self.drawn.len() - bytes.len());
        bytes.copy_from_slice(&rest);
        Ok(())
    }
}

/// Where all salts of one entry come from: private.db keeps these 32 bytes in place of the salts.
///
/// Salts are BLAKE3, keyed by the seed, in its extended output, 16 bytes each: without the seed they are
/// as good as drawn one by one. An erased value loses its salt by losing the seed (record.rs).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A fresh seed.
    ///
    /// # Errors
    /// Those of the source.
    pub fn draw(random: &mut dyn Random) -> std::io::Result<Self> {
        let mut bytes = [0; 32];
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) const fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The salts of this seed, in their order.
    #[must_use]
    pub fn salts(&self) -> Salts {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"unbroken salts of one entry");
        Salts { output: hasher.finalize_xof() }
    }
}

/// The salts of one entry, one after the other.
#[derive(Debug)]
pub struct Salts {
    output: blake3::OutputReader,
}

impl Salts {
    /// The next salt.
    pub fn next_salt(&mut self) -> Salt {
        let mut salt = Salt::default();
        self.output.fill(&mut salt);
        salt
    }
}

/// A fresh block key.
///
/// # Errors
/// Those of the source.
pub fn block_key(random: &mut dyn Random) -> std::io::Result<BlockKey> {
    let mut key = [0; 32];
    random.fill(&mut key)?;
    Ok(key)
}

/// A fresh subject.
///
/// # Errors
/// Those of the source.
pub fn subject(random: &mut dyn Random) -> std::io::Result<Subject> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(Subject(bytes))
}
