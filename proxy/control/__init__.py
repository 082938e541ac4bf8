"""The control API of a running proxy: what it does now, call by call, for the inspector and for scripts. See docs/control.md.

`protocol`, `places` and `client` know nothing of the proxy; the inspector may import these alone.
"""
