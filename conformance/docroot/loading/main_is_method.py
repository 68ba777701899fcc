class Handler:
    def answer(self, request, response):
        return b"bound method"


main = Handler().answer
