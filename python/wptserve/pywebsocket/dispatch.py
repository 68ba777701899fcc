"""The handlers of WebSockets by resource: found in directories, loaded once."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Iterator

from .. import _wptserve
from .._regular_file import open_regular
from ..response import handler_traceback
from . import common, handshake, importing, msgutil, stream

_SUFFIX = "_wsh.py"


class DispatchException(Exception):
    """A request finds no handler, or a file is none."""

    def __init__(self, name: str, status: int = common.HTTP_STATUS_NOT_FOUND) -> None:
        super().__init__(name)
        self.status = status


def _default_passive_closing_handshake(request: Any) -> tuple[int, str]:
    return common.STATUS_NORMAL_CLOSURE, ""


class HandlerSuite:
    """The functions of one handler file."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        # The functions' own imports lead to this package, whatever is installed.
        names = {"__builtins__": importing.handler_builtins(), "__file__": path}
        exec(compile(source, path, "exec", dont_inherit=True), names)
        self.do_extra_handshake = _function(names, "web_socket_do_extra_handshake")
        self.transfer_data = _function(names, "web_socket_transfer_data")
        passive: Any = names.get("web_socket_passive_closing_handshake")
        self.passive_closing_handshake: Callable[[Any], Any] = (
            passive if callable(passive) else _default_passive_closing_handshake
        )


def _function(names: dict[str, Any], name: str) -> Callable[[Any], Any]:
    if name not in names:
        raise DispatchException(f"{name} is not defined")
    function = names[name]
    if not callable(function):
        raise DispatchException(f"{name} is not callable")
    return function


class Dispatcher:
    """Maps resources to handlers: the resource of ``ROOT/a/b_wsh.py`` is ``/a/b``."""

    def __init__(
        self,
        root_dir: str,
        scan_dir: str | None = None,
        allow_handlers_outside_root_dir: bool = True,
        handler_encoding: str | None = None,
        reload: bool = False,
    ) -> None:
        self._suites: dict[str, HandlerSuite] = {}
        self._warnings: list[str] = []
        self._reload = reload
        # Path and state of each file that was tried, by resource.
        self._files: dict[str, tuple[str, Any]] = {}
        self.add_root(root_dir, scan_dir, allow_handlers_outside_root_dir)

    def add_root(
        self, root_dir: str, scan_dir: str | None = None, allow_handlers_outside: bool = False
    ) -> None:
        """Loads the handlers below a directory; they replace those of the same resources. Files
        that cannot be loaded are left out, see `source_warnings`."""
        root = os.path.realpath(root_dir)
        scan = os.path.realpath(scan_dir or root_dir)
        if not _is_below(scan, root):
            raise DispatchException(f"{scan_dir} is not below {root_dir}")
        for path in _handler_files(scan):
            if allow_handlers_outside or _is_below(os.path.realpath(path), root):
                relative = os.path.relpath(path, root).replace(os.sep, "/")
                self._load("/" + relative[: -len(_SUFFIX)], path)

    def _load(self, resource: str, path: str) -> None:
        self._files[resource] = path, _state(path)
        try:
            with open_regular(path) as file:
                source = file.read()
        except OSError as error:
            # One that is there may be readable in a moment: the next look tries again.
            self._files[resource] = path, None
            if isinstance(error, FileNotFoundError) or resource not in self._suites:
                self._left_out(resource, f"{path}: {error}")
            return
        try:
            self._suites[resource] = HandlerSuite(path, source)
        except DispatchException as error:
            self._left_out(resource, f"{path}: {error}")
        except (Exception, SystemExit) as error:
            self._left_out(resource, f"{path}: {handler_traceback(error).rstrip()}")

    def _left_out(self, resource: str, warning: str) -> None:
        self._suites.pop(resource, None)
        self._warnings.append(warning)

    def add_resource_path_alias(self, alias_resource_path: str, existing_resource_path: str) -> None:
        """Makes a handler answer for another resource too."""
        suite = self._suites.get(existing_resource_path)
        if suite is None:
            raise DispatchException(f"there is no handler for {existing_resource_path!r}")
        self._suites[alias_resource_path] = suite

    def source_warnings(self) -> list[str]:
        """What is wrong with the files that were left out."""
        return self._warnings

    def take_warnings(self) -> list[str]:
        """The warnings that nobody has taken yet."""
        warnings, self._warnings = self._warnings, []
        return warnings

    def get_handler_suite(self, resource: str) -> HandlerSuite | None:
        """The handler for a resource, whose query does not count; `None` when there is none."""
        resource, _, fragment = resource.partition("#")
        path = resource.partition("?")[0]
        if self._reload and path in self._files:
            file, state = self._files[path]
            if _state(file) != state:
                self._load(path, file)
        suite = self._suites.get(path)
        if suite is not None and fragment:
            raise DispatchException("a WebSocket URL has no fragment", common.HTTP_STATUS_BAD_REQUEST)
        return suite

    def _suite(self, request: Any) -> HandlerSuite:
        suite = self.get_handler_suite(request.ws_resource)
        if suite is None:
            raise DispatchException(f"there is no handler for {request.ws_resource!r}")
        return suite

    def do_extra_handshake(self, request: Any) -> None:
        """The handler's part of the handshake. What it raises is a HandshakeException with the
        status 403, unless it aborts."""
        suite = self._suite(request)
        try:
            _wptserve.call_handler(suite.do_extra_handshake, request)
        except handshake.AbortedByUserException:
            raise
        except Exception as error:
            raise handshake.HandshakeException(error, common.HTTP_STATUS_FORBIDDEN) from error

    def transfer_data(self, request: Any) -> None:
        """Lets the handler speak with the client, and closes when it is done. What the client does
        wrong closes with a code that says so; so does what the handler does wrong, and is raised."""
        suite = self._suite(request)
        try:
            _wptserve.call_handler(suite.transfer_data, request)
            if not request.server_terminated:
                request.ws_stream.close_connection()
        except handshake.AbortedByUserException:
            raise
        except msgutil.BadOperationException:
            _close(request, common.STATUS_INTERNAL_ENDPOINT_ERROR)
        except (msgutil.InvalidFrameException, msgutil.UnsupportedFrameException):
            _close(request, common.STATUS_PROTOCOL_ERROR)
        except msgutil.MessageTooBigException:
            _close(request, common.STATUS_MESSAGE_TOO_BIG, wait_response=False)
        except stream.InvalidUTF8Exception:
            # A close frame may have been what is not UTF-8.
            _close(
                request,
                common.STATUS_INVALID_FRAME_PAYLOAD_DATA,
                wait_response=not request.client_terminated,
            )
        except msgutil.ConnectionTerminatedException:
            pass
        except Exception:
            # Told to the client at once, whose answer nobody waits for. It may be gone.
            _close(request, common.STATUS_INTERNAL_ENDPOINT_ERROR, wait_response=False)
            raise

    def passive_closing_handshake(self, request: Any) -> Any:
        """The code and the reason with which a client's close is answered."""
        suite = self.get_handler_suite(request.ws_resource)
        if suite is None:
            return _default_passive_closing_handshake(request)
        return _wptserve.call_handler(suite.passive_closing_handshake, request)


def _close(request: Any, code: int, wait_response: bool = True) -> None:
    """Closes for a mistake. The client may be gone, not answer, or go on with more of its own."""
    with contextlib.suppress(
        OSError,
        msgutil.ConnectionTerminatedException,
        msgutil.UnsupportedFrameException,
        stream.InvalidUTF8Exception,
    ):
        request.ws_stream.close_connection(code, wait_response=wait_response)


def _handler_files(directory: str) -> Iterator[str]:
    for folder, _, names in os.walk(directory):
        for name in names:
            if name.endswith(_SUFFIX):
                yield os.path.join(folder, name)


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _state(path: str) -> Any:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
