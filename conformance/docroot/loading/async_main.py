async def main(request, response):
    return b"never awaited"
