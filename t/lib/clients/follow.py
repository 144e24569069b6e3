# SPDX-License-Identifier: Apache-2.0
"""Python's HTTP libraries send a body to a URL that redirects, and follow as they do by themselves.

follow.py LIBRARY CERTIFICATE: each line of standard input is "METHOD URL FILE KIND", KIND being "bytes" (the library
holds the body) or "stream" (it gets pieces, once). For each a line: the statuses on the way, the HTTP version, and what
the last server said, or the error by its name.
"""
import sys
import urllib.error
import urllib.request
import ssl


def pieces(path):
    with open(path, "rb") as file:
        while piece := file.read(16384):
            yield piece


def body_of(path, kind):
    if kind == "stream":
        return pieces(path)
    with open(path, "rb") as file:
        return file.read()


def with_requests(certificate):
    import requests

    def send(method, url, body):
        answer = requests.request(method, url, data=body, verify=certificate, timeout=60)
        return [r.status_code for r in [*answer.history, answer]], "HTTP/1.1", answer.text

    return send


def with_httpx(certificate, http2):
    import httpx

    client = httpx.Client(verify=certificate, http2=http2, follow_redirects=True, timeout=60)

    def send(method, url, body):
        answer = client.request(method, url, content=body)
        return [r.status_code for r in [*answer.history, answer]], answer.http_version, answer.text

    return send


def with_urllib(certificate):
    context = ssl.create_default_context(cafile=certificate)

    def send(method, url, body):
        request = urllib.request.Request(url, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                return [answer.status], "HTTP/1.1", answer.read().decode()
        except urllib.error.HTTPError as error:
            return [error.code], "HTTP/1.1", "not followed"

    return send


def main():
    library, certificate = sys.argv[1:]
    send = {
        "requests": lambda: with_requests(certificate),
        "httpx": lambda: with_httpx(certificate, False),
        "httpx-h2": lambda: with_httpx(certificate, True),
        "urllib": lambda: with_urllib(certificate),
    }[library]()
    for line in sys.stdin:
        method, url, path, kind = line.split()
        try:
            statuses, version, text = send(method, url, body_of(path, kind))
            print(*statuses, version, text.strip(), flush=True)
        except Exception as error:  # whatever the library calls it
            print(type(error).__name__, flush=True)


main()
