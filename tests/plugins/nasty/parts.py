"""What the failing modules are built from, so that each shows one failure only."""

from sesame_sdk import SignalKind, SignalProvider


def kind(name, observation="item_returned_on_time"):
    return SignalKind(name, observation)


class Quiet(SignalProvider):
    """A provider with nothing wrong in it, to be spoilt."""

    name = "nasty"
    kinds = (kind("nasty.thing.done"),)

    def read(self, path):
        return iter(())

    def signals(self, event, pseudonymizer):
        return ()
