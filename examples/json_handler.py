"""@json_handler turns what main() returns into JSON, with its Content-Type and Content-Length."""
from wptserve.handlers import json_handler


@json_handler
def main(request, response):
    return {"path": request.request_path,
            "query": {name.decode("latin-1"): [value.decode("latin-1") for value in values]
                      for name, values in request.GET.items()}}
