"""Classifying posts, beside scikit-learn's own pipeline of the same sort of model, and a cold start."""

import random
import subprocess
import sys

from sesame_social.classifier import classify, load_model
from sesame_social.classifier.model import HEADS
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from benchmarks.table import BenchmarkResult, fastest

LENGTH = 200
_WORDS = (
    "time good people house water about which their would there could other after first never",
    "these thing where being every great might shall still those while think three",
)
_START = "from sesame_social.classifier import classify, load_model; classify(['hello'], load_model())"


def rows(posts: int = 10_000) -> list[BenchmarkResult]:
    """English and Chinese posts of 200 characters on one core; and the first verdict of a new process."""
    model = load_model()
    made = []
    for language, texts in (("English", _english(posts)), ("Chinese", _chinese(posts))):
        ours = posts / fastest(lambda texts=texts: classify(texts, model))  # type: ignore[misc]
        pipeline, few = _pipeline(texts), texts[:500]
        theirs = len(few) / fastest(lambda few=few, pipeline=pipeline: _all_heads(pipeline, few), times=2)  # type: ignore[misc]
        baseline = f"scikit-learn: the same n-grams hashed once, {len(HEADS)} logistic regressions"
        made.append(
            _row(f"classify {LENGTH}-character posts, {language}", ours, theirs, baseline, "posts/s", 2)
        )
        made.append(_row(f"the same, {language}", ours, 10_000, "our target, one core", "posts/s", 1))
    start = fastest(lambda: subprocess.run([sys.executable, "-c", _START], check=True), times=3)
    made.append(BenchmarkResult("first verdict of a new process", start, 0.3, "our target", "s", 1, "lower"))
    return made


def _row(name: str, ours: float, limit: float, baseline: str, unit: str, reach: float) -> BenchmarkResult:
    return BenchmarkResult(name, ours, limit, baseline, unit, reach, "higher")


def _english(posts: int) -> list[str]:
    chance, words = random.Random(20261101), " ".join(_WORDS).split()
    return [" ".join(chance.choices(words, k=45))[:LENGTH] for _ in range(posts)]


def _chinese(posts: int) -> list[str]:
    chance = random.Random(20261101)
    return ["".join(chr(chance.randrange(0x4E00, 0x5E00)) for _ in range(LENGTH)) for _ in range(posts)]


def _pipeline(texts: list[str]) -> Pipeline:
    """Runs of one to three characters, words and pairs of words, in as many buckets as ours."""
    common = {"n_features": 1 << 18, "alternate_sign": False}
    hashed = FeatureUnion(
        [
            ("runs", HashingVectorizer(analyzer="char", ngram_range=(1, 3), **common)),
            ("words", HashingVectorizer(analyzer="word", ngram_range=(1, 2), **common)),
        ]
    )
    labels = [at % len(HEADS) for at in range(200)]
    return make_pipeline(hashed, LogisticRegression(max_iter=5, solver="saga", tol=1)).fit(
        texts[:200], labels
    )


def _all_heads(pipeline: Pipeline, texts: list[str]) -> object:
    return pipeline.predict_proba(texts)
