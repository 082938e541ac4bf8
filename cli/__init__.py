"""The command line, one file a command. Nothing imports this floor."""
