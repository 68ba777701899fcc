from wptserve.pipes import Pipeline, opt, pipe

NAMES = ["gzip", "header", "slice", "status", "sub", "trickle"]


def main(request, response):
    try:
        pipe(opt(str), int)
        text = "taken"
    except ValueError:
        text = "ValueError"
    made = pipe(str, opt(int), opt(int))
    return repr([text, made.min_args, made.max_args, [n for n in NAMES if n in Pipeline.pipes]])
