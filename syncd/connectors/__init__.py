"""The edge: the only code that speaks to vendors. `base.py` is the contract every vendor's folder keeps."""
