-- Texts, read: trimmed, then as ids, then by what they mean. A fault is the index of its reason.
SELECT *, $fault AS fault
FROM (SELECT *, $readings FROM (SELECT *, $ids FROM (SELECT *, $texts FROM $relation)))
