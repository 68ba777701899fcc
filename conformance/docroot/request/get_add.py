def main(request, response):
    request.GET.add(b"b", b"2")
    request.GET.add(b"a", b"2")
    request.GET[b"c"] = b"3"
    return repr([sorted(request.GET.items()), request.GET[b"c"]])
