"""The standard library's modules that this package imports within its functions.

The engine imports this module before the first handler runs: by the time that one of them is
needed, a file of the same name in the document root, or a changed `sys.path`, is in nobody's way.
"""

from __future__ import annotations

import _compat_pickle
import binascii
import copyreg
import datetime
import email.message
import email.parser
import http
import http.client
import http.cookies
import http.server
import importlib
import json
import linecache
import logging
import pathlib
import pickle
import queue
import socket
import string
import tempfile
import tokenize
import traceback
import urllib.parse
import uuid

# What the modules above import when they are first used.
import encodings.ascii
import encodings.idna
import encodings.latin_1
import encodings.utf_8
