"""A cassette as one page that any browser opens, with nothing to load and nothing that can run but the page's own script.

The conversation is written as HTML, so that it can be read without a script; raw exchanges lie in the page as inert JSON. The
page's style and script are real files in `assets`; a Content-Security-Policy names them by their hashes and allows nothing else.
"""

from .page import export_html

__all__ = ["export_html"]
