"""A streamed call whose secrets were taken out, and the text of a panel that shows it."""

from respool.cassettes.interaction import Body, Interaction, Request, Response


def text(document):
    return "\n".join(line.text for line in document.lines)


def streamed():
    body = b'event: a\ndata: {"n": 1}\n\nevent: done\ndata: [DONE]\n\n'
    cut = body.index(b"event: done")
    request = Request(
        "POST",
        b"/v1/threads/runs?key=REDACTED",
        ((b"Authorization", b"Bearer REDACTED"),),
        Body.of(b'{"api_key":"REDACTED"}'),
    )
    response = Response(200, b"OK", (), Body.of(body), head_us=1_000, marks=((cut, 20_000), (len(body) - cut, 120_000)))
    return Interaction(7, 1_700_000_000_000_000, request, response, duration_us=120_000)
