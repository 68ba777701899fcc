from mod_pywebsocket import msgutil


def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    receiver = msgutil.MessageReceiver(request)
    sender = msgutil.MessageSender(request)
    assert receiver.receive_nowait() is None
    sender.send("ready")
    sender.send(receiver.receive())
    sender.send_nowait(receiver.receive())
    receiver.join(5)
