"""Which spans of a trace are one request: calls inside calls, agents that repeat their calls, one answer told twice.

Of a call that several spans tell, the inner one counts, unless only an outer one names the model. Everything here is
joins and chains of parents within the traces at hand; nothing compares each span with each other.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import polars as pl

DEEPEST: Final = 256
"""Parents followed from a span upwards; a longer chain, or a circle, ends there."""

_NODES: Final = ("source", "trace_id", "span_id")
_NONE: Final = -1

Nodes = np.ndarray[tuple[int], np.dtype[np.int64]]


class Resolved(NamedTuple):
    """What a trace says twice, and what it says that nothing counts.

    `uncounted` is one row a span that does not count: delivery, position, day, reason (`nested`: another span is the
    same request; `repeats`: its usage is that of spans within it). `in_doubt` is one row a span whose usage stands
    beside that of calls inside it and may be the same: delivery, source, model, day, tokens. `unused` is one row a span
    that repeats calls but tells of more usage than these: delivery, source, model, day, tokens.
    """

    uncounted: pl.DataFrame
    in_doubt: pl.DataFrame
    unused: pl.DataFrame


def resolved(spans: pl.DataFrame) -> Resolved:
    """What counts of whole traces; `spans` are all their spans with the columns of landed.requests and `delivery`."""
    nodes = spans.sort("source", "trace_id", "delivery", "position").with_row_index("node").with_columns(_TOKENS)
    tree = _Tree(nodes, _parents(nodes))
    counted, repeats = tree.counting()
    nested, doubtful = tree.told_again(counted)
    counted &= ~nested
    answers = _one_answer(nodes.filter(pl.Series(counted)))
    nested[answers] = True
    counted[answers] = False
    reasons = pl.Series(np.where(nested, "nested", np.where(repeats, "repeats", "")), dtype=pl.String)
    return Resolved(
        nodes.with_columns(reasons.alias("reason"))
        .filter(pl.col("reason") != "")
        .select(*_ROW, "reason", (pl.col("requests") > 0).alias("is_request")),
        nodes.filter(pl.Series(doubtful & counted)).select(*_DOUBT_COLUMNS),
        tree.unused(counted).select(*_DOUBT_COLUMNS),
    )


_ROW: Final = ("delivery", "position", "day")
_DOUBT_COLUMNS: Final = ("delivery", "source", "model", "day", "tokens")
_INPUT: Final = pl.col("input_tokens").fill_null(0)
_PARTS: Final = pl.col("cached_input_tokens").fill_null(0) + pl.col("cache_write_tokens").fill_null(0)
_TOKENS: Final = (
    _INPUT.alias("given"),
    (_INPUT + pl.when("is_cache_open").then(_PARTS).otherwise(0)).alias("given_beside"),
    pl.col("output_tokens").fill_null(0).alias("produced"),
    (_INPUT + pl.col("output_tokens").fill_null(0)).alias("tokens"),
)
"""Two libraries may count the cache inside and beside the input of one call: either reading may agree."""


def _parents(nodes: pl.DataFrame) -> Nodes:
    """The node of each span's parent; -1 where it has none, or none that was delivered."""
    places = nodes.select(*_NODES, parent="node").unique(list(_NODES), keep="first", maintain_order=True)
    parents = nodes.join(
        places,
        left_on=["source", "trace_id", "parent_span_id"],
        right_on=list(_NODES),
        how="left",
        maintain_order="left",
    )["parent"]
    indexes = parents.cast(pl.Int64).fill_null(_NONE).to_numpy().copy()
    indexes[indexes == np.arange(len(indexes))] = _NONE
    return indexes


class _Tree:
    """The spans of traces with their parents; a span is its number."""

    def __init__(self, nodes: pl.DataFrame, parents: Nodes) -> None:
        self.nodes, self.parents = nodes, parents
        self.has_usage = nodes["has_usage"].to_numpy()
        self.role = nodes["span_role"].to_numpy()
        columns = ("given", "given_beside", "produced", "tokens")
        self.given, self.given_beside, self.produced, self.tokens = (nodes[name].to_numpy() for name in columns)
        self.model = nodes["model"].fill_null("").to_numpy()

    def above(self, marked: np.ndarray) -> Nodes:
        """The nearest marked span above each span; -1 where there is none."""
        ancestors = self.parents.copy()
        for _ in range(DEEPEST):
            onward = (ancestors != _NONE) & ~marked[ancestors]
            if not onward.any():
                return ancestors
            ancestors[onward] = self.parents[ancestors[onward]]
        ancestors[(ancestors != _NONE) & ~marked[ancestors]] = _NONE
        return ancestors

    def counting(self) -> tuple[np.ndarray, np.ndarray]:
        """Spans that count as requests by themselves, and those with usage that only repeat spans within them."""
        is_call, is_leaf = self.role == "call", self.role == "leaf"
        tells = (is_call | is_leaf) & self.has_usage
        above = self.above(tells)
        holds = np.zeros(len(self.role), dtype=bool)
        holds[above[tells & (above != _NONE)]] = True
        repeats = is_leaf & holds
        return is_call | (is_leaf & ~holds), repeats

    def told_again(self, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Counted spans that another counted span tells again, and those whose usage differs from calls within."""
        above, size = self.above(counted), len(counted)
        inner = np.flatnonzero(counted & (above != _NONE))
        outer = above[inner]
        nested, doubtful = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        alike = self._one_model(outer, inner)
        silent_inner = alike & ~self.has_usage[inner] & self.has_usage[outer]
        nested[inner[silent_inner]] = True
        same = self._equal(outer, inner) | (alike & ~self.has_usage[outer])
        follows = np.full(size, _NONE)
        follows[outer[same & ~silent_inner][::-1]] = inner[same & ~silent_inner][::-1]
        nested |= self._but_the_best(follows, counted)
        in_sum = self._is_the_sum(outer, inner, size) & (follows == _NONE)
        nested |= in_sum
        differs = alike & ~same & ~silent_inner & (follows[outer] == _NONE) & ~in_sum[outer]
        doubtful[outer[differs]] = True
        return nested, doubtful

    def _one_model(self, outer: Nodes, inner: Nodes) -> np.ndarray:
        theirs, ours = self.model[outer], self.model[inner]
        return np.asarray((theirs == ours) | (theirs == "") | (ours == ""))

    def _equal(self, outer: Nodes, inner: Nodes) -> np.ndarray:
        """Whether two spans tell of the same usage, whether they count a cache inside or beside the input."""
        readings = [(self.given, self.given), (self.given_beside, self.given), (self.given, self.given_beside)]
        equal = np.any([ours[outer] == theirs[inner] for ours, theirs in readings], axis=0)
        both = self.has_usage[outer] & self.has_usage[inner]
        return np.asarray(equal & both & (self.produced[outer] == self.produced[inner]))

    def _but_the_best(self, follows: Nodes, counted: np.ndarray) -> np.ndarray:
        """Of each chain of spans that tell one call, all but the innermost; but the innermost that names a model."""
        end = np.arange(len(follows))
        depth = np.zeros(len(follows), dtype=np.int64)
        for _ in range(DEEPEST):
            onward = follows[end] != _NONE
            if not onward.any():
                break
            end[onward] = follows[end[onward]]
            depth[onward] += 1
        chain = pl.DataFrame(
            {"node": np.arange(len(end)), "end": end, "depth": depth, "is_silent": self.model == ""}
        ).filter(pl.Series(counted))
        best = chain.sort("end", "is_silent", "depth", "node").unique("end", keep="first")["node"].to_numpy()
        others = counted.copy()
        others[best] = False
        return others

    def _is_the_sum(self, outer: Nodes, inner: Nodes, size: int) -> np.ndarray:
        """Spans whose usage is that of several calls directly within them, added up."""
        given, produced = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        calls = np.zeros(size, dtype=np.int64)
        np.add.at(given, outer, self.given[inner])
        np.add.at(produced, outer, self.produced[inner])
        np.add.at(calls, outer, 1)
        return np.asarray((calls > 1) & self.has_usage & (given == self.given) & (produced == self.produced))

    def unused(self, counted: np.ndarray) -> pl.DataFrame:
        """Outermost spans that count nothing though they carry usage, with what no counted span within them tells."""
        carries = self.has_usage & ~counted & (self.role != "call")
        top = self._outermost(carries)
        inner_tokens = np.zeros(len(top), dtype=np.int64)
        inside = counted & (top != _NONE)
        np.add.at(inner_tokens, top[inside], self.tokens[inside])
        outermost = carries & (top == _NONE)
        missing = np.where(outermost, self.tokens - inner_tokens, 0)
        return self.nodes.with_columns(pl.Series("tokens", missing)).filter(pl.col("tokens") > 0)

    def _outermost(self, marked: np.ndarray) -> Nodes:
        """The uppermost marked span above each span; -1 where there is none."""
        above = self.above(marked)
        outermost = above
        for _ in range(DEEPEST):
            higher = np.where(outermost != _NONE, above[outermost], _NONE)
            if not (higher != _NONE).any():
                return outermost
            outermost = np.where(higher != _NONE, higher, outermost)
        return outermost


def _one_answer(counted: pl.DataFrame) -> Nodes:
    """Spans of one trace with one response at one time: all but the best of them."""
    stop = pl.max_horizontal("start_at", pl.col("end_at").fill_null(pl.col("start_at")))
    by = ["source", "trace_id", "response_id"]
    timed = counted.filter(pl.col("response_id").is_not_null()).with_columns(stop.alias("stop"))
    reached = pl.col("stop").cum_max().shift(1).over(by)
    is_new = reached.is_null() | (
        (pl.col("start_at") >= reached) & (pl.col("start_at") > pl.col("start_at").shift(1).over(by))
    )
    ranked = (
        timed.sort(*by, "start_at", "stop", "delivery", "position")
        .with_columns(is_new.cum_sum().over(by).alias("call"))
        .with_columns(pl.col("model").is_null().alias("is_silent"))
        .sort(
            "is_silent",
            "stop",
            "produced",
            "given",
            "delivery",
            "position",
            descending=[False, True, True, True, False, False],
        )
    )
    best = ranked.unique([*by, "call"], keep="first", maintain_order=True)["node"]
    return ranked.filter(~pl.col("node").is_in(best.implode()))["node"].to_numpy().astype(np.int64)
