"""What speaks HTTP: recording, replay and the sandbox."""
