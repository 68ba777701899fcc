def main(request, response):
    response.set_error(404, "written now")
    response.write()
