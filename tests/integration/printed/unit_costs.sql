-- words: a million tokens, three times
WITH month AS (
    SELECT sum(used_usd) AS used, sum(used_usd + idle_share_usd + shared_share_usd) AS allocated,
        sum(used_usd + idle_share_usd + shared_share_usd + amortized_training_usd) AS loaded, sum(input_tokens + output_tokens) / 1e6 AS mtok
    FROM exports.unit_costs WHERE month = this_month() AND used_usd_per_mtok IS NOT NULL
)
SELECT per_mtok(used / mtok), per_mtok(allocated / mtok), per_mtok(loaded / mtok), per_mtok((loaded - allocated) / mtok), per_mtok((allocated - used) / mtok)
FROM month;

-- words: the cheapest dated price of an API for the largest models
WITH cheapest AS (
    SELECT *, row_number() OVER (PARTITION BY model_id ORDER BY rank) AS place
    FROM economics.api_comparisons WHERE month = this_month() AND priced_on IS NOT NULL
)
SELECT per_mtok(api_usd_per_mtok), day(priced_on), per_mtok(allocated_usd_per_mtok)
FROM cheapest WHERE place = 1 ORDER BY build_usd DESC LIMIT 2;

-- words: what was wasted or idle, by cause and pool, and its share of cost
WITH lost AS (SELECT cause, pool_id, sum(wasted_usd) AS usd FROM economics.waste WHERE month = this_month() GROUP BY ALL),
ranked AS (SELECT *, sum(usd) OVER (ORDER BY usd DESC) / sum(usd) OVER () AS running FROM lost WHERE usd <> 0)
SELECT money(usd), whole(running) FROM ranked
UNION ALL
SELECT money(sum(usd)), whole(sum(usd) / any_value(effective_usd)) FROM lost, reports.month_figures WHERE month = this_month();

-- words: the largest idle pool
SELECT money(sum(wasted_usd)) FROM economics.waste WHERE month = this_month() AND cause IN ('idle', 'commitment_unused')
GROUP BY pool_id ORDER BY sum(wasted_usd) DESC LIMIT 1;

-- words: who was served, by team
WITH cost AS (
    SELECT team, sum(effective_usd) AS usd FROM economics.monthly_spend
    WHERE month = this_month() AND account = 'direct' AND phase = 'inference' GROUP BY ALL
), tokens AS (
    SELECT team, sum(input_tokens + output_tokens) AS tokens FROM staging.token_usage
    WHERE date_trunc('month', hour AT TIME ZONE 'UTC') = this_month() AND model_id IS NOT NULL GROUP BY ALL
), ranked AS (
    SELECT usd, coalesce(tokens, 0) AS tokens, row_number() OVER (ORDER BY usd DESC) AS place
    FROM cost LEFT JOIN tokens ON cost.team IS NOT DISTINCT FROM tokens.team
)
SELECT money(usd), CASE WHEN tokens >= 10000000 THEN per_mtok(usd * 1e6 / tokens) END, tokens(tokens) FROM ranked WHERE place <= 6
UNION ALL
SELECT money(sum(usd)), NULL, tokens(sum(tokens)) || ' ' || count(*) FROM ranked WHERE place > 6 HAVING count(*) > 0;

-- words: training time that made progress
SELECT percent(goodput_ratio), (SELECT count(*) || ' months' FROM reports.month_figures) FROM economics.goodput WHERE month = this_month();

-- may: the months of the charts
SELECT tick(month) || ' ' || year(month) FROM reports.month_figures;

-- may: what a unit of another kind costs
SELECT per_mtok(allocated_usd_per_unit) FROM exports.unit_costs WHERE month = this_month() AND units > 0;

-- fixed: 50_% 75_% 100_% 90_% 3

-- table: What a million tokens cost
WITH past AS (
    SELECT *, row_number() OVER (PARTITION BY model_id ORDER BY month DESC) AS ago
    FROM exports.unit_costs WHERE month < this_month() AND allocated_usd_per_mtok IS NOT NULL
), mean AS (
    SELECT model_id, avg(allocated_usd_per_mtok) AS before FROM past WHERE ago <= 3 GROUP BY ALL
), lines AS (
    SELECT *, input_tokens + output_tokens >= 10000000 AND fully_loaded_usd_per_mtok IS NOT NULL AS is_priced
    FROM exports.unit_costs LEFT JOIN mean USING (model_id)
    WHERE month = this_month() AND (input_tokens + output_tokens > 0 OR units > 0)
), printed AS (
    SELECT coalesce(allocated_usd_per_mtok, 0) * (input_tokens + output_tokens) AS place, model_id,
        CASE WHEN is_priced THEN 'used ' || per_mtok(used_usd_per_mtok) || ', allocated ' || per_mtok(allocated_usd_per_mtok) || ', fully loaded ' || per_mtok(fully_loaded_usd_per_mtok) END,
        CASE WHEN is_priced THEN per_mtok(used_usd_per_mtok) ELSE 'n.m.' END, CASE WHEN is_priced THEN per_mtok(allocated_usd_per_mtok) ELSE 'n.m.' END,
        CASE WHEN is_priced THEN per_mtok(fully_loaded_usd_per_mtok) ELSE 'n.m.' END,
        CASE WHEN NOT is_priced THEN '–' WHEN before IS NULL THEN 'new' ELSE regexp_replace(whole_more(allocated_usd_per_mtok / before - 1), ' %$', '') END,
        tokens(input_tokens), CASE WHEN input_tokens > 0 THEN whole(cached_input_tokens / input_tokens) ELSE '–' END, tokens(output_tokens),
        whole(utilization_ratio) || ' busy', regexp_replace(whole(utilization_ratio), ' %$', '')
    FROM lines
    UNION ALL
    SELECT -1, 'All models', '', per_mtok(sum(used_usd) FILTER (used_usd_per_mtok IS NOT NULL) * 1e6 / sum(input_tokens + output_tokens)),
        NULL, NULL, '', tokens(sum(input_tokens)), whole(sum(cached_input_tokens) / sum(input_tokens)), tokens(sum(output_tokens)), '', NULL
    FROM lines
)
SELECT * EXCLUDE (place) FROM printed ORDER BY place DESC, model_id;
