def main(request, response):
    try:
        request.server.stash.put("99999999-9999-9999-9999-999999999999", lambda: 1)
    except Exception as error:
        return "refused: " + type(error).__name__
    return "kept"
