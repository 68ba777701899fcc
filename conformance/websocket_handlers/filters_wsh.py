"""An extension in Python, with filters for frames and messages."""

from mod_pywebsocket import common
from mod_pywebsocket.extensions import ExtensionProcessorInterface


class FrameFilter:
    def __init__(self, rsv2):
        self.rsv2 = rsv2

    def filter(self, frame):
        if not common.is_control_opcode(frame.opcode):
            frame.rsv2 = self.rsv2
            frame.payload = frame.payload[::-1]


class MessageFilter:
    def filter(self, message, end=True, binary=False):
        return message.swapcase()


class Processor(ExtensionProcessorInterface):
    def name(self):
        return "swap"

    def _get_extension_response_internal(self):
        response = common.ExtensionParameter("x-swap")
        response.add_parameter("how", "a lot")
        return response

    def _setup_stream_options_internal(self, options):
        options.outgoing_frame_filters.append(FrameFilter(1))
        options.incoming_frame_filters.append(FrameFilter(0))
        options.outgoing_message_filters.append(MessageFilter())
        options.incoming_message_filters.append(MessageFilter())


def web_socket_do_extra_handshake(request):
    request.ws_extension_processors = [Processor(common.ExtensionParameter("x-swap"))]


def web_socket_transfer_data(request):
    while (message := request.ws_stream.receive_message()) is not None:
        binary = isinstance(message, bytes)
        request.ws_stream.send_message(message, binary=binary)
        request.ws_stream.send_message(message[:2], False, binary)
        request.ws_stream.send_message(message[2:], True, binary)
