def main(request, response):
    post = request.POST
    return repr([post.first(b"a"), post[b"a"], post.last(b"a"), post.get(b"a"), post.get(b"none"),
                 post.get_list(b"a"), b"a" in post, post.first(b"none", 1), type(post).__name__])
