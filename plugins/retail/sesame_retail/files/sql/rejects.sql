-- Of each line that cannot be read: its number, the index of the reason, amount, currency, texts.
SELECT line, fault, broken, coalesce(amount, 0), coalesce(currency, ''), $texts
FROM ($read)
WHERE fault IS NOT NULL
ORDER BY line
