-- words: every invoice that states a total ties out
SELECT count(*)::TEXT, count(*) FILTER (is_reconciled)::TEXT FROM exports.reconciliation WHERE invoice_total IS NOT NULL;

-- words: bills, ledger and difference by currency
SELECT fixed(sum(billed_cost), 2), fixed(sum(ledger_billed_cost), 2), fixed(sum(difference), 2) FROM exports.reconciliation GROUP BY currency;

-- table: Invoices billed cost, in the currency of each bill; largest difference first
WITH ranked AS (
    SELECT *, row_number() OVER (
        ORDER BY greatest(abs(difference), coalesce(abs(billed_cost - invoice_total), 0)) DESC, coalesce(invoice_id, ''), source, billing_period_start, currency
    ) AS place
    FROM exports.reconciliation
), printed AS (
    SELECT place, source, strftime(billing_period_start, '%Y-%m'), coalesce(nullif(invoice_id, ''), '–'), currency, fixed(billed_cost, 2),
        fixed(ledger_billed_cost, 2), fixed(difference, 2), fixed(tolerance, 2), 'passed ' || explanation
    FROM ranked WHERE place <= 25
    UNION ALL
    SELECT 26, count(*) || ' invoices without difference', currency, fixed(sum(billed_cost), 2), fixed(sum(ledger_billed_cost), 2),
        fixed(sum(difference), 2), '', NULL, NULL, NULL
    FROM ranked WHERE place > 25 GROUP BY currency
)
SELECT * EXCLUDE (place) FROM printed ORDER BY place;

-- table: In and out of scope billed cost of the ledger, all months, in the currency of each bill
WITH sums AS (
    SELECT currency, rule, account = 'out_of_scope' AS is_out, sum(billed_cost) AS cost FROM (
        SELECT currency, account, CASE WHEN account = 'out_of_scope' THEN rule END AS rule, billed_cost FROM ledger.postings
    ) GROUP BY ALL
), printed AS (
    SELECT currency, CASE WHEN is_out THEN 1 ELSE 0 END AS place, CASE WHEN is_out THEN 'Out of scope' ELSE 'In scope' END AS scope,
        coalesce(rule, 'what the other pages count, in effective cost') AS rule,
        CASE WHEN is_out THEN (SELECT field || ' = ' || pattern FROM policy.attribution WHERE 'attribution.csv line ' || line = rule) ELSE currency END,
        CASE WHEN is_out THEN currency ELSE fixed(cost, 2) END, CASE WHEN is_out THEN fixed(cost, 2) END
    FROM sums
    UNION ALL
    SELECT currency, 2, 'Ledger', 'passed in scope + out of scope', currency, fixed(sum(ledger_billed_cost), 2), NULL FROM exports.reconciliation GROUP BY currency
)
SELECT * EXCLUDE (currency, place) FROM printed
WHERE currency IN (SELECT currency FROM sums WHERE is_out) ORDER BY currency, place;

-- table: Data quality rows of all files known this night
WITH sums AS (
    SELECT source, string_agg(DISTINCT kind ORDER BY kind) AS kinds, count(*) AS files, sum(rows), sum(accepted), sum(quarantined),
        sum(duplicates), sum(blank)
    FROM raw.files GROUP BY source
), printed AS (
    SELECT 0 AS place, source, {'gpu_billing': 'bills', 'training_logs': 'training logs', 'request_telemetry': 'requests'} AS names, kinds,
        * EXCLUDE (source, kinds) FROM sums
    UNION ALL
    SELECT 1, 'All sources', NULL, '', count(*), sum(rows), sum(accepted), sum(quarantined), sum(duplicates), sum(blank) FROM raw.files
)
SELECT source, coalesce(json_extract_string(names::JSON, kinds), ''), fixed(files, 0), fixed(COLUMNS('sum.*'), 0) FROM printed ORDER BY place, source;
