"""The example of wptserve's own documentation, as it stands there: a str key finds the parameter.

Values are bytes whatever the type of the key, and without `?content-type=…` the lookup
raises a KeyError, which the client sees as a 500 with its traceback.
"""


def main(request, response):
    content_type = request.GET.first('content-type')
    headers = [('Content-Type', content_type)]
    return (200, 'my status text'), headers, 'my response content'
