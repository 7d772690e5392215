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

/// What one entry needs of randomness, drawn at once.
#[derive(Clone, Debug)]
pub struct Draw {
    salts: Vec<Salt>,
}

impl Draw {
    /// `count` salts, and those that padding needs.
    ///
    /// # Errors
    /// Those of the source.
    pub fn salts(random: &mut dyn Random, count: usize) -> std::io::Result<Self> {
        let mut bytes = vec![0; 16 * (count + 16)];
        random.fill(&mut bytes)?;
        Ok(Self { salts: bytes.as_chunks::<16>().0.to_vec() })
    }

    /// The next salt. When they run out, which no honest source makes happen, the last repeats
    /// with a count; salts of one entry stay distinct.
    pub fn next_salt(&mut self) -> Salt {
        if self.salts.len() > 1 {
            return self.salts.pop().unwrap_or_default();
        }
        let Some(last) = self.salts.first_mut() else { return Salt::default() };
        *last = (u128::from_be_bytes(*last).wrapping_add(1)).to_be_bytes();
        *last
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
