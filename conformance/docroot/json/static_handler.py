import os

from wptserve.handlers import StaticHandler

main = StaticHandler(os.path.join(os.path.dirname(__file__), "template.txt"), {"name": "N"},
                     "text/x-template", X_One="1")
