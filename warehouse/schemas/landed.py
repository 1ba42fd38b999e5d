"""Rows too many for the warehouse: kept as Parquet below var/landed, one file for each file of the inbox."""

from warehouse.schemas.columns import choice, count, day, flag, instant, text
from warehouse.schemas.table import Table
from warehouse.vocabulary import REQUEST_STATUSES

MICRO = 1_000_000


class Requests(Table):
    """One accepted request, or one aggregate of requests, as its file delivered it; without prompt and answer.

    Times, units and token counts are whole numbers, so that their sums do not depend on an order.
    """

    source = text("source of the settings")
    request_id = text("identity within the source; equal ids are one request, rows without are never merged").or_null()
    position = count("place in the file: the later row has the greater one", "rows")
    day = day("UTC day of start_at")
    start_at = instant("start of the request")
    end_at = instant("end of the request").or_null()
    model = text("model as sent").or_null()
    deployment = text("deployment as sent").or_null()
    team = text("team as sent").or_null()
    tenant = text("tenant as sent").or_null()
    task = text("task as sent").or_null()
    status = choice("how it ended", *REQUEST_STATUSES)
    requests = count("1; more for an aggregate; 0 for a row that has an identity but is no request")
    input_tokens = count("tokens given to the model, cached ones included", "tokens").or_null()
    cached_input_tokens = count("part of the input read from a cache", "tokens").or_null()
    output_tokens = count("tokens produced, reasoning included", "tokens").or_null()
    units_micro = count("millionths of the units delivered", "millionth units").or_null()
    unit_name = text("what is delivered when it is not text").or_null()
    duration_us = count("from start to end", "microseconds").or_null()
    ttft_us = count("time to the first token", "microseconds").or_null()
    histogram_p50_us = count("median duration of the hour, where buckets tell of it", "microseconds").or_null()
    histogram_p95_us = count("95th percentile of that", "microseconds").or_null()
    cache_write_tokens = count("part of the input written to a cache", "tokens").or_null()
    is_cache_open = flag("whether cached and written tokens may prove to stand beside the input, and not inside it")
    call_type = text("kind of the call as a gateway logs it").or_null()
    response_id = text("id of the answer").or_null()
    trace_id = text("trace that the span belongs to").or_null()
    span_id = text("span").or_null()
    parent_span_id = text("span that this one stands in").or_null()
    span_role = choice(
        "whether a span asks a model, may do so, or repeats what it holds", "call", "leaf", "frame"
    ).or_null()
    has_usage = flag("whether the row carries any count of tokens or units")
    is_growth = flag(
        "the row is the usage of an hour, not of a request: its tokens count although no request may have ended in it"
    ).or_null()
