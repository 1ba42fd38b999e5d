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
SELECT * FROM served_by('team');

-- table: By tenant US$ thousand
SELECT * FROM served_by('tenant');

-- table: By task US$ thousand
SELECT * FROM served_by('task');
