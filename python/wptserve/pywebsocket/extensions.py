"""What a server does with the extensions that a client offers.

A handler finds the processors in ``request.ws_extension_processors`` and may change, add or remove
some before the handshake is sent.
"""

from __future__ import annotations

from typing import Any, Callable

from .. import _wptserve
from . import common, util


class ExtensionProcessorInterface:
    """Accepts or declines one offer, and sets the stream up for it."""

    def __init__(self, request: common.ExtensionParameter) -> None:
        self._logger = util.get_class_logger(self)
        self._request = request
        self._active = True

    def request(self) -> common.ExtensionParameter:
        """The offer."""
        return self._request

    def name(self) -> str | None:
        """The extension's name among the processors."""
        return None

    def check_consistency_with_other_processors(self, processors: list[Any]) -> None:
        """May make itself or others inactive."""

    def set_active(self, active: bool) -> None:
        """An inactive processor accepts nothing."""
        self._active = active

    def is_active(self) -> bool:
        """Whether it is active."""
        return self._active

    def _get_extension_response_internal(self) -> common.ExtensionParameter | None:
        return None

    def get_extension_response(self) -> common.ExtensionParameter | None:
        """What is accepted; `None` when it is declined."""
        response = self._get_extension_response_internal() if self._active else None
        if response is None:
            self._active = False
        return response

    def _setup_stream_options_internal(self, stream_options: Any) -> None:
        pass

    def setup_stream_options(self, stream_options: Any) -> None:
        """Makes the stream speak the extension."""
        if self._active:
            self._setup_stream_options_internal(stream_options)


class PerMessageDeflateExtensionProcessor(ExtensionProcessorInterface):
    """permessage-deflate (RFC 7692)."""

    def __init__(self, request: common.ExtensionParameter) -> None:
        super().__init__(request)
        self._client_max_window_bits: int | None = None
        self._client_no_context_takeover = False
        self._bfinal = False
        self._compresses = True
        self._deflate: Any = None

    def name(self) -> str:
        return "deflate"

    def _get_extension_response_internal(self) -> common.ExtensionParameter | None:
        offer = _wptserve.websocket_deflate_offer(self._request.get_parameters())
        if offer is None:
            self._logger.debug("declined: %r", self._request.get_parameters())
            return None
        server_bits, server_forgets, client_bits_allowed = offer
        if self._client_max_window_bits is not None and not client_bits_allowed:
            self._logger.debug("declined: the client does not take client_max_window_bits")
            return None
        self._deflate = _wptserve.PerMessageDeflate(server_bits, server_forgets)
        self._tell()
        response = common.ExtensionParameter(self._request.name())
        if server_bits is not None:
            response.add_parameter("server_max_window_bits", str(server_bits))
        if server_forgets:
            response.add_parameter("server_no_context_takeover", None)
        if self._client_max_window_bits is not None:
            response.add_parameter("client_max_window_bits", str(self._client_max_window_bits))
        if self._client_no_context_takeover:
            response.add_parameter("client_no_context_takeover", None)
        return response

    def _setup_stream_options_internal(self, stream_options: Any) -> None:
        stream_options.deflate = self._deflate

    def _tell(self) -> None:
        if self._deflate is not None:
            self._deflate.set(self._compresses, self._bfinal)

    def set_client_max_window_bits(self, value: int | None) -> None:
        """Asks the client for a window of that size; an offer that does not allow it is declined.
        What comes is decompressed all the same if the client does not keep to it."""
        self._client_max_window_bits = value

    def set_client_no_context_takeover(self, value: bool) -> None:
        """Asks the client to forget the last message with each new one. What comes is decompressed
        all the same if it does not."""
        self._client_no_context_takeover = value

    def set_bfinal(self, value: bool) -> None:
        """Whether each message ends its DEFLATE stream."""
        self._bfinal = value
        self._tell()

    def enable_outgoing_compression(self) -> None:
        """Compresses what is sent from now on."""
        self._compresses = True
        self._tell()

    def disable_outgoing_compression(self) -> None:
        """Sends messages as they are from now on."""
        self._compresses = False
        self._tell()


_available_processors: dict[str, Callable[[common.ExtensionParameter], Any]] = {
    common.PERMESSAGE_DEFLATE_EXTENSION: PerMessageDeflateExtensionProcessor,
}


def get_extension_processor(extension_request: common.ExtensionParameter) -> Any:
    """The processor for an offer; `None` when the extension is unknown."""
    processor_class = _available_processors.get(extension_request.name())
    return processor_class and processor_class(extension_request)
