"""A form (GET) and what it sent (POST): fields, and files with their size and SHA-256.

A file arrives as an object with .filename, .file (to read from) and .headers; a plain field
is bytes. Keys may repeat, and items() gives a list for each.
"""
import hashlib
import html

PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Upload</title><link rel="icon" href="logo.svg">
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 1rem }
form { display: grid; gap: .75rem; max-width: 24rem }
td, th { text-align: left; padding: .2rem .8rem .2rem 0 }
td:last-child { font: .8rem monospace; word-break: break-all }</style>
%s
</html>
"""

FORM = """<form method="post" enctype="multipart/form-data" action="upload.py">
<label>A note <input name="note" value="two words"></label>
<label>Files <input type="file" name="files" multiple></label>
<button>Send</button>
</form>"""


def main(request, response):
    headers = [("Content-Type", "text/html; charset=utf-8")]
    if request.method != "POST":
        return headers, PAGE % FORM

    rows = []
    for name, values in request.POST.items():
        for value in values:
            rows.append((name, *describe(value)))
    table = "".join("<tr>%s</tr>" % "".join("<td>%s</td>" % cell(column) for column in row)
                    for row in rows)
    return headers, PAGE % (
        "<table><tr><th>Field<th>Value or file name<th>Bytes<th>SHA-256</tr>%s</table>"
        '<p><a href="upload.py">Once more</a></p>' % table)


def describe(value):
    if hasattr(value, "file"):
        content = value.file.read()
        return value.filename, len(content), hashlib.sha256(content).hexdigest()
    return value, len(value), ""


def cell(column):
    # Names and values are bytes that were decoded as Latin-1; the page is UTF-8.
    if isinstance(column, str):
        column = column.encode("latin-1")
    text = column.decode("utf-8", "replace") if isinstance(column, bytes) else str(column)
    return html.escape(text)
