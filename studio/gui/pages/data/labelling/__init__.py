"""Giving labels to rows, one after the other, by keyboard."""
