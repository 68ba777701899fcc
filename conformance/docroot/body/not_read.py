def main(request, response):
    return "left alone"
