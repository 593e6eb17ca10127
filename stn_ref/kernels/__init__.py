"""The fast loops behind the operators: arrays in, arrays out, no Tensor and no tape."""
