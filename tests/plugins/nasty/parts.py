"""What the failing modules are built from, so that each shows one failure only."""

from sesame_sdk import Evidence, Polarity, Sensitivity, SignalKind, SignalProvider


def kind(name):
    return SignalKind(
        name,
        name.split(".")[0],
        "thing",
        Evidence.OBSERVED,
        Polarity.REWARD,
        Sensitivity.ORDINARY,
        "Stings that you drew out",
        categories=("https://w3id.org/dpv/pd#Reliability",),
    )


class Quiet(SignalProvider):
    """A provider with nothing wrong in it, to be spoilt."""

    name = "nasty"
    kinds = (kind("nasty.thing.done"),)

    def read(self, path):
        return iter(())

    def signals(self, event, pseudonymizer):
        return ()
