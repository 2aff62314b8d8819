"""Keys, tokens, disclosures and trust.

    base64url         strict RFC 4648 section 5
    keys              Ed25519 keys, key files, thumbprints, JWK sets
    trust_store       trusted keys and their validity
    jws               signatures: the only module that uses joserfc
    jwt               tokens and their verification
    security_events   Security Event Tokens with one payload
    sd_jwt            SD-JWTs and disclosures of array elements
    envelope_schema   the claims that an envelope may have
    envelopes         many signals under one signature, each of which verifies alone

Free of IO, except for `keys.SigningKey.load` and ``save``. The caller passes the time.
"""
