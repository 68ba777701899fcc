import time


def main(request, response):
    time.sleep(0.15)
    return b"slept"
