-- words: what bought nothing, by cause and pool, and its share of cost
WITH lost AS (SELECT cause, pool_id, sum(wasted_usd) AS usd FROM economics.waste WHERE month = this_month() GROUP BY ALL)
SELECT money(usd), whole(usd / (SELECT sum(usd) FROM lost)) FROM lost
WHERE usd <> 0
UNION ALL
SELECT money(sum(usd)), whole(sum(usd) / any_value(effective_usd)) FROM lost, reports.month_figures WHERE month = this_month();

-- words: capacity that stood idle, and training that led nowhere
SELECT
    money(sum(wasted_usd) FILTER (cause IN ('idle', 'commitment_unused'))),
    money(coalesce(sum(wasted_usd) FILTER (cause NOT IN ('idle', 'commitment_unused')), 0))
FROM economics.waste WHERE month = this_month();

-- words: training time that bought progress
SELECT percent(goodput_ratio), (SELECT count(*) || ' months' FROM reports.month_figures) FROM economics.goodput WHERE month = this_month();

-- may: every third month of the chart
SELECT tick(month) FROM reports.month_figures;

-- fixed: 50_% 75_% 100_% 90_%
