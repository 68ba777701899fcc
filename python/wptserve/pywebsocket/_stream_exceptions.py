"""What can go wrong on an open WebSocket."""


class ConnectionTerminatedException(Exception):
    """The connection ended without a closing handshake."""


class InvalidFrameException(ConnectionTerminatedException):
    """The client sent what is no frame, or none that may come here."""


class MessageTooBigException(ConnectionTerminatedException):
    """The client sent a frame or a message that is longer than the server takes."""


class BadOperationException(Exception):
    """The handler sends after it closed, or receives after the client closed."""


class UnsupportedFrameException(Exception):
    """The client sent a frame with a reserved bit or opcode. The next one can be received."""


class InvalidUTF8Exception(Exception):
    """The client sent text that is not UTF-8."""
