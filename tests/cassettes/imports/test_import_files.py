"""Whole imports: several files into one cassette, in order, redacted, all or nothing."""

import json
from pathlib import Path

import pytest
import yaml
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.imports import import_files, importer
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader

HOST = "https://api.example.com/v1"
SECRET = "sk-abcdefghijklmnop"


def dump(file: dict) -> str:
    return yaml.dump(file, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def call(method: str, path: str, answer: object = None, *, at: str = "", status: int = 200, host: str = HOST) -> dict:
    """A Ruby VCR call; `at` is the time of day at which it was recorded."""
    body = answer if isinstance(answer, str) else json.dumps(answer or {})
    item = {
        "request": {
            "method": method,
            "uri": host + path,
            "body": {"encoding": "UTF-8", "string": ""},
            "headers": {"Authorization": [f"Bearer {SECRET}"], "Openai-Beta": ["assistants=v1"]},
        },
        "response": {
            "status": {"code": status, "message": "OK"},
            "headers": {"Content-Type": ["application/json"], "Openai-Processing-Ms": ["65"]},
            "body": {"encoding": "UTF-8", "string": body},
        },
    }
    return item | ({"recorded_at": f"Tue, 14 Nov 2023 {at} GMT"} if at else {})


def ruby(path: Path, *items: dict) -> Path:
    path.write_text(dump({"http_interactions": list(items), "recorded_with": "VCR 6.1.0"}))
    return path


def vcr_py(path: Path, *paths: str, dates: tuple[str, ...] = ()) -> Path:
    items = []
    for number, target in enumerate(paths):
        headers = {"Date": [f"Tue, 14 Nov 2023 {dates[number]} GMT"]} if dates and dates[number] else {}
        items.append(
            {
                "request": {"body": None, "headers": {}, "method": "GET", "uri": HOST + target},
                "response": {
                    "body": {"string": "{}"},
                    "headers": headers,
                    "status": {"code": 200, "message": "OK"},
                },
            }
        )
    path.write_text(dump({"interactions": items, "version": 1}))
    return path


def calls(cassette: Path) -> list[Interaction]:
    with Reader.open(cassette) as reader:
        found = [reader.interaction(row) for row in reader.rows()]
        for interaction in found:
            assert interaction.response is not None
            interaction.response.body.read()
        return found


def targets(cassette: Path) -> list[str]:
    return [one.request.target.decode().removeprefix("/v1") for one in calls(cassette)]


def test_files_that_say_when_are_merged_in_that_order(tmp_path):
    late = ruby(tmp_path / "a.yml", call("get", "/threads/t", at="10:00:03"), call("get", "/threads/z", at="10:00:09"))
    early = ruby(tmp_path / "b.yml", call("post", "/threads", {"id": "t"}, at="10:00:01"))
    out = tmp_path / "out.cassette"
    report = import_files([late, early], out)
    assert targets(out) == ["/threads", "/threads/t", "/threads/z"]
    assert (report.files, report.interactions, report.formats) == (2, 3, ("Ruby VCR YAML",))
    assert any("merged in the order of their times" in note for note in report.notes)
    with Reader.open(out) as reader:
        assert reader.scopes() == ["t", "z"]
        assert [source["file"] for source in reader.meta["imported_from"]] == ["a.yml", "b.yml"]
        assert reader.meta["upstream"] == HOST


def test_within_a_second_a_call_follows_the_one_that_made_what_it_names(tmp_path):
    at = "10:00:01"
    sources = [
        ruby(tmp_path / "a.yml", call("post", "/threads/t/runs/r/cancel", {"id": "r"}, at=at)),
        ruby(tmp_path / "b.yml", call("get", "/threads/t/runs/r/steps/s", at=at, status=404)),
        ruby(tmp_path / "c.yml", call("get", "/models", at=at)),
        ruby(tmp_path / "d.yml", call("post", "/threads/t/runs", 'event: x\ndata: {"id": "r"}\n\n', at=at)),
        ruby(tmp_path / "e.yml", call("post", "/threads", {"id": "t"}, at=at)),
    ]
    import_files(sources, tmp_path / "out.cassette")
    assert targets(tmp_path / "out.cassette") == [
        "/threads",
        "/threads/t/runs",
        "/threads/t/runs/r/cancel",
        "/threads/t/runs/r/steps/s",
        "/models",
    ]


def test_causes_that_go_in_a_circle_or_very_deep_do_no_harm(tmp_path):
    at = "10:00:01"
    circle = [call("post", "/threads/a", {"id": "b"}, at=at), call("post", "/threads/b", {"id": "a"}, at=at)]
    chain = [call("post", f"/threads/n{n + 1}", {"id": f"n{n}"}, at=at) for n in range(1500)]
    sources = [ruby(tmp_path / "a.yml", *circle), ruby(tmp_path / "b.yml", *chain)]
    import_files(sources, tmp_path / "out.cassette")
    found = targets(tmp_path / "out.cassette")
    assert sorted(found[:2]) == ["/threads/a", "/threads/b"]
    assert found[2:] == [f"/threads/n{n + 1}" for n in reversed(range(1500))]


def test_files_that_do_not_all_say_when_follow_one_another(tmp_path):
    first = ruby(tmp_path / "a.yml", call("get", "/threads/late", at="12:00:00"))
    second = vcr_py(tmp_path / "b.yaml", "/threads/early", dates=("10:00:00",))
    out = tmp_path / "out.cassette"
    report = import_files([first, second], out)
    assert targets(out) == ["/threads/late", "/threads/early"]
    assert report.formats == ("Ruby VCR YAML", "VCR.py YAML")
    assert any("in the order given" in note for note in report.notes)
    assert [one.started_us for one in calls(out)] == [1_699_963_200_000_000, 1_699_956_000_000_000]


def test_a_single_file_keeps_its_order_whatever_its_times(tmp_path):
    source = ruby(
        tmp_path / "a.yml", call("get", "/threads/b", at="12:00:00"), call("get", "/threads/a", at="10:00:00")
    )
    import_files([source], tmp_path / "out.cassette")
    assert targets(tmp_path / "out.cassette") == ["/threads/b", "/threads/a"]


def test_times_follow_the_date_header_and_always_grow(tmp_path):
    dates = ("", "10:00:00", "10:00:00", "", "09:59:59", "10:00:02")
    source = vcr_py(tmp_path / "a.yaml", *[f"/threads/{n}" for n in range(6)], dates=dates)
    report = import_files([source], tmp_path / "out.cassette")
    zero = 1_699_956_000_000_000
    started = [one.started_us - zero for one in calls(tmp_path / "out.cassette")]
    assert started == [0, 1, 2, 3, 4, 2_000_000]
    assert any("no timings" in note for note in report.notes)
    assert any("2 of 6 calls have no time" in note for note in report.notes)


def test_credentials_are_gone_and_what_the_client_could_tell_apart_is_kept(tmp_path):
    source = ruby(tmp_path / "a.yml", call("post", "/threads", {"id": "t", "echo": SECRET}, at="10:00:00"))
    out = tmp_path / "out.cassette"
    report = import_files([source], out)
    assert SECRET.encode() not in out.read_bytes()
    (one,) = calls(out)
    assert one.scope == "t"
    assert one.variant & 15 == 1
    assert one.variant >> 4 > 0
    assert (one.duration_us, one.response.head_us if one.response else None) == (65_000, 65_000)
    assert any("openai-processing-ms" in note for note in report.notes)


def test_other_hosts_redirects_and_repeated_calls_are_kept(tmp_path):
    source = ruby(
        tmp_path / "a.yml",
        call("get", "/blob?x=1", host="https://blobs.example.net", at="10:00:00", status=302),
        call("get", "/threads/t", at="10:00:01"),
        call("get", "/threads/t", at="10:00:01"),
    )
    out = tmp_path / "out.cassette"
    report = import_files([source], out)
    assert [one.request.target for one in calls(out)] == [b"/blob?x=1", b"/v1/threads/t", b"/v1/threads/t"]
    assert any("2 hosts" in note and "blobs.example.net" in note for note in report.notes)
    with Reader.open(out) as reader:
        assert reader.meta["upstream"] == HOST


def test_progress_counts_to_the_end(tmp_path):
    seen: list[tuple[int, int]] = []
    sources = [ruby(tmp_path / f"{n}.yml", call("get", f"/threads/{n}", at="10:00:00")) for n in range(3)]
    import_files(sources, tmp_path / "out.cassette", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, 7))
    assert seen[-1] == (6, 6)


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "cassette" in path.name)


def test_an_import_of_a_bad_file_leaves_nothing(tmp_path):
    good = ruby(tmp_path / "a.yml", call("get", "/threads/t", at="10:00:00"))
    bad = tmp_path / "b.yml"
    bad.write_text("http_interactions:\n- request: 5\n")
    with pytest.raises(CassetteError, match=r"b\.yml: http_interactions\[0\]"):
        import_files([good, bad], tmp_path / "out.cassette")
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("failure", [CassetteError("disk full"), KeyboardInterrupt(), OSError(28, "No space")])
def test_an_import_that_fails_while_writing_leaves_nothing(tmp_path, monkeypatch, failure):
    source = ruby(tmp_path / "a.yml", *[call("get", f"/threads/{n}", at="10:00:00") for n in range(5)])
    summarise = importer.summarise

    def fails_at_the_third(interaction, **more):
        if interaction.arrival >= 2:
            raise failure
        return summarise(interaction, **more)

    monkeypatch.setattr(importer, "summarise", fails_at_the_third)
    with pytest.raises(type(failure)):
        import_files([source], tmp_path / "out.cassette")
    assert left_over(tmp_path) == []


def test_a_cassette_in_the_way_is_kept_unless_it_may_be_replaced(tmp_path):
    source = ruby(tmp_path / "a.yml", call("get", "/threads/new", at="10:00:00"))
    other = ruby(tmp_path / "b.yml", call("get", "/threads/old", at="10:00:00"))
    out = tmp_path / "out.cassette"
    import_files([other], out)
    with pytest.raises(CassetteError, match="exists"):
        import_files([source], out)
    assert targets(out) == ["/threads/old"]
    import_files([source], out, overwrite=True)
    assert targets(out) == ["/threads/new"]
    with pytest.raises(CassetteError):
        import_files([tmp_path / "missing.yml"], out, overwrite=True)
    assert targets(out) == ["/threads/new"]


def test_wrong_calls_are_told_apart_from_bad_files(tmp_path):
    source = ruby(tmp_path / "a.yml", call("get", "/threads/t", at="10:00:00"))
    with pytest.raises(UsageError, match="no file"):
        import_files([], tmp_path / "out.cassette")
    with pytest.raises(UsageError, match="one of the files"):
        import_files([source], source, overwrite=True)
    with pytest.raises(CassetteError, match="no call"):
        import_files([ruby(tmp_path / "empty.yml")], tmp_path / "out.cassette")
    assert left_over(tmp_path) == []
    assert source.exists()


def test_an_empty_file_among_others_is_noted(tmp_path):
    sources = [ruby(tmp_path / "a.yml"), ruby(tmp_path / "b.yml", call("get", "/threads/t", at="10:00:00"))]
    report = import_files(sources, tmp_path / "out.cassette")
    assert "no call is in a.yml" in report.notes
