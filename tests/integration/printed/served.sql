-- words: serving of the month, what of it names no team, and the largest team
WITH cost AS (
    SELECT team, sum(effective_usd) AS usd FROM economics.monthly_spend
    WHERE month = this_month() AND account = 'direct' AND phase = 'inference' GROUP BY ALL
), tokens AS (
    SELECT team, sum(input_tokens + output_tokens) AS tokens FROM staging.token_usage
    WHERE date_trunc('month', hour AT TIME ZONE 'UTC') = this_month() AND model_id IS NOT NULL GROUP BY ALL
)
SELECT money(sum(usd)), money(sum(usd) FILTER (team IS NULL)), whole(coalesce(sum(usd) FILTER (team IS NULL), 0) / sum(usd)) FROM cost
UNION ALL
(SELECT money(usd), whole(usd / (SELECT sum(usd) FROM cost)), per_mtok(usd * 1e6 / nullif(tokens, 0)) FROM cost JOIN tokens USING (team) ORDER BY usd DESC LIMIT 1);

-- may: shares in the words of the bars
SELECT whole(used_usd / sum(used_usd) OVER (PARTITION BY dimension)) FROM reports.served_groups;

-- table: By team US$ thousand
WITH cost AS (
    SELECT team AS name, sum(effective_usd) FILTER (month = this_month()) AS usd, sum(effective_usd) FILTER (month = last_month()) AS before
    FROM economics.monthly_spend WHERE account = 'direct' AND phase = 'inference' AND month IN (this_month(), last_month()) GROUP BY ALL
), used AS (
    SELECT team AS name, sum(input_tokens + output_tokens) AS tokens FROM staging.token_usage
    WHERE date_trunc('month', hour AT TIME ZONE 'UTC') = this_month() AND model_id IS NOT NULL GROUP BY ALL
), lines AS (
    SELECT cost.name, coalesce(usd, 0) AS usd, coalesce(before, 0) AS before, coalesce(tokens, 0) AS tokens
    FROM cost FULL JOIN used ON cost.name IS NOT DISTINCT FROM used.name WHERE usd IS NOT NULL OR tokens IS NOT NULL
), printed AS (
    SELECT name IS NULL AS place, -usd AS size, coalesce(name, 'no team'), whole(usd / (SELECT sum(usd) FROM lines)) || ' of serving', replace(whole(usd / (SELECT sum(usd) FROM lines)), ' %', ''), thousands(usd),
        thousands_more(usd - before), tokens(tokens), CASE WHEN tokens >= 10000000 THEN per_mtok(usd * 1e6 / nullif(tokens, 0)) ELSE 'n.m.' END FROM lines
    UNION ALL
    SELECT NULL, NULL, 'All of serving', NULL, '100', thousands(sum(usd)), thousands_more(sum(usd - before)), tokens(sum(tokens)), per_mtok(sum(usd) * 1e6 / nullif(sum(tokens), 0)) FROM lines
)
SELECT * EXCLUDE (place, size) FROM printed ORDER BY place NULLS LAST, size;

-- table: By tenant US$ thousand
WITH cost AS (
    SELECT tenant AS name, sum(effective_usd) FILTER (month = this_month()) AS usd, sum(effective_usd) FILTER (month = last_month()) AS before
    FROM economics.monthly_spend WHERE account = 'direct' AND phase = 'inference' AND month IN (this_month(), last_month()) GROUP BY ALL
), used AS (
    SELECT tenant AS name, sum(input_tokens + output_tokens) AS tokens FROM staging.token_usage
    WHERE date_trunc('month', hour AT TIME ZONE 'UTC') = this_month() AND model_id IS NOT NULL GROUP BY ALL
), lines AS (
    SELECT cost.name, coalesce(usd, 0) AS usd, coalesce(before, 0) AS before, coalesce(tokens, 0) AS tokens
    FROM cost FULL JOIN used ON cost.name IS NOT DISTINCT FROM used.name WHERE usd IS NOT NULL OR tokens IS NOT NULL
), printed AS (
    SELECT name IS NULL AS place, -usd AS size, coalesce(name, 'no tenant'), whole(usd / (SELECT sum(usd) FROM lines)) || ' of serving', replace(whole(usd / (SELECT sum(usd) FROM lines)), ' %', ''), thousands(usd),
        thousands_more(usd - before), tokens(tokens), CASE WHEN tokens >= 10000000 THEN per_mtok(usd * 1e6 / nullif(tokens, 0)) ELSE 'n.m.' END FROM lines
    UNION ALL
    SELECT NULL, NULL, 'All of serving', NULL, '100', thousands(sum(usd)), thousands_more(sum(usd - before)), tokens(sum(tokens)), per_mtok(sum(usd) * 1e6 / nullif(sum(tokens), 0)) FROM lines
)
SELECT * EXCLUDE (place, size) FROM printed ORDER BY place NULLS LAST, size;

-- table: By task US$ thousand
WITH cost AS (
    SELECT task AS name, sum(effective_usd) FILTER (month = this_month()) AS usd, sum(effective_usd) FILTER (month = last_month()) AS before
    FROM economics.monthly_spend WHERE account = 'direct' AND phase = 'inference' AND month IN (this_month(), last_month()) GROUP BY ALL
), used AS (
    SELECT task AS name, sum(input_tokens + output_tokens) AS tokens FROM staging.token_usage
    WHERE date_trunc('month', hour AT TIME ZONE 'UTC') = this_month() AND model_id IS NOT NULL GROUP BY ALL
), lines AS (
    SELECT cost.name, coalesce(usd, 0) AS usd, coalesce(before, 0) AS before, coalesce(tokens, 0) AS tokens
    FROM cost FULL JOIN used ON cost.name IS NOT DISTINCT FROM used.name WHERE usd IS NOT NULL OR tokens IS NOT NULL
), printed AS (
    SELECT name IS NULL AS place, -usd AS size, coalesce(name, 'no task'), whole(usd / (SELECT sum(usd) FROM lines)) || ' of serving', replace(whole(usd / (SELECT sum(usd) FROM lines)), ' %', ''), thousands(usd),
        thousands_more(usd - before), tokens(tokens), CASE WHEN tokens >= 10000000 THEN per_mtok(usd * 1e6 / nullif(tokens, 0)) ELSE 'n.m.' END FROM lines
    UNION ALL
    SELECT NULL, NULL, 'All of serving', NULL, '100', thousands(sum(usd)), thousands_more(sum(usd - before)), tokens(sum(tokens)), per_mtok(sum(usd) * 1e6 / nullif(sum(tokens), 0)) FROM lines
)
SELECT * EXCLUDE (place, size) FROM printed ORDER BY place NULLS LAST, size;
