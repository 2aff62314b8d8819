"""From a partner's message to rows in the ledger and a signed receipt."""
