"""Way of failing: consumer for work."""

from sesame_sdk import ConsumerDeclaration, ScoreConsumer


class Recruiter(ScoreConsumer):
    """Would choose candidates for a job."""

    declaration = ConsumerDeclaration("recruiter", "https://w3id.org/dpv#Recruitment", "nasty")

    def subjects(self, request):
        return request

    def use(self, request, scores):
        return None


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_score_consumers():
    return [Recruiter()]
