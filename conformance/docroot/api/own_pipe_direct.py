from wptserve.pipes import Pipeline, pipe


@pipe()
def conformance_direct(request, response):
    response.headers.append("X-Direct", "ran")
    return response


def main(request, response):
    response.content = "content"
    # The decorator leaves the function as it was.
    conformance_direct(request, response)
    Pipeline("conformance_direct|status(202)")(request, response)
    response.headers.set("X-Registered", str("conformance_direct" in Pipeline.pipes))
