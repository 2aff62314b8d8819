"""People's rights: to dispute a signal, to see all their data, and to be erased; `service` is the facade."""
