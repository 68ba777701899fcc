//! What of a file is in memory: it can be read on the thread that has the connections.

use std::{fs::File, io};

/// Reads what is there without a wait for a disk; [`io::ErrorKind::WouldBlock`] when nothing is,
/// or when the file system cannot tell.
#[cfg(target_os = "linux")]
pub(crate) fn read_at_once(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    let mut buffers = [io::IoSliceMut::new(buffer)];
    match preadv2(file, &mut buffers, position, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        result => Ok(result?),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn read_at_once(_file: &File, _buffer: &mut [u8], _position: u64) -> io::Result<usize> {
    Err(io::ErrorKind::WouldBlock.into())
}

/// How many bytes from a position on, of at most `length`, are in memory. A few of them are
/// looked at: what lies between two that are there is there, too.
pub(crate) fn length_at_once(file: &File, position: u64, length: u64) -> u64 {
    let is_there = |at: u64| matches!(read_at_once(file, &mut [0], at), Ok(1));
    let mut there = 0;
    while there < length {
        let step = STEP.min(length - there);
        if !is_there(position + there) || !is_there(position + there + step - 1) {
            break;
        }
        there += step;
    }
    there
}

/// The system reads ahead by about as much.
const STEP: u64 = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_was_just_written_is_in_memory_and_what_is_behind_the_end_is_not() {
        let file = tempfile::tempfile().unwrap();
        (&file).write_all(&vec![b'x'; 300_000]).unwrap();
        let there = length_at_once(&file, 0, 300_000);
        // Not every file system can tell.
        assert!(there == 300_000 || there == 0);
        assert_eq!(length_at_once(&file, 300_000, 10), 0);
    }
}
