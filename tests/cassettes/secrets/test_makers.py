"""What each maker's tokens look like is found at each of its marks, in words of JSON, and what only begins so stays."""

import json
import random

import pytest
from planted import word
from respool.cassettes.secrets.finder import clean
from respool.cassettes.secrets.makers import MAKERS
from respool.cassettes.secrets.policy import PLAIN

HEX = "0123456789abcdef"
BIG = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
TOKENS = {
    "apify_api_": 36,
    "csk-": 48,
    "e2b_": (40, HEX),
    "sk_": (48, HEX),
    "fc-": (32, HEX),
    "fw_": 24,
    "jina_": 60,
    "KGAT_": (32, HEX),
    "rpa_": (42, BIG),
    "wandb_v1_": 77,
    "LTAI": 20,
    "fo1_": 43,
    "fm1r_": 100,
    "fm2_": 100,
    "glc_": 80,
    "HRKU-AA": 58,
    "mdb_sa_sk_": 40,
    "napi_": 64,
    "nfp_": 36,
    "pscale_tkn_": 43,
    "pscale_pw_": 43,
    "rnd_": 28,
    "sb_secret_": 31,
    "sbp_": (40, HEX),
    "vca_": 24,
    "vci_": 24,
    "vck_": 24,
    "vcp_": 24,
    "vcr_": 24,
    "AQVN": 36,
    "AKCp": 69,
    "ATBB": 32,
    "bkua_": (40, HEX),
    "cio": 32,
    "pnu_": 36,
    "pul-": (40, HEX),
    "sgp_": 64,
    "ops_eyJ": 250,
    "xkeysib-": (64, HEX),
    "xsmtpsib-": (64, HEX),
    "CFPAT-": 43,
    "EZAK": 54,
    "EZTK": 54,
    "EAAC": 160,
    "phx_": 43,
    "rzp_live_": 14,
    "sq0csp-": 43,
    "sq0atp-": 22,
    "secret_": 43,
    "dp.pt.": 43,
    "dp.st.dev_eu.": 43,
    "sl.": 135,
    "sl.u.": 300,
}
STEM = "aB3dE5gH7jK9mN1p"
OTHERS = [
    f"CCIPAT_{'aB3' * 7}z_{'0a' * 20}",
    f"CLOJARS_{'a1b2c3' * 10}",
    f"PMAK-{'0a' * 12}-{'0b' * 17}",
    f"FLWSECK-{'0f' * 16}-X",
    "pat-na1-01234567-89ab-cdef-0123-456789abcdef",
    f"re_aB3dE5gH_{STEM}aB3dE5gH",
    f"MTIz{STEM}NjU4.GaB3dE.{STEM}{STEM}aB3dE5gH",
    f"dt0c01.{'AB3DE5' * 4}.{'AB3DE5GH' * 8}",
    f"{STEM[:14]}.atlasv1.{STEM * 4}",
]


def token(mark: str, rest: "int | tuple[int, str]") -> str:
    length, letters = rest if isinstance(rest, tuple) else (rest, None)
    chance = random.Random(mark)
    return mark + (word(chance, length, letters) if letters else word(chance, length))


@pytest.mark.parametrize("secret", [*(token(mark, rest) for mark, rest in TOKENS.items()), *OTHERS])
def test_it_goes_whole_wherever_a_word_begins(secret):
    for before, after in (("", ""), ("use ", " now"), ("\n", "\n"), ("https://h.example/?x=", "&y=1"), ("(", ")")):
        text = json.dumps({"content": before + secret + after}).encode()
        assert clean(text, PLAIN) == text.replace(secret.encode(), b"REDACTED"), text


def test_each_mark_is_looked_for():
    marks = {marker.decode() for rule in MAKERS if rule.name in NEW for marker in rule.markers}
    told = [*TOKENS, *OTHERS]
    assert {mark for mark in marks if not any(each.startswith(mark) or mark in each for each in told)} == UNTOLD


NEW = {"further-ai-maker", "host", "workshop", "office", "terraform-token", "dotted-token"}
UNTOLD = {"dp.sa.", "dt0s", "pat-eu"}


@pytest.mark.parametrize(
    "text",
    [
        b"secret_of_the_house_in_2026_is_long",
        b"cio_dashboard_for_the_year_2026",
        b"fc-barcelona-plays-in-2026-again",
        b"re_indexing_of_documents_v2_and_more",
        b"sk_learn_pipeline_of_2026_models",
        b"sl.example.org",
        b"pat-network-of-2026-and-on",
        b"MTU-of-1500-and-more-bytes.is.usual",
        b"OTHER_THINGS_OF_2026_AND_LATER",
        b"host_name_of_2026_and_later",
        b"EAAAAAAAAAAAAAAAAAAAAA",
        b"vcp_of_the_company_in_2026_or_so",
        b"phx_airport_terminal_4_departures",
        b"napi_threadsafe_function_2026",
    ],
)
def test_what_only_begins_so_stays(text):
    body = b'{"content": "' + text + b'"}'
    assert clean(body, PLAIN) == body


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "k"])
def test_each_private_member_of_a_web_key_goes_in_strings_of_json_too(member):
    told = word(random.Random(5), 43)
    text = json.dumps({"kty": "RSA", member: told, "kid": "2026-a"})
    for said in (text, json.dumps({"arguments": text}), json.dumps(json.dumps({"arguments": text}))):
        kept = clean(said.encode(), PLAIN)
        assert told.encode() not in kept
        assert b"2026-a" in kept
