"""Language models: rows to tokens, batches, the loss on answers only, and the task that puts them together."""
