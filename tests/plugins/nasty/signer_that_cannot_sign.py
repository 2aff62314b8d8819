"""Way of failing: signer that cannot sign."""


class Signer:
    """Has names only."""

    kid = "k"
    public_jwk = {}  # noqa: RUF012


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signers():
    return [Signer()]
