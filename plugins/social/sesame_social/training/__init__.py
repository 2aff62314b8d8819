"""Makes the model from labelled texts. Needs scikit-learn: the extra `train`."""
