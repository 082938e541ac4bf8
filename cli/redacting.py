"""The redaction that a command line asks for: options, the project's settings, and the key of the pseudonyms."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cassettes.secrets.cleaning import Cleaning
    from ..cassettes.secrets.policy import Policy
    from ..cassettes.settings import Redaction


def add_redaction(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is redacted besides (docs/secrets.md)")
    group.add_argument(
        "--redact",
        action="append",
        default=[],
        metavar="RULE",
        help="take out more: name:NAME, a field, parameter or header of this name; text:TEXT, where TEXT may end with *; may be "
        "repeated",
    )
    group.add_argument(
        "--redact-allow",
        action="append",
        default=[],
        metavar="RULE",
        help="let stand: name:NAME, text:TEXT, or rule:RULE, a rule of the table; may be repeated",
    )
    group.add_argument(
        "--redact-pii",
        action="store_true",
        help="take out mail addresses, phone numbers, IBANs, card numbers and public IP addresses",
    )


def cleaning_of(arguments: argparse.Namespace, cassette: Path | None) -> "Cleaning":
    """What a new cassette is redacted with. The key of the pseudonyms is made if there is none. Raises UsageError."""
    from ..cassettes.secrets.cleaning import Cleaning
    from ..cassettes.secrets.pseudonyms import Pseudonyms, key_path, read_key

    found = _found(arguments, cassette)
    return Cleaning(found.policy, Pseudonyms(read_key(key_path(os.environ, found.key_file))))


def policy_of(arguments: argparse.Namespace, cassette: Path | None) -> "Policy":
    """By which rules something is shown that is not kept; without options by the project's. Raises UsageError."""
    return _found(arguments, cassette).policy


def _found(arguments: argparse.Namespace, cassette: Path | None) -> "Redaction":
    from ..cassettes.settings import redaction_for

    given = vars(arguments)
    redact, allow = given.get("redact", []), given.get("redact_allow", [])
    return redaction_for(cassette, redact=redact, allow=allow, pii=given.get("redact_pii", False))
