"""From source cells to the canonical columns of a shape; rows that lack what the shape needs are put aside."""
