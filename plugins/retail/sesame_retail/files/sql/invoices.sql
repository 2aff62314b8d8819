-- One row an invoice. What is of another record type than an order, or is kept back, stands apart.
CREATE TABLE invoices AS
SELECT number, coalesce(record_type, 'order') AS type,
    CASE WHEN coalesce(record_type, 'order') <> 'order' THEN date END AS time, kept,
    min(coalesce(customer, '')), max(coalesce(customer, '')), min(date), CAST(sum(readable) AS BIGINT),
    CAST($total * 1000000 AS HUGEINT), CAST(coalesce(sum(positive), 0) * 1000000 AS HUGEINT),
    min(coalesce(currency, '')), max(coalesce(currency, '')), min(coalesce(origin, '')), max(coalesce(origin, '')),
    bool_or(test), bool_or(staff),
    CAST(coalesce($returned, 0) * 1000000 AS HUGEINT), bool_or(state = 'partly_returned') AND count(refunded) + count(remaining) = 0,
    $several_totals
FROM (
    SELECT *, CASE $kept ELSE '' END AS kept
    FROM (SELECT * REPLACE ($carried) FROM parsed WHERE fault IS NULL AND readable > 0)
)
GROUP BY ALL
ORDER BY min(line)
