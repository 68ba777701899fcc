//! What a host serves, as its supervisor tells it: a text, and the descriptors that it speaks of.

use std::{
    fs::File,
    io::{self, ErrorKind, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
};

use serde_json::{Value, json};
use server::{
    Bound, Scheme,
    tls::{Files, Identity},
};

use super::{descriptors, frame};

/// What a host gets.
pub(super) struct Assignment {
    pub(super) described: Described,
    pub(super) kit: Kit,
    /// The sockets to accept from.
    pub(super) bound: Bound,
}

/// What is said in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// The host's number, from 1 on.
    pub(super) number: u32,
    /// What the sockets are for.
    pub(super) schemes: Vec<Scheme>,
    /// Ports that handlers and templates see although nothing listens there.
    pub(super) unserved: Vec<(Scheme, u16)>,
    pub(super) identity: Option<SharedIdentity>,
    /// The host's row on the board, if there is room on it.
    pub(super) row: Option<usize>,
}

/// The key and the certificates that all hosts have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SharedIdentity {
    pub(super) files: Files,
    pub(super) is_issued: bool,
    pub(super) encrypts_after_connect: bool,
}

impl SharedIdentity {
    pub(super) fn of(identity: &Identity) -> Self {
        Self {
            files: identity.files().clone(),
            is_issued: identity.is_issued(),
            encrypts_after_connect: identity.encrypts_after_connect(),
        }
    }
}

/// What a host has beside the sockets.
pub(super) struct Kit {
    /// Where it reports.
    pub(super) reports: UnixStream,
    /// Where it asks for connections to the stash.
    pub(super) stash: UnixStream,
    pub(super) board: File,
    pub(super) journal: File,
    pub(super) last_words: File,
}

impl Kit {
    fn descriptors(&self) -> [BorrowedFd<'_>; KIT] {
        let Self { reports, stash, board, journal, last_words } = self;
        [reports.as_fd(), stash.as_fd(), board.as_fd(), journal.as_fd(), last_words.as_fd()]
    }

    fn from_descriptors(mut descriptors: impl Iterator<Item = OwnedFd>) -> Option<Self> {
        Some(Self {
            reports: descriptors.next()?.into(),
            stash: descriptors.next()?.into(),
            board: descriptors.next()?.into(),
            journal: descriptors.next()?.into(),
            last_words: descriptors.next()?.into(),
        })
    }
}

/// How many descriptors a kit has.
const KIT: usize = 5;

impl Described {
    /// Sends it, with a kit and the sockets.
    pub(super) fn send(
        &self,
        kit: &Kit,
        sockets: &[BorrowedFd<'_>],
        mut control: &UnixStream,
    ) -> io::Result<()> {
        let mut descriptors = kit.descriptors().to_vec();
        descriptors.extend_from_slice(sockets);
        let text = self.to_json(descriptors.len()).to_string();
        control.write_all(&frame::encode(ASSIGNMENT, &[text.as_bytes()]))?;
        descriptors::send(control, &descriptors)
    }

    fn to_json(&self, descriptors: usize) -> Value {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        json!({
            "number": self.number,
            "schemes": self.schemes.iter().map(|scheme| scheme.name()).collect::<Vec<_>>(),
            "unserved": self.unserved.iter().map(|(s, port)| (s.name(), port)).collect::<Vec<_>>(),
            "identity": self.identity.as_ref().map(|identity| json!({
                "key": path(&identity.files.key),
                "certificate": path(&identity.files.certificate),
                "authority": identity.files.authority.as_ref().map(path),
                "issued": identity.is_issued,
                "after_connect": identity.encrypts_after_connect,
            })),
            "row": self.row,
            "descriptors": descriptors,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let scheme = |name: &Value| Scheme::from_name(name.as_str()?);
        let unserved =
            |pair: &Value| Some((scheme(&pair[0])?, u16::try_from(pair[1].as_u64()?).ok()?));
        let path = |value: &Value| value.as_str().map(PathBuf::from);
        let identity = |value: &Value| {
            Some(SharedIdentity {
                files: Files {
                    key: path(&value["key"])?,
                    certificate: path(&value["certificate"])?,
                    authority: path(&value["authority"]),
                },
                is_issued: value["issued"].as_bool()?,
                encrypts_after_connect: value["after_connect"].as_bool()?,
            })
        };
        Some(Self {
            number: u32::try_from(value["number"].as_u64()?).ok()?,
            schemes: value["schemes"].as_array()?.iter().map(scheme).collect::<Option<_>>()?,
            unserved: value["unserved"].as_array()?.iter().map(unserved).collect::<Option<_>>()?,
            identity: match &value["identity"] {
                Value::Null => None,
                value => Some(identity(value)?),
            },
            row: value["row"].as_u64().and_then(|row| usize::try_from(row).ok()),
        })
    }
}

impl Assignment {
    /// Receives an assignment.
    pub(super) fn receive(mut control: &UnixStream) -> io::Result<Self> {
        let wrong = || io::Error::new(ErrorKind::InvalidData, "it is no assignment");
        let frame = frame::read(&mut control)?.filter(|frame| frame.kind == ASSIGNMENT);
        let frame = frame.ok_or_else(wrong)?;
        let value: Value = serde_json::from_slice(&frame.payload)?;
        let described = Described::from_json(&value).ok_or_else(wrong)?;
        let count = value["descriptors"].as_u64().and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count >= KIT + described.schemes.len());
        let mut descriptors = descriptors::receive(control, count.ok_or_else(wrong)?)?.into_iter();
        let kit = Kit::from_descriptors(descriptors.by_ref()).ok_or_else(wrong)?;
        let bound = Bound::from_sockets(&described.schemes, descriptors);
        Ok(Self { described, kit, bound })
    }
}

const ASSIGNMENT: u8 = b'A';

#[cfg(test)]
mod tests {
    use super::*;
    use server::Endpoint;

    #[test]
    fn an_assignment_arrives_with_its_sockets() {
        let endpoint = |scheme| Endpoint { scheme, host: "127.0.0.1".to_owned(), port: 0 };
        let bound = Bound::new(&[Scheme::Http, Scheme::Dns, Scheme::Wss].map(endpoint)).unwrap();
        let described = Described {
            number: 3,
            schemes: bound.schemes(),
            unserved: vec![(Scheme::WebTransportH3, 7)],
            identity: Some(SharedIdentity {
                files: Files { key: "/k".into(), certificate: "/c".into(), authority: None },
                is_issued: true,
                encrypts_after_connect: false,
            }),
            row: Some(5),
        };
        let (here, there) = UnixStream::pair().unwrap();
        let (reports, stash) = UnixStream::pair().unwrap();
        let file = || tempfile::tempfile().unwrap();
        let kit = Kit { reports, stash, board: file(), journal: file(), last_words: file() };
        described.send(&kit, &bound.sockets(), &here).unwrap();
        let received = Assignment::receive(&there).unwrap();
        assert_eq!(received.described, described);
        assert_eq!(received.bound.addresses(), bound.addresses());
        assert_eq!(received.bound.sockets().len(), 4);
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        for text in ["{}", "[]", "nonsense", r#"{"number": 1, "schemes": ["x"]}"#] {
            let (mut here, there) = UnixStream::pair().unwrap();
            here.write_all(&frame::encode(ASSIGNMENT, &[text.as_bytes()])).unwrap();
            assert!(Assignment::receive(&there).is_err(), "{text}");
        }
    }
}
