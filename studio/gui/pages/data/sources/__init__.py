"""Ways for data to come in beside the file dialog, and the parts of the form that say what came."""
