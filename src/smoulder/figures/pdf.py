"""PDF with its objects in a fixed order, so that the same figure gives the same bytes.

vl_convert writes fonts and resources in another order each time.
"""

from __future__ import annotations

import re

_OBJECT_PLACE = re.compile(rb"^(\d{10}) \d{5} n", re.MULTILINE)
_RESOURCES = re.compile(rb"(/[A-Za-z]+ <<\n)((?: +/[A-Za-z]+\d+ \d+ 0 R\n){2,})(?= +>>)")
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")


def in_order(pdf: bytes) -> bytes:
    """Return a PDF with its resources sorted by name and its objects numbered in the order in which they are reached from the root.

    Knows the plain form that vl_convert writes (a table of objects at the end, no object streams; PDF 32000-1, 7.5).
    """
    start = pdf.rindex(b"xref\n", 0, pdf.rindex(b"startxref"))
    trailer = pdf[pdf.index(b"trailer", start) : pdf.index(b"startxref", start)]
    bodies: dict[int, tuple[bytes, bytes]] = {}
    for place in _OBJECT_PLACE.findall(pdf[start:]):
        number, _, body = pdf[int(place) : start].partition(b" 0 obj\n")
        head, stream, rest = body.partition(b"\nstream\n")
        if b"endobj" in head:
            head, stream, rest = head[: head.index(b"\nendobj")], b"", b""
        length = re.search(rb"/Length (\d+)", head)
        data = stream + rest[: int(length[1])] + b"\nendstream" if stream and length else b""
        bodies[int(number)] = (_RESOURCES.sub(_sorted, head), data)
    order: list[int] = []
    waiting = [int(number) for number in _REFERENCE.findall(trailer)]
    while waiting:
        number = waiting.pop(0)
        if number not in order:
            order.append(number)
            waiting += [int(found) for found in _REFERENCE.findall(bodies[number][0])]
    new = {number: place + 1 for place, number in enumerate(order)}

    def renamed(text: bytes) -> bytes:
        return _REFERENCE.sub(lambda found: b"%d 0 R" % new[int(found[1])], text)

    written = bytearray(pdf[: pdf.index(b"\n\n") + 2])
    places = []
    for number in order:
        head, data = bodies[number]
        places.append(len(written))
        written += b"%d 0 obj\n" % new[number] + renamed(head) + data + b"\nendobj\n\n"
    size = len(order) + 1
    table = b"xref\n0 %d\n0000000000 65535 f\r\n" % size + b"".join(b"%010d 00000 n\r\n" % place for place in places)
    ending = re.sub(rb"/Size \d+", b"/Size %d" % size, renamed(trailer))
    return bytes(written) + table + ending + b"startxref\n%d\n%%%%EOF" % len(written)


def _sorted(found: re.Match[bytes]) -> bytes:
    return found[1] + b"".join(sorted(found[2].splitlines(keepends=True)))
