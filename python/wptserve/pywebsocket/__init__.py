"""The API of WebSocket handlers: what ``*_wsh.py`` files import as ``pywebsocket3`` or
``mod_pywebsocket``.

A handler's own import statements lead here under both names (`importing`). Anywhere else those
names are an installed package's, if there is one.
"""
