//! Exit codes, one for each kind of failure.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked.
    Success,
    /// Something failed that has no code of its own.
    Failure,
    /// The arguments are wrong.
    Usage,
    /// The document root cannot be served.
    DocRoot,
    /// An address or port cannot be listened on.
    Listen,
    /// The configuration file is wrong.
    Config,
    /// The Python that was asked for cannot be used.
    Python,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::DocRoot => 3,
            Self::Listen => 4,
            Self::Config => 5,
            Self::Python => 6,
        }
    }

    /// The exit with a code, if there is one.
    #[cfg(unix)]
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        [
            Self::Success,
            Self::Failure,
            Self::Usage,
            Self::DocRoot,
            Self::Listen,
            Self::Config,
            Self::Python,
        ]
        .into_iter()
        .find(|exit| exit.code() == code)
    }

    /// The code for an error of the engine.
    pub(crate) fn of(error: &server::Error) -> Self {
        match error {
            server::Error::DocRoot { .. } => Self::DocRoot,
            server::Error::Resolve { .. }
            | server::Error::PortInUse { .. }
            | server::Error::Listen { .. } => Self::Listen,
            server::Error::ConfigRead { .. }
            | server::Error::Config { .. }
            | server::Error::PortTwice { .. }
            | server::Error::Certificate { .. }
            | server::Error::NoCertificate { .. } => Self::Config,
            server::Error::Authority { .. }
            | server::Error::Tls(_)
            | server::Error::Route { .. }
            | server::Error::Runtime(_) => Self::Failure,
        }
    }
}
