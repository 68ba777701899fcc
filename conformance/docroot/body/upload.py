def main(request, response):
    parts = []
    for key, values in sorted(request.POST.items()):
        for value in values:
            if hasattr(value, "filename"):
                parts.append((key, value.filename, value.type, value.headers["Content-Type"],
                              value.value, value.name))
            else:
                parts.append((key, value))
    return repr(parts)
