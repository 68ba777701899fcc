import uuid


def main(request, response):
    stash = request.server.stash
    shown = []
    for key in ["33333333333333333333333333333333", b"33333333-3333-3333-3333-333333333333",
                "{33333333-3333-3333-3333-333333333333}",
                "urn:uuid:33333333-3333-3333-3333-333333333333",
                str(uuid.UUID(int=3 << 120)).upper()]:
        stash.put(key, key)
        shown.append(stash.take(key))
    stash.put("44444444-4444-4444-4444-444444444444", 1)
    shown.append(stash.take(b"44444444444444444444444444444444"))
    return repr(shown)
