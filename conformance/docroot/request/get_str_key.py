def main(request, response):
    return repr(["a" in request.GET, request.GET.first("a", None), request.GET.get("a"),
                 request.GET.get_list("a"), request.GET.last("a", None)])
