//! Files that hold a key.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::KeyError;

/// 32 bytes in hex, `0x` and white space around; a longer file is no key file.
const FILE_BYTES_MAX: u64 = 256;

/// The text of the file at `path`, which nobody but its owner may use. The file that is checked is
/// the one that is read, whatever happens to its name in between.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |source| KeyError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    check_mode(path, &file)?;
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
    file.by_ref()
        .take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;

    /// All that 0600 does not allow.
    const FORBIDDEN: u32 = 0o7177;

    let metadata = file.metadata().map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_file() && mode & FORBIDDEN != 0 {
        return Err(KeyError::Mode {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

/// Elsewhere a file has no mode.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn check_mode(_path: &Path, _file: &File) -> Result<(), KeyError> {
    Ok(())
}
