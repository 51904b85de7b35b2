"""Experiments of notebook 11: a base model fine-tuned on short documents of our own, and what that changes."""
