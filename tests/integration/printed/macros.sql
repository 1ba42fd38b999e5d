-- What scripts of several pages say: the month reported, and dates and small numbers as they are printed.
CREATE MACRO this_month() AS (SELECT month FROM reports.subject);
CREATE MACRO last_month() AS (SELECT previous_month FROM reports.subject);
CREATE MACRO tonight() AS (SELECT as_of FROM reports.subject);
CREATE MACRO day(x) AS coalesce(strftime(x::DATE, '%Y-%m-%d'), '–');
CREATE MACRO tick(x) AS strftime(x, '%b %y');
CREATE MACRO month_year(x) AS strftime(x, '%B %Y');
CREATE MACRO in_words(n) AS
    ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'][n::INTEGER + 1];

-- What serving one team, tenant or task cost: the rows of its table on the page of those who were served, and their sum.
CREATE MACRO served_by(dimension) AS TABLE (
WITH cost AS (
    SELECT CASE dimension WHEN 'team' THEN team WHEN 'tenant' THEN tenant ELSE task END AS name, sum(effective_usd) FILTER (month = this_month()) AS usd, sum(effective_usd) FILTER (month = last_month()) AS before
    FROM economics.monthly_spend WHERE account = 'direct' AND phase = 'inference' AND month IN (this_month(), last_month()) GROUP BY ALL
), used AS (
    SELECT CASE dimension WHEN 'team' THEN team WHEN 'tenant' THEN tenant ELSE task END AS name, sum(input_tokens + output_tokens) AS tokens FROM staging.token_usage
    WHERE date_trunc('month', hour AT TIME ZONE 'UTC') = this_month() AND model_id IS NOT NULL GROUP BY ALL
), lines AS (
    SELECT cost.name, coalesce(usd, 0) AS usd, coalesce(before, 0) AS before, coalesce(tokens, 0) AS tokens
    FROM cost FULL JOIN used ON cost.name IS NOT DISTINCT FROM used.name WHERE usd IS NOT NULL OR tokens IS NOT NULL
), printed AS (
    SELECT name IS NULL AS place, -usd AS size, coalesce(name, 'no ' || dimension), whole(usd / (SELECT sum(usd) FROM lines)) || ' of serving', replace(whole(usd / (SELECT sum(usd) FROM lines)), ' %', ''), thousands(usd),
        thousands_more(usd - before), tokens(tokens), CASE WHEN tokens >= 10000000 THEN per_mtok(usd * 1e6 / nullif(tokens, 0)) ELSE 'n.m.' END FROM lines
    UNION ALL
    SELECT NULL, NULL, 'All of serving', NULL, '100', thousands(sum(usd)), thousands_more(sum(usd - before)), tokens(sum(tokens)), per_mtok(sum(usd) * 1e6 / nullif(sum(tokens), 0)) FROM lines
)
SELECT * EXCLUDE (place, size) FROM printed ORDER BY place NULLS LAST, size
);
