-- words: the balance from one month to the next
SELECT money(sum(opening_usd)), money(sum(closing_usd)), change(sum(additions_usd)), money(sum(amortized_usd)), money(sum(written_off_usd))
FROM exports.amortization WHERE month = this_month();

-- words: what is left when models retire
SELECT money(sum(stranded_usd)) FROM reports.runoffs;

-- words: the layers of the chart and its ends
WITH ranked AS (
    SELECT closing_usd, row_number() OVER (ORDER BY closing_usd DESC) AS place FROM exports.amortization WHERE month = this_month()
)
SELECT money(closing_usd) FROM ranked WHERE place <= 5
UNION ALL SELECT money(sum(closing_usd)) || ' ' || count(*) || ' others' FROM ranked WHERE place > 5
UNION ALL SELECT money(sum(closing_usd)) || ' ' || any_value(month_year(month)) FROM exports.amortization GROUP BY month
    HAVING month IN (this_month(), (SELECT min(month) FROM reports.month_figures))
UNION ALL SELECT count(*) || ' months' FROM reports.month_figures;

-- may: the months of the chart
SELECT tick(month) FROM reports.month_figures;

-- table: Roll-forward of October US$ million
WITH lines AS (
    SELECT *, {'units_of_production': 'per token', 'straight_line': 'per day'} AS methods
    FROM exports.amortization LEFT JOIN (SELECT model_id, months FROM reports.runoffs) USING (model_id)
    WHERE month = this_month() AND (opening_usd <> 0 OR additions_usd <> 0 OR amortized_usd <> 0 OR written_off_usd <> 0 OR closing_usd <> 0)
), printed AS (
    SELECT -closing_usd AS place, model_id, json_extract_string(methods::JSON, method), millions(opening_usd), millions_more(additions_usd),
        millions(-amortized_usd), millions(-written_off_usd), millions(closing_usd), tokens(expected_tokens), tokens(tokens_to_parity),
        fixed(months, 1)
    FROM lines
    UNION ALL
    SELECT 1, 'All models', '', millions(sum(opening_usd)), millions_more(sum(additions_usd)), millions(-sum(amortized_usd)),
        millions(-sum(written_off_usd)), millions(sum(closing_usd)), '', NULL, NULL
    FROM lines
)
SELECT * EXCLUDE (place) FROM printed ORDER BY place, model_id;
