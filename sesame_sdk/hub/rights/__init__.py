"""What a person may ask of a hub: to dispute a signal, to see everything, to be erased.

deadlines   days by which things must be done, weekends out (pure)
dispute     a dispute and what may happen to it next (pure)
schema      the tables
freezing    which signals a dispute keeps from counting, in SQL
disputes    disputes in the tables
notices     what partners have to be told, and when they were
gate        who may fetch notices
holdings    where the hub holds what of a person
redaction   a person's disclosures in the ledger: found, and dropped
erasure     a person gone from all of it
scrub       and from the files
export_form, export    all of it as JSON
rights      the facade, `Hub.rights`
"""
