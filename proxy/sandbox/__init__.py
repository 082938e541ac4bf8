"""The embedded upstream: the threads API in memory, so that everything can be tried without a network or a key."""
