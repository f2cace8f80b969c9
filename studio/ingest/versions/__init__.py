"""New versions of a dataset: recipe steps applied to its rows, and the difference of two versions."""
