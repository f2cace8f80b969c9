"""Texts with a label, several labels or a number: pretrained encoders, and small models that learn from scratch."""
