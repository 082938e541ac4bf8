"""What of an upstream's answers is compared with a recording: shapes, states, errors and orders, never prose.

Pure: what is performed, and when it is enough, is said here; `proxy.drift` performs it.
"""
