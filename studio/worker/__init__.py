"""Child processes: one job each, commands in, events out; the only place where heavy rooms are started."""
