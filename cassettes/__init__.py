"""What a recording is: the file, the words for it, matching and positions, and the thread view.

Pure and synchronous: no HTTP, no event loop, no screen, and usable alone.
"""
