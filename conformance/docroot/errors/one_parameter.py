def main(request):
    return b"never"
