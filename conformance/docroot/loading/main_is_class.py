class main:  # noqa: N801
    def __init__(self, request, response):
        response.content = b"set while constructed"

    def __len__(self):
        return 0

    def __iter__(self):
        return iter([b"instance ", b"as content"])
