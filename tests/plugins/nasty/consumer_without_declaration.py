"""Way of failing: consumer without declaration."""

from sesame_sdk import ScoreConsumer


class Silent(ScoreConsumer):
    """Does not say why it reads."""

    def subjects(self, request):
        return ()

    def use(self, request, scores):
        return None


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_score_consumers():
    return [Silent()]
