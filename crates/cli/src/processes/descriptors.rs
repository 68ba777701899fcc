//! Descriptors over a Unix socket.

use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    cmsg_space,
    io::{FdFlags, fcntl_setfd},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};

/// Sends descriptors. They go in messages of one byte and a number of them.
pub(super) fn send(socket: impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    for some in descriptors.chunks(AT_ONCE) {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(AT_ONCE))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        // The room is for as many.
        let _fits = ancillary.push(SendAncillaryMessage::ScmRights(some));
        sendmsg(&socket, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::empty())?;
    }
    Ok(())
}

/// Receives so many descriptors.
pub(super) fn receive(socket: impl AsFd, count: usize) -> io::Result<Vec<OwnedFd>> {
    let mut descriptors = Vec::with_capacity(count);
    while descriptors.len() < count {
        match receive_some(&socket)? {
            Some(some) if !some.is_empty() => descriptors.extend(some),
            _ => return Err(io::Error::new(ErrorKind::UnexpectedEof, "descriptors are missing")),
        }
    }
    Ok(descriptors)
}

/// Receives the descriptors of one message; `None` when the stream has ended. Those for which this
/// process has no room are lost: the system closes them.
pub(super) fn receive_some(socket: impl AsFd) -> io::Result<Option<Vec<OwnedFd>>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(AT_ONCE))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let received =
        recvmsg(&socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::empty())?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            descriptors.extend(some);
        }
    }
    for descriptor in &descriptors {
        // What a handler starts is not to have it.
        fcntl_setfd(descriptor, FdFlags::CLOEXEC)?;
    }
    Ok((received.bytes > 0).then_some(descriptors))
}

/// Systems allow some hundred in a message.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::File,
        io::{Read, Seek, Write},
        os::unix::net::UnixStream,
    };

    #[test]
    fn as_many_as_there_are_arrive_in_order() {
        let (here, there) = UnixStream::pair().unwrap();
        let files: Vec<File> = (0..150)
            .map(|number: u32| {
                let mut file = tempfile::tempfile().unwrap();
                write!(file, "{number}").unwrap();
                file.rewind().unwrap();
                file
            })
            .collect();
        let descriptors: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        send(&here, &descriptors).unwrap();
        for (number, descriptor) in receive(&there, 150).unwrap().into_iter().enumerate() {
            let mut text = String::new();
            File::from(descriptor).read_to_string(&mut text).unwrap();
            assert_eq!(text, number.to_string());
        }
        drop(here);
        assert!(receive(&there, 1).is_err());
    }
}
