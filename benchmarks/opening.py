"""Opens one recording once, in a fresh process, and prints the milliseconds: `opening.py respool|vcr FILE`.

The modules are imported before the clock starts. `respool`: the cassette is opened, and one call in its middle found by its key
and read. `vcr`: VCR.py loads its YAML, which it does whole.
"""

import sys
import time
from pathlib import Path


def open_respool(path: Path) -> float:
    from respool.cassettes.reader import Reader

    with Reader.open(path) as reader:
        rows = list(reader.rows())
        key = rows[len(rows) // 2].summary.key
    began = time.perf_counter()
    with Reader.open(path) as reader:
        row = reader.rows_of_key(key)[0]
        if not reader.interaction(row).response:
            raise ValueError(f"{path}: the call in its middle has no response")
        return (time.perf_counter() - began) * 1e3


def open_vcr(path: Path) -> float:
    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.serializers import yamlserializer

    began = time.perf_counter()
    loaded = FilesystemPersister.load_cassette(path, yamlserializer)
    took = (time.perf_counter() - began) * 1e3
    if not loaded[0]:
        raise ValueError(f"{path} holds nothing")
    return took


def write_vcr(cassette: Path, path: Path) -> int:
    """Write the calls of a cassette as VCR.py does; returns how many."""
    from respool.cassettes.reader import Reader
    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.request import Request
    from vcr.serializers import yamlserializer

    requests, responses = [], []
    with Reader.open(cassette) as reader:
        for row in reader.rows():
            call = reader.interaction(row)
            asked, told = call.request, call.response
            if told is None:
                continue
            uri = "https://api.openai.com" + asked.target.decode("latin-1")
            requests.append(Request(asked.method, uri, asked.body.read() or None, _fields(asked.headers)))
            headers: dict[str, list[str]] = {}
            for name, value in _fields(told.headers).items():
                headers[name] = [value]
            status = {"code": told.status, "message": told.reason.decode("latin-1")}
            responses.append({"status": status, "headers": headers, "body": {"string": told.body.read()}})
    FilesystemPersister.save_cassette(path, {"requests": requests, "responses": responses}, yamlserializer)
    return len(requests)


def _fields(headers: tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def main() -> int:
    kind, path = sys.argv[1:]
    print({"respool": open_respool, "vcr": open_vcr}[kind](Path(path)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
