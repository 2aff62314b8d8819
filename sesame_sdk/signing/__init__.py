"""Keys, tokens, disclosures and trust: everything that crosses a boundary is signed, here.

    base64url    strict RFC 4648 section 5
    keys         an Ed25519 key, its file, its thumbprint, JWK sets
    trust        whose keys count, since when, until when
    compact      a signature and what it covers: JWS (joserfc stands behind this module alone)
    tokens       a signed JWT, and what must hold before it is believed
    events       a Security Event Token with one payload
    disclosure   SD-JWT array elements: salt, value, digest
    forms        what may stand in an envelope, and nothing else
    envelopes    many signals under one signature, each provable alone

Free of IO, but for `keys.SigningKey.load` and ``save``. Nobody here reads a clock: whoever calls says
what time it is.
"""
