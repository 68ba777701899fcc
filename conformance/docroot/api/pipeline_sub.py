from wptserve.pipes import Pipeline


def main(request, response):
    response.content = "{{host}} {{$a:url_base}}{{$a}}"
    Pipeline("sub(none)|header(X-A,1)|header(X-A,2,true)")(request, response)
