-- words: a million tokens, three times
WITH month AS (
    SELECT sum(used_usd) AS used, sum(used_usd + idle_share_usd + shared_share_usd) AS allocated,
        sum(used_usd + idle_share_usd + shared_share_usd + amortized_training_usd) AS loaded, sum(input_tokens + output_tokens) / 1e6 AS mtok
    FROM exports.unit_costs WHERE month = this_month() AND used_usd_per_mtok IS NOT NULL
)
SELECT per_mtok(used / mtok), per_mtok(allocated / mtok), per_mtok(loaded / mtok) FROM month;

-- words: each model's bar and its dot
SELECT per_mtok(fully_loaded_usd_per_mtok), whole(utilization_ratio), per_mtok(used_usd_per_mtok)
FROM exports.unit_costs WHERE month = this_month() AND fully_loaded_usd_per_mtok IS NOT NULL;

-- words: how many models, and the ends of the range
SELECT count(*)::TEXT || ' models' FROM exports.unit_costs WHERE month = this_month() AND fully_loaded_usd_per_mtok IS NOT NULL;

-- words: the cheapest dated price of an API for the largest models
WITH cheapest AS (
    SELECT *, row_number() OVER (PARTITION BY model_id ORDER BY rank) AS place
    FROM economics.api_comparisons WHERE month = this_month() AND priced_on IS NOT NULL
)
SELECT per_mtok(api_usd_per_mtok), day(priced_on), per_mtok(allocated_usd_per_mtok), whole(abs(api_usd_per_mtok / allocated_usd_per_mtok - 1))
FROM cheapest WHERE place = 1 ORDER BY build_usd DESC LIMIT 2;

-- fixed: 0_% 25_% 50_% 75_% 100_% $0.1 $1 $10 $100 $1,000 $10,000 3 three five

-- table: Every model that served US$ per million tokens
WITH past AS (
    SELECT *, row_number() OVER (PARTITION BY model_id ORDER BY month DESC) AS ago
    FROM exports.unit_costs WHERE month < this_month() AND allocated_usd_per_mtok IS NOT NULL
), mean AS (
    SELECT model_id, avg(allocated_usd_per_mtok) AS before FROM past WHERE ago <= 3 GROUP BY ALL
)
SELECT
    model_id, per_mtok(used_usd_per_mtok), per_mtok(allocated_usd_per_mtok), per_mtok(fully_loaded_usd_per_mtok),
    tokens(input_tokens - cached_input_tokens), tokens(cached_input_tokens), tokens(output_tokens),
    CASE WHEN input_tokens > 0 THEN whole(cached_input_tokens / input_tokens) ELSE '–' END, whole(utilization_ratio),
    whole_more(allocated_usd_per_mtok / before - 1), whole(usage_ratio)
FROM exports.unit_costs LEFT JOIN mean USING (model_id)
WHERE month = this_month() AND (input_tokens + output_tokens > 0 OR units > 0)
ORDER BY coalesce(allocated_usd_per_mtok, 0) * (input_tokens + output_tokens) DESC, model_id;
