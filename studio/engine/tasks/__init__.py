"""What can be learned: one package for each kind of learning, all behind the interface in task.py."""
