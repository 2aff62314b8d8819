"""Other software of the OpenID Shared Signals Framework, written from its specifications alone."""
