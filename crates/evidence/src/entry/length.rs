//! How long a recording is by its own container: WAV, and Ogg with Opus or Vorbis (spec/verification.md A8).
//!
//! Said beside what is declared, never judged: a header says what its writer wrote.

/// The beginning and the end of a file, kept as its bytes pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    size: u64,
}

/// Bytes of the beginning that are kept: a WAV header, with the chunks that stand before the samples.
const HEAD_BYTES: usize = 4_096;
/// Bytes of the end that are kept: an Ogg page is at most 65,307 bytes long.
const TAIL_BYTES: usize = 65_536;
/// Samples a second of every Opus stream (RFC 7845).
const OPUS_RATE: u64 = 48_000;

impl Ends {
    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
        let last = bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
        if last.len() == TAIL_BYTES {
            self.tail.clear();
        } else if self.tail.len() > TAIL_BYTES {
            self.tail.drain(..self.tail.len() - TAIL_BYTES);
        }
        self.tail.extend_from_slice(last);
    }

    /// The first bytes, at most 4,096.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The last bytes: of a longer file at least 65,536, and less than twice as many.
    #[must_use]
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// How many bytes there were.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The length in milliseconds; `None` for any other container, and for a header that does not say.
    #[must_use]
    pub fn length_ms(&self) -> Option<u64> {
        self.wav_ms().or_else(|| self.ogg_ms())
    }

    /// RIFF: the bytes of the `data` chunk that are there, by the bytes a second of the `fmt ` chunk.
    fn wav_ms(&self) -> Option<u64> {
        if self.head.get(..4)? != b"RIFF" || self.head.get(8..12)? != b"WAVE" {
            return None;
        }
        let (mut at, mut rate) = (12, None);
        loop {
            let (name, length) = (self.head.get(at..at + 4)?, u64::from(self.u32(at + 4)?));
            let body = at + 8;
            match name {
                b"fmt " => rate = self.u32(body + 8).map(u64::from).filter(|rate| *rate > 0),
                b"data" => {
                    // A writer that was cut off leaves 0 or the highest length; what is there counts.
                    let there = self.size.saturating_sub(body as u64);
                    let length = if length == 0 { there } else { length.min(there) };
                    return length.checked_mul(1_000)?.checked_div(rate?);
                }
                _ => {}
            }
            // Chunks begin at even places.
            at = body.checked_add(usize::try_from(length + length % 2).ok()?)?;
        }
    }

    /// Ogg: the position of the last page, by the rate that the first packet names.
    fn ogg_ms(&self) -> Option<u64> {
        if self.head.get(..5)? != b"OggS\0" {
            return None;
        }
        let (serial, segments) = (self.head.get(14..18)?, usize::from(*self.head.get(26)?));
        let packet = self.head.get(27 + segments..)?;
        let (rate, skipped) = if packet.starts_with(b"OpusHead") {
            (OPUS_RATE, u64::from(u16::from_le_bytes(packet.get(10..12)?.try_into().ok()?)))
        } else if packet.starts_with(b"\x01vorbis") {
            (u64::from(u32::from_le_bytes(packet.get(12..16)?.try_into().ok()?)), 0)
        } else {
            return None;
        };
        let is_last = |at: &usize| {
            let page = self.tail.get(*at..).unwrap_or_default();
            page.starts_with(b"OggS\0")
                && page.get(14..18) == Some(serial)
                && position(page).is_some()
        };
        let at = (0..self.tail.len()).rev().find(is_last)?;
        let samples = position(self.tail.get(at..)?)?.saturating_sub(skipped);
        samples.checked_mul(1_000)?.checked_div(rate)
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.head.get(at..at + 4)?.try_into().ok()?))
    }
}

/// The granule position of an Ogg page; `None` where no packet ends on it.
fn position(page: &[u8]) -> Option<u64> {
    let position = u64::from_le_bytes(page.get(6..14)?.try_into().ok()?);
    (position != u64::MAX).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(bytes: &[u8]) -> Ends {
        let mut ends = Ends::default();
        bytes.chunks(1_000).for_each(|piece| ends.take(piece));
        ends
    }

    fn wav(declared: u32, samples: usize) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        // 8,000 samples a second of two bytes.
        for word in [8_000_u32, 16_000] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(b"\x02\0\x10\0data");
        bytes.extend(declared.to_le_bytes());
        bytes.extend(vec![0; samples * 2]);
        bytes
    }

    fn page(position: u64, serial: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = b"OggS\0\x02".to_vec();
        bytes.extend(position.to_le_bytes());
        bytes.extend(serial.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend([1, u8::try_from(body.len()).unwrap()]);
        bytes.extend(body);
        bytes
    }

    // spec: A8
    #[test]
    fn a_wav_is_as_long_as_its_samples_that_are_there() {
        assert_eq!(ends(&wav(24_000, 12_000)).length_ms(), Some(1_500));
        assert_eq!(ends(&wav(24_000, 4_000)).length_ms(), Some(500), "cut off");
        assert_eq!(ends(&wav(u32::MAX, 12_000)).length_ms(), Some(1_500), "never finished");
        assert_eq!(ends(&wav(0, 12_000)).length_ms(), Some(1_500), "never finished");
        let whole = wav(24_000, 12_000);
        for cut in 0..50 {
            assert_eq!(ends(&whole[..cut]).length_ms(), None, "{cut} bytes");
        }
    }

    // spec: A8
    #[test]
    fn an_ogg_file_is_as_long_as_its_last_page_says() {
        let head = b"OpusHead\x01\x01\x38\x01\0\0\0\0\0\0\0";
        let mut opus = page(0, 7, head);
        for n in 1..=2_000 {
            opus.extend(page(n * 960, 7, &[5; 200]));
        }
        // A page of another stream, and one on which no packet ends, come after it.
        opus.extend(page(99, 8, b"other"));
        opus.extend(page(u64::MAX, 7, b"half a packet"));
        assert_eq!(ends(&opus).length_ms(), Some((2_000 * 960 - 312) * 1_000 / 48_000));
        let mut vorbis = page(0, 3, b"\x01vorbis\0\0\0\0\x01\x40\x1f\0\0");
        vorbis.extend(page(80_000, 3, b"data"));
        assert_eq!(ends(&vorbis).length_ms(), Some(10_000));
        for cut in 0..40 {
            assert_eq!(ends(&opus[..cut]).length_ms(), None, "{cut} bytes");
        }
        assert_eq!(ends(b"OggS\0 and nothing that it is").length_ms(), None);
        assert_eq!(ends(&[0; 100_000]).length_ms(), None);
    }

    #[test]
    fn ends_are_those_of_the_stream_however_it_is_cut() {
        let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        for piece in [1_000, 65_535, 65_536, 65_537, 1 << 20] {
            let mut ends = Ends::default();
            bytes.chunks(piece).for_each(|piece| ends.take(piece));
            assert_eq!(ends.head, bytes[..HEAD_BYTES], "{piece}");
            assert!(bytes.ends_with(&ends.tail), "{piece}");
            assert!((TAIL_BYTES..=2 * TAIL_BYTES).contains(&ends.tail.len()), "{piece}");
        }
    }
}
