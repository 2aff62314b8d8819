"""Builds the documents as a site: `make docs`. The pages are the files that the repository shows.

The source directory is the repository, so that a link of a page means the same here and there.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Sesame SDK"
html_title = project
copyright = "the Sesame SDK authors"  # noqa: A001 - Sphinx's name
root_doc = "docs/index"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "site_directives",
]
include_patterns = [
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/**", "examples/policies/README.md", "plugins/*/README.md"),
    "plugins/social/sesame_social/model/MODEL_CARD.md",
]

myst_heading_anchors = 4
#: The page of decision records links to each: a list would fill the side bar. Pygments knows no CSV.
suppress_warnings = ["toc.not_included", "misc.highlighting_failure"]

autodoc_default_options = {"undoc-members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_use_ivar = True

html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
