"""What the arrays are called that the classifier hands around."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
Bytes: TypeAlias = NDArray[np.uint8]
Units: TypeAlias = NDArray[np.uint16]
Buckets: TypeAlias = NDArray[np.uint32]
Hashes: TypeAlias = NDArray[np.uint64]
Ints: TypeAlias = NDArray[np.int64]
Weights: TypeAlias = NDArray[np.int16]
Floats: TypeAlias = NDArray[np.float64]
