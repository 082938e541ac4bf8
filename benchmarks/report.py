"""What was measured, put side by side: series, ratios between them round by round, and both as tables.

A ratio is taken within a round, between things that ran seconds apart, and given as the median of the rounds with the
smallest and the largest. No figure here is a claim for another machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

BEGIN = "<!-- measured: begin (written by benchmarks/run.py --write) -->"
END = "<!-- measured: end -->"


@dataclass(slots=True)
class Series:
    """What one contender cost, a figure a round (`costs`, in `unit`), and its requests a second where there are any."""

    name: str
    unit: str
    costs: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times less `ours` costs than `reference`; above 1 it is cheaper. `target` is the least that is wanted."""

    name: str
    ours: Series
    reference: Series
    target: float | None = None

    def values(self) -> list[float]:
        return [theirs / ours for ours, theirs in zip(self.ours.costs, self.reference.costs, strict=True)]

    def rate_values(self) -> list[float]:
        """The same by requests a second; empty where there are none."""
        return [ours / theirs for ours, theirs in zip(self.ours.rates, self.reference.rates, strict=True)]

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if median(self.values()) >= self.target else "not met"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A cost that is to stay below `limit`, in the series' unit."""

    name: str
    ours: Series
    limit: float

    @property
    def verdict(self) -> str:
        return "met" if median(self.ours.costs) < self.limit else "not met"


@dataclass(slots=True)
class Finding:
    """The outcome of one measure. `remarks` are sentences that a reader of the figures must know."""

    measure: str
    series: list[Series]
    ratios: list[Ratio] = field(default_factory=list)
    ceilings: list[Ceiling] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def spread(values: Sequence[float], digits: int) -> str:
    """The median and, in brackets, the smallest and the largest."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}..{max(values):,.{digits}f})"


def _digits(values: Sequence[float]) -> int:
    middle = median(values)
    return 0 if middle >= 1000 else 1 if middle >= 10 else 2


def ratio_table(findings: Sequence[Finding]) -> list[list[str]]:
    rows = [["compared", "ratio by cost", "by requests/s", "target", ""]]
    for finding in findings:
        for ratio in finding.ratios:
            rates = ratio.rate_values()
            rows.append(
                [
                    ratio.name,
                    spread(ratio.values(), _digits(ratio.values())),
                    spread(rates, 2) if rates else "",
                    f">= {ratio.target:g}" if ratio.target is not None else "",
                    ratio.verdict,
                ]
            )
        for ceiling in finding.ceilings:
            costs = ceiling.ours.costs
            shown = f"{spread(costs, _digits(costs))} {ceiling.ours.unit}"
            rows.append([ceiling.name, shown, "", f"< {ceiling.limit:g} {ceiling.ours.unit}", ceiling.verdict])
    return rows


def cost_table(findings: Sequence[Finding]) -> list[list[str]]:
    rows = [["measure", "contender", "cost", "unit", "requests/s"]]
    for finding in findings:
        for series in finding.series:
            name = f"{series.name} ({series.note})" if series.note else series.name
            rates = spread(series.rates, 0) if series.rates else ""
            rows.append([finding.measure, name, spread(series.costs, _digits(series.costs)), series.unit, rates])
    return rows


def plain(rows: list[list[str]]) -> str:
    """A table for a terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def remarks(findings: Sequence[Finding]) -> list[str]:
    return [f"{finding.measure}: {remark}" for finding in findings for remark in finding.remarks]


def write_document(path: Path, findings: Sequence[Finding], facts: Sequence[tuple[str, str]]) -> None:
    """Put the tables between the marks in a document. Raises ValueError when it has no marks."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the tables: it lacks the lines\n  {BEGIN}\n  {END}")
    parts = [
        markdown(ratio_table(findings)),
        markdown(cost_table(findings)),
        "\n".join(f"- {remark}" for remark in remarks(findings)),
        "\n".join(f"- {name}: {value}" for name, value in facts),
    ]
    body = "\n\n".join(part for part in parts if part)
    path.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")
