"""The pages of the rail, one module or package each."""
