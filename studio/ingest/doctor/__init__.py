"""The data doctor: checks that stream over a dataset, find what is wrong, and say what a fix would change."""
