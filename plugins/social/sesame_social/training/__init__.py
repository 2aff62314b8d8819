"""Trains the model on labelled texts. It needs scikit-learn: the extra `train`."""
