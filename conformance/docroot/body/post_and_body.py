def main(request, response):
    return repr([request.POST.first(b"a"), request.body])
