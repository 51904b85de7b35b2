"""What notebook 09 tries: scored prompts, a mirror of the text, memorised strings, patterns, and facts read one way."""
