"""How far figures depend on which rows were held out: one split of a small set may be lucky.

Texts that are nearly equal are in the same part, so that no figure is one of memory.
"""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from sesame_social.training import datasets, evaluation
from sesame_social.training.datasets import likeness, numbered
from sesame_social.training.evaluation import KINDS_OF, Figure
from sesame_social.training.train import trained


def crossed(
    folder: Path, parts: int, *, seed: int, say: Callable[[str], None] = lambda _: None
) -> list[dict[str, Any]]:
    """Train on all but one part of the rows, measure on that part, and so on for each part.

    Returns:
        One row a set and kind: the mean F1 and its standard deviation over the parts, the lowest, and the
        mean calibration error.

    Raises:
        Rejected: the data are not there.
    """
    rows = datasets.rows(folder, *datasets.SETS)
    alike = numbered(f"{row.source} {likeness(row.text)}" for row in rows)
    found: dict[tuple[str, str], list[Figure]] = defaultdict(list)
    split = GroupKFold(parts, shuffle=True, random_state=seed).split(alike, groups=alike)
    for number, (kept, left) in enumerate(split, 1):
        say(f"part {number} of {parts}")
        model = trained([rows[at] for at in kept], seed=seed)
        for source in datasets.SETS:
            part = [rows[at] for at in left if rows[at].source == source]
            for kind in KINDS_OF.get(source, ("any",)):
                found[source, kind].append(evaluation.figure(model, part, kind=kind))
    return [_spread(*name, each) for name, each in found.items()]


def _spread(source: str, kind: str, each: list[Figure]) -> dict[str, Any]:
    scores = [one.f1 for one in each]
    return {
        "source": source,
        "kind": kind,
        "rows": sum(one.rows for one in each),
        "f1": float(np.mean(scores)),
        "deviation": float(np.std(scores)),
        "lowest": min(scores),
        "error": float(np.mean([one.error for one in each])),
    }
