//! How frames are packed.

use std::io;

/// Quality of brotli, 0 to 11: beyond it a frame takes several times as long and shrinks little.
const BROTLI_QUALITY: i32 = 5;
/// Window of brotli: 2^22 bytes, enough for a frame of a full block.
const BROTLI_WINDOW_LOG2: i32 = 22;
/// Level of zstd, 1 to 22.
const ZSTD_LEVEL: i32 = 3;

/// How a subscriber gets its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As they are.
    Plain,
    /// Each frame compressed on its own.
    Packed(Codec),
}

/// A compression that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// Values of `encoding` in the query string.
pub(crate) const ENCODINGS: [&str; 3] = ["json", "brotli", "zstd"];

impl Encoding {
    /// Number of encodings.
    pub(crate) const COUNT: usize = 3;

    /// Every encoding, by [`Self::place`].
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Plain,
        Self::Packed(Codec::Brotli),
        Self::Packed(Codec::Zstd),
    ];

    /// Its place among an entry's frames of one form.
    pub(crate) const fn place(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Packed(Codec::Brotli) => 1,
            Self::Packed(Codec::Zstd) => 2,
        }
    }

    /// Stable label for metrics, and the thread's name.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Packed(codec) => codec.label(),
        }
    }

    /// The encoding of this name, one of [`ENCODINGS`].
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "brotli" => Self::Packed(Codec::Brotli),
            "zstd" => Self::Packed(Codec::Zstd),
            _ => Self::Plain,
        }
    }
}

impl Codec {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 2] = [Self::Brotli, Self::Zstd];

    /// Stable label for metrics.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Brotli => "brotli",
            Self::Zstd => "zstd",
        }
    }

    /// Compresses a whole frame, at the quality that subscribers get.
    ///
    /// # Errors
    /// Where the library fails, which it does for want of memory.
    pub fn compress(self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(plain, ZSTD_LEVEL),
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW_LOG2,
                    size_hint: plain.len(),
                    ..Default::default()
                };
                let mut packed = Vec::with_capacity(plain.len() / 2 + 64);
                brotli::BrotliCompress(&mut &*plain, &mut packed, &parameters)?;
                Ok(packed)
            }
        }
    }
}
