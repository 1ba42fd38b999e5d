"""How it looks: pages as frozen values, figures as SVG, the PDF and its HTML twin."""
