"""What the functions of the API return."""

import logging

from mod_pywebsocket import common, extensions, http_header_util, msgutil, stream, util
from mod_pywebsocket import handshake
from mod_pywebsocket.handshake import base, hybi


def _state(text, *calls):
    state = http_header_util.ParsingState(text)
    return [call(state) for call in calls] + [state.head]


def _raised(call, *arguments):
    try:
        return call(*arguments)
    except Exception as error:
        return type(error).__name__


def _extensions(text):
    return [(e.name(), e.get_parameters(), e.get_parameter_names()) for e in common.parse_extensions(text)]


def _reader(data):
    at = [0]

    def read(length):
        at[0] += length
        return data[at[0] - length:at[0]]

    return read


def _builder():
    builder = stream.FragmentedFrameBuilder(False)
    return [builder.build("a", False, False), builder.build("b", True, False), builder.build(b"c", True, True)]


H = http_header_util
MASKER = util.RepeatedXorMasker(b"\x01\x02\x03\x04")
ERROR = ValueError("two")
util.prepend_message_to_exception("one ", ERROR)
PARAMETER = common.ExtensionParameter("foo")
PARAMETER.add_parameter("a", None)
PARAMETER.add_parameter("b", "c d")
PARAMETER.add_parameter("e", "")

RESULTS = [
    hybi.compute_accept(b"dGhlIHNhbXBsZSBub25jZQ=="),
    hybi.compute_accept_from_unicode("dGhlIHNhbXBsZSBub25jZQ=="),
    hybi.format_header("A", "b"),
    base.parse_token_list("a, b ,,c"),
    _raised(base.parse_token_list, "a b"),
    _raised(base.parse_token_list, ""),
    _raised(base.validate_subprotocol, ""),
    _raised(base.validate_subprotocol, "a b"),
    _raised(base.validate_subprotocol, "ab"),
    [base.get_default_port(secure) for secure in (True, False)],
    _extensions('a; b; c=1; d="e f", g'),
    [_raised(_extensions, text) for text in ("", "a;", "a;b=", "a b", ";", 'a;b="c')],
    common.format_extension(PARAMETER),
    common.format_extensions([PARAMETER, common.ExtensionParameter("bar")]),
    [PARAMETER.has_parameter("a"), PARAMETER.has_parameter("x"), PARAMETER.get_parameter_value("b"), PARAMETER.get_parameter_value("x")],
    [common.is_control_opcode(opcode) for opcode in range(16)],
    sorted((name, value) for name, value in vars(common).items() if name.isupper() and name[0] != "_"),
    extensions.get_extension_processor(PARAMETER),
    extensions.get_extension_processor(common.ExtensionParameter("permessage-deflate")).name(),
    util.hexify(b"\x00\xff"), util.pack_byte(255), str(ERROR),
    util.get_class_logger(ERROR).name, isinstance(util.get_class_logger(ERROR), logging.Logger),
    util.NoopMasker().mask(b"ab"), MASKER.mask(b"abcde"), MASKER.mask(b"fgh"),
    stream.create_length_header(5, True), stream.create_length_header(126, False), stream.create_length_header(65536, True),
    [_raised(stream.create_length_header, length, False) for length in (-1, 1 << 63)],
    stream.create_header(1, 5, 1, 0, 1, 0, False),
    [_raised(stream.create_header, *arguments) for arguments in ((16, 0, 1, 0, 0, 0, False), (1, -1, 1, 0, 0, 0, False), (1, 1, 2, 0, 0, 0, False))],
    stream.create_text_frame("\xe9"), stream.create_binary_frame(b"\xff", fin=0), stream.create_ping_frame(b"p"),
    stream.create_pong_frame(b"p"), stream.create_close_frame(b""), _raised(stream.create_ping_frame, b"x" * 126),
    stream.create_closing_handshake_body(1000, "\xe9"), stream.create_closing_handshake_body(None, ""),
    [_raised(stream.create_closing_handshake_body, code, "") for code in (999, 1005, 1006, 1015, 5000)],
    stream.parse_frame(_reader(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")),
    stream.parse_frame(_reader(b"\xc2\x03abc"), unmask_receive=False),
    _raised(stream.parse_frame, _reader(b"\x81\x01a")),
    _builder(),
    _state("a b", H.consume_token, H.consume_lws, H.peek, H.consume_token, H.consume_token),
    _state('"a\\"b  c" d', H.consume_token_or_quoted_string, H.consume_lwses, H.consume),
    _state('"open', H.consume_token_or_quoted_string, H.consume_token),
    _state("abc", lambda state: H.consume_string(state, "ab"), lambda state: H.consume_string(state, "x"), lambda state: H.consume(state, 2)),
    _state("\r\n a", H.consume_lws, H.consume), _state("\r\na", H.consume_lws, H.consume),
    [H.quote_if_necessary(text) for text in ("", "a", "a b", 'a"b', "a,b")],
    [H.parse_uri(uri) for uri in ("/a?b#c", "ws://h/a?b#c", "wss://h", "ws://h:81/", "ws://h:x/", "ws:///a", "http://h/a", "ws://h:-1/")],
    [issubclass(a, b) for a, b in (
        (msgutil.InvalidFrameException, msgutil.ConnectionTerminatedException),
        (msgutil.UnsupportedFrameException, msgutil.ConnectionTerminatedException),
        (stream.InvalidUTF8Exception, msgutil.BadOperationException),
    )],
    [handshake.HandshakeException("a", 400).status, handshake.HandshakeException("a").status, handshake.VersionException("a", "13").supported_versions],
    handshake.HandshakeException is base.HandshakeException,
]


def web_socket_do_extra_handshake(request):
    request.ws_extension_processors = []


def web_socket_transfer_data(request):
    for result in RESULTS:
        msgutil.send_message(request, repr(result))
