from wptserve.utils import invert_dict, is_bad_port, isomorphic_decode, isomorphic_encode


def main(request, response):
    return repr([isomorphic_encode("\xe9"), isomorphic_encode(b"\xe9"), isomorphic_decode(b"\xe9"),
                 isomorphic_decode("\xe9"), invert_dict({"a": ["b", "c"]}), is_bad_port(25),
                 is_bad_port(8000)])
