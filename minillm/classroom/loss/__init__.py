"""What notebook 06 tries: a source of known entropy, a model as a compressor, and when to stop."""
