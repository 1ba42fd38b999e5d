-- words: the balance from one month to the next
SELECT money(sum(opening_usd)), money(sum(closing_usd))
FROM exports.amortization WHERE month = this_month();

-- words: what would be left when models retire: the balance less what is amortised until then
WITH service AS (
    SELECT model_id, sum(input_tokens + output_tokens) / 28 AS daily FROM economics.daily_service
    WHERE day >= (SELECT period_end FROM reports.subject) - 28 AND day < (SELECT period_end FROM reports.subject) GROUP BY ALL
), runs AS (
    SELECT closing_usd, retires_on, date_diff('day', (SELECT period_end FROM reports.subject), retires_on) + 1 AS served,
        CASE method WHEN 'straight_line' THEN expected_days * closing_usd / (closing_usd + amortized_usd)
            ELSE (expected_tokens - tokens_served) / daily END AS left_days
    FROM exports.amortization JOIN policy.models USING (model_id) LEFT JOIN service USING (model_id) WHERE month = this_month() AND closing_usd <> 0
)
SELECT money(sum(closing_usd * (1 - served / left_days)) FILTER (left_days > served)), (count(*) FILTER (left_days > served))::TEXT || ' lives',
    money(max(closing_usd * (1 - served / left_days)) FILTER (left_days > served))
FROM runs;

-- may: how many lives, and when the first of them ends and its schedule
SELECT count(*) FILTER (stranded_usd > 0)::TEXT FROM reports.runoffs
UNION ALL SELECT dayofmonth(retires_on) || ' ' || day(ends_on) FROM reports.runoffs WHERE stranded_usd > 0;

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
    SELECT *, {'units_of_production': 'by tokens', 'straight_line': 'by days'} AS methods
    FROM exports.amortization LEFT JOIN (SELECT model_id, ends_on AS amortised_by, retires_on, stranded_usd FROM reports.runoffs) USING (model_id)
    WHERE month = this_month() AND (opening_usd <> 0 OR additions_usd <> 0 OR amortized_usd <> 0 OR written_off_usd <> 0 OR closing_usd <> 0)
), printed AS (
    SELECT -closing_usd AS place, model_id, json_extract_string(methods::JSON, method), millions(opening_usd), millions_more(additions_usd),
        millions(-amortized_usd), millions(-written_off_usd), millions(closing_usd), tokens(expected_tokens), tokens(tokens_to_parity),
        day(amortised_by), day(retires_on), millions(stranded_usd)
    FROM lines
    UNION ALL
    SELECT 1, 'All models', '', millions(sum(opening_usd)), millions_more(sum(additions_usd)), millions(-sum(amortized_usd)),
        millions(-sum(written_off_usd)), millions(sum(closing_usd)), '', millions(sum(stranded_usd)), NULL, NULL, NULL
    FROM lines
)
SELECT * EXCLUDE (place) FROM printed ORDER BY place, model_id;

-- fixed: four

-- table: Changes of estimate
SELECT day(changed_on), model_id, NULL FROM economics.estimate_changes ORDER BY changed_on DESC, model_id LIMIT 5;

-- may: what the new estimates are of
SELECT money(balance_usd) || ' ' || coalesce(tokens(to_expected_tokens), '') || ' ' || coalesce(to_expected_days::TEXT || ' days', '') FROM economics.estimate_changes;
