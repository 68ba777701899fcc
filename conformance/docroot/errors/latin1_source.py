# -*- coding: latin-1 -*-
def main(request, response):
    return "é"
