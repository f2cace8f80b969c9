"""Use cases of the studio: what the window and the command line ask for; each write tells what it changed."""
