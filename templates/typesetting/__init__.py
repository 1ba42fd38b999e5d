"""From pages to a PDF: fonts, lines that fit, links back, and checks of the layout."""
